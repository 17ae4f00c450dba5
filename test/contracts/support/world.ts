import { network } from "hardhat";
import { concat, Wallet, ZeroAddress, type ContractTransactionReceipt, type Signer } from "ethers";
import { deployMarket, type DeployBounds, type DeployZone } from "../../../scripts/deploy/deploy.ts";
import type { EmergencyOptions } from "../../../scripts/deploy/emergency.ts";
import type { MarketTerms } from "../../../scripts/deploy/options.ts";
import type { ConsumptionOptions } from "../../../scripts/deploy/consumption.ts";
import type { Addresses } from "../../../services/protocol/addresses.ts";
import { connectContracts, type Contracts } from "../../../services/protocol/contracts.ts";
import { deriveKey } from "../../../services/protocol/keys.ts";
import {
  orderDomain,
  packOrders,
  signOrder,
  type OrderStep,
  type SignedOrder,
} from "../../../services/protocol/order.ts";
import { submissionOf, type Submission } from "../../../services/protocol/clearing.ts";
import type { ClearingRecord } from "../../../services/protocol/events.ts";
import { plainRecord } from "./record.ts";
import { countOf, encodeBatches, packReadings, type PackedReading } from "../../../services/protocol/words.ts";
import {
  packReports,
  packSignatures,
  readingsHash,
  readingsRoot,
  reportDomain,
  reportTypes,
  type Report,
} from "../../../services/protocol/report.ts";

/** A deployed market with homes, in an EVM of its own: everything a test needs, nothing mocked. */
export const SLOT_SECONDS = 900;
export const TOKEN = 1_000_000n;
export const NANO = 1_000n;
/** What a word of a cleared book pays, nano-token. */
export const WORD_FEE = 1_000n;
export const TERMS = {
  importTariff: 300_000,
  exportTariff: 60_000,
  fee: 40_000,
  bandMin: -500_000,
  bandMax: 1_000_000,
  reference_: 150_000,
};
export const BOUNDS: DeployBounds = {
  highestImportTariff: 400_000,
  lowestExportTariff: 0,
  lowestPrice: -1_000_000,
  highestPrice: 10_000_000,
};

export type { SlotToSettle } from "../../../services/protocol/settling.ts";

export interface Posting {
  price: number;
  marginalBidWh: number;
  marginalOfferWh: number;
  backupSoldWh: number;
  backupBoughtWh: number;
}

export const posting = (price: number, rest: Partial<Posting> = {}): Posting => ({
  price,
  marginalBidWh: 0,
  marginalOfferWh: 0,
  backupSoldWh: 0,
  backupBoughtWh: 0,
  ...rest,
});

export const oneZone: DeployZone[] = [{ parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 }];

export const bid = (energyWh: number, priceMicroPerKwh: number): OrderStep => ({
  sell: false,
  green: false,
  energyWh,
  priceMicroPerKwh,
});
export const offer = (energyWh: number, priceMicroPerKwh: number): OrderStep => ({
  ...bid(energyWh, priceMicroPerKwh),
  sell: true,
});

/** What only some clearings post. */
export type Apart = Partial<Pick<Submission, "green" | "trades" | "tradesWh">>;

/** A clearing of a book that was appended in these batches (0x and 16 bytes per word). */
export const submit = (
  slot: number,
  appended: string | string[],
  postings: Posting[],
  { green = [], trades = "0x", tradesWh = [] }: Apart = {},
): Submission => {
  const batches = typeof appended === "string" ? [appended] : appended;
  const market = { words: concat(batches), batches: encodeBatches(batches.map(countOf)), trades };
  return { ...submissionOf(slot, market, { postings, green: [], tradesWh: new Float64Array(0) }), green, tradesWh };
};

export const emptyRecord = (slot: number): ClearingRecord => ({
  slot,
  clearer: ZeroAddress,
  prices: [],
  backupSoldWh: 0n,
  backupBoughtWh: 0n,
  backupNano: 0n,
  congestionNano: 0n,
  positions: "0x",
  extras: "0x",
});

export interface WorldOptions {
  homes?: number;
  zones?: DeployZone[];
  zoneOf?: (home: number) => number;
  limitWh?: number;
  depositTokens?: number;
  nodes?: number;
  faults?: number;
  wordFeeNano?: bigint;
  bounds?: DeployBounds;
  /** By the rules of an OP stack chain. */
  op?: boolean;
  /** Administers the roles, by default one key without a delay. */
  admin?: MarketTerms["admin"];
  adminDelaySeconds?: number;
  /** Who may call the ledger's `transferBetween`. */
  ledgerModules?: readonly string[];
  emergency?: EmergencyOptions;
  /** Penalty beyond operating envelopes; none by default. */
  penaltyPrice?: number;
  consumption?: ConsumptionOptions;
  /** Slots whose terms are published from the genesis slot on. */
  publish?: number;
  /** Chain time of the first block, in the future: the genesis slot is the second one after it. */
  startAt?: number;
}

