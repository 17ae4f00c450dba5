import type { CompiledMarket } from "../../../../services/core/market/market.ts";
import { effectiveLimits } from "../../../../services/core/market/sums.ts";
import { OFFER } from "../../../../services/core/market/types.ts";
import { solver } from "./linear-program.ts";

/** Lowest and highest price of a zone over all optimal solutions of the dual; infinite where nothing bounds it. */
export interface PriceRange {
  readonly low: number;
  readonly high: number;
}

/** Far beyond the prices of the markets drawn, so a price that reaches it is bounded by nothing. */
const FAR = 1_000;

/**
 * The LP's dual face, projected onto each zone's price, by HiGHS: what each order and each line could gain at the prices, in
 * sum no more than the welfare. Written from design section 4; only the effective limits are the solver's.
 * @param welfare of an optimal clearing, exact; small enough for a double to be exact too
 */
export const dualFace = async (market: CompiledMarket, welfare: number): Promise<PriceRange[]> => {
  const { columns, terms } = market;
  const limits = effectiveLimits(market);
  const sum: string[] = [];
  const rows: string[] = [];
  const bounds = terms.map((_, zone) => `-${FAR} <= p${zone} <= ${FAR}`);
  /** A surplus variable of weight `wh`: at least sign * (limit - price of zone). */
  const gain = (wh: number, zone: number, limit: number, sign: 1 | -1): void => {
    if (wh === 0) return;
    const name = `u${sum.length}`;
    sum.push(`+ ${wh} ${name}`);
    rows.push(`${name} ${sign > 0 ? "+" : "-"} p${zone} >= ${sign * limit}`);
  };
  for (let i = 0; i < columns.count; i += 1) {
    const isOffer = ((columns.flags[i] as number) & OFFER) !== 0;
    gain(columns.energyWh[i] as number, columns.zone[i] as number, limits[i] as number, isOffer ? -1 : 1);
  }
  terms.forEach((zone, i) => {
    if (zone.hasBackup) {
      gain(zone.backupCapacityWh, i, zone.backupSell - zone.fee, -1);
      gain(zone.backupCapacityWh, i, zone.backupBuy, 1);
    }
    if (zone.parent === i) return;
    // A line of no capacity earns nothing at any price difference.
    for (const [wh, from, to] of [
      [zone.toParentWh, i, zone.parent],
      [zone.fromParentWh, zone.parent, i],
    ] as const) {
      if (wh === 0) continue;
      const name = `u${sum.length}`;
      sum.push(`+ ${wh} ${name}`);
      rows.push(`${name} - p${to} + p${from} >= 0`);
    }
  });
  if (sum.length > 0) rows.push(`${sum.join(" ")} <= ${welfare}`);
  const highs = await solver;
  const extreme = (zone: number, sense: "Minimize" | "Maximize"): number => {
    const text = `${sense}\n obj: p${zone}\nSubject To\n ${rows.map((row, i) => `c${i}: ${row}`).join("\n ")}\nBounds\n ${bounds.join("\n ")}\nEnd\n`;
    const solution = highs.solve(rows.length > 0 ? text : text.replace("Subject To\n \n", ""), {});
    if (solution.Status !== "Optimal") throw new Error(`HiGHS says ${solution.Status}:\n${text}`);
    const value = solution.ObjectiveValue;
    if (Math.abs(value) > FAR - 500) return value > 0 ? Infinity : -Infinity;
    if (Math.abs(value - Math.round(value)) > 1e-4) throw new Error(`a fractional extreme ${value}:\n${text}`);
    return Math.round(value) + 0;
  };
  return terms.map((_, zone) => ({ low: extreme(zone, "Minimize"), high: extreme(zone, "Maximize") }));
};
