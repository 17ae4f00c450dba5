import { countOf, encodeBatches } from "../../../services/protocol/words.ts";
import { solveSlot, submissionOf } from "../../../services/protocol/clearing.ts";
import { plainRecord, type ClearingRecord } from "./record.ts";
import { TERMS, type World } from "./world.ts";

/** Clears a slot of a radial market, whose book was appended in one batch, as any solver does; chain time must be between gate and start. */
export const clearSolved = async (world: World, slot: number, words: string): Promise<ClearingRecord> => {
  const { c } = world;
  const grid = (await c.grid.gridOf(slot)).map((zone) => ({
    parent: Number(zone.parent),
    toParentWh: zone.toParentWh,
    fromParentWh: zone.fromParentWh,
    backupCapacityWh: zone.backupCapacityWh,
  }));
  const book = { words, batches: encodeBatches([countOf(words)]), trades: "0x" };
  const solved = await solveSlot({ ...book, grid, limits: "0x", terms: { ...TERMS, reference: TERMS.reference_ } });
  const receipt = await (await c.auction.clear(submissionOf(slot, book, solved))).wait();
  const log = receipt?.logs.map((entry) => c.auction.interface.parseLog(entry)).find((e) => e?.name === "Cleared");
  return plainRecord(log?.args["record"]);
};
