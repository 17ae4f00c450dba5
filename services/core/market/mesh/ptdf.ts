import { limitBounds } from "../keys.ts";
import type { CompiledMarket } from "../market.ts";
import { MarketError } from "../types.ts";
import type { NetworkLimit } from "../types.ts";

/** Weights are integers in this part of one. */
export const WEIGHT_UNIT = 1_000_000;
/** Limit of a side that has none: far beyond any market's energy, and an int64. */
const OPEN_WH = Number.MAX_SAFE_INTEGER;
const MOST_WEIGHT = 2 ** 31 - 1;

type Line = CompiledMarket["lines"][number];

/**
 * The rows of a market whose network is no mere tree of lines: all lines, then all constraints, in the market's order.
 * None when the network is radial and no constraint can ever bind; then the radial rules apply.
 *
 * A line's row holds its power transfer distribution factors (DC power flow: flow of line l per Wh exported by zone z,
 * b_l (theta_from - theta_to) with b = 1 / reactance; B. Stott, J. Jardim, O. Alsac, "DC Power Flow Revisited", IEEE Trans.
 * Power Systems 24(3), 2009). Since an island's net exports sum to zero, a constant may be added to all weights of an island
 * without changing what the row says. Which zone is the slack therefore must not matter: of each island's weights the
 * middle between their two medians is taken off, which makes the sum of absolute weights minimal. That sum is the tolerance
 * with which a full line is recognised. On a line whose loss splits the island it is the size of the smaller part.
 * A line of no capacity is out of service: it takes no part in sharing, and nothing leaves a part of the island that only
 * such lines link with the rest. (Flows of weights in millionths are never exactly zero in whole Wh, but for no trade.)
 * Weights are then rounded to 1e-6, halves away from zero. **The rounded integer row is the constraint**, exactly.
 *
 * @throws MarketError when a weight does not fit 1e-6 steps of an int32, or reactances are too far apart for doubles
 */
export const networkLimits = (market: CompiledMarket): NetworkLimit[] => {
  if (!isMeshed(market)) return [];
  const { lines, constraints, zones } = market;
  return [
    ...lineWeights(lines, zones.length).map((weights, i) => {
      const { capacityWh } = lines[i] as Line;
      return { minWh: -capacityWh + 0, maxWh: capacityWh, weights };
    }),
    ...constraints.map(({ weights, minWh = -OPEN_WH, maxWh = OPEN_WH }, i) => ({
      minWh,
      maxWh,
      weights: zones.map((zone) => constraintWeight(weights[zone] ?? 0, `constraints[${i}].weights.${zone}`)),
    })),
  ];
};

/** Does the market need rows: has it a cycle of lines, or a constraint that is not slack whatever is traded? */
export const isMeshed = ({ lines, constraints, zones, terms }: CompiledMarket): boolean => {
  if (lines.some(({ child }) => child < 0)) return true;
  const { root } = limitBounds(terms);
  return constraints.some(({ weights, minWh, maxWh }) => {
    if (minWh === undefined && maxWh === undefined) return false;
    const weightOf = (zone: number): number => weights[zones[zone] as string] ?? 0;
    // Islands balance: with one weight for all zones of each island the sum is zero.
    return !zones.every((_, zone) => weightOf(zone) === weightOf(root[zone] as number));
  });
};

const constraintWeight = (weight: number, path: string): number => {
  const scaled = Math.round(weight * WEIGHT_UNIT) + 0;
  if (scaled / WEIGHT_UNIT === weight && Math.abs(scaled) <= MOST_WEIGHT) return scaled;
  throw new MarketError(
    path,
    `${weight} must be a multiple of 0.000001 between -${MOST_WEIGHT / WEIGHT_UNIT} and ${MOST_WEIGHT / WEIGHT_UNIT}`,
  );
};

