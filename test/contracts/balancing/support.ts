import { Wallet, ZeroHash } from "ethers";
import {
  proveWhole,
  slotLeaf,
  SLOTS_PER_DAY,
  type ArchivedSlot,
  type ReadingRange,
  type SlotReadings,
} from "../../../services/protocol/archive.ts";
import { deriveKey } from "../../../services/protocol/keys.ts";
import { packSignatures, readingsHash, readingsRoot } from "../../../services/protocol/report.ts";
import { hexOf, packReadings, type PackedReading } from "../../../services/protocol/words.ts";
import { createWorld, emptyRecord, type WorldOptions } from "../support/world.ts";

/** The genesis slot is the fourth last of June 2030. */
const JULY = Date.UTC(2030, 6, 1) / 1_000;
const SLOTS_OF_JUNE = 4;
export const JUNE = 12 * 2030 + 5;

/** A market whose slots are reported, settled, made final and archived; the module wallet may transfer between accounts. */
export const createArchived = async (options: WorldOptions = {}) => {
  const module = new Wallet(deriveKey("test", "module")).address;
  const startAt = JULY - SLOTS_OF_JUNE * 900 - 1_800;
  const world = await createWorld({ homes: 4, startAt, ledgerModules: [module], ...options });
  await world.fund(module);
  const { c, genesisSlot } = world;
  const slots: ArchivedSlot[] = [];

  /** Reports and settles the next slot; `heads` are the head meters' readings by root zone, or any list of them. */
  const run = async (
    meters: PackedReading[],
    heads: Record<number, PackedReading> | [number, PackedReading][] = {},
    storage: PackedReading[] = [],
  ): Promise<number> => {
    const slot = genesisSlot + slots.length;
    await world.goTo(world.startOf(slot + 1));
    const readings = packReadings(meters);
    const packed = (Array.isArray(heads) ? heads : Object.entries(heads)).map(
      ([zone, head]) => `${hexOf(Number(zone), 1)}${packReadings([head]).slice(2)}`,
    );
    const headMeters = `0x${packed.join("")}`;
    const storageMeters = packReadings(storage);
    const content = {
      ...world.reportOf(slot, readings),
      root: readingsRoot(slot, readings, "0x", headMeters, storageMeters),
    };
    await c.meterOracle.report(content, packSignatures([0, 1, 2], await world.signReport(content, [0, 1, 2])));
    await c.settlement.settle([{ record: emptyRecord(slot), readings, root: content.root }]);
    slots.push({ slot, readings, headMeters, storageMeters });
    return slot;
  };

  const leavesOf = (day: number): string[] => {
    const last = slots.filter(({ slot }) => Math.floor(slot / SLOTS_PER_DAY) === day).at(-1)?.slot ?? 0;
    return Array.from({ length: (last % SLOTS_PER_DAY) + 1 }, (_, i) => {
      const known = slots[day * SLOTS_PER_DAY + i - genesisSlot];
      return known ? slotLeaf(known) : ZeroHash;
    });
  };

  /** Makes every slot final and archives it; slots before the first have the leaf zero. */
  const archive = async (): Promise<void> => {
    const last = genesisSlot + slots.length - 1;
    await world.goTo(world.startOf(last + 2 + 96));
    await c.settlement.advanceFinal(200);
    for (const day of new Set(slots.map(({ slot }) => Math.floor(slot / SLOTS_PER_DAY)))) {
      const evidence = leavesOf(day).map((_, i) => {
        const known = slots[day * SLOTS_PER_DAY + i - genesisSlot];
        if (!known) return { readingsHash: ZeroHash, root: ZeroHash, record: "0x" };
        const { slot, readings = "0x", headMeters, storageMeters } = known;
        return {
          readingsHash: readingsHash(readings),
          root: readingsRoot(slot, readings, "0x", headMeters, storageMeters),
          record: "0x",
        };
      });
      await c.readingArchive.archive(day, [], evidence);
    }
  };

  /** Everything that was read in consecutive slots of one day. */
  const whole = (from: number, through: number): [ReadingRange, SlotReadings[]] => {
    const proof = proveWhole(
      slots.slice(from - genesisSlot, through - genesisSlot + 1),
      leavesOf(Math.floor(from / SLOTS_PER_DAY)),
    );
    return [proof.range, proof.slots];
  };

  return { ...world, slots, run, archive, whole, asModule: world.as(world.wallet("module")) };
};

export type Archived = Awaited<ReturnType<typeof createArchived>>;
