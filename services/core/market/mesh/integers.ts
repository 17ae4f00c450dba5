import type { Solver } from "../../dispatch/solver.ts";
import { flowsOf, slackOf, toleranceOf } from "./check.ts";
import { gainOf } from "./duals.ts";
import type { Duals } from "./duals.ts";
import type { MeshProgram, Vertex } from "./linear.ts";
import { WEIGHT_UNIT } from "./ptdf.ts";
import { DUAL_UNIT } from "./rule.ts";

/** Fills in whole Wh. */
export interface Fills {
  readonly groupsWh: number[];
  readonly tradesWh: number[];
}

/** How many Wh the integer search may move each marginal fill from its rounded value; the next when one finds nothing. */
const RANGES = [2, 40, 1_000_000] as const;
const MAX_NODES = 300;
/** From so many full limits on, rounding from the middle of their tolerances comes before the search. */
const MANY = 12;
/** A trade is an offer and a bid (keys.ts). */
const TRADE_RANK = 4;
/** What a rank weighs beside a Wh of slack at the limit with the highest dual price. */
const RANK_WEIGHT = 1e-3;

/**
 * Whole fills beside a vertex: what is better than its exact price is full, what is worse empty, and what stands at it (up
 * to `near`) is chosen so that islands balance, every limit is kept exactly, and one with a dual price keeps less slack
 * than its tolerance. Among these the most welfare, then volume, then the least use of the backups, by an integer program
 * in the deviations from rounded fills: a handful of variables.
 *
 * @param near micro-token per kWh
 * @returns one answer after the other, from searches ever wider; none when there are no such fills
 */
export function* wholeFills(
  program: MeshProgram,
  vertex: Vertex,
  duals: Duals,
  near: number,
  solver: Solver,
): Generator<Fills> {
  const steps = stepsOf(program, vertex, duals, near);
  const free = steps.filter(({ free }) => free);
  const fills = (moves: ArrayLike<number>): Fills => {
    const filled = steps.map(({ filledWh }) => filledWh);
    free.forEach((step, i) => (filled[steps.indexOf(step)] = moved(step, moves[i] as number)));
    return {
      groupsWh: filled.slice(0, program.book.groups.length),
      tradesWh: filled.slice(program.book.groups.length),
    };
  };
  if (free.length === 0) {
    yield fills([]);
    return;
  }
  const best = search(program, duals, steps, free, Infinity, "continuous", solver);
  free.forEach((step, i) => (step.filledWh = moved(step, best?.[i] ?? 0)));
  if (duals.mu.filter((own) => own !== 0n).length >= MANY) {
    const centre = search(program, duals, steps, free, Infinity, "centred", solver);
    if (centre) yield fills(balanced(program, steps, free, centre));
  }
  for (const range of RANGES) {
    const found = search(program, duals, steps, free, range, "integer", solver);
    if (found) yield fills(found);
  }
}

/** Rounds moves; what islands then lack or have too much goes Wh by Wh where it changes the rounding least. */
const balanced = (
  { book, terms }: MeshProgram,
  steps: readonly Step[],
  free: readonly Step[],
  moves: Float64Array,
): number[] => {
  const rounded = Array.from(moves, Math.round);
  const whole = new Map(free.map((step, i) => [step, rounded[i] as number]));
  terms.forEach((_, top) => {
    if (book.root[top] !== top) return;
    let excessWh = 0;
    for (const step of steps) {
      const [end] = step.at;
      if (step.at.length !== 1 || !end || book.root[end.zone] !== top) continue;
      excessWh += end.sign * (step.filledWh + (whole.get(step) ?? 0));
    }
    const by = -Math.sign(excessWh);
    for (; excessWh !== 0; excessWh += by) {
      let best = -1;
      let least = Infinity;
      free.forEach((step, i) => {
        const [end] = step.at;
        if (step.at.length !== 1 || !end || book.root[end.zone] !== top) return;
        const next = (rounded[i] as number) + by * end.sign;
        const filledWh = step.filledWh + next;
        const error = Math.abs(next - (moves[i] as number));
        if (filledWh < 0 || filledWh > step.availableWh || error >= least) return;
        best = i;
        least = error;
      });
      if (best < 0) return;
      rounded[best] = (rounded[best] as number) + by * ((free[best] as Step).at[0] as { sign: number }).sign;
    }
  });
  return rounded;
};

/** A group or a trade: it exports at one zone and, a trade, imports at another. */
interface Step {
  /** Zones and net export per Wh filled. */
  readonly at: readonly { readonly zone: number; readonly sign: number }[];
  readonly green: boolean;
  /** Welfare lost per Wh beside the zone prices' common part, micro-token per kWh. */
  readonly cost: number;
  /** The less the sooner it is to be filled among equals. */
  readonly rank: number;
  readonly availableWh: number;
  readonly free: boolean;
  filledWh: number;
}

const moved = ({ filledWh, availableWh }: Step, byWh: number): number =>
  Math.max(0, Math.min(availableWh, filledWh + Math.round(byWh)));

