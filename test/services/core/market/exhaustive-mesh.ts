import type { Solver } from "../../../../services/core/dispatch/solver.ts";
import { flowsOf, slackOf, toleranceOf } from "../../../../services/core/market/mesh/check.ts";
import { meshBook } from "../../../../services/core/market/mesh/groups.ts";
import type { Group } from "../../../../services/core/market/mesh/groups.ts";
import type { MeshMarket } from "../../../../services/core/market/mesh/tally.ts";
import type { NetworkLimit, TradeTerms } from "../../../../services/core/market/types.ts";

/** Fills of one zone that some price supports, and the lowest and highest such price. */
interface ZoneFills {
  readonly exportWh: number;
  readonly low: number;
  readonly high: number;
}

/** Every whole fill of a zone's groups that one price supports, within less than a unit. */
const fillsOfZone = (groups: readonly Group[]): ZoneFills[] => {
  let all: ZoneFills[] = [{ exportWh: 0, low: -Infinity, high: Infinity }];
  for (const { sign, limit, availableWh } of groups) {
    const next = new Map<string, ZoneFills>();
    for (const before of all) {
      for (let filledWh = 0; filledWh <= availableWh; filledWh += 1) {
        const holdsUp = sign > 0 ? filledWh > 0 : filledWh < availableWh;
        const holdsDown = sign > 0 ? filledWh < availableWh : filledWh > 0;
        const own = {
          exportWh: before.exportWh + sign * filledWh,
          low: holdsUp ? Math.max(before.low, limit) : before.low,
          high: holdsDown ? Math.min(before.high, limit) : before.high,
        };
        // Limits are whole: bounds that miss each other by less than a unit do not at all.
        if (own.low <= own.high) next.set(`${own.exportWh} ${own.low} ${own.high}`, own);
      }
    }
    all = [...next.values()];
  }
  return all;
};

/** Every whole fill of the trades; one that stays in its zone, or crosses islands, has no choice. */
const fillsOfTrades = (trades: readonly TradeTerms[], root: Int32Array): number[][] =>
  trades.reduce<number[][]>(
    (all, { from, to, limitWh, maxSpread }) => {
      const own =
        root[from] !== root[to]
          ? [0]
          : from === to
            ? [maxSpread >= 0 ? limitWh : 0]
            : Array.from({ length: limitWh + 1 }, (_, wh) => wh);
      return all.flatMap((before) => own.map((wh) => [...before, wh]));
    },
    [[]],
  );

/**
 * Looks at every clearing in whole Wh of a small market without green orders: does one balance, keep every limit, and have dual
 * prices, at limits that are full, which support it? Written from docs/clearing-proof.md, section 11, for comparison with
 * services/core/market/mesh/supported.ts.
 *
 * @returns how many net exports keep balance and limits, and the least units of price by which bounds miss each other: the
 *   proof takes less than one
 */
export const exhaust = (market: MeshMarket, solver: Solver): { feasible: number; miss: number } => {
  const { columns, terms, band, trades, limits } = market;
  const { groups, root, hasGreen } = meshBook(columns, terms, band, trades);
  if (hasGreen) throw new Error("green orders are not enumerated");
  const zones = terms.map((_, z) => fillsOfZone(groups.filter(({ zone }) => zone === z)));
  const feasible = new Set<string>();
  let least = Infinity;
  for (const tradesWh of fillsOfTrades(trades, root)) {
    const visit = (chosen: readonly ZoneFills[]): void => {
      if (chosen.length < zones.length) {
        for (const own of zones[chosen.length] as ZoneFills[]) visit([...chosen, own]);
        return;
      }
      const netExportWh = chosen.map(({ exportWh }) => exportWh);
      trades.forEach(({ from, to }, k) => {
        netExportWh[from] = (netExportWh[from] as number) + (tradesWh[k] as number);
        netExportWh[to] = (netExportWh[to] as number) - (tradesWh[k] as number);
      });
      const balances = new Map<number, number>();
      netExportWh.forEach((own, z) => balances.set(root[z] as number, (balances.get(root[z] as number) ?? 0) + own));
      if ([...balances.values()].some((sum) => sum !== 0)) return;
      const slacks = flowsOf(limits, netExportWh).map((flow, l) => slackOf(limits[l] as NetworkLimit, flow));
      if (slacks.some(({ above, below }) => above < 0n || below < 0n)) return;
      feasible.add(netExportWh.join());
      least = Math.min(least, missOf(market, root, chosen, tradesWh, slacks, solver));
    };
    visit([]);
  }
  return { feasible: feasible.size, miss: least };
};

/** By how much the bounds of fills miss each other at the best dual prices. */
const missOf = (
  { trades, limits }: MeshMarket,
  root: Int32Array,
  chosen: readonly ZoneFills[],
  tradesWh: readonly number[],
  slacks: readonly { readonly above: bigint; readonly below: bigint }[],
  solver: Solver,
): number =>
  solver.minimise((lp) => {
    const lows = chosen.map(({ low }) => lp.addRow(low, Infinity));
    const highs = chosen.map(({ high }) => lp.addRow(-Infinity, high));
    const moving = trades.flatMap((trade, k) => (root[trade.from] === root[trade.to] ? [{ trade, k }] : []));
    const gains = moving.map(({ trade: { from, to, limitWh, maxSpread }, k }) => ({
      from,
      to,
      least: lp.addRow(from !== to && (tradesWh[k] as number) > 0 ? -maxSpread : -Infinity, Infinity),
      most: lp.addRow(-Infinity, from !== to && (tradesWh[k] as number) < limitWh ? -maxSpread : Infinity),
    }));
    root.forEach((_, top) => {
      const rows = chosen.flatMap((__, z) => (root[z] === top ? [lows[z] as number, 1, highs[z] as number, 1] : []));
      lp.addColumn(0, -Infinity, Infinity, rows);
    });
    limits.forEach((limit, l) => {
      const { above, below } = slacks[l] as (typeof slacks)[number];
      const width = toleranceOf(limit);
      const weight = (z: number): number => (limit.weights[z] as number) / 1e6;
      const rows = limit.weights.flatMap((_, z) => [lows[z] as number, -weight(z), highs[z] as number, -weight(z)]);
      for (const { from, to, least, most } of gains) {
        if (from !== to) rows.push(least, weight(to) - weight(from), most, weight(to) - weight(from));
      }
      lp.addColumn(0, below < width ? -Infinity : 0, above < width ? Infinity : 0, rows);
    });
    // A lower bound may pass an upper one of the island's by this; it counts once, at the upper ones.
    const misses = [...highs.flatMap((row) => [row, -1]), ...gains.flatMap(({ least, most }) => [least, 1, most, -1])];
    lp.addColumn(1, 0, Infinity, misses);
  }).objective;
