import type { LinearProgram, Solver } from "../../dispatch/solver.ts";
import { toleranceOf } from "./check.ts";
import type { Duals } from "./duals.ts";
import type { Group } from "./groups.ts";
import type { Fills } from "./integers.ts";
import type { MeshProgram } from "./linear.ts";
import { positionsIn } from "./positions.ts";
import type { Position, ZoneBook } from "./positions.ts";
import { WEIGHT_UNIT } from "./ptdf.ts";
import { DUAL_UNIT } from "./rule.ts";

/** Whole fills with dual prices that support them. */
export interface Supported {
  readonly fills: Fills;
  /** Per limit, 1e-6 micro-token per kWh. */
  readonly mu: readonly bigint[];
}

/** With so many nodes and MOST_POSITIONS (positions.ts) the time is bounded, the same way on every machine. */
const MAX_NODES = 300;
/** The proof takes bounds that miss each other by less than a unit of price: first none do, then they may by this. */
const MISSES = [0, 0.99] as const;
/** What a rank weighs beside a micro-token per kWh. */
const RANK_WEIGHT = 1e-3;
/** A trade is an offer and a bid (keys.ts). */
const TRADE_RANK = 4;
/** How high a dual price may be where an integer decides whether it stands, in spreads of prices per largest weight. */
const HIGHEST = 50;

/**
 * Whole fills and dual prices looked for together, where no whole fills stand beside an optimal vertex of the linear program:
 * the most welfare of all that the proof takes at such prices. One integer program: each zone's price stands at a limit of the zone's
 * orders, or between two; that decides all fills but those at the limit; a dual price stands only at a limit that is full.
 *
 * @param around duals of the vertex
 * @returns at most one answer per entry of MISSES
 */
export function* supportedFills(program: MeshProgram, around: Duals, solver: Solver): Generator<Supported> {
  const books = positionsIn(program, around);
  for (const miss of MISSES) {
    const { build, read } = support(program, books, miss);
    const optimum = solver.attempt(build, { tolerance: 1e-7, maxNodes: MAX_NODES, onlyProven: true });
    if (optimum) yield read(optimum.columns);
  }
}

/** A column's entries, [row, value, ...]. */
type Entries = number[];

interface Support {
  readonly build: (lp: LinearProgram) => void;
  readonly read: (columns: Float64Array) => Supported;
}

