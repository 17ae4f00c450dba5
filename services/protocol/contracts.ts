import { Interface, type ContractRunner, type InterfaceAbi } from "ethers";
import type { MarketAccess } from "../../types/contracts/access/MarketAccess.ts";
import type { CommunityStorage } from "../../types/contracts/balancing/CommunityStorage.ts";
import type { Emergency } from "../../types/contracts/balancing/Emergency.ts";
import type { Envelopes } from "../../types/contracts/balancing/Envelopes.ts";
import type { Grid } from "../../types/contracts/balancing/Grid.ts";
import type { Losses } from "../../types/contracts/balancing/Losses.ts";
import type { PeakCharge } from "../../types/contracts/balancing/PeakCharge.ts";
import type { Refunds } from "../../types/contracts/balancing/Refunds.ts";
import type { StorageUnits } from "../../types/contracts/balancing/StorageUnits.ts";
import type { MeteringPoints } from "../../types/contracts/consumption/MeteringPoints.ts";
import type { MeterOracle } from "../../types/contracts/consumption/MeterOracle.ts";
import type { Profiles } from "../../types/contracts/consumption/Profiles.ts";
import type { DemandResponse } from "../../types/contracts/consumption/DemandResponse.ts";
import type { Usage } from "../../types/contracts/consumption/Usage.ts";
import type { ReadingArchive } from "../../types/contracts/consumption/ReadingArchive.ts";
import { MarketAccess__factory } from "../../types/contracts/factories/access/MarketAccess__factory.ts";
import { CommunityStorage__factory } from "../../types/contracts/factories/balancing/CommunityStorage__factory.ts";
import { Emergency__factory } from "../../types/contracts/factories/balancing/Emergency__factory.ts";
import { Envelopes__factory } from "../../types/contracts/factories/balancing/Envelopes__factory.ts";
import { Grid__factory } from "../../types/contracts/factories/balancing/Grid__factory.ts";
import { Losses__factory } from "../../types/contracts/factories/balancing/Losses__factory.ts";
import { PeakCharge__factory } from "../../types/contracts/factories/balancing/PeakCharge__factory.ts";
import { Refunds__factory } from "../../types/contracts/factories/balancing/Refunds__factory.ts";
import { StorageUnits__factory } from "../../types/contracts/factories/balancing/StorageUnits__factory.ts";
import { MeteringPoints__factory } from "../../types/contracts/factories/consumption/MeteringPoints__factory.ts";
import { MeterOracle__factory } from "../../types/contracts/factories/consumption/MeterOracle__factory.ts";
import { Bilaterals__factory } from "../../types/contracts/factories/pricing/Bilaterals__factory.ts";
import { Profiles__factory } from "../../types/contracts/factories/consumption/Profiles__factory.ts";
import { DemandResponse__factory } from "../../types/contracts/factories/consumption/DemandResponse__factory.ts";
import { Usage__factory } from "../../types/contracts/factories/consumption/Usage__factory.ts";
import { ReadingArchive__factory } from "../../types/contracts/factories/consumption/ReadingArchive__factory.ts";
import { Auction__factory } from "../../types/contracts/factories/pricing/Auction__factory.ts";
import { Ledger__factory } from "../../types/contracts/factories/pricing/Ledger__factory.ts";
import { OrderBook__factory } from "../../types/contracts/factories/pricing/OrderBook__factory.ts";
import { SealedBatches__factory } from "../../types/contracts/factories/pricing/SealedBatches__factory.ts";
import { Settlement__factory } from "../../types/contracts/factories/pricing/Settlement__factory.ts";
import { DynamicTariffs__factory } from "../../types/contracts/factories/pricing/DynamicTariffs__factory.ts";
import { Tariffs__factory } from "../../types/contracts/factories/pricing/Tariffs__factory.ts";
import { Certificates__factory } from "../../types/contracts/factories/production/Certificates__factory.ts";
import { Generators__factory } from "../../types/contracts/factories/production/Generators__factory.ts";
import { Incentives__factory } from "../../types/contracts/factories/production/Incentives__factory.ts";
import { ClearingHarness__factory } from "../../types/contracts/factories/test/ClearingHarness__factory.ts";
import { TestToken__factory } from "../../types/contracts/factories/test/TestToken__factory.ts";
import type { Auction } from "../../types/contracts/pricing/Auction.ts";
import type { Bilaterals } from "../../types/contracts/pricing/Bilaterals.ts";
import type { Ledger } from "../../types/contracts/pricing/Ledger.ts";
import type { OrderBook } from "../../types/contracts/pricing/OrderBook.ts";
import type { SealedBatches } from "../../types/contracts/pricing/SealedBatches.ts";
import type { Settlement } from "../../types/contracts/pricing/Settlement.ts";
import type { DynamicTariffs } from "../../types/contracts/pricing/DynamicTariffs.ts";
import type { Tariffs } from "../../types/contracts/pricing/Tariffs.ts";
import type { Certificates } from "../../types/contracts/production/Certificates.ts";
import type { Generators } from "../../types/contracts/production/Generators.ts";
import type { Incentives } from "../../types/contracts/production/Incentives.ts";
import type { TestToken } from "../../types/contracts/test/TestToken.ts";
import type { Addresses } from "./addresses.ts";
import { sentenceOf } from "./error-words.ts";

