import { keccak256, ZeroHash, type Wallet } from "ethers";
import type { Contracts } from "../../../services/protocol/contracts.ts";
import {
  encodeRecord,
  FIRST_OWN_METER,
  greenOf,
  proveRange,
  salesList,
  slotLeaf,
  SLOTS_PER_DAY,
  type ArchivedSlot,
  type ReadingRange,
} from "../../../services/protocol/archive.ts";
import { packSignatures, readingsHash, readingsRoot } from "../../../services/protocol/report.ts";
import { packReadings, type PackedReading } from "../../../services/protocol/words.ts";
import { clearSolved } from "../support/solve.ts";
import {
  bid,
  createWorld,
  emptyRecord,
  offer,
  reading,
  TERMS,
  type World,
  type WorldOptions,
} from "../support/world.ts";

export const SOLAR = 0;
export const CONVENTIONAL = 3;
export const FINAL_SLOTS = 96;
/** Midnight at which the genesis slot starts, whatever the time is. */
const MIDNIGHT = Date.UTC(2030, 5, 30) / 1_000;

export interface Clearing {
  record: ReturnType<typeof emptyRecord>;
  sales: string;
}

/** A market with an archive: runs slots, remembers what was reported, and proves it. */
export const createProduction = async (options: WorldOptions = {}) => {
  const world = await createWorld({ homes: 4, startAt: MIDNIGHT - 1_800, ...options });
  const { c, genesisSlot } = world;
  const day = genesisSlot / SLOTS_PER_DAY;
  const slots: ArchivedSlot[] = [];
  const clearings = new Map<number, Clearing>();
  /** Orders of `sellGreen`, not cleared yet. */
  const books = new Map<number, string>();
  let leaves: string[] = [];
  for (const owner of world.owners) await world.fund(owner.address);

  const zoneOf = options.zoneOf ?? ((): number => 0);
  const parents = (options.zones ?? [{ parent: 0 }]).map(({ parent }) => Number(parent));
  const slotAt = (slot: number): ArchivedSlot => slots[slot - genesisSlot] as ArchivedSlot;

  /** Reports and settles the next slot, cleared as in `record`; without readings it is left to be estimated. */
  const run = async (
    meters?: PackedReading[],
    own: PackedReading[] = [],
    record?: Clearing["record"],
    storage: PackedReading[] = [],
  ): Promise<number> => {
    const slot = genesisSlot + slots.length;
    // The next slot is cleared before this one is over.
    await clearThrough(slot + 1);
    if (!meters) {
      slots.push({ slot });
      return slot;
    }
    await world.goTo(world.startOf(slot + 1));
    const readings = packReadings(meters);
    const ownMeters = packReadings(own);
    const storageMeters = packReadings(storage);
    const root = readingsRoot(slot, readings, ownMeters, "0x", storageMeters);
    const content = { ...world.reportOf(slot, readings), root };
    await c.meterOracle.report(content, packSignatures([0, 1, 2], await world.signReport(content, [0, 1, 2])));
    await c.settlement.settle([
      { record: record ?? clearings.get(slot)?.record ?? emptyRecord(slot), readings, root: content.root },
    ]);
    if (record) clearings.set(slot, { record, sales: "0x" });
    slots.push({ slot, readings, ownMeters, storageMeters, sales: clearings.get(slot)?.sales ?? "0x" });
    return slot;
  };

  /**
   * Orders green energy for a slot to come (negative = bought); `run` clears it. Offers ask for nothing and bids bid the import tariff, so all of them are
   * filled: what is left of the offers the grid takes. Call it for all slots before the first one runs.
   */
  const sellGreen = async (slot: number, netGreenWh: number[]): Promise<void> => {
    const orders = netGreenWh.flatMap((wh, home) => {
      if (wh === 0) return [];
      const step = wh > 0 ? offer(wh, 0) : bid(-wh, TERMS.importTariff);
      return [world.order(home, slot, [{ ...step, green: true }])];
    });
    const { words, skipped } = await world.append(slot, await Promise.all(orders));
    if (words === undefined || skipped.length > 0) throw new Error(`orders of slot ${slot} were skipped: ${skipped}`);
    books.set(slot, words);
  };

  /** Clears what `sellGreen` ordered for slots up to this one. */
  const clearThrough = async (last: number): Promise<void> => {
    for (const [slot, words] of [...books].filter(([slot]) => slot <= last)) {
      books.delete(slot);
      await world.goTo(world.startOf(slot) - 500);
      const { record } = await clearSolved(world, slot, [words]);
      const homes = Array.from({ length: options.homes ?? 4 }, (_, point) => zoneOf(point));
      clearings.set(slot, { record, sales: salesList(greenOf(record.extras), homes, parents) });
    }
  };

  /** Makes every slot so far final. */
  const finalize = async (): Promise<void> => {
    const last = genesisSlot + slots.length - 1;
    for (const { slot, readings } of slots) {
      if (readings !== undefined || Number(await c.settlement.finalThrough()) >= slot) continue;
      await world.goTo(world.startOf(slot + 9));
      if ((await c.settlement.statusOf(slot))[0] === 0n) await c.settlement.estimate(slot);
    }
    await world.goTo(world.startOf(last + 9 + FINAL_SLOTS));
    for (const { slot, readings } of slots) {
      if (readings === undefined && (await c.settlement.statusOf(slot))[0] === 1n)
        await c.settlement.settleEstimated(emptyRecord(slot));
    }
    const [, since] = await c.settlement.statusOf(last);
    await world.goTo(world.startOf(Number(since) + FINAL_SLOTS));
    await c.settlement.advanceFinal(200);
  };

  const evidenceOf = ({ slot, readings = "0x", ownMeters, storageMeters }: ArchivedSlot) => {
    const clearing = clearings.get(slot);
    return {
      readingsHash: readingsHash(readings),
      root: readings === "0x" ? ZeroHash : readingsRoot(slot, readings, ownMeters, "0x", storageMeters),
      record: clearing ? encodeRecord(clearing.record) : "0x",
    };
  };

  /** Archives what is not archived yet, through the last slot given. */
  const archive = async (count = slots.length) => {
    const added = slots.slice(leaves.length, count);
    const receipt = await (await c.readingArchive.archive(day, leaves, added.map(evidenceOf))).wait();
    leaves = [...leaves, ...added.map(slotLeaf)];
    return receipt?.gasUsed ?? 0n;
  };

  /** Proof of a meter's readings from one slot through another. */
  const prove = (meter: number, from: number, through: number, given?: ReadonlySet<number>): ReadingRange =>
    proveRange(meter, slots.slice(from - genesisSlot, through - genesisSlot + 1), leaves, given);

  /** The lists of green sales that an issue over these slots needs. */
  const salesOf = (from: number, through: number): string[] =>
    slots
      .slice(from - genesisSlot, through - genesisSlot + 1)
      .flatMap(({ sales }) => (sales === undefined || sales === "0x" ? [] : [sales]));

  const issueOf = (generator: number, meter: number, from: number, through: number) => ({
    generator,
    range: prove(meter, from, through),
    sales: salesOf(from, through),
  });

  const terms = (more: object = {}) => ({
    connection: 0,
    kind: SOLAR,
    storageBacked: false,
    ownMeter: false,
    nameplateW: 8_000,
    commissionedSlot: genesisSlot - 10,
    capacityFactorPpm: 125_000,
    operatingAboveWh: 0,
    maintenanceDays: 0,
    maintenanceHours: 0,
    locationHash: keccak256("0x01"),
    ...more,
  });

  /** A generator of the home at `connection`; certified from the next slot on. */
  const register = async (more: { connection?: number } = {}, certified = true): Promise<number> => {
    const generator = Number(await c.generators.generatorCount());
    await of(more.connection ?? 0).generators.register(terms(more));
    if (certified) await world.asOperator.generators.certify(generator, genesisSlot + 10_000, ZeroHash);
    return generator;
  };

  const of = (home: number): Contracts => world.as(world.owners[home] as Wallet);
  const idOf = (generator: number, slot: number): bigint => (BigInt(generator) << 32n) | BigInt(slot);

  return {
    ...world,
    day,
    slots,
    clearings,
    leaves: (): string[] => leaves,
    slotAt,
    run,
    sellGreen,
    finalize,
    evidenceOf,
    archive,
    prove,
    salesOf,
    issueOf,
    terms,
    register,
    of,
    idOf,
    FIRST_OWN_METER,
  };
};

export type Production = Awaited<ReturnType<typeof createProduction>>;
export type { World };

/** Four homes: 0 feeds in `exportWh`, the others take 300, 200 and 100 Wh. */
export const homes = (exportWh: number, quality = 0): PackedReading[] => [
  reading(0, exportWh, quality),
  reading(300, 0),
  reading(200, 0),
  reading(100, 0),
];
