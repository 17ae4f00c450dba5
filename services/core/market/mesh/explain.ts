import type { ExactDuals } from "../decision.ts";
import type { CompiledMarket } from "../market.ts";
import { networkLimits } from "./ptdf.ts";
import { floorDiv, PRICE_UNIT } from "./rule.ts";

/**
 * Names the full limit that keeps a better price from an order: the one that moves the price of its zone most, down for an
 * offer, up for a bid. Against the island's lambda, so it does not depend on which zone is named first.
 * @returns a clause to add to a sentence; empty where no limit moves the price that way by a whole unit
 */
export const limitBehind = (
  market: CompiledMarket,
  duals: ExactDuals,
): ((zone: number, isOffer: boolean) => string) => {
  const names = [
    ...market.lines.map(({ id }) => ({ id, name: `line ${id}` })),
    ...market.constraints.map(({ id }) => ({ id, name: `constraint ${id}` })),
  ];
  const full = networkLimits(market).flatMap(({ weights, minWh, maxWh }, l) => {
    const { id, name } = names[l] as (typeof names)[number];
    const mu = BigInt(duals.mu[id] ?? 0);
    return mu === 0n ? [] : [{ name, weights, mu, limitWh: Math.abs(mu > 0n ? maxWh : minWh) }];
  });
  return (zone, isOffer) => {
    let most = 0n;
    let clause = "";
    for (const { name, weights, mu, limitWh } of full) {
      const lowers = BigInt(weights[zone] as number) * mu;
      const moves = floorDiv((isOffer ? lowers : -lowers) + PRICE_UNIT / 2n, PRICE_UNIT);
      if (moves <= most) continue;
      most = moves;
      const how = isOffer ? `takes ${moves} off the price here` : `adds ${moves} to the price here`;
      clause = `; ${name} is full with ${limitWh} Wh, which ${how}`;
    }
    return clause;
  };
};
