import { concat, ZeroHash, type Signer, type Wallet } from "ethers";
import {
  encodeRecord,
  proveRange,
  proveWhole,
  SLOTS_PER_DAY,
  slotLeaf,
  type ArchivedSlot,
  type ReadingRange,
} from "../../../services/protocol/archive.ts";
import type { Contracts } from "../../../services/protocol/contracts.ts";
import { packSignatures, readingsHash, readingsRoot } from "../../../services/protocol/report.ts";
import { packReadings, type PackedReading } from "../../../services/protocol/words.ts";
import { clearSolved } from "../support/solve.ts";
import { bid, createWorld, emptyRecord, TOKEN, type WorldOptions } from "../support/world.ts";

/** Friday, the day before a weekend; the market starts with it. */
const FRIDAY = Date.UTC(2030, 6, 5) / 1_000;
export const METHOD = { days: 3, high: 2, minimum: 1 };
/** Two zones that no line connects, each with the grid. */
const ISLANDS = [0, 1].map((parent) => ({ parent, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 }));

/** What else every report holds: a head meter of zone 0 and a storage unit's own meter. */
const OTHER_METERS = {
  headMeters: concat(["0x00", packReadings([{ importWh: 900, exportWh: 0, quality: 0 }])]),
  storageMeters: packReadings([{ importWh: 70, exportWh: 20, quality: 0 }]),
};

/** Readings that one settlement takes. */
const METER_SLOTS = 1_500;

type Record_ = ReturnType<typeof emptyRecord>;

const rootOf = ({ slot, readings = "0x", ownMeters, headMeters, storageMeters }: ArchivedSlot): string =>
  readingsRoot(slot, readings, ownMeters, headMeters, storageMeters);

/** Homes 0 to 2 in zone 0, 3 and 4 in zone 1; whole days are reported, settled and archived. One node signs. */
export const createStand = async (options: WorldOptions = {}) => {
  const world = await createWorld({
    ...{ homes: 5, zones: ISLANDS, zoneOf: (home: number) => (home < 3 ? 0 : 1), nodes: 1, faults: 0, publish: 0 },
    ...{ startAt: FRIDAY - 1_800, consumption: { baseline: METHOD } },
    ...options,
  });
  const { c, genesisSlot, addresses } = world;
  const firstDay = genesisSlot / SLOTS_PER_DAY;
  const slotsOf = new Map<number, ArchivedSlot[]>();
  const leavesOf = new Map<number, string[]>();
  const records = new Map<number, Record_>();
  for (const owner of world.owners) await world.fund(owner.address);
  for (const payer of [...world.owners, world.operator]) {
    const runner = world.as(payer as Signer);
    await c.token.mint(await (payer as Signer).getAddress(), 1_000n * TOKEN);
    await runner.token.approve(addresses.demandResponse, 2n ** 255n);
  }
  const of = (home: number): Contracts => world.as(world.owners[home] as Wallet);

  /** Reports and settles the first slots of a day once it is over; undefined readings leave a slot out for good. */
  const runDay = async (
    day: number,
    metersAt: (index: number) => PackedReading[],
    count = SLOTS_PER_DAY,
    ownAt: (index: number) => PackedReading[] = () => [],
  ): Promise<void> => {
    const first = day * SLOTS_PER_DAY;
    await world.goTo(world.startOf(first + SLOTS_PER_DAY));
    const slots: ArchivedSlot[] = [];
    const settled = [];
    for (let index = 0; index < count; index += 1) {
      const slot = first + index;
      const readings = packReadings(metersAt(index));
      const ownMeters = packReadings(ownAt(index));
      const read = { slot, readings, ownMeters, ...OTHER_METERS };
      const content = { ...world.reportOf(slot, readings), root: rootOf(read) };
      await c.meterOracle.report(content, packSignatures([0], await world.signReport(content, [0])));
      settled.push({ record: records.get(slot) ?? emptyRecord(slot), readings, root: content.root });
      slots.push(read);
    }
    const atOnce = Math.floor(METER_SLOTS / metersAt(0).length);
    for (let from = 0; from < settled.length; from += atOnce)
      await c.settlement.settle(settled.slice(from, from + atOnce), { gasLimit: 16_000_000 });
    slotsOf.set(day, slots);
  };

  /** Archives what was reported of a day, a day after it was settled. */
  const archiveDay = async (day: number): Promise<void> => {
    await world.goTo(world.startOf((day + 2) * SLOTS_PER_DAY));
    await c.settlement.advanceFinal(500);
    const slots = slotsOf.get(day) as ArchivedSlot[];
    const evidence = slots.map((read) => ({
      readingsHash: readingsHash(read.readings ?? "0x"),
      root: read.readings === undefined ? ZeroHash : rootOf(read),
      record: records.has(read.slot) ? encodeRecord(records.get(read.slot) as Record_) : "0x",
    }));
    await c.readingArchive.archive(day, [], evidence, { gasLimit: 16_000_000 });
    leavesOf.set(day, slots.map(slotLeaf));
  };

  /** Homes buy in these slots at the import tariff, all of what they ask for. */
  const buy = async (firstSlot: number, slots: number, boughtWh: number[]): Promise<Record_[]> => {
    await world.publishTerms(firstSlot, slots);
    const words: string[] = [];
    for (let slot = firstSlot; slot < firstSlot + slots; slot += 1) {
      const orders = boughtWh.flatMap((wh, home) => (wh === 0 ? [] : [world.order(home, slot, [bid(wh, 300_000)])]));
      words.push((await world.append(slot, await Promise.all(orders))).words as string);
    }
    for (const [i, book] of words.entries()) {
      const slot = firstSlot + i;
      await world.goTo(world.startOf(slot) - 500);
      records.set(slot, (await clearSolved(world, slot, [book])).record);
    }
    return words.map((_, i) => records.get(firstSlot + i) as Record_);
  };

  const part = (firstSlot: number, slots: number): { day: number; list: ArchivedSlot[] } => {
    const day = Math.floor(firstSlot / SLOTS_PER_DAY);
    const index = firstSlot % SLOTS_PER_DAY;
    return { day, list: (slotsOf.get(day) as ArchivedSlot[]).slice(index, index + slots) };
  };

  /** Proof of a meter's readings from one slot on. */
  const prove = (meter: number, firstSlot: number, slots: number, given?: ReadonlySet<number>): ReadingRange => {
    const { day, list } = part(firstSlot, slots);
    return proveRange(meter, list, leavesOf.get(day) as string[], given);
  };

  /** Whole reports of consecutive slots, and their neighbours in the day's tree. */
  const reports = (firstSlot: number, slots: number) => {
    const { day, list } = part(firstSlot, slots);
    const whole = proveWhole(list, leavesOf.get(day) as string[]);
    // A range that proves nothing consists of its leaves and the neighbours.
    return { slots: whole.slots, nodes: whole.range.nodes.slice(slots) };
  };

  return { ...world, firstDay, records, slotsOf, leavesOf, of, runDay, archiveDay, buy, prove, reports };
};

export type Stand = Awaited<ReturnType<typeof createStand>>;
