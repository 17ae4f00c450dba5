import { getCreateAddress, type BaseContract, type ContractTransactionResponse, type Signer } from "ethers";
import { MarketAccess__factory } from "../../types/contracts/factories/access/MarketAccess__factory.ts";
import { Grid__factory } from "../../types/contracts/factories/balancing/Grid__factory.ts";
import { MeteringPoints__factory } from "../../types/contracts/factories/consumption/MeteringPoints__factory.ts";
import { MeterOracle__factory } from "../../types/contracts/factories/consumption/MeterOracle__factory.ts";
import { ClearingMesh__factory } from "../../types/contracts/factories/libraries/ClearingMesh__factory.ts";
import { ClearingRadial__factory } from "../../types/contracts/factories/libraries/ClearingRadial__factory.ts";
import { Bilaterals__factory } from "../../types/contracts/factories/pricing/Bilaterals__factory.ts";
import { Auction__factory } from "../../types/contracts/factories/pricing/Auction__factory.ts";
import { Ledger__factory } from "../../types/contracts/factories/pricing/Ledger__factory.ts";
import { OrderBook__factory } from "../../types/contracts/factories/pricing/OrderBook__factory.ts";
import { SealedBatches__factory } from "../../types/contracts/factories/pricing/SealedBatches__factory.ts";
import { Settlement__factory } from "../../types/contracts/factories/pricing/Settlement__factory.ts";
import { Tariffs__factory } from "../../types/contracts/factories/pricing/Tariffs__factory.ts";
import { TestToken__factory } from "../../types/contracts/factories/test/TestToken__factory.ts";
import type { Addresses } from "../../services/protocol/addresses.ts";
import { deployProduction, grantProduction, type ProductionOptions } from "./production.ts";

/** Roles of MarketAccess. */
export const OPERATOR_ROLE = 1n;
export const GUARDIAN_ROLE = 2n;
const ADMIN_ROLE = 0n;

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

/** What the auction is linked to. */
const MESH_LIBRARY = "project/contracts/libraries/ClearingMesh.sol:ClearingMesh";
const RADIAL_LIBRARY = "project/contracts/libraries/ClearingRadial.sol:ClearingRadial";

/** One base unit of a token with 6 decimals per order word. */
const WORD_FEE_NANO = 1_000;

/** 10 tokens of 6 decimals. */
const SEALED_BOND = 10_000_000;

export interface DeployOptions {
  /** Deployer; it must be able to pay. It keeps no role unless it is the admin or the operator. */
  signer: Signer;
  operator: string;
  guardian: string;
  admin: string;
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
  /** What a relayer puts down for each sealed batch, token base units; 10 tokens by default. It never changes. */
  sealedBond?: number | bigint;
  genesisSlot: number;
  /** Contracts that may move money between accounts of the ledger, for ever; none by default. */
  ledgerModules?: readonly string[];
  /** Seconds that the operator's calls wait after they were scheduled; 0 by default. */
  operatorDelaySeconds?: number;
  production?: ProductionOptions;
  log?: (message: string) => void;
}

/**
 * Deploys one market. The same deployer key with the same nonce gives the same addresses.
 * @throws the contracts' errors (a network that is not a tree, a committee too small, tariffs that cross)
 */