const stepsOf = ({ book }: MeshProgram, vertex: Vertex, duals: Duals, near: number): Step[] => {
  const start = (gain: number, availableWh: number, optimumWh: number): { free: boolean; filledWh: number } => {
    if (gain > near) return { free: false, filledWh: availableWh };
    if (gain < -near) return { free: false, filledWh: 0 };
    return { free: true, filledWh: Math.max(0, Math.min(availableWh, Math.round(optimumWh))) };
  };
  const groups = book.groups.map((group, g): Step => {
    const { zone, sign, limit, rank, green, availableWh } = group;
    return {
      at: [{ zone, sign }],
      green,
      cost: sign * (limit - (duals.lambda[zone] as number)),
      rank: sign * rank,
      availableWh,
      ...start(gainOf(group, duals), availableWh, vertex.groupsWh[g] as number),
    };
  });
  const trades = book.trades.map(({ from, to, limitWh, maxSpread }, k): Step => {
    const open = book.root[from] === book.root[to];
    const gain = maxSpread - (duals.shift[from] as number) + (duals.shift[to] as number);
    const own = { at: tradeEnds(from, to), green: false, cost: -maxSpread, rank: -TRADE_RANK, availableWh: limitWh };
    if (!open) return { ...own, free: false, filledWh: 0 };
    if (from === to) return { ...own, free: false, filledWh: maxSpread >= 0 ? limitWh : 0 };
    return { ...own, ...start(gain, limitWh, vertex.tradesWh[k] as number) };
  });
  return [...groups, ...trades];
};

const tradeEnds = (from: number, to: number): Step["at"] =>
  from === to
    ? []
    : [
        { zone: from, sign: 1 },
        { zone: to, sign: -1 },
      ];

/** Moves of the free steps, Wh; "continuous": limits with a dual price are met with equality. */
const search = (
  { book, terms, limits }: MeshProgram,
  { mu, gamma }: Duals,
  steps: readonly Step[],
  free: readonly Step[],
  range: number,
  kind: "continuous" | "centred" | "integer",
  solver: Solver,
): Float64Array | undefined => {
  const { root } = book;
  const netExportWh = new Array<number>(terms.length).fill(0);
  const greenWh = new Array<number>(terms.length).fill(0);
  for (const { at, green, filledWh } of steps) {
    for (const { zone, sign } of at) {
      netExportWh[zone] = (netExportWh[zone] as number) + sign * filledWh;
      const top = root[zone] as number;
      if (green) greenWh[top] = (greenWh[top] as number) + sign * filledWh;
    }
  }
  const flows = flowsOf(limits, netExportWh);
  const highest = mu.reduce((most, own) => Math.max(most, Math.abs(Number(own)) / Number(DUAL_UNIT)), 1e-3);
  // Where limits with a dual price are met with equality all is of one welfare.
  const worth = ({ cost, rank }: Step): number => (kind !== "integer" ? rank : cost / highest + RANK_WEIGHT * rank);
  const optimum = solver.attempt(
    (lp) => {
      const islandRows = new Map<number, number>();
      const greenRows = new Map<number, number>();
      root.forEach((top, z) => {
        if (top !== z) return;
        const members = netExportWh.reduce((sum, own, other) => (root[other] === z ? sum + own : sum), 0);
        islandRows.set(z, lp.addRow(-members, -members));
        if (!book.hasGreen) return;
        const slackWh = greenWh[z] as number;
        const most = (gamma[z] as number) >= 0.5 ? 0 : Infinity;
        greenRows.set(z, lp.addRow(-slackWh, most - slackWh));
      });
      const limitRows = limits.map((limit, l) => {
        const { above, below } = slackOf(limit, flows[l] as bigint);
        const own = mu[l] as bigint;
        const width = toleranceOf(limit) - 1n;
        const [near, far] = { continuous: [0n, 0n], centred: [width / 2n, width / 2n], integer: [0n, width] }[kind] as [
          bigint,
          bigint,
        ];
        let least = -below;
        let most = above;
        if (own > 0n) {
          most = larger(least, above - near);
          least = larger(least, above - far);
        }
        if (own < 0n) {
          least = smaller(most, near - below);
          most = smaller(most, far - below);
        }
        return lp.addRow(Number(least) / WEIGHT_UNIT, Number(most) / WEIGHT_UNIT);
      });
      for (const step of free) {
        const { at, green, availableWh, filledWh } = step;
        const entries: number[] = [];
        for (const { zone, sign } of at) {
          const top = root[zone] as number;
          if (at.length === 1) entries.push(islandRows.get(top) as number, sign);
          if (green) entries.push(greenRows.get(top) as number, sign);
        }
        limits.forEach(({ weights }, l) => {
          const weight = at.reduce((sum, { zone, sign }) => sum + sign * (weights[zone] as number), 0);
          if (weight !== 0) entries.push(limitRows[l] as number, weight / WEIGHT_UNIT);
        });
        const least = Math.max(-range, -filledWh);
        lp.addColumn(
          worth(step),
          least,
          Math.min(range, availableWh - filledWh),
          entries,
          kind === "integer" ? "integer" : "continuous",
        );
      }
    },
    kind === "integer" ? { tolerance: 1e-7, maxNodes: MAX_NODES } : {},
  );
  return optimum?.columns;
};

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
