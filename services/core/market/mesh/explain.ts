import type { ExactDuals } from "../decision.ts";
import type { CompiledMarket } from "../market.ts";
import type { NetworkLimit } from "../types.ts";
import { networkLimits } from "./ptdf.ts";
import { floorDiv, PRICE_UNIT } from "./rule.ts";

/** A limit that is full, with what to call it. */
export interface FullLimit extends NetworkLimit {
  readonly name: string;
  /** Dual price, 1e-6 micro-token per kWh; not zero. */
  readonly mu: bigint;
}

/**
 * Names the full limit that keeps a better price from an order: the one that moves the price of its zone most, down for an
 * offer, up for a bid. Against the island's lambda, so it does not depend on which zone is named first.
 * @returns a clause to add to a sentence; empty where no limit moves the price that way by a whole unit
 */
export const limitBehind =
  (full: readonly FullLimit[]): ((zone: number, isOffer: boolean) => string) =>
  (zone, isOffer) => {
    let most = 0n;
    let clause = "";
    for (const { name, weights, mu, minWh, maxWh } of full) {
      const lowers = BigInt(weights[zone] as number) * mu;
      const moves = floorDiv((isOffer ? lowers : -lowers) + PRICE_UNIT / 2n, PRICE_UNIT);
      if (moves <= most) continue;
      most = moves;
      const how = isOffer ? `takes ${moves} off the price here` : `adds ${moves} to the price here`;
      clause = `; ${name} is full with ${Math.abs(mu > 0n ? maxWh : minWh)} Wh, which ${how}`;
    }
    return clause;
  };

/** The full limits of a market file's result. */
export const fullLimitsOf = (market: CompiledMarket, duals: ExactDuals): FullLimit[] => {
  const names = [
    ...market.lines.map(({ id }) => ({ id, name: `line ${id}` })),
    ...market.constraints.map(({ id }) => ({ id, name: `constraint ${id}` })),
  ];
  return networkLimits(market).flatMap((limit, l) => {
    const { id, name } = names[l] as (typeof names)[number];
    const mu = BigInt(duals.mu[id] ?? 0);
    return mu === 0n ? [] : [{ ...limit, name, mu }];
  });
};
