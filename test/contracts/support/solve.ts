import { concat } from "ethers";
import { countOf, encodeBatches } from "../../../services/protocol/words.ts";
import { solveSlot, submissionOf } from "../../../services/protocol/clearing.ts";
import { plainRecord, type ClearingRecord } from "./record.ts";
import { TERMS, type World } from "./world.ts";

/** The zones in force in a slot, as the solver takes them. */
export const gridOf = async ({ c }: World, slot: number) =>
  (await c.grid.gridOf(slot)).map((zone) => ({
    parent: Number(zone.parent),
    toParentWh: zone.toParentWh,
    fromParentWh: zone.fromParentWh,
    backupCapacityWh: zone.backupCapacityWh,
  }));

/** Clears a slot of a radial market as any solver does, from the batches of its book; chain time lies between gate and start. */
export const clearSolved = async (
  world: World,
  slot: number,
  batches: string[],
): Promise<{ record: ClearingRecord; gasUsed: number }> => {
  const { auction } = world.c;
  const grid = await gridOf(world, slot);
  const book = { words: concat(batches), batches: encodeBatches(batches.map(countOf)), trades: "0x" };
  const solved = await solveSlot({ ...book, grid, limits: "0x", terms: { ...TERMS, reference: TERMS.reference_ } });
  const receipt = await (await auction.clear(submissionOf(slot, book, solved))).wait();
  const log = receipt?.logs.map((entry) => auction.interface.parseLog(entry)).find((e) => e?.name === "Cleared");
  return { record: plainRecord(log?.args["record"]), gasUsed: Number(receipt?.gasUsed) };
};
