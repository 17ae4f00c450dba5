import { tryAgain } from "../../platform/errors.ts";
import { encodeClear, submissionOf } from "../../protocol/clearing.ts";
import { outcomeOf, type Cheat } from "./bench.ts";

const WORD_HEX = 32;

/** The last batch with one word less; gone where that was its only one. */
const withoutLast = (batches: string): string => {
  const left = parseInt(batches.slice(-4), 16) - 1;
  return batches.slice(0, -4) + (left === 0 ? "" : left.toString(16).padStart(4, "0"));
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