/** The contracts of one market, typed. `token` has `mint` only where it is the test token. */
export interface Contracts {
  accessManager: MarketAccess;
  token: TestToken;
  meteringPoints: MeteringPoints;
  grid: Grid;
  tariffs: Tariffs;
  ledger: Ledger;
  sealedBatches: SealedBatches;
  orderBook: OrderBook;
  auction: Auction;
  meterOracle: MeterOracle;
  settlement: Settlement;
  envelopes: Envelopes;
  bilaterals: Bilaterals;
  emergency: Emergency;
  readingArchive: ReadingArchive;
  generators: Generators;
  certificates: Certificates;
  incentives: Incentives;
  losses: Losses;
  peakCharge: PeakCharge;
  refunds: Refunds;
  dynamicTariffs: DynamicTariffs;
  profiles: Profiles;
  demandResponse: DemandResponse;
  usage: Usage;
  storageUnits: StorageUnits;
  communityStorage: CommunityStorage;
}

/** Reads through a provider, sends through a signer. */
export const connectContracts = (addresses: Addresses, runner: ContractRunner): Contracts => ({
  accessManager: MarketAccess__factory.connect(addresses.accessManager, runner),
  token: TestToken__factory.connect(addresses.token, runner),
  meteringPoints: MeteringPoints__factory.connect(addresses.meteringPoints, runner),
  grid: Grid__factory.connect(addresses.grid, runner),
  tariffs: Tariffs__factory.connect(addresses.tariffs, runner),
  ledger: Ledger__factory.connect(addresses.ledger, runner),
  sealedBatches: SealedBatches__factory.connect(addresses.sealedBatches, runner),
  orderBook: OrderBook__factory.connect(addresses.orderBook, runner),
  auction: Auction__factory.connect(addresses.auction, runner),
  meterOracle: MeterOracle__factory.connect(addresses.meterOracle, runner),
  settlement: Settlement__factory.connect(addresses.settlement, runner),
  envelopes: Envelopes__factory.connect(addresses.envelopes, runner),
  bilaterals: Bilaterals__factory.connect(addresses.bilaterals, runner),
  emergency: Emergency__factory.connect(addresses.emergency, runner),
  readingArchive: ReadingArchive__factory.connect(addresses.readingArchive, runner),
  generators: Generators__factory.connect(addresses.generators, runner),
  certificates: Certificates__factory.connect(addresses.certificates, runner),
  incentives: Incentives__factory.connect(addresses.incentives, runner),
  losses: Losses__factory.connect(addresses.losses, runner),
  peakCharge: PeakCharge__factory.connect(addresses.peakCharge, runner),
  refunds: Refunds__factory.connect(addresses.refunds, runner),
  dynamicTariffs: DynamicTariffs__factory.connect(addresses.dynamicTariffs, runner),
  profiles: Profiles__factory.connect(addresses.profiles, runner),
  demandResponse: DemandResponse__factory.connect(addresses.demandResponse, runner),
  usage: Usage__factory.connect(addresses.usage, runner),
  storageUnits: StorageUnits__factory.connect(addresses.storageUnits, runner),
  communityStorage: CommunityStorage__factory.connect(addresses.communityStorage, runner),
});

