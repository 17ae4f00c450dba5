import { leastCostFlow } from "./flow.ts";
import type { FlowArc } from "./flow.ts";
import type { Groups } from "./groups.ts";
import { mulDivFloor as share } from "./exact.ts";
import { keyOf, limitOf } from "./keys.ts";
import type { LimitBounds } from "./keys.ts";
import type { MeritOrders } from "./merit.ts";
import type { Cuts } from "./network.ts";
import type { TradeTerms, ZoneTerms } from "./types.ts";

/** A dispatch with the fills of bilateral trades. */
export interface JointCuts extends Cuts {
  /** Per trade. */
  readonly tradesWh: Float64Array;
  /** Shortest path searches that it took; `leastCostFlow` says how many there can be. */
  readonly searches: number;
}

/** Most that all energies may come to together, so that what a flow adds up stays a safe integer. */
export const MOST_JOINT_WH = 2 ** 50;
const FAR_WH = MOST_JOINT_WH;

/**
 * Optimal dispatch of a radial network with green-only bids and bilateral trades, exactly.
 *
 * All of it is one flow. A zone is a node; node 0 is the market: a zone's ordinary orders are an arc from it into the zone.
 * Certificates are one node more per island: a green offer is an arc from there into its zone, a green-only bid one back, and
 * what nobody needs flows to it from node 0. A trade is an arc from the buyer's zone to the seller's. The first flow has the
 * most welfare; its prices tell which orders are at the margin, and among their fills the second has the most volume
 * (2 per Wh of an order, 4 of a trade, which is a bid and an offer), the backup last (1).
 */
export const dispatchJointly = (
  merit: MeritOrders,
  groups: Groups,
  zones: readonly ZoneTerms[],
  { root }: LimitBounds,
  trades: readonly TradeTerms[],
): JointCuts => {
  const certificates = certificateNodes(groups, root);
  const nodes = 1 + zones.length + certificates.size;
  const ends = Array.from({ length: groups.count }, (_, group) =>
    group < groups.zones
      ? { from: 0, to: 1 + group }
      : { from: certificates.get(root[group - groups.zones] as number) as number, to: 1 + group - groups.zones },
  );
  const slacks = [...certificates.values()];
  const spreads = bundle(trades, root);
  const lines = zones.flatMap(({ parent }, zone) => (parent === zone ? [] : [zone]));

  const best = leastCostFlow(
    nodes,
    [
      ...ends.map((at, group) => ({ ...at, ...stepsOf(merit, group) })),
      ...lines.map((zone): FlowArc => {
        const { parent, toParentWh, fromParentWh } = zones[zone] as ZoneTerms;
        const lower = -Math.min(fromParentWh, FAR_WH);
        return { from: 1 + zone, to: 1 + parent, lower, keys: [0], upTo: [Math.min(toParentWh, FAR_WH)] };
      }),
      ...slacks.map((to): FlowArc => ({ from: 0, to, lower: 0, keys: [0], upTo: [FAR_WH] })),
      ...spreads.map(({ from, to, maxSpread, limitWh }): FlowArc => ({
        from: 1 + to,
        to: 1 + from,
        lower: 0,
        keys: [-maxSpread],
        upTo: [limitWh],
      })),
    ],
    new Float64Array(nodes),
    penaltyOf(merit, spreads, nodes),
  );
  const rise = (from: number, to: number): number => (best.prices[to] as number) - (best.prices[from] as number);

  const margins = ends.map(({ from, to }, group) => marginOf(merit, group, rise(from, to)));
  let arc = 0;
  const most = leastCostFlow(
    nodes,
    [
      ...ends.map((at, group) => ({ ...at, ...(margins[group] as Margin), hint: best.flows[arc++] as number })),
      ...lines.map((zone): FlowArc => {
        const { parent, toParentWh, fromParentWh } = zones[zone] as ZoneTerms;
        const limits = { lower: -Math.min(fromParentWh, FAR_WH), upper: Math.min(toParentWh, FAR_WH) };
        return within(1 + zone, 1 + parent, best.flows[arc++] as number, rise(1 + zone, 1 + parent) === 0, limits, 0);
      }),
      ...slacks.map((to) =>
        within(0, to, best.flows[arc++] as number, rise(0, to) === 0, { lower: 0, upper: FAR_WH }, 0),
      ),
      ...spreads.map(({ from, to, maxSpread, limitWh }) => {
        const free = rise(1 + from, 1 + to) === maxSpread;
        return within(1 + to, 1 + from, best.flows[arc++] as number, free, { lower: 0, upper: limitWh }, -4);
      }),
    ],
    new Float64Array(nodes),
    8 * nodes,
  );
  const cuts = cutsOf({ margins, groups, zones, lines, spreads, trades, flows: most.flows, skipped: slacks.length });
  return { ...cuts, searches: best.searches + most.searches };
};

const certificateNodes = ({ zones, count }: Groups, root: Int32Array): Map<number, number> => {
  const islands = count > zones ? new Set(root) : new Set<number>();
  return new Map([...islands].map((island, i) => [island, 1 + zones + i]));
};

