import type { Group } from "./groups.ts";
import type { MeshProgram, Vertex } from "./linear.ts";
import { WEIGHT_UNIT } from "./ptdf.ts";
import { DUAL_UNIT } from "./rule.ts";

/** Dual prices of a vertex. */
export interface Duals {
  /** Micro-token per kWh, per zone those of its island. */
  readonly lambda: Float64Array;
  readonly gamma: Float64Array;
  /** Per limit, 1e-6 micro-token per kWh: what is posted. */
  readonly mu: readonly bigint[];
  /** Per zone: sum of weight x mu, micro-token per kWh. */
  readonly shift: Float64Array;
}

/** Below this a coefficient is what elimination left of zero. */
const ZERO = 1e-9;

/**
 * The duals of a vertex, solved for once more in unscaled prices: each basic step's price is its limit,
 * `lambda + gamma - sum of weight x mu = limit`. What the basis leaves open keeps the solver's value. Then mu is rounded to
 * its unit, and what has the wrong sign for its side is none.
 */
export const dualsOf = ({ book, limits, terms }: MeshProgram, vertex: Vertex): Duals => {
  const { groups, trades, root } = book;
  const unknowns: { get: () => number; set: (value: number) => void }[] = [];
  const number = (values: Float64Array, at: number): number =>
    unknowns.push({ get: () => values[at] as number, set: (value) => (values[at] = value) }) - 1;
  const lambda = vertex.lambda.slice();
  const gamma = vertex.gamma.slice();
  const mu = vertex.mu.map((value, l) => (vertex.heldLimits[l] ? value : 0));
  const lambdaAt = terms.map((_, z) => (root[z] === z ? number(lambda, z) : -1));
  const gammaAt = terms.map((_, z) => (root[z] === z && vertex.heldGreen[z] ? number(gamma, z) : -1));
  const muAt = limits.map((_, l) => (vertex.heldLimits[l] ? number(mu, l) : -1));

  const weight = (l: number, zone: number): number => (limits[l]?.weights[zone] as number) / WEIGHT_UNIT;
  const equations: { row: Float64Array; value: number }[] = [];
  groups.forEach(({ zone, limit, green }, g) => {
    if (!vertex.basicGroups[g]) return;
    const row = new Float64Array(unknowns.length);
    const top = root[zone] as number;
    row[lambdaAt[top] as number] = 1;
    if (green && (gammaAt[top] as number) >= 0) row[gammaAt[top] as number] = 1;
    muAt.forEach((at, l) => at >= 0 && (row[at] = -weight(l, zone)));
    equations.push({ row, value: limit });
  });
  trades.forEach(({ from, to, maxSpread }, k) => {
    if (!vertex.basicTrades[k] || root[from] !== root[to] || from === to) return;
    const row = new Float64Array(unknowns.length);
    muAt.forEach((at, l) => at >= 0 && (row[at] = weight(l, from) - weight(l, to)));
    equations.push({ row, value: maxSpread });
  });
  const before = unknowns.map(({ get }) => get());
  const found = solveAround(equations, before);
  unknowns.forEach(({ set }, at) => set(found[at] as number));
  root.forEach((top, z) => {
    lambda[z] = lambda[top] as number;
    gamma[z] = Math.max(0, gamma[top] as number);
  });
  const exact = Array.from(mu, (value) => BigInt(Math.round(value * Number(DUAL_UNIT))));
  const shift = Float64Array.from(terms, (_, z) =>
    limits.reduce((sum, { weights }, l) => sum + ((weights[z] as number) * Number(exact[l])) / 1e12, 0),
  );
  return { lambda, gamma, mu: exact, shift };
};

/** Solves equations by elimination; unknowns that they leave open stay as they are. */
const solveAround = (
  equations: readonly { row: Float64Array; value: number }[],
  start: readonly number[],
): number[] => {
  const pivots: { row: Float64Array; rest: number; at: number }[] = [];
  for (const { row: source, value } of equations) {
    const row = source.slice();
    let rest = value - source.reduce((sum, factor, at) => sum + factor * (start[at] as number), 0);
    for (const pivot of pivots) {
      const factor = row[pivot.at] as number;
      if (factor === 0) continue;
      pivot.row.forEach((own, at) => (row[at] = (row[at] as number) - factor * own));
      row[pivot.at] = 0;
      rest -= factor * pivot.rest;
    }
    let best = -1;
    row.forEach((own, at) => {
      if (Math.abs(own) > ZERO && (best < 0 || Math.abs(own) > Math.abs(row[best] as number))) best = at;
    });
    if (best < 0) continue;
    const lead = row[best] as number;
    const next = { row: row.map((own) => own / lead), rest: rest / lead, at: best };
    next.row[best] = 1;
    for (const pivot of pivots) {
      const factor = pivot.row[best] as number;
      if (factor === 0) continue;
      next.row.forEach((own, at) => (pivot.row[at] = (pivot.row[at] as number) - factor * own));
      pivot.row[best] = 0;
      pivot.rest -= factor * next.rest;
    }
    pivots.push(next);
  }
  const found = [...start];
  for (const { rest, at } of pivots) found[at] = (start[at] as number) + rest;
  return found;
};

/** What one more Wh of a group is worth at the duals, micro-token per kWh: above zero it should be full, below empty. */
export const gainOf = ({ zone, sign, limit, green }: Group, { lambda, gamma, shift }: Duals): number =>
  sign * ((lambda[zone] as number) - (shift[zone] as number) + (green ? (gamma[zone] as number) : 0) - limit);
