import { mulDivFloor } from "./exact.ts";
import { zoneOfGroup } from "./groups.ts";
import type { Groups } from "./groups.ts";
import type { LimitBounds } from "./keys.ts";
import type { Cuts } from "./network.ts";
import { OFFER, PRIORITY_MASK, PRIORITY_SHIFT, PRIORITY_WEIGHTS } from "./types.ts";
import type { OrderColumns } from "./types.ts";

const CLASSES = PRIORITY_WEIGHTS.length;
/** Classes by urgency: emergency, critical, normal, opportunistic. */
const URGENCY = [3, 2, 0, 1] as const;

/** The orders at the level of each group: all of one kind and one limit. */
export interface Margins {
  /** Wh of them per group; without the backup 0. */
  readonly availableWh: Float64Array;
  /** Wh of them that are filled, per group. */
  readonly filledWh: Float64Array;
  /** Hands out the fills: pro rata, by priority class where that counts; the remainder one Wh each by order of append. */
  share(into: Float64Array): void;
}

/** Finds what is at the margin. Linear in orders. */
export const marginsOf = (
  columns: OrderColumns,
  groups: Groups,
  keys: Float64Array,
  limits: LimitBounds,
  cuts: Cuts,
): Margins => {
  const members: number[] = [];
  const byClassWh = new Float64Array(groups.count * CLASSES);
  const isBid = new Uint8Array(groups.count);
  // Priority counts where no backup serves everybody.
  const rations = Uint8Array.from({ length: groups.count }, (_, group) =>
    limits.bidCap[zoneOfGroup(groups, group)] === Infinity ? 1 : 0,
  );
  const classOf = (i: number, group: number): number => {
    const flags = columns.flags[i] as number;
    return rations[group] && !(flags & OFFER) ? (flags >> PRIORITY_SHIFT) & PRIORITY_MASK : 0;
  };
  const { of } = groups;
  for (let i = 0; i < columns.count; i += 1) {
    const group = of[i] as number;
    if (keys[i] !== cuts.level[group]) continue;
    members.push(i);
    const at = group * CLASSES + classOf(i, group);
    byClassWh[at] = (byClassWh[at] as number) + (columns.energyWh[i] as number);
    isBid[group] = (columns.flags[i] as number) & OFFER ? 0 : 1;
  }
  const availableWh = new Float64Array(groups.count);
  const filledWh = new Float64Array(groups.count);
  const classFilledWh = new Float64Array(groups.count * CLASSES);
  for (let group = 0; group < groups.count; group += 1) {
    const own = byClassWh.subarray(group * CLASSES, (group + 1) * CLASSES);
    const available = own.reduce((sum, wh) => sum + wh, 0);
    if (available === 0) continue;
    // A step of bids that is taken is a step of bids that drop out.
    const taken = cuts.atLevelWh[group] as number;
    availableWh[group] = available;
    filledWh[group] = isBid[group] ? available - taken : taken;
    classFilledWh.set(rationed(own, filledWh[group] as number), group * CLASSES);
  }
  const share = (into: Float64Array): void => {
    const proRata = (i: number, at: number): number =>
      mulDivFloor(columns.energyWh[i] as number, classFilledWh[at] as number, byClassWh[at] as number);
    const restWh = classFilledWh.slice();
    for (const i of members) {
      const group = of[i] as number;
      const at = group * CLASSES + classOf(i, group);
      into[i] = proRata(i, at);
      restWh[at] = (restWh[at] as number) - (into[i] as number);
    }
    for (const i of members) {
      const group = of[i] as number;
      const at = group * CLASSES + classOf(i, group);
      if ((restWh[at] as number) === 0) continue;
      restWh[at] = (restWh[at] as number) - 1;
      into[i] = (into[i] as number) + 1;
    }
  };
  return { availableWh, filledWh, share };
};

/**
 * Shares a marginal total among priority classes: class c gets the ratio min(1, theta x weight) of its Wh, the same theta
 * for all, rounded down; what rounding leaves goes Wh by Wh to the classes by urgency.
 * @param availableWh per class; together at least `totalWh`
 * @returns Wh per class
 */
export const rationed = (availableWh: ArrayLike<number>, totalWh: number): number[] => {
  const shares = Array.from(availableWh, () => 0);
  let rest = totalWh;
  let open = shares.map((_, c) => c).filter((c) => (availableWh[c] as number) > 0);
  if (open.length === 1) {
    shares[open[0] as number] = totalWh;
    return shares;
  }
  const weighed = (c: number): bigint => BigInt(PRIORITY_WEIGHTS[c] as number) * BigInt(availableWh[c] as number);
  while (open.length > 0) {
    const sum = open.reduce((total, c) => total + weighed(c), 0n);
    const proRata = new Map(open.map((c) => [c, Number((BigInt(rest) * weighed(c)) / sum)]));
    const full = open.filter((c) => (proRata.get(c) as number) >= (availableWh[c] as number));
    if (full.length === 0) {
      for (const [c, wh] of proRata) {
        shares[c] = wh;
        rest -= wh;
      }
      break;
    }
    for (const c of full) {
      shares[c] = availableWh[c] as number;
      rest -= availableWh[c] as number;
    }
    open = open.filter((c) => !full.includes(c));
  }
  while (rest > 0) {
    for (const c of URGENCY) {
      if (rest === 0 || (shares[c] as number) >= (availableWh[c] as number)) continue;
      shares[c] = (shares[c] as number) + 1;
      rest -= 1;
    }
  }
  return shares;
};
