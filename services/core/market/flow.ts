/** An arc whose flow is a rising step function of the price difference from its start to its end. */
export interface FlowArc {
  readonly from: number;
  readonly to: number;
  /** Flow below the first step. */
  readonly lower: number;
  /** Price differences at which the flow rises, themselves rising. */
  readonly keys: ArrayLike<number>;
  /** Flow once the step is taken, rising. */
  readonly upTo: ArrayLike<number>;
  /** Where to begin; moved to the nearest flow that the starting prices allow. */
  readonly hint?: number;
}

export interface FlowSolution {
  /** Per arc. */
  readonly flows: Float64Array;
  /** Per node; node 0 has price 0. */
  readonly prices: Float64Array;
  /** Shortest path searches that it took. */
  readonly searches: number;
}

const FAR = 2 ** 50;

/**
 * Circulation of least cost over arcs with rising steps: capacity scaling for convex costs (Ahuja, Magnanti and Orlin,
 * "Network Flows", 1993, section 14.5). Exact in integers: every number stays below 2^53. Takes at most
 * (2 nodes + arcs) searches for each doubling between one unit and the largest excess of the beginning.
 *
 * Sending energy between node 0 and any other node beyond what the arcs take costs `penalty` per unit, so that every search
 * finds a way.
 *
 * @param arcs keys and flows are safe integers; a circulation within the arcs' ranges must exist
 * @param start prices to begin with, per node; any integers are allowed
 * @param penalty above the cost of every simple path
 * @throws Error when no circulation exists within the ranges
 */
export const leastCostFlow = (
  count: number,
  arcs: readonly FlowArc[],
  start: ArrayLike<number>,
  penalty: number,
): FlowSolution => {
  const spill = Array.from({ length: count - 1 }, (_, i): FlowArc => ({
    from: 0,
    to: i + 1,
    lower: -FAR,
    keys: [-penalty, penalty],
    upTo: [0, FAR],
  }));
  const all = [...arcs, ...spill];
  const prices = Float64Array.from({ length: count }, (_, i) => (start[i] as number) - (start[0] as number));
  const flows = new Float64Array(all.length);
  const excess = new Float64Array(count);
  const touching: number[][] = Array.from({ length: count }, () => []);
  all.forEach((arc, a) => {
    touching[arc.from]?.push(a);
    touching[arc.to]?.push(a);
    const rise = (prices[arc.to] as number) - (prices[arc.from] as number);
    const least = taken(arc, rise, false);
    const most = taken(arc, rise, true);
    flows[a] = Math.max(least, Math.min(most, arc.hint ?? 0));
    move(excess, arc, flows[a] as number);
  });
  const more = new Float64Array(all.length);
  const less = new Float64Array(all.length);
  const push = (a: number, by: number, unit: number): void => {
    const arc = all[a] as FlowArc;
    flows[a] = (flows[a] as number) + by;
    move(excess, arc, by);
    more[a] = costOfMore(arc, flows[a] as number, unit);
    less[a] = gainOfLess(arc, flows[a] as number, unit);
  };
  let searches = 0;
  for (let unit = powerOfTwo(excess); unit >= 1; unit /= 2) {
    for (let a = 0; a < all.length; a += 1) {
      const arc = all[a] as FlowArc;
      push(a, 0, unit);
      const rise = (prices[arc.to] as number) - (prices[arc.from] as number);
      while ((more[a] as number) < rise) push(a, unit, unit);
      while ((less[a] as number) > rise) push(a, -unit, unit);
    }
    for (;;) {
      const path = cheapestPath(all, touching, prices, excess, more, less, unit);
      if (!path) break;
      searches += 1;
      for (const { arc, forward } of path) push(arc, forward ? unit : -unit, unit);
    }
  }
  for (let a = arcs.length; a < all.length; a += 1) {
    if (flows[a]) throw new Error("no flow within the limits exists");
  }
  return { flows: flows.subarray(0, arcs.length), prices, searches };
};

