import type { LimitBounds } from "./keys.ts";
import type { PriceBand, ZoneTerms } from "./types.ts";

/**
 * What each zone's fills say about its price. Known bounds come from orders whose limit lies inside the band and from all
 * unfilled ones; a completely filled order at the band's edge (which takes any price) only moves the *full* bounds.
 * Open sides are infinite.
 */
export interface PriceBounds {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly loFull: Float64Array;
  readonly hiFull: Float64Array;
}

export const openBounds = (count: number): PriceBounds => ({
  lo: new Float64Array(count).fill(-Infinity),
  hi: new Float64Array(count).fill(Infinity),
  loFull: new Float64Array(count).fill(-Infinity),
  hiFull: new Float64Array(count).fill(Infinity),
});

/** Is there room for one more Wh from the zone to its parent, from the parent to the zone? */
export const lineRoom = (zone: ZoneTerms, flowToParentWh: number): { up: boolean; down: boolean } => ({
  up: flowToParentWh < zone.toParentWh,
  down: -flowToParentWh < zone.fromParentWh,
});

/**
 * The one price rule; ClearingNetwork.sol states it and why it is monotone along lines with room.
 * @param bounds of each zone's own orders; the sweeps change them
 * @returns one price per zone
 */
export const zonePrices = (
  zones: readonly ZoneTerms[],
  flowToParentWh: ArrayLike<number>,
  bounds: PriceBounds,
  limits: LimitBounds,
  band: PriceBand,
): number[] => {
  const { lo, hi, loFull, hiFull } = bounds;
  sweep(zones, flowToParentWh, bounds);
  const highest = new Float64Array(zones.length).fill(-Infinity);
  const lowest = new Float64Array(zones.length).fill(Infinity);
  const note = (root: number, value: number): void => {
    if (!Number.isFinite(value)) return;
    highest[root] = Math.max(highest[root] as number, value);
    lowest[root] = Math.min(lowest[root] as number, value);
  };
  zones.forEach((_, i) => {
    const root = limits.root[i] as number;
    if (lo[i] !== -Infinity) note(root, Math.max(lo[i] as number, loFull[i] as number));
    if (hi[i] !== Infinity) note(root, Math.min(hi[i] as number, hiFull[i] as number));
  });
  return zones.map((zone, i) => {
    const root = limits.root[i] as number;
    const known = highest[root] !== -Infinity;
    const top = known ? (highest[root] as number) : band.reference;
    const bottom = known ? (lowest[root] as number) : band.reference;
    const most = hiFull[i] as number;
    const least = loFull[i] as number;
    let high = hi[i] === Infinity ? Math.max(least, Math.min(top, most)) : Math.min(hi[i] as number, most);
    let low = lo[i] === -Infinity ? Math.min(most, Math.max(bottom, least)) : Math.max(lo[i] as number, least);
    const ceiling = (limits.bidCap[i] as number) - zone.fee;
    const floor = limits.offerFloor[i] as number;
    high = Math.max(floor, Math.min(high, ceiling));
    low = Math.max(floor, Math.min(low, ceiling));
    return Math.floor((low + high) / 2) + 0;
  });
};

const sweep = (zones: readonly ZoneTerms[], flowToParentWh: ArrayLike<number>, bounds: PriceBounds): void => {
  const pass = (to: number, from: number, roomTo: boolean, roomBack: boolean): void => {
    if (roomTo) {
      bounds.hi[to] = Math.min(bounds.hi[to] as number, bounds.hi[from] as number);
      bounds.hiFull[to] = Math.min(bounds.hiFull[to] as number, bounds.hiFull[from] as number);
    }
    if (roomBack) {
      bounds.lo[to] = Math.max(bounds.lo[to] as number, bounds.lo[from] as number);
      bounds.loFull[to] = Math.max(bounds.loFull[to] as number, bounds.loFull[from] as number);
    }
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