const support = (
  { book: { groups, trades, root }, limits }: MeshProgram,
  books: readonly ZoneBook[],
  miss: number,
): Support => {
  const largest = groups.reduce((most, { limit }) => Math.max(most, Math.abs(limit)), 0);
  const unit = Math.max(1, largest / 1_000);
  const ends = books.flatMap(({ positions }) => [(positions[0] as Position).low, (positions.at(-1) as Position).high]);
  const spread = (Math.max(1, ...ends) - Math.min(0, ...ends)) / unit;
  const reach =
    groups.reduce((sum, { availableWh }) => sum + availableWh, 1) +
    2 * trades.reduce((sum, { limitWh }) => sum + limitWh, 0);
  const tops = [...new Set(root)];
  const greenBooks = books.some(({ green }) => green);
  const places: { readonly position: Position; readonly column: number }[] = [];
  const marginal: { readonly g: number; readonly column: number }[] = [];
  const tradeColumns: number[] = [];
  const muColumns: (readonly [number, number])[] = [];

  const build = (lp: LinearProgram): void => {
    let columns = 0;
    const add: typeof lp.addColumn = (...column) => {
      lp.addColumn(...column);
      return (columns += 1) - 1;
    };
    const perIsland = (low: number, high: number): Map<number, number> =>
      new Map(tops.map((top) => [top, lp.addRow(low, high)]));
    const balance = perIsland(0, 0);
    const green = perIsland(0, Infinity);
    // With a premium green offers pass green bids by less than the number of zones.
    const greenFull = perIsland(-Infinity, reach);
    const premium = perIsland(-Infinity, miss / unit);
    const rows = limits.map((limit) => {
      const largestWeight = limit.weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1) / WEIGHT_UNIT;
      const farthest = Math.ceil(reach * largestWeight) + 1;
      const [least, most] = [Math.max(limit.minWh, -farthest), Math.min(limit.maxWh, farthest)];
      const less = Math.max(0, most - least - Number(toleranceOf(limit) - 1n) / WEIGHT_UNIT);
      return {
        flow: lp.addRow(limit.minWh, limit.maxWh),
        upper: { open: limit.maxWh <= farthest, row: lp.addRow(least, Infinity), by: -less },
        lower: { open: limit.minWh >= -farthest, row: lp.addRow(-Infinity, most), by: less },
        far: (HIGHEST * spread) / largestWeight,
      };
    });
    const lows = books.map(() => lp.addRow(0, Infinity));
    const highs = books.map(() => lp.addRow(-Infinity, miss / unit));
    const gains = trades.map(({ maxSpread, from, to }) =>
      root[from] === root[to] && from !== to
        ? {
            least: lp.addRow((-miss - maxSpread) / unit, Infinity),
            most: lp.addRow(-Infinity, (miss - maxSpread) / unit),
          }
        : undefined,
    );
    const flowEntries = (weightOf: (weights: readonly number[]) => number, byWh: number): Entries =>
      limits.flatMap(({ weights }, l) => {
        const by = (weightOf(weights) * byWh) / WEIGHT_UNIT;
        const { flow, upper, lower } = rows[l] as (typeof rows)[number];
        return by ? [flow, by, upper.row, by, lower.row, by] : [];
      });
    const exported = (zone: number, byWh: number, isGreen: boolean): Entries => {
      if (byWh === 0) return [];
      const top = root[zone] as number;
      const entries = [balance.get(top) as number, byWh];
      if (isGreen) entries.push(green.get(top) as number, byWh, greenFull.get(top) as number, byWh);
      return [...entries, ...flowEntries((weights) => weights[zone] as number, byWh)];
    };
    const priced = (of: (book: ZoneBook) => number): Entries =>
      books.flatMap((book, b) => {
        const by = of(book);
        return by ? [lows[b] as number, by, highs[b] as number, by] : [];
      });

    books.forEach(({ zone, green: isGreen, positions }, b) => {
      const one = lp.addRow(1, 1);
      for (const position of positions) {
        const { low, high, exportWh, cost, at } = position;
        const own = at.map((g) => ({ g, row: lp.addRow(-Infinity, 0) }));
        const entries = [one, 1, lows[b] as number, -low / unit, highs[b] as number, -high / unit];
        for (const { g, row } of own) entries.push(row, -(groups[g] as Group).availableWh);
        entries.push(...exported(zone, exportWh, isGreen));
        places.push({ position, column: add(cost / unit, 0, 1, entries, "integer") });
        for (const { g, row } of own) {
          const { sign, limit, rank, availableWh } = groups[g] as Group;
          const worth = (sign * (limit + RANK_WEIGHT * rank)) / unit;
          marginal.push({
            g,
            column: add(worth, 0, availableWh, [row, 1, ...exported(zone, sign, isGreen)], "integer"),
          });
        }
      }
    });
    trades.forEach(({ from, to, limitWh, maxSpread }, k) => {
      const gain = gains[k];
      if (!gain) {
        const filledWh = from === to && maxSpread >= 0 ? limitWh : 0;
        tradeColumns.push(add(0, filledWh, filledWh, []));
        return;
      }
      // Full, empty or, at its spread, anything.
      const one = lp.addRow(0, 1);
      const least = lp.addRow(0, Infinity);
      const most = lp.addRow(-Infinity, limitWh);
      const far = HIGHEST * spread;
      add(0, 0, 1, [one, 1, least, -limitWh, gain.most, -far], "integer");
      add(0, 0, 1, [one, 1, most, limitWh, gain.least, far], "integer");
      const flow = flowEntries((weights) => (weights[from] as number) - (weights[to] as number), 1);
      const worth = -(maxSpread + RANK_WEIGHT * TRADE_RANK) / unit;
      tradeColumns.push(add(worth, 0, limitWh, [least, 1, most, 1, ...flow], "integer"));
    });
    for (const top of tops) {
      const here = ({ zone }: ZoneBook): number => (root[zone] === top ? 1 : 0);
      add(0, -Infinity, Infinity, priced(here));
      if (!greenBooks) continue;
      const zones = root.reduce((count, other) => count + (other === top ? 1 : 0), 0);
      add(0, 0, Infinity, [premium.get(top) as number, 1, ...priced((own) => (own.green ? here(own) : 0))]);
      const most = reach - (zones - 1);
      add(0, 0, 1, [premium.get(top) as number, -HIGHEST * spread, greenFull.get(top) as number, most], "integer");
    }
    limits.forEach(({ weights }, l) => {
      const { upper, lower, far } = rows[l] as (typeof rows)[number];
      const stands = ([side, sign]: readonly [typeof upper, 1 | -1]): number => {
        const weight = (zone: number): number => (sign * (weights[zone] as number)) / WEIGHT_UNIT;
        const entries = priced(({ zone }) => -weight(zone));
        trades.forEach(({ from, to }, k) => {
          const gain = gains[k];
          const by = weight(to) - weight(from);
          if (gain && by) entries.push(gain.least, by, gain.most, by);
        });
        if (side.open && side.by) {
          const row = lp.addRow(-Infinity, 0);
          entries.push(row, 1);
          add(0, 0, 1, [row, -far, side.row, side.by], "integer");
        }
        return add(0, 0, side.open ? Infinity : 0, entries);
      };
      muColumns.push([stands([upper, 1]), stands([lower, -1])]);
    });
  };

  const read = (columns: Float64Array): Supported => {
    const value = (column: number): number => columns[column] as number;
    const groupsWh = groups.map(() => 0);
    for (const { position, column } of places) {
      if (value(column) > 0.5) for (const g of position.full) groupsWh[g] = (groups[g] as Group).availableWh;
    }
    for (const { g, column } of marginal) groupsWh[g] = (groupsWh[g] as number) + Math.round(value(column));
    return {
      fills: { groupsWh, tradesWh: tradeColumns.map((column) => Math.round(value(column))) },
      mu: muColumns.map(([up, down]) => BigInt(Math.round((value(up) - value(down)) * unit * Number(DUAL_UNIT)))),
    };
  };
  return { build, read };
};