const move = (excess: Float64Array, { from, to }: FlowArc, by: number): void => {
  excess[from] = (excess[from] as number) - by;
  excess[to] = (excess[to] as number) + by;
};

const powerOfTwo = (excess: Float64Array): number => {
  let most = 1;
  for (const value of excess) most = Math.max(most, Math.abs(value));
  let unit = 1;
  while (unit < most) unit *= 2;
  return unit;
};

/** First step for which `test` holds; it holds for all later ones too. */
const firstStep = (steps: ArrayLike<number>, test: (value: number) => boolean): number => {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(steps[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** Flow at a price difference, with the steps at it or without. */
const taken = ({ lower, keys, upTo }: FlowArc, rise: number, inclusive: boolean): number => {
  const at = firstStep(keys, (key) => (inclusive ? key > rise : key >= rise));
  return at === 0 ? lower : (upTo[at - 1] as number);
};

/** Key of the last of `unit` further Wh. */
const costOfMore = ({ keys, upTo }: FlowArc, flow: number, unit: number): number => {
  const at = firstStep(upTo, (sum) => sum >= flow + unit);
  return at === upTo.length ? Infinity : (keys[at] as number);
};

/** Key of the first of the last `unit` Wh. */
const gainOfLess = ({ lower, keys, upTo }: FlowArc, flow: number, unit: number): number => {
  if (flow - unit < lower) return -Infinity;
  return keys[firstStep(upTo, (sum) => sum > flow - unit)] as number;
};

interface PathStep {
  readonly arc: number;
  readonly forward: boolean;
}

/**
 * The cheapest way for `unit` Wh from a node that has so much too much to one that lacks it (Dijkstra over reduced costs).
 * Moves the prices so that the way costs nothing and no other cost falls below zero.
 */
const cheapestPath = (
  arcs: readonly FlowArc[],
  touching: readonly (readonly number[])[],
  prices: Float64Array,
  excess: Float64Array,
  more: Float64Array,
  less: Float64Array,
  unit: number,
): PathStep[] | undefined => {
  const count = prices.length;
  const distance = new Float64Array(count).fill(Infinity);
  const via = new Int32Array(count).fill(-1);
  const done = new Uint8Array(count);
  let lacking = false;
  for (let v = 0; v < count; v += 1) {
    if ((excess[v] as number) >= unit) distance[v] = 0;
    else if ((excess[v] as number) <= -unit) lacking = true;
  }
  if (!lacking) return undefined;
  for (;;) {
    let node = -1;
    for (let v = 0; v < count; v += 1) {
      if (!done[v] && (distance[v] as number) < (node < 0 ? Infinity : (distance[node] as number))) node = v;
    }
    if (node < 0) return undefined;
    if ((excess[node] as number) <= -unit) return settle(arcs, prices, distance, via, node);
    done[node] = 1;
    for (const a of touching[node] as number[]) {
      const { from, to } = arcs[a] as FlowArc;
      const rise = (prices[to] as number) - (prices[from] as number);
      const forward = from === node;
      const other = forward ? to : from;
      const length = (distance[node] as number) + (forward ? (more[a] as number) - rise : rise - (less[a] as number));
      if (done[other] || length >= (distance[other] as number)) continue;
      distance[other] = length;
      via[other] = a;
    }
  }
};

const settle = (
  arcs: readonly FlowArc[],
  prices: Float64Array,
  distance: Float64Array,
  via: Int32Array,
  target: number,
): PathStep[] => {
  const least = distance[target] as number;
  const zero = Math.min(least, distance[0] as number);
  for (let v = 0; v < prices.length; v += 1) {
    prices[v] = (prices[v] as number) + Math.min(least, distance[v] as number) - zero;
  }
  const path: PathStep[] = [];
  for (let node = target; via[node] !== -1;) {
    const arc = via[node] as number;
    const { from, to } = arcs[arc] as FlowArc;
    path.push({ arc, forward: to === node });
    node = to === node ? from : to;
  }
  return path;
};
