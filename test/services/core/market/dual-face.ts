import type { CompiledMarket } from "../../../../services/core/market/market.ts";
import { limitBounds } from "../../../../services/core/market/keys.ts";
import { effectiveLimits } from "../../../../services/core/market/sums.ts";
import { GREEN, OFFER } from "../../../../services/core/market/types.ts";
import { solver } from "./linear-program.ts";

/** Lowest and highest price of a zone over all optimal solutions of the dual; infinite where nothing bounds it. */
export interface PriceRange {
  readonly low: number;
  readonly high: number;
}

export interface DualFace {
  /** Smallest premium per zone's island over all optimal solutions. */
  readonly premiums: readonly number[];
  /** Per zone, over the solutions with these premiums. */
  readonly prices: readonly PriceRange[];
}

/** Far beyond the prices of the markets drawn, so a price that reaches it is bounded by nothing. */
const FAR = 1_000;

/**
 * The LP's dual face, projected onto each zone's price, by HiGHS: what each order, trade and line could gain at the prices,
 * in sum no more than the welfare; green orders gain at the price plus the island's premium g. Written from design
 * section 4; only the effective limits are the solver's.
 * @param welfare of an optimal clearing, exact; small enough for a double to be exact too
 */
export const dualFace = async (market: CompiledMarket, welfare: number): Promise<DualFace> => {
  const { columns, terms, trades } = market;
  const { root } = limitBounds(terms);
  const limits = effectiveLimits(market);
  const sum: string[] = [];
  const rows: string[] = [];
  const bounds = terms.flatMap((_, zone) => [
    `-${FAR} <= p${zone} <= ${FAR}`,
    ...(root[zone] === zone ? [`0 <= g${zone} <= ${FAR}`] : []),
  ]);
  /** A surplus variable of weight `wh`: at least what the prices, signed, and the constant leave. */
  const gain = (wh: number, prices: string, constant: number): void => {
    if (wh === 0) return;
    const name = `u${sum.length}`;
    sum.push(`+ ${wh} ${name}`);
    rows.push(`${name} ${prices} >= ${constant}`);
  };
  for (let i = 0; i < columns.count; i += 1) {
    const flags = columns.flags[i] as number;
    const zone = columns.zone[i] as number;
    const limit = limits[i] as number;
    const offer = (flags & OFFER) !== 0;
    const sign = offer ? "-" : "+";
    const premium = flags & GREEN ? `${sign} g${root[zone]}` : "";
    gain(columns.energyWh[i] as number, `${sign} p${zone} ${premium}`, offer ? -limit : limit);
  }
  terms.forEach((zone, i) => {
    if (zone.hasBackup) {
      gain(zone.backupCapacityWh, `- p${i}`, -(zone.backupSell - zone.fee));
      gain(zone.backupCapacityWh, `+ p${i}`, zone.backupBuy);
    }
    if (zone.parent === i) return;
    // A line of no capacity earns nothing at any price difference.
    gain(zone.toParentWh, `- p${zone.parent} + p${i}`, 0);
    gain(zone.fromParentWh, `- p${i} + p${zone.parent}`, 0);
  });
  for (const { from, to, limitWh, maxSpread } of trades) {
    if (root[from] !== root[to]) continue;
    if (from === to) gain(limitWh, "", maxSpread);
    else gain(limitWh, `+ p${to} - p${from}`, maxSpread);
  }
  if (sum.length > 0) rows.push(`${sum.join(" ")} <= ${welfare}`);
  const highs = await solver;
  const extreme = (variable: string, sense: "Minimize" | "Maximize"): number => {
    const text = `${sense}\n obj: ${variable}\nSubject To\n ${rows.map((row, i) => `c${i}: ${row}`).join("\n ")}\nBounds\n ${bounds.join("\n ")}\nEnd\n`;
    const solution = highs.solve(rows.length > 0 ? text : text.replace("Subject To\n \n", ""), {});
    if (solution.Status !== "Optimal") throw new Error(`HiGHS says ${solution.Status}:\n${text}`);
    const value = solution.ObjectiveValue;
    if (Math.abs(value) > FAR - 500) return value > 0 ? Infinity : -Infinity;
    if (Math.abs(value - Math.round(value)) > 1e-4) throw new Error(`a fractional extreme ${value}:\n${text}`);
    return Math.round(value) + 0;
  };
  const least = new Map([...new Set(root)].map((top) => [top, extreme(`g${top}`, "Minimize")]));
  for (const [top, premium] of least) rows.push(`g${top} = ${premium}`);
  return {
    premiums: terms.map((_, zone) => least.get(root[zone] as number) as number),
    prices: terms.map((_, zone) => ({ low: extreme(`p${zone}`, "Minimize"), high: extreme(`p${zone}`, "Maximize") })),
  };
};
