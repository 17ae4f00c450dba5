import { tryAgain } from "../../platform/errors.ts";
import { encodeClear, submissionOf } from "../../protocol/clearing.ts";
import { outcomeOf, type Cheat } from "./bench.ts";

/**
 * Posts the slot's honest clearing with one zone's price a single micro-token per kWh off. Where a marginal order holds the
 * price, the contract stumbles over that order first; so a zone and direction are taken in which the price alone is wrong.
 */
export const priceOffByOne: Cheat = async ({ stage, context }) => {
  const { slot, solved, probe, attack } = await stage();
  const { clearing } = solved;
  if (!clearing) throw tryAgain("the book is not indexed yet: try again in a moment");
  const tries = clearing.postings.flatMap(({ price }, zone) => [1, -1].map((by) => ({ zone, by, price })));
  let chosen: { zone: number; by: number; price: number; data: string } | undefined;
  for (const attempt of tries) {
    const postings = clearing.postings.map((posting, zone) =>
      zone === attempt.zone ? { ...posting, price: posting.price + attempt.by } : posting,
    );
    const data = encodeClear({ ...submissionOf(slot, solved, clearing), postings });
    chosen ??= { ...attempt, data };
    if ((await probe(data))?.name !== "WrongPrice") continue;
    chosen = { ...attempt, data };
    break;
  }
  if (!chosen) throw tryAgain("the market has no zone yet: try again in a moment");
  const landed = await attack(chosen.data);
  const zone = context.zoneNames[chosen.zone] ?? `zone ${chosen.zone}`;
  return outcomeOf(
    `The clearing of slot ${slot} with a price of ${chosen.price + chosen.by} instead of ${chosen.price} micro-token per kWh in ${zone}, ${landed.when}.`,
    landed,
  );
};