const abis = {
  MarketAccess: MarketAccess__factory.abi,
  TestToken: TestToken__factory.abi,
  MeteringPoints: MeteringPoints__factory.abi,
  Grid: Grid__factory.abi,
  Tariffs: Tariffs__factory.abi,
  Ledger: Ledger__factory.abi,
  OrderBook: OrderBook__factory.abi,
  SealedBatches: SealedBatches__factory.abi,
  Auction: Auction__factory.abi,
  MeterOracle: MeterOracle__factory.abi,
  Settlement: Settlement__factory.abi,
  Envelopes: Envelopes__factory.abi,
  Bilaterals: Bilaterals__factory.abi,
  Emergency: Emergency__factory.abi,
  ReadingArchive: ReadingArchive__factory.abi,
  Generators: Generators__factory.abi,
  Certificates: Certificates__factory.abi,
  Incentives: Incentives__factory.abi,
  Losses: Losses__factory.abi,
  PeakCharge: PeakCharge__factory.abi,
  Refunds: Refunds__factory.abi,
  DynamicTariffs: DynamicTariffs__factory.abi,
  Profiles: Profiles__factory.abi,
  DemandResponse: DemandResponse__factory.abi,
  Usage: Usage__factory.abi,
  StorageUnits: StorageUnits__factory.abi,
  CommunityStorage: CommunityStorage__factory.abi,
  ClearingHarness: ClearingHarness__factory.abi,
} as const;

export type ContractName = keyof typeof abis;

export const contractNames = Object.keys(abis) as ContractName[];

export const abiOf = (name: ContractName): InterfaceAbi => abis[name];

export interface ContractError {
  name: string;
  /** Arguments by name: numbers in decimal, addresses and bytes in hex. */
  values: Record<string, string>;
  /** One sentence for a person. */
  words: string;
}

/** What a contract said when it reverted; undefined when `error` carries no revert data that the contracts know. */
export const decodeContractError = (error: unknown): ContractError | undefined => {
  const data = revertDataOf(error);
  if (data === undefined) return undefined;
  for (const iface of interfaces) {
    const parsed = iface.parseError(data);
    if (!parsed) continue;
    const values = Object.fromEntries(
      parsed.fragment.inputs.map((input, index) => [input.name || `value${index}`, String(parsed.args[index])]),
    );
    return { name: parsed.name, values, words: sentenceOf(parsed.name, values) };
  }
  return undefined;
};

/** All custom errors of all contracts, for a test that none lacks a sentence. */
export const allErrorNames = (): string[] => {
  const names = new Set<string>();
  for (const iface of interfaces) iface.forEachError((fragment) => names.add(fragment.name));
  return [...names].sort();
};

const interfaces = contractNames.map((name) => new Interface(abis[name]));

/** Revert data wherever ethers, Hardhat and JSON-RPC put it. */
const revertDataOf = (error: unknown, depth = 0): string | undefined => {
  if (typeof error === "string") return /^0x[0-9a-fA-F]{8,}$/.test(error) ? error : undefined;
  if (typeof error !== "object" || error === null || depth > 5) return undefined;
  const fields = error as Record<string, unknown>;
  for (const key of ["data", "error", "info", "cause", "result"]) {
    const found = revertDataOf(fields[key], depth + 1);
    if (found !== undefined && found.length >= 10) return found;
  }
  return undefined;
};