export const deployMarket = async (options: DeployOptions): Promise<Addresses> => {
  const { signer, operator, guardian, admin, committee, faults, zones, bounds, genesisSlot } = options;
  const log = options.log ?? ((): void => undefined);
  const provider = signer.provider;
  if (!provider) throw new TypeError("signer: connect it to a provider first");
  const deployer = await signer.getAddress();
  const { chainId } = await provider.getNetwork();
  const firstNonce = await provider.getTransactionCount(deployer);

  const names = [
    "accessManager",
    "token",
    "grid",
    "meteringPoints",
    "tariffs",
    "ledger",
    "sealedBatches",
    "orderBook",
    "clearingMesh",
    "clearingRadial",
    "auction",
    "meterOracle",
    "bilaterals",
    "settlement",
  ] as const;
  const own = names.filter((name) => name !== "token" || options.tokenAddress === undefined);
  const at = Object.fromEntries(
    own.map((name, index) => [name, getCreateAddress({ from: deployer, nonce: firstNonce + index })]),
  ) as Record<(typeof names)[number], string>;
  if (options.tokenAddress !== undefined) at.token = options.tokenAddress;

  let deployedAtBlock: number | undefined;
  const landed = async <T extends BaseContract>(
    name: (typeof names)[number],
    deploying: Promise<T & { deploymentTransaction(): ContractTransactionResponse | null }>,
  ): Promise<T> => {
    const contract = await deploying;
    const receipt = await contract.deploymentTransaction()?.wait();
    deployedAtBlock ??= receipt?.blockNumber;
    const address = await contract.getAddress();
    if (address !== at[name])
      throw new Error(`${name} stands at ${address} instead of ${at[name]}: somebody else used the deployer's key`);
    log(`${name} ${address}`);
    return contract;
  };

  const access = await landed("accessManager", new MarketAccess__factory(signer).deploy(deployer));
  if (options.tokenAddress === undefined) await landed("token", new TestToken__factory(signer).deploy());
  const grid = await landed("grid", new Grid__factory(signer).deploy(at.accessManager));
  await landed("meteringPoints", new MeteringPoints__factory(signer).deploy(at.accessManager, at.grid, at.orderBook));
  await landed(
    "tariffs",
    new Tariffs__factory(signer).deploy(
      at.accessManager,
      bounds.highestImportTariff,
      bounds.lowestExportTariff,
      bounds.lowestPrice,
      bounds.highestPrice,
      options.wordFeeNano ?? WORD_FEE_NANO,
      at.settlement,
    ),
  );
  await landed(
    "ledger",
    new Ledger__factory(signer).deploy(
      at.token,
      at.meteringPoints,
      at.settlement,
      at.orderBook,
      at.bilaterals,
      options.backup ?? operator,
      operator,
      [...(options.ledgerModules ?? [])],
    ),
  );
  await landed(
    "sealedBatches",
    new SealedBatches__factory(signer).deploy(at.orderBook, at.ledger, options.sealedBond ?? SEALED_BOND),
  );
  await landed(
    "orderBook",
    new OrderBook__factory(signer).deploy(at.meteringPoints, at.tariffs, at.ledger, at.settlement, at.sealedBatches),
  );
  await landed("clearingMesh", new ClearingMesh__factory(signer).deploy());
  await landed("clearingRadial", new ClearingRadial__factory(signer).deploy());
  const linked = { [MESH_LIBRARY]: at.clearingMesh, [RADIAL_LIBRARY]: at.clearingRadial };
  await landed(
    "auction",
    new Auction__factory(linked, signer).deploy(at.orderBook, at.grid, at.tariffs, at.bilaterals),
  );
  const meterOracle = await landed(
    "meterOracle",
    new MeterOracle__factory(signer).deploy(at.accessManager, at.settlement),
  );
  await landed("bilaterals", new Bilaterals__factory(signer).deploy(at.meteringPoints, at.tariffs, at.ledger));
  await landed("settlement", new Settlement__factory(signer).deploy(at, genesisSlot));

  const production = await deployProduction(signer, at, options.production, log);

  const done = async (sending: Promise<ContractTransactionResponse>): Promise<void> => {
    await (await sending).wait();
  };
  const restricted = [
    [at.grid, Grid__factory, "setGrid"],
    [at.grid, Grid__factory, "setMesh"],
    [at.grid, Grid__factory, "stageLimits"],
    [at.meteringPoints, MeteringPoints__factory, "register"],
    [at.tariffs, Tariffs__factory, "publish"],
    [at.meterOracle, MeterOracle__factory, "setCommittee"],
  ] as const;
  for (const [target, factory, name] of restricted) {
    const selector = factory.createInterface().getFunction(name as never) as unknown as { selector: string };
    await done(access.setTargetFunctionRole(target, [selector.selector], OPERATOR_ROLE));
  }
  await done(access.setRoleGuardian(OPERATOR_ROLE, GUARDIAN_ROLE));
  await done(access.grantRole(GUARDIAN_ROLE, guardian, 0));
  await done(access.grantRole(OPERATOR_ROLE, deployer, 0));
  await done(grid.setGrid(0, [...zones]));
  await done(meterOracle.setCommittee([...committee], faults));
  await grantProduction(access, production, operator, options.production);
  if (operator !== deployer) {
    await done(access.grantRole(OPERATOR_ROLE, operator, options.operatorDelaySeconds ?? 0));
    await done(access.revokeRole(OPERATOR_ROLE, deployer));
  }
  if (admin !== deployer) {
    await done(access.grantRole(ADMIN_ROLE, admin, 0));
    await done(access.renounceRole(ADMIN_ROLE, deployer));
  }
  const { clearingMesh: _mesh, clearingRadial: _radial, ...addresses } = at;
  return { chainId: Number(chainId), deployedAtBlock: deployedAtBlock ?? 0, ...addresses, ...production };
};
