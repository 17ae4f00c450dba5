import { concat, ZeroHash, type Wallet } from "ethers";
import {
  encodeRecord,
  greenOf,
  proveRange,
  proveWhole,
  salesList,
  slotLeaf,
  type ArchivedSlot,
  type ReadingRange,
} from "../../../services/protocol/archive.ts";
import { decodeLogs } from "../../../services/protocol/day-events.ts";
import type { ClearingRecord } from "../../../services/protocol/events.ts";
import type { ChainLog } from "../../../services/platform/follow.ts";
import {
  packSignatures,
  readingsHash,
  readingsRoot,
  reportDomain,
  reportTypes,
} from "../../../services/protocol/report.ts";
import { hexOf, packReadings, type PackedReading } from "../../../services/protocol/words.ts";
import { ZONE_OF } from "./community.ts";
import { DAY, type Market } from "./market.ts";

/** Everything that was read in a slot. */
export interface Readings {
  points: PackedReading[];
  own: PackedReading[];
  /** By root zone of their islands. */
  heads: [number, PackedReading][];
  stores: PackedReading[];
}

/**
 * The committee, played by the driver with the nodes' own keys: reports of any version, and the archive that is made of them. It remembers every
 * version of every slot, as nodes do.
 */
export const createReports = (market: Market) => {
  const { c, who, addresses, provider } = market;
  const versions = new Map<number, ArchivedSlot[]>();
  const leaves = new Map<number, string[]>();
  const records = new Map<number, ClearingRecord>();
  let readThrough = market.deployedThroughBlock;

  const packed = (slot: number, { points, own, heads, stores }: Readings): ArchivedSlot => ({
    slot,
    readings: packReadings(points),
    ownMeters: packReadings(own),
    headMeters: concat(heads.map(([zone, head]) => `0x${hexOf(zone, 1)}${packReadings([head]).slice(2)}`)),
    storageMeters: packReadings(stores),
  });
  const rootOf = ({ slot, readings = "0x", ownMeters, headMeters, storageMeters }: ArchivedSlot): string =>
    readingsRoot(slot, readings, ownMeters, headMeters, storageMeters);

  /** Lands the next version of a slot's report, signed by 2f + 1 of the nodes; which ones turns with slot and version. */
  const report = async (slot: number, content: Readings): Promise<void> => {
    const known = versions.get(slot) ?? [];
    const version = known.length + 1;
    const read = packed(slot, content);
    const body = {
      ...{ slot, version, attempt: version, readingsHash: readingsHash(read.readings as string), root: rootOf(read) },
    };
    market.readings.set(body.readingsHash, read.readings as string);
    const absent = (slot + version) % who.nodes.length;
    const signers = who.nodes.map((_, index) => index).filter((index) => index !== absent);
    const signatures = await Promise.all(
      signers.map((index) => (who.nodes[index] as Wallet).signTypedData(reportDomain(addresses), reportTypes, body)),
    );
    const call = c.meterOracle.report.populateTransaction(body, packSignatures(signers, signatures));
    await market.send(who.nodes[signers[0] as number] as Wallet, call);
    versions.set(slot, [...known, read]);
  };

  /** Reads the clearings that were accepted since it was called last. */
  const readRecords = async (): Promise<void> => {
    const logs = (await provider.send("eth_getLogs", [
      { address: addresses.auction, fromBlock: `0x${(readThrough + 1).toString(16)}`, toBlock: "latest" },
    ])) as ChainLog[];
    for (const event of decodeLogs(logs)) {
      if (event.name !== "Cleared") continue;
      records.set(event.slot, event.record);
      readThrough = Math.max(readThrough, event.block);
    }
  };

  /** Parents of the zones, by version of the network. */
  const networks = new Map<bigint, number[]>();
  const parentsIn = async (slot: number): Promise<number[]> => {
    const { version } = await c.grid.versionOf(slot);
    const known = networks.get(version) ?? (await c.grid.gridOf(slot)).map(({ parent }) => Number(parent));
    networks.set(version, known);
    return known;
  };
  /** Archived slots: nothing about them changes any more. */
  const kept = new Map<number, ArchivedSlot>();

  /** A slot as the archive keeps it: the last report, and who sold green energy to whom. */
  const slotOf = async (slot: number): Promise<ArchivedSlot> => {
    const known = kept.get(slot);
    if (known) return known;
    const read = versions.get(slot)?.at(-1);
    if (!read) return { slot };
    const green = greenOf(records.get(slot)?.extras ?? "0x");
    return { ...read, sales: green === "0x" ? "0x" : salesList(green, ZONE_OF, await parentsIn(slot)) };
  };
  const slotsOf = async (first: number, count: number): Promise<ArchivedSlot[]> => {
    const slots: ArchivedSlot[] = [];
    for (let slot = first; slot < first + count; slot += 1) slots.push(await slotOf(slot));
    return slots;
  };

  /** Archives the next slots of a day, through `last`; they are final. */
  const archive = async (last: number): Promise<void> => {
    await readRecords();
    const day = Math.floor(last / DAY);
    const done = leaves.get(day) ?? [];
    const added = await slotsOf(day * DAY + done.length, (last % DAY) + 1 - done.length);
    const evidence = added.map((slot) => {
      const record = records.get(slot.slot);
      return {
        readingsHash: readingsHash(slot.readings ?? "0x"),
        root: slot.readings === undefined ? ZeroHash : rootOf(slot),
        record: record ? encodeRecord(record) : "0x",
      };
    });
    await market.send(who.stranger, c.readingArchive.archive.populateTransaction(day, done, evidence));
    leaves.set(day, [...done, ...added.map(slotLeaf)]);
    for (const slot of added) kept.set(slot.slot, slot);
  };

  const leavesOf = (slot: number): string[] => leaves.get(Math.floor(slot / DAY)) ?? [];
  /** Slots without a report have leaf zero and no reading. */
  const withoutReport = (slots: readonly ArchivedSlot[]): Set<number> =>
    new Set(slots.filter(({ readings }) => readings === undefined).map(({ slot }) => slot));

  /** Proof of a meter's readings over archived slots of one day. */
  const prove = async (meter: number, first: number, count: number): Promise<ReadingRange> => {
    const slots = await slotsOf(first, count);
    return proveRange(meter, slots, leavesOf(first), withoutReport(slots));
  };
  /** All readings of archived slots of one day. */
  const whole = async (first: number, count: number) => proveWhole(await slotsOf(first, count), leavesOf(first));

  return { report, archive, prove, whole, slotOf, slotsOf, readRecords, records, versions, leavesOf };
};

export type Reports = ReturnType<typeof createReports>;
