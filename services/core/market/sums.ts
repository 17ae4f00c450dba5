import type { Decision } from "./decision.ts";
import { createExactSum } from "./exact.ts";
import { limitBounds } from "./keys.ts";
import type { CompiledMarket } from "./market.ts";
import { GREEN, OFFER } from "./types.ts";
import type { ZoneTerms } from "./types.ts";

/** What a decision amounts to, in exact integers. Money nano-token, energy Wh. */

/** What the dual needs of a market: any book with its network, a slot of the chain too. */
export type Book = Pick<CompiledMarket, "columns" | "terms" | "trades">;
type Prices = Pick<Decision, "prices" | "greenPrices">;

/** The limit an order counts with, in its zone's own price; bids net of the fee. */
export const effectiveLimits = (market: Book): Float64Array => {
  const { columns, terms } = market;
  const { bidCap, offerFloor } = limitBounds(terms);
  return Float64Array.from({ length: columns.count }, (_, i) => {
    const z = columns.zone[i] as number;
    const limit = columns.price[i] as number;
    return (columns.flags[i] as number) & OFFER
      ? Math.max(limit, offerFloor[z] as number)
      : Math.min(limit, bidCap[z] as number) - (terms[z] as ZoneTerms).fee;
  });
};

/** The price each order trades at: its zone's, or that of the zone's green orders. */
export const orderPrices = ({ columns }: Book, { prices, greenPrices }: Prices): Float64Array =>
  Float64Array.from({ length: columns.count }, (_, i) => {
    const own = greenPrices && (columns.flags[i] as number) & GREEN ? greenPrices : prices;
    return own[columns.zone[i] as number] as number;
  });

/** Net export per zone: orders, backup and bilateral trades. */
export const netExports = ({ columns, terms, trades }: Book, decision: Decision): number[] => {
  const exports = terms.map((_, i) => {
    const own = decision.backups[i];
    return own ? own.backupSoldWh - own.backupBoughtWh : 0;
  });
  const add = (zone: number, wh: number): void => {
    exports[zone] = (exports[zone] as number) + wh + 0;
  };
  for (let i = 0; i < columns.count; i += 1) {
    const sign = (columns.flags[i] as number) & OFFER ? 1 : -1;
    add(columns.zone[i] as number, sign * (decision.fillsWh[i] ?? 0));
  }
  trades.forEach(({ from, to }, i) => {
    const filledWh = decision.tradesWh?.[i] ?? 0;
    add(from, filledWh);
    add(to, -filledWh);
  });
  return exports;
};

/**
 * Congestion rent, nano-token: what buyers pay beyond what sellers receive, at zone prices; and what green orders pay each other
 * in prices of their own, which is nothing but on a meshed network, where each zone's green price is rounded by itself.
 */
export const rentNano = (market: Book, decision: Decision, netExportWh: readonly number[]): bigint => {
  const { columns } = market;
  const { prices, greenPrices } = decision;
  const rent = createExactSum();
  netExportWh.forEach((exportWh, z) => rent.add(-exportWh, prices[z] as number));
  for (let i = 0; greenPrices && i < columns.count; i += 1) {
    const flags = columns.flags[i] as number;
    if (!(flags & GREEN)) continue;
    const z = columns.zone[i] as number;
    const premium = (greenPrices[z] as number) - (prices[z] as number);
    rent.add((flags & OFFER ? -1 : 1) * (decision.fillsWh[i] ?? 0), premium);
  }
  return rent.value();
};

/** An island has a value once anything in it could trade. */
export const zonesWithValue = ({ columns, terms, trades }: Book): boolean[] => {
  const { root } = limitBounds(terms);
  const islands = new Set<number>();
  terms.forEach((zone, i) => zone.hasBackup && islands.add(root[i] as number));
  for (let i = 0; i < columns.count; i += 1) {
    if (columns.energyWh[i]) islands.add(root[columns.zone[i] as number] as number);
  }
  for (const { from, to, limitWh } of trades) {
    if (limitWh > 0 && root[from] === root[to]) islands.add(root[from] as number);
  }
  return terms.map((_, i) => islands.has(root[i] as number));
};

/** Volume counts bids and what the backup buys; trades are not part of it. */
export const moneySums = (
  market: Book,
  decision: Decision,
): { volumeWh: number; feesNano: bigint; welfareNano: bigint } => {
  const { columns, terms, trades } = market;
  const limits = effectiveLimits(market);
  const fees = createExactSum();
  const welfare = createExactSum();
  let volumeWh = 0;
  for (let i = 0; i < columns.count; i += 1) {
    const filledWh = decision.fillsWh[i] ?? 0;
    if (filledWh === 0) continue;
    if ((columns.flags[i] as number) & OFFER) welfare.add(-filledWh, limits[i] as number);
    else {
      volumeWh += filledWh;
      fees.add(filledWh, (terms[columns.zone[i] as number] as ZoneTerms).fee);
      welfare.add(filledWh, limits[i] as number);
    }
  }
  terms.forEach((zone, i) => {
    const { backupSoldWh = 0, backupBoughtWh = 0 } = decision.backups[i] ?? {};
    volumeWh += backupBoughtWh;
    welfare.add(backupBoughtWh, zone.backupBuy);
    welfare.add(-backupSoldWh, zone.backupSell - zone.fee);
  });
  trades.forEach(({ maxSpread }, i) => welfare.add(decision.tradesWh?.[i] ?? 0, maxSpread));
  return { volumeWh, feesNano: fees.value(), welfareNano: welfare.value() };
};

/**
 * The dual objective on a radial network: an upper bound on the welfare of any feasible clearing. What every order could
 * gain at its price, what every trade could gain at its prices, and what every line earns per Wh of its limit. Green orders
 * gain at the zone price plus the premium; the certificates have no term of their own.
 */
export const dualOf = (market: Book, decision: Prices): bigint => {
  const { columns, terms, trades } = market;
  const { prices } = decision;
  const limits = effectiveLimits(market);
  const own = orderPrices(market, decision);
  const dual = createExactSum();
  for (let i = 0; i < columns.count; i += 1) {
    const price = own[i] as number;
    const gain = (columns.flags[i] as number) & OFFER ? price - (limits[i] as number) : (limits[i] as number) - price;
    if (gain > 0) dual.add(columns.energyWh[i] as number, gain);
  }
  terms.forEach((zone, i) => {
    const price = prices[i] as number;
    if (zone.hasBackup) {
      dual.add(zone.backupCapacityWh, Math.max(0, price - (zone.backupSell - zone.fee)));
      dual.add(zone.backupCapacityWh, Math.max(0, zone.backupBuy - price));
    }
    const rise = (prices[zone.parent] as number) - price;
    dual.add(rise > 0 ? zone.toParentWh : zone.fromParentWh, Math.abs(rise));
  });
  const { root } = limitBounds(terms);
  for (const { from, to, limitWh, maxSpread } of trades) {
    const gain = maxSpread - ((prices[to] as number) - (prices[from] as number));
    if (root[from] === root[to] && gain > 0) dual.add(limitWh, gain);
  }
  return dual.value();
};
