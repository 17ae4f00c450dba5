import { gridStates, type GridState, type MarketState } from "./emergency-events.ts";
import type { ReadStore } from "./market-store.ts";
import type { Batch } from "./words.ts";

/** Questions to the indexer's store about emergency levels and islanding. */
export const marketStateOf = (store: ReadStore): MarketState =>
  store.get<{ state: MarketState }>(
    "SELECT state FROM states WHERE kind = 'market' ORDER BY block DESC, log DESC LIMIT 1",
  )?.state ?? "open";

/** The grid state of zones 0 to `count` - 1. */
export const gridStatesOf = (store: ReadStore, count: number): GridState[] => {
  const states = new Array<GridState>(count).fill(gridStates[0]);
  for (const { zones, state } of store.all<{ zones: string; state: GridState }>(
    "SELECT zones, state FROM states WHERE kind = 'grid' ORDER BY block, log",
  )) {
    for (let zone = 0; zone < count; zone += 1) if ((BigInt(zones) >> BigInt(zone)) & 1n) states[zone] = state;
  }
  return states;
};

/** The batches of a slot's book, with voids of zones between them (`encodeBatches`). */
export const batchesOf = (store: ReadStore, slot: number): Batch[] => {
  const batches: Batch[] = [];
  let before = 0;
  for (const { wordCount, zones } of store.all<{ wordCount: number | null; zones: string | null }>(
    `SELECT block, log, wordCount, NULL AS zones FROM appends WHERE slot = ?
     UNION ALL SELECT block, log, NULL, zones FROM voids WHERE ? BETWEEN firstSlot AND throughSlot ORDER BY block, log`,
    slot,
    slot,
  )) {
    if (wordCount !== null) {
      batches.push(wordCount - before);
      before = wordCount;
    } else if (zones !== null && batches.length > 0) batches.push(BigInt(zones));
  }
  return batches;
};