const stepsOf = ({ start, key, exportWh, baseWh }: MeritOrders, group: number) => {
  const first = start[group] as number;
  let end = start[group + 1] as number;
  while (end > first && key[end - 1] === Infinity) end -= 1;
  return {
    lower: baseWh[group] as number,
    keys: key.subarray(first, end).map(limitOf),
    upTo: exportWh.subarray(first, end),
  };
};

/** Trades that are alike share what they get; those within one zone need no network, those between islands get nothing. */
interface Spread {
  readonly from: number;
  readonly to: number;
  readonly maxSpread: number;
  limitWh: number;
  readonly members: number[];
}

const bundle = (trades: readonly TradeTerms[], root: Int32Array): Spread[] => {
  const found = new Map<string, Spread>();
  trades.forEach(({ from, to, limitWh, maxSpread }, i) => {
    if (from === to || root[from] !== root[to] || limitWh === 0) return;
    const name = `${from} ${to} ${maxSpread}`;
    const own = found.get(name) ?? { from, to, maxSpread, limitWh: 0, members: [] };
    own.limitWh += limitWh;
    own.members.push(i);
    found.set(name, own);
  });
  return [...found.values()];
};

/** More than any simple path costs: two orders at each of node 0 and the certificates, and a trade at every other node. */
const penaltyOf = ({ levels }: MeritOrders, spreads: readonly Spread[], nodes: number): number => {
  const highest = levels.length === 0 ? 0 : Math.max(Math.abs(levels[0] as number), Math.abs(levels.at(-1) as number));
  const widest = spreads.reduce((most, { maxSpread }) => Math.max(most, Math.abs(maxSpread)), 0);
  return 4 * (Math.ceil(highest / 8) + 1) + Math.min(spreads.length, nodes) * widest + 1;
};

/** What of a group may change at its price: the steps of its orders whose limit is the price, by rank. */
interface Margin {
  readonly lower: number;
  readonly keys: Float64Array;
  readonly upTo: Float64Array;
  readonly price: number;
}

const marginOf = ({ start, key, exportWh, baseWh }: MeritOrders, group: number, price: number): Margin => {
  const first = start[group] as number;
  let begin = first;
  const last = start[group + 1] as number;
  while (begin < last && limitOf(key[begin] as number) < price) begin += 1;
  let end = begin;
  while (end < last && limitOf(key[end] as number) === price) end += 1;
  return {
    lower: begin === first ? (baseWh[group] as number) : (exportWh[begin - 1] as number),
    keys: key.subarray(begin, end).map((own) => own - keyOf(price)),
    upTo: exportWh.subarray(begin, end),
    price,
  };
};

const within = (
  from: number,
  to: number,
  flow: number,
  free: boolean,
  { lower, upper }: { lower: number; upper: number },
  cost: number,
): FlowArc =>
  free ? { from, to, lower, keys: [cost], upTo: [upper], hint: flow } : { from, to, lower: flow, keys: [], upTo: [] };

const cutsOf = (found: {
  margins: readonly Margin[];
  groups: Groups;
  zones: readonly ZoneTerms[];
  lines: readonly number[];
  spreads: readonly Spread[];
  trades: readonly TradeTerms[];
  flows: Float64Array;
  skipped: number;
}): Omit<JointCuts, "searches"> => {
  const { margins, groups, zones, lines, spreads, trades, flows, skipped } = found;
  const cuts: Omit<JointCuts, "searches"> = {
    level: new Float64Array(groups.count),
    atLevelWh: new Float64Array(groups.count),
    netExportWh: new Float64Array(zones.length),
    flowToParentWh: new Float64Array(zones.length),
    // Within one zone a trade moves nothing: it is done as soon as it pays no more than nothing.
    tradesWh: Float64Array.from(trades, ({ from, to, limitWh, maxSpread }) =>
      from === to && maxSpread >= 0 ? limitWh : 0,
    ),
  };
  margins.forEach(({ lower, keys, upTo, price }, group) => {
    const flow = flows[group] as number;
    let at = 0;
    while (at + 1 < keys.length && (upTo[at] as number) < flow) at += 1;
    const zone = group % groups.zones;
    cuts.netExportWh[zone] = (cuts.netExportWh[zone] as number) + flow;
    cuts.level[group] = keyOf(price) + (keys[at] ?? 0);
    cuts.atLevelWh[group] = flow - (at === 0 ? lower : (upTo[at - 1] as number));
  });
  lines.forEach((zone, i) => (cuts.flowToParentWh[zone] = flows[groups.count + i] as number));
  spreads.forEach(({ from, to, limitWh, members }, i) => {
    const total = flows[groups.count + lines.length + skipped + i] as number;
    cuts.netExportWh[from] = (cuts.netExportWh[from] as number) + total;
    cuts.netExportWh[to] = (cuts.netExportWh[to] as number) - total;
    let rest = total;
    const shares = members.map((trade) => share((trades[trade] as TradeTerms).limitWh, total, limitWh));
    for (const own of shares) rest -= own;
    members.forEach((trade, k) => {
      const extra = rest > 0 ? 1 : 0;
      rest -= extra;
      cuts.tradesWh[trade] = (shares[k] as number) + extra;
    });
  });
  return cuts;
};
