import { carry } from "./carry.ts";
import type { Links } from "./carry.ts";
import type { LimitBounds } from "./keys.ts";
import type { PriceBand } from "./types.ts";

/**
 * What the fills of each group say about its price. Known bounds come from orders whose limit lies inside the band and from
 * all unfilled ones; a completely filled order at the band's edge (which takes any price) only moves the *full* bounds.
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

/** Prices of all zones, and of their green orders where these trade apart: zone price plus the island's premium. */
export interface Prices {
  readonly zone: number[];
  readonly green: number[];
}

/**
 * The one price rule; ClearingNetwork.sol states it and docs/clearing-proof.md says why it holds.
 * @param bounds of the own orders of each zone, then of its twin where green orders trade apart; the sweeps change them
 * @throws Error when trades contradict each other, so that the fills are not optimal
 */
export const zonePrices = (links: Links, bounds: PriceBounds, limits: LimitBounds, band: PriceBand): Prices => {
  const count = links.zones.length;
  if (bounds.lo.length === count) return { zone: pricesOf(links, bounds, limits, band), green: [] };
  const ordinary = part(bounds, 0, count);
  const green = part(bounds, count, 2 * count);
  const premium = premiums(links, ordinary, green, limits);
  for (let z = 0; z < count; z += 1) {
    const own = premium[z] as number;
    for (const side of ["lo", "loFull"] as const) {
      ordinary[side][z] = Math.max(ordinary[side][z] as number, (green[side][z] as number) - own);
    }
    for (const side of ["hi", "hiFull"] as const) {
      ordinary[side][z] = Math.min(ordinary[side][z] as number, (green[side][z] as number) - own);
    }
  }
  const zone = pricesOf(links, ordinary, limits, band, premium);
  return { zone, green: zone.map((price, z) => price + (premium[z] as number)) };
};

const part = ({ lo, hi, loFull, hiFull }: PriceBounds, from: number, to: number): PriceBounds => ({
  lo: lo.subarray(from, to),
  hi: hi.subarray(from, to),
  loFull: loFull.subarray(from, to),
  hiFull: hiFull.subarray(from, to),
});

/** The smallest premium of each zone's island that supports the fills. */
const premiums = (links: Links, ordinary: PriceBounds, green: PriceBounds, { root }: LimitBounds): Float64Array => {
  const most = ordinary.hi.map((hi, z) => Math.min(hi, ordinary.hiFull[z] as number));
  const least = green.lo.map((lo, z) => Math.max(lo, green.loFull[z] as number));
  carry(links, [most], [least]);
  const premium = new Float64Array(most.length);
  most.forEach((own, z) => {
    const top = root[z] as number;
    premium[top] = Math.max(premium[top] as number, (least[z] as number) - own);
  });
  return premium.map((_, z) => premium[root[z] as number] as number);
};

const pricesOf = (
  links: Links,
  bounds: PriceBounds,
  limits: LimitBounds,
  band: PriceBand,
  premium?: Float64Array,
): number[] => {
  const { lo, hi, loFull, hiFull } = bounds;
  const { zones } = links;
  carry(links, [hi, hiFull], [lo, loFull]);
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
  const high = new Float64Array(zones.length);
  const low = new Float64Array(zones.length);
  zones.forEach((zone, i) => {
    const root = limits.root[i] as number;
    const known = highest[root] !== -Infinity;
    const top = known ? (highest[root] as number) : band.reference;
    const bottom = known ? (lowest[root] as number) : band.reference;
    const most = hiFull[i] as number;
    const least = loFull[i] as number;
    const ceiling = (limits.bidCap[i] as number) - zone.fee;
    const floor = (limits.offerFloor[i] as number) - (premium?.[i] ?? 0);
    const cut = (price: number): number => Math.max(floor, Math.min(price, ceiling));
    high[i] = cut(hi[i] === Infinity ? Math.max(least, Math.min(top, most)) : Math.min(hi[i] as number, most));
    low[i] = cut(lo[i] === -Infinity ? Math.min(most, Math.max(bottom, least)) : Math.max(lo[i] as number, least));
  });
  if (links.trades.length > 0) keepSpreads(links, bounds, high, low);
  return zones.map((_, i) => Math.floor(((low[i] as number) + (high[i] as number)) / 2) + 0);
};

/**
 * Open sides and the tariffs know nothing of the spreads of trades: the candidates are carried once more, and kept within
 * the bounds. Both then keep every spread, and so does the midpoint, whichever of the two is higher.
 */
const keepSpreads = (
  links: Links,
  { lo, hi, loFull, hiFull }: PriceBounds,
  high: Float64Array,
  low: Float64Array,
): void => {
  carry(links, [high], [low]);
  for (let z = 0; z < high.length; z += 1) {
    const least = Math.max(lo[z] as number, loFull[z] as number);
    const most = Math.min(hi[z] as number, hiFull[z] as number);
    high[z] = Math.min(most, Math.max(least, high[z] as number));
    low[z] = Math.max(least, Math.min(most, low[z] as number));
  }
};
