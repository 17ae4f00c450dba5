import { limitBounds } from "./keys.ts";
import type { TradeTerms, ZoneTerms } from "./types.ts";

/** Bilateral trades of a cleared market, with what to call them. */
export interface ExplainableTrades {
  readonly terms: readonly ZoneTerms[];
  readonly zoneNames: readonly string[];
  readonly prices: ArrayLike<number>;
  readonly trades: readonly TradeTerms[];
  readonly tradeNames: readonly string[];
  readonly tradesWh: ArrayLike<number>;
}

/** Why each bilateral trade was or was not carried: one sentence per trade. Prices micro-token per kWh. */
export const explainTrades = (market: ExplainableTrades): string[] => {
  const { terms, zoneNames, prices, trades, tradeNames, tradesWh } = market;
  const { root } = limitBounds(terms);
  return trades.map(({ from, to, limitWh, maxSpread }, i) => {
    const name = tradeNames[i];
    if (limitWh === 0) return `${name}: nothing to carry, since it is for 0 Wh.`;
    const what = `${name} (trade of ${limitWh} Wh from ${zoneNames[from]} to ${zoneNames[to]})`;
    if (root[from] !== root[to]) return `${what}: not carried, since no path of lines links its zones.`;
    const filledWh = tradesWh[i] ?? 0;
    const difference = (prices[to] as number) - (prices[from] as number);
    const much =
      filledWh === limitWh ? "carried in full" : filledWh === 0 ? "not carried" : `carried with ${filledWh} Wh`;
    const how = difference < maxSpread ? "below" : difference > maxSpread ? "above" : "exactly";
    return `${what}: ${much}, since the price difference ${difference} is ${how} its limit ${maxSpread}.`;
  });
};
