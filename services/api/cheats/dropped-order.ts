import { tryAgain } from "../../platform/errors.ts";
import { encodeClear, submissionOf } from "../../protocol/clearing.ts";
import { decodeBatches, encodeBatches } from "../../protocol/words.ts";
import { outcomeOf, type Cheat } from "./bench.ts";

const WORD_HEX = 32;

/** The last batch with one word less; gone where that was its only one. */
const withoutLast = (encoded: string): string => {
  const batches = decodeBatches(encoded);
  const last = batches.findLastIndex((batch) => typeof batch === "number");
  const left = Number(batches[last]) - 1;
  return encodeBatches([...batches.slice(0, last), ...(left === 0 ? [] : [left]), ...batches.slice(last + 1)]);
};

/** Clears a slot as if one order had never been sent: its last word is left out of the book. */
export const droppedOrder: Cheat = async ({ stage }) => {
  const { slot, solved, attack } = await stage();
  const dropped = solved.orders.at(-1);
  if (!solved.clearing || !dropped) throw tryAgain("the book is not indexed yet: try again in a moment");
  const words = solved.words.slice(0, -WORD_HEX);
  const data = encodeClear(
    submissionOf(slot, { ...solved, words, batches: withoutLast(solved.batches) }, solved.clearing),
  );
  const landed = await attack(data);
  return outcomeOf(
    `A clearing of slot ${slot} without the last order of point ${dropped.point} (${dropped.energyWh} Wh), ${landed.when}.`,
    landed,
  );
};