/** Rounded weights of every line. */
const lineWeights = (lines: readonly Line[], zoneCount: number): number[][] => {
  const open = partsOf(
    zoneCount,
    lines.filter(({ capacityWh }) => capacityWh > 0),
  );
  const whole = partsOf(zoneCount, lines);
  const rows: number[][] = [];
  const addRows = (members: readonly number[], own: readonly number[], placeOf: (zone: number) => number): void => {
    if (own.length === 0) return;
    const size = Math.max(...members.map(placeOf)) + 1;
    const branches = own.map((i) => {
      const { from, to, reactance } = lines[i] as Line;
      return { from: placeOf(from), to: placeOf(to), susceptance: 1 / (reactance ?? 1) };
    });
    const solve = susceptanceSolver(size, branches);
    own.forEach((i, k) => {
      const { from, to, susceptance } = branches[k] as Branch;
      const angles = solve(from, to);
      const factors = members.map((zone) => (angles[placeOf(zone)] as number) * susceptance);
      const offset = middle(factors);
      const row = new Array<number>(zoneCount).fill(0);
      members.forEach((zone, at) => (row[zone] = rounded((factors[at] as number) - offset, i)));
      rows[i] = row;
    });
  };
  for (const members of groupsOf(open)) {
    const position = new Map(members.map((zone, at) => [zone, at]));
    const own = lines.flatMap(({ from, capacityWh }, i) => (capacityWh > 0 && position.has(from) ? [i] : []));
    addRows(members, own, (zone) => position.get(zone) as number);
  }
  // Lines out of service link whole parts: nothing may leave a part, whichever of them it would take.
  for (const members of groupsOf(whole)) {
    const parts = new Map([...new Set(members.map((zone) => open[zone] as number))].map((part, at) => [part, at]));
    const inside = new Set(members);
    const link = new Set<number>();
    const joined = partsOf(parts.size, []);
    lines.forEach(({ from, to, capacityWh }, i) => {
      if (capacityWh > 0 || !inside.has(from)) return;
      const [a, b] = [from, to].map((zone) => joined[parts.get(open[zone] as number) as number] as number);
      if (a === b) rows[i] = new Array<number>(zoneCount).fill(0);
      else {
        link.add(i);
        joined.forEach((part, at) => (joined[at] = part === b ? (a as number) : part));
      }
    });
    addRows(members, [...link], (zone) => parts.get(open[zone] as number) as number);
  }
  return rows;
};

/** Lowest zone that lines connect each zone with. */
const partsOf = (zoneCount: number, lines: readonly Line[]): number[] => {
  const part = Array.from({ length: zoneCount }, (_, zone) => zone);
  for (const { from, to } of lines) {
    const [a, b] = [part[from] as number, part[to] as number];
    if (a !== b) part.forEach((own, zone) => (part[zone] = own === a || own === b ? Math.min(a, b) : own));
  }
  return part;
};

const groupsOf = (part: readonly number[]): number[][] =>
  part.flatMap((own, zone) =>
    own === zone ? [part.flatMap((other, member) => (other === zone ? [member] : []))] : [],
  );

const rounded = (factor: number, line: number): number => {
  // A factor lies between -1 and 1 by its meaning; beyond, the arithmetic broke down.
  if (!(Math.abs(factor) < 1 + 1e-6)) {
    throw new MarketError(`lines[${line}].reactance`, "is too far from the others of its island: bring them closer");
  }
  return Math.sign(factor) * Math.floor(Math.abs(factor) * WEIGHT_UNIT + 0.5) + 0;
};

const middle = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] as number) + (sorted[Math.floor(half)] as number)) / 2;
};

interface Branch {
  readonly from: number;
  readonly to: number;
  readonly susceptance: number;
}

/**
 * Factorises the susceptance matrix of one island (zone 0 grounded) as L D L^T.
 * @returns angles of all zones for one unit fed in at `from` and taken out at `to`
 */
const susceptanceSolver = (count: number, branches: readonly Branch[]): ((from: number, to: number) => number[]) => {
  const size = count - 1;
  const matrix = Array.from({ length: size }, () => new Float64Array(size));
  const add = (i: number, j: number, value: number): void => {
    if (i > 0 && j > 0) (matrix[i - 1] as Float64Array)[j - 1]! += value;
  };
  for (const { from, to, susceptance } of branches) {
    add(from, from, susceptance);
    add(to, to, susceptance);
    add(from, to, -susceptance);
    add(to, from, -susceptance);
  }
  for (let j = 0; j < size; j += 1) {
    const pivotRow = matrix[j] as Float64Array;
    const pivot = pivotRow[j] as number;
    for (let i = j + 1; i < size; i += 1) {
      const row = matrix[i] as Float64Array;
      const factor = (row[j] as number) / pivot;
      if (factor === 0) continue;
      for (let k = j + 1; k < size; k += 1) row[k]! -= factor * (pivotRow[k] as number);
      row[j] = factor;
    }
  }
  return (from, to) => {
    const angles = new Float64Array(size);
    if (from > 0) angles[from - 1]! += 1;
    if (to > 0) angles[to - 1]! -= 1;
    for (let i = 0; i < size; i += 1) {
      const row = matrix[i] as Float64Array;
      for (let k = 0; k < i; k += 1) angles[i]! -= (row[k] as number) * (angles[k] as number);
    }
    for (let i = size - 1; i >= 0; i -= 1) {
      const row = matrix[i] as Float64Array;
      for (let k = i + 1; k < size; k += 1) angles[i]! -= (row[k] as number) * (angles[k] as number);
      angles[i]! /= row[i] as number;
    }
    return [0, ...angles];
  };
};