export const createWorld = async (options: WorldOptions = {}) => {
  const { homes = 4, zones = oneZone, zoneOf = () => 0, limitWh = 5_000, depositTokens = 5_000 } = options;
  const { nodes: nodeCount = 4, faults = 1, publish = 100, wordFeeNano = WORD_FEE } = options;
  const connection = options.op ? await network.create("op") : await network.create();
  const { ethers, networkHelpers } = connection;
  const [deployer, operator, guardian, admin, backup, relayer] = (await ethers.getSigners()) as unknown as Signer[];
  if (!deployer || !operator || !guardian || !admin || !backup || !relayer) throw new Error("too few signers");
  const provider = ethers.provider;
  const wallet = (role: string): Wallet => new Wallet(deriveKey("test", role), provider as never);
  const nodes = Array.from({ length: nodeCount }, (_, index) => wallet(`node:${index}`));
  const owners = Array.from({ length: homes }, (_, index) => wallet(`home:${index}`));

  if (options.startAt !== undefined) await networkHelpers.time.increaseTo(options.startAt);
  const genesisSlot = Math.floor((await networkHelpers.time.latest()) / SLOT_SECONDS) + 2;
  const addresses: Addresses = await deployMarket({
    signer: deployer,
    operator: await operator.getAddress(),
    guardian: await guardian.getAddress(),
    admin: options.admin ?? (await admin.getAddress()),
    adminDelaySeconds: options.adminDelaySeconds ?? 0,
    backup: await backup.getAddress(),
    committee: nodes.map(({ address }) => address),
    faults,
    zones,
    bounds: options.bounds ?? BOUNDS,
    wordFeeNano: Number(wordFeeNano),
    ...(options.emergency === undefined ? {} : { emergency: options.emergency }),
    ledgerModules: options.ledgerModules ?? [],
    penaltyPrice: options.penaltyPrice ?? 0,
    genesisSlot,
    consumption: options.consumption ?? {},
  });
  const c: Contracts = connectContracts(addresses, relayer);
  const asOperator = connectContracts(addresses, operator);

  for (const [home, owner] of owners.entries()) {
    await asOperator.meteringPoints.register(owner.address, zoneOf(home), limitWh, limitWh);
  }
  const relayerAddress = await relayer.getAddress();
  if (depositTokens > 0) {
    await c.token.mint(relayerAddress, BigInt(depositTokens * (homes + 1)) * TOKEN);
    await c.token.approve(addresses.ledger, 2n ** 255n);
    for (let home = 0; home < homes; home += 1) await c.ledger.deposit(home, BigInt(depositTokens) * TOKEN);
    await c.ledger.deposit(await c.ledger.BACKUP(), BigInt(depositTokens) * TOKEN);
  }

  const startOf = (slot: number): number => slot * SLOT_SECONDS;
  /** Next block at this time (the block of a transaction sent after it). */
  const at = (seconds: number): Promise<void> => networkHelpers.time.setNextBlockTimestamp(seconds);
  const goTo = async (seconds: number): Promise<void> => {
    if ((await networkHelpers.time.latest()) < seconds) await networkHelpers.time.increaseTo(seconds);
  };
  const publishTerms = async (firstSlot: number, count: number, terms: object = {}): Promise<void> => {
    await asOperator.tariffs.publish(
      firstSlot,
      Array.from({ length: count }, () => ({ ...TERMS, ...terms })),
    );
  };
  await goTo(startOf(genesisSlot - 1));
  if (publish > 0) await publishTerms(genesisSlot, publish);

  const orderDomainOf = orderDomain(addresses);
  const order = (
    home: number,
    slot: number,
    steps: OrderStep[],
    sequence = 1,
    signer: Wallet = owners[home] as Wallet,
    delegate: string = ZeroAddress,
  ): Promise<SignedOrder> => signOrder(signer, orderDomainOf, { point: home, slot, sequence, steps }, delegate);

  const appended = (receipt: ContractTransactionReceipt | null) => {
    const logs = (receipt?.logs ?? []).map((log) => c.orderBook.interface.parseLog(log)).filter((log) => log !== null);
    return {
      gasUsed: receipt?.gasUsed ?? 0n,
      words: logs.find(({ name }) => name === "Appended")?.args["words"] as string | undefined,
      skipped: logs.filter(({ name }) => name === "OrderSkipped").map(({ args }) => Number(args["reason"])),
    };
  };
  const append = async (slot: number, orders: SignedOrder[], runner: Contracts = c) =>
    appended(await (await runner.orderBook.append(slot, orders)).wait());
  /** The relayer's way; `orders` must all be of `slot`. */
  const appendPacked = async (slot: number, orders: SignedOrder[], runner: Contracts = c) =>
    appended(await (await runner.orderBook.appendPacked(slot, packOrders(orders))).wait());

  const clear = async (
    slot: number,
    appended: string | string[],
    postings: Posting[],
    runner: Contracts = c,
    apart: Apart = {},
  ) => {
    const receipt = await (await runner.auction.clear(submit(slot, appended, postings, apart))).wait();
    const log = receipt?.logs
      .map((entry) => c.auction.interface.parseLog(entry))
      .find((entry) => entry?.name === "Cleared");
    return { record: plainRecord(log?.args["record"]), gasUsed: receipt?.gasUsed ?? 0n };
  };

  const signReport = async (report: Report, signers: number[]): Promise<string[]> =>
    Promise.all(signers.map((i) => (nodes[i] as Wallet).signTypedData(reportDomain(addresses), reportTypes, report)));

  const reportOf = (slot: number, readings: string, version = 1): Report => ({
    slot,
    version,
    attempt: 0,
    readingsHash: readingsHash(readings),
    root: readingsRoot(slot, readings),
  });

  /** Lands a report by the first quorum of nodes. */
  const report = async (
    slot: number,
    meters: PackedReading[],
    version = 1,
    signers = [0, 1, 2].slice(0, 2 * faults + 1),
  ) => {
    const readings = packReadings(meters);
    const content = reportOf(slot, readings, version);
    const tx = await c.meterOracle.report(content, packSignatures(signers, await signReport(content, signers)));
    const receipt = await tx.wait();
    return { readings, root: content.root, gasUsed: receipt?.gasUsed ?? 0n };
  };

  /** Lands reports of several slots in one transaction, all by the first quorum of nodes. */
  const reportMany = async (given: readonly { slot: number; meters: PackedReading[] }[]) => {
    const signers = [0, 1, 2].slice(0, 2 * faults + 1);
    const contents = given.map(({ slot, meters }) => ({ slot, readings: packReadings(meters) }));
    const reports = contents.map(({ slot, readings }) => reportOf(slot, readings));
    const signed = reports.map(async (one) => ({
      report: one,
      signatures: packSignatures(signers, await signReport(one, signers)),
    }));
    const receipt = await (await c.meterOracle.reportMany(packReports(await Promise.all(signed)))).wait();
    if (receipt?.logs.length !== given.length) throw new Error("no receipt");
    const landed = receipt.logs.map((entry) => c.meterOracle.interface.parseLog(entry)?.name === "Reported");
    if (landed.includes(false)) throw new Error(`of ${given.length} reports ${landed.indexOf(false)} was skipped`);
    const told = contents.map(({ readings }, at) => ({ readings, root: (reports[at] as Report).root }));
    return { reports: told, gasUsed: receipt.gasUsed };
  };

  const balances = async (): Promise<bigint[]> => {
    const length = Number(await c.meteringPoints.count());
    return Promise.all(Array.from({ length }, (_, point) => c.ledger.balanceOf(point)));
  };
  const fixed = async () => ({
    backup: await c.ledger.balanceOf(await c.ledger.BACKUP()),
    operator: await c.ledger.balanceOf(await c.ledger.OPERATOR()),
    members: await c.ledger.balanceOf(await c.ledger.MEMBERS()),
    congestion: await c.ledger.balanceOf(await c.ledger.CONGESTION()),
    defaultFund: await c.ledger.balanceOf(await c.ledger.DEFAULT_FUND()),
  });
  /** What everybody who ever cleared has not taken out yet. */
  const earned = async (): Promise<bigint> => {
    const cleared = await c.auction.queryFilter(c.auction.filters.Cleared());
    const clearers = [...new Set(cleared.map(({ args }) => args.clearer))];
    return (await Promise.all(clearers.map((clearer) => c.ledger.earnedOf(clearer)))).reduce((a, b) => a + b, 0n);
  };
  /** Everything in the ledger less the tokens it holds: zero, always. */
  const discrepancyNano = async (): Promise<bigint> => {
    const fixedSum = Object.values(await fixed()).reduce((a, b) => a + b, 0n);
    const sum = (await balances()).reduce((a, b) => a + b, fixedSum) + (await earned());
    return sum - (await c.token.balanceOf(addresses.ledger)) * NANO;
  };
  const fund = async (address: string): Promise<void> => networkHelpers.setBalance(address, 10n ** 20n);

  return {
    ethers,
    networkHelpers,
    provider,
    addresses,
    c,
    asOperator,
    genesisSlot,
    nodes,
    owners,
    wallet,
    deployer,
    operator,
    guardian,
    admin,
    backup,
    relayer,
    startOf,
    at,
    goTo,
    publishTerms,
    order,
    append,
    appendPacked,
    clear,
    signReport,
    reportOf,
    report,
    reportMany,
    balances,
    fixed,
    earned,
    discrepancyNano,
    fund,
    as: (signer: Signer): Contracts => connectContracts(addresses, signer),
  };
};

export type World = Awaited<ReturnType<typeof createWorld>>;

export const reading = (importWh: number, exportWh: number, quality = 0): PackedReading => ({
  importWh,
  exportWh,
  quality,
});
export const missing: PackedReading = { importWh: 0, exportWh: 0, quality: 3 };
