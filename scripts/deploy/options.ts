import type { Addresses } from "../../services/protocol/addresses.ts";
import type { EmergencyOptions } from "./emergency.ts";
import type { ConsumptionOptions } from "./consumption.ts";
import type { ProductionOptions } from "./production.ts";
import type { StorageOptions } from "./storage.ts";

/** One zone with the line to its parent; Wh per slot. A root is its own parent; backup 0 = none connected here. */
export interface DeployZone {
  parent: number;
  toParentWh: number | bigint;
  fromParentWh: number | bigint;
  backupCapacityWh: number | bigint;
}

/** No published tariff or band ever leaves these; the tariffs bound the margin. Micro-token per kWh. */
export interface DeployBounds {
  highestImportTariff: number | bigint;
  lowestExportTariff: number | bigint;
  lowestPrice: number | bigint;
  highestPrice: number | bigint;
}

/** An account of several signatures (Safe 1.4.1) that the deployment makes. */
export interface SafeTerms {
  owners: readonly string[];
  /** How many of them must sign. */
  threshold: number;
}

/** What a market is: the same terms and the same first nonce of the deployer give the same transactions. */
export interface MarketTerms {
  operator: string;
  /** May cancel what operator or admin scheduled, and pause. */
  guardian: string;
  /** An account that stands already, or one to make. */
  admin: string | SafeTerms;
  /** Seconds that the admin's calls wait after they were scheduled; 0 by default. */
  adminDelaySeconds?: number;
  /** Takes money out of the backup supplier's account; the operator by default. */
  backup?: string;
  /** Addresses of the oracle nodes, in the order of their indices. */
  committee: readonly string[];
  faults: number;
  zones: readonly DeployZone[];
  /** Any 6-decimal ERC-20; a worthless test token is deployed without it. */
  tokenAddress?: string;
  bounds: DeployBounds;
  /** What every word of a cleared book pays to whoever cleared it, nano-token; 1,000 by default. It never changes. */
  wordFeeNano?: number;
  /** What metered energy beyond an operating envelope costs, micro-token per kWh; 100,000 by default. It never changes. */
  penaltyPrice?: number;
  /** What the community's monthly peak costs, micro-token per kW; 5 tokens by default. It never changes. */
  peakPricePerKw?: bigint;
  /** What a relayer puts down for each sealed batch, token base units; 10 tokens by default. It never changes. */
  sealedBond?: number | bigint;
  genesisSlot: number;
  /** Who may move money between accounts of the ledger, for ever, beside the modules of the groups; nobody by default. */
  ledgerModules?: readonly string[];
  /** Seconds that the operator's calls wait after they were scheduled; 0 by default. */
  operatorDelaySeconds?: number;
  production?: ProductionOptions;
  emergency?: EmergencyOptions;
  consumption?: ConsumptionOptions;
  storage?: StorageOptions;
}

/** Libraries that contracts are linked to: deployed, and nobody's business afterwards. */
export type Library = "clearingMesh" | "clearingParts";

/** Contracts of the multi-signature admin, where the deployment makes one. */
export type SafePart = "safeSingleton" | "safeHandler" | "safeFactory";

/** Where everything stands, known before the first transaction. */
export type Places = Omit<Addresses, "chainId" | "deployedAtBlock"> &
  Record<Library, string> &
  Partial<Record<SafePart, string>>;
