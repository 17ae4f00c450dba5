import { tryAgain } from "../../platform/errors.ts";
import { outcomeOf, type Cheat } from "./bench.ts";

const WORD_HEX = 32;

/** Clears a slot as if one order had never been sent: its last word is left out of the book. */
export const droppedOrder: Cheat = async ({ stage, contracts }) => {
  const { slot, solved, attack } = await stage();
  const dropped = solved.orders.at(-1);
  if (!solved.clearing || !dropped) throw tryAgain("the book is not indexed yet: try again in a moment");
  const words = solved.words.slice(0, -WORD_HEX);
  const data = contracts.auction.interface.encodeFunctionData("clear", [slot, words, solved.clearing.postings]);
  const landed = await attack(data);
  return outcomeOf(
    `A clearing of slot ${slot} without the last order of point ${dropped.point} (${dropped.energyWh} Wh), ${landed.when}.`,
    landed,
  );
};
