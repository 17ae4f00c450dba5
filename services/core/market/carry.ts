import type { TradeTerms, ZoneTerms } from "./types.ts";

/** What links the prices of zones: lines with room, and trades that are not full, or not empty. */
export interface Links {
  readonly zones: readonly ZoneTerms[];
  readonly flowToParentWh: ArrayLike<number>;
  readonly trades: readonly TradeLink[];
}

interface TradeLink {
  readonly from: number;
  readonly to: number;
  readonly maxSpread: number;
  /** Not full: its spread is at most what the prices differ by. */
  readonly open: boolean;
  /** Not empty: the prices differ by at most its spread. */
  readonly used: boolean;
}

export const linksOf = (
  zones: readonly ZoneTerms[],
  flowToParentWh: ArrayLike<number>,
  root: ArrayLike<number>,
  trades: readonly TradeTerms[],
  tradesWh: ArrayLike<number>,
): Links => ({
  zones,
  flowToParentWh,
  trades: trades.flatMap(({ from, to, limitWh, maxSpread }, i) => {
    if (limitWh === 0 || from === to || root[from] !== root[to]) return [];
    const filledWh = tradesWh[i] ?? 0;
    return [{ from, to, maxSpread, open: filledWh < limitWh, used: filledWh > 0 }];
  }),
});

/** Is there room for one more Wh from the zone to its parent, from the parent to the zone? */
export const lineRoom = (zone: ZoneTerms, flowToParentWh: number): { up: boolean; down: boolean } => ({
  up: flowToParentWh < zone.toParentWh,
  down: -flowToParentWh < zone.fromParentWh,
});

/**
 * Carries bounds of prices along all links, in place. Prices do not rise along room, so upper bounds go with it and lower
 * ones against it: one sweep up and one down reach every path of a tree. With trades these alternate with the trades until
 * nothing changes.
 * @throws Error when the bounds contradict each other around a ring of trades: then the fills are not optimal
 */
export const carry = (links: Links, uppers: readonly Float64Array[], lowers: readonly Float64Array[]): void => {
  for (let round = 0; ; round += 1) {
    sweep(links, uppers, lowers);
    if (!relaxTrades(links, uppers, lowers)) return;
    if (round >= links.trades.length) throw new Error("the fills of bilateral trades are not optimal");
  }
};

const sweep = (
  { zones, flowToParentWh }: Links,
  uppers: readonly Float64Array[],
  lowers: readonly Float64Array[],
): void => {
  const pass = (to: number, from: number, roomTo: boolean, roomBack: boolean): void => {
    if (roomTo) for (const side of uppers) side[to] = Math.min(side[to] as number, side[from] as number);
    if (roomBack) for (const side of lowers) side[to] = Math.max(side[to] as number, side[from] as number);
  };
  for (let i = zones.length - 1; i >= 0; i -= 1) {
    const zone = zones[i] as ZoneTerms;
    if (zone.parent === i) continue;
    const room = lineRoom(zone, flowToParentWh[i] as number);
    pass(zone.parent, i, room.up, room.down);
  }
  for (let i = 0; i < zones.length; i += 1) {
    const zone = zones[i] as ZoneTerms;
    if (zone.parent === i) continue;
    const room = lineRoom(zone, flowToParentWh[i] as number);
    pass(i, zone.parent, room.down, room.up);
  }
};

/** @returns whether a bound changed */
const relaxTrades = ({ trades }: Links, uppers: readonly Float64Array[], lowers: readonly Float64Array[]): boolean => {
  let changed = false;
  const lower = (side: Float64Array, zone: number, bound: number): void => {
    if (bound >= (side[zone] as number)) return;
    side[zone] = bound;
    changed = true;
  };
  const raise = (side: Float64Array, zone: number, bound: number): void => {
    if (bound <= (side[zone] as number)) return;
    side[zone] = bound;
    changed = true;
  };
  for (const { from, to, maxSpread, open, used } of trades) {
    if (open) {
      for (const side of uppers) lower(side, from, (side[to] as number) - maxSpread);
      for (const side of lowers) raise(side, to, (side[from] as number) + maxSpread);
    }
    if (used) {
      for (const side of uppers) lower(side, to, (side[from] as number) + maxSpread);
      for (const side of lowers) raise(side, from, (side[to] as number) - maxSpread);
    }
  }
  return changed;
};
