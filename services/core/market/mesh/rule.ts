import { openBounds } from "../prices.ts";
import type { PriceBounds } from "../prices.ts";
import type { ZoneTerms } from "../types.ts";

/** Exact prices, lambda and gamma are integers in this part of a micro-token per kWh; mu is in a millionth of one. */
export const PRICE_UNIT = 1_000_000_000_000n;
export const DUAL_UNIT = 1_000_000n;

/** Largest whole number not above a / b, for b > 0. */
export const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((b - 1n - a) / b));
export const ceilDiv = (a: bigint, b: bigint): bigint => -floorDiv(-a, b);

/** What the fills of one zone say about its price, and those of green orders about its green price. */
export interface MeshBounds {
  readonly ordinary: PriceBounds;
  readonly green: PriceBounds;
}

export const openMeshBounds = (zones: number): MeshBounds => ({
  ordinary: openBounds(zones),
  green: openBounds(zones),
});

/** Notes what orders of one limit say: filled offers and unfilled bids hold the price up, the others hold it down. */
export const noteFill = (
  { lo, hi, loFull, hiFull }: PriceBounds,
  zone: number,
  order: { readonly sign: 1 | -1; readonly limit: number; readonly edge: boolean },
  some: boolean,
  all: boolean,
): void => {
  const { sign, limit, edge } = order;
  const open = all && edge;
  if (sign > 0 ? some : !all) {
    const side = open && sign > 0 ? loFull : lo;
    side[zone] = Math.max(side[zone] as number, limit);
  }
  if (sign > 0 ? !all : some) {
    const side = open && sign < 0 ? hiFull : hi;
    side[zone] = Math.min(side[zone] as number, limit);
  }
};

export interface MeshPrices {
  /** Per zone those of its island, in 1e-12 micro-token per kWh. */
  readonly lambda: bigint[];
  readonly gamma: bigint[];
  /** Lowest and highest lambda that supports the fills, with that premium; undefined: open. */
  readonly low: (bigint | undefined)[];
  readonly high: (bigint | undefined)[];
  /** Exact price of each zone in 1e-12 micro-token per kWh. */
  readonly exact: bigint[];
  readonly prices: number[];
  readonly greenPrices: number[];
}

/**
 * The price rule of a meshed network: given what fills say and what the full limits cost, there is one lambda per island.
 *
 * With `s_z` the sum over limits of weight x mu, zone z has the exact price `lambda - s_z`, so all zones of an island are one
 * zone in prices shifted by `s`: the rule is that of the radial network for one zone. Two things are new. Integer fills may
 * leave the lowest supporting price above the highest, by less than a unit: then it is the lowest, since an order is better
 * or worse than the exact price rounded down. And the cut to the tariffs spares what congestion moves out of them.
 *
 * @param shift `s` per zone, 1e-12 micro-token per kWh
 */
export const meshPrices = (
  terms: readonly ZoneTerms[],
  reference: number,
  root: Int32Array,
  bounds: MeshBounds,
  shift: readonly bigint[],
): MeshPrices => {
  const zones = terms.map((_, zone) => zone);
  const lambda = new Array<bigint>(terms.length).fill(0n);
  const gamma = new Array<bigint>(terms.length).fill(0n);
  const low = new Array<bigint | undefined>(terms.length).fill(undefined);
  const high = low.slice();
  for (const top of zones.filter((zone) => root[zone] === zone)) {
    const members = zones.filter((zone) => root[zone] === top);
    const own = islandBounds(members, bounds.ordinary, shift);
    const green = islandBounds(members, bounds.green, shift);
    const premium = premiumOf(own, green);
    const all = join(own, green, premium);
    const cut = tariffCut(members, terms, shift, premium);
    const price = onePrice(all, BigInt(reference) * PRICE_UNIT, cut);
    for (const zone of members) {
      lambda[zone] = price;
      gamma[zone] = premium;
      low[zone] = higher(all.lo, all.loFull);
      high[zone] = lower(all.hi, all.hiFull);
    }
  }
  const exact = zones.map((zone) => (lambda[zone] as bigint) - (shift[zone] as bigint));
  return {
    lambda,
    gamma,
    low,
    high,
    exact,
    prices: exact.map((price) => Number(floorDiv(price, PRICE_UNIT))),
    greenPrices: exact.map((price, zone) => Number(floorDiv(price + (gamma[zone] as bigint), PRICE_UNIT))),
  };
};

/** Bounds of one island in shifted prices; undefined: open. */
interface Bounds {
  readonly lo: bigint | undefined;
  readonly hi: bigint | undefined;
  readonly loFull: bigint | undefined;
  readonly hiFull: bigint | undefined;
}

const higher = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined ? b : b === undefined || a > b ? a : b;
const lower = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined ? b : b === undefined || a < b ? a : b;

const islandBounds = (members: readonly number[], bounds: PriceBounds, shift: readonly bigint[]): Bounds => {
  const best = (side: Float64Array, pick: typeof higher): bigint | undefined =>
    members.reduce<bigint | undefined>((found, zone) => {
      const bound = side[zone] as number;
      return Number.isFinite(bound) ? pick(found, BigInt(bound) * PRICE_UNIT + (shift[zone] as bigint)) : found;
    }, undefined);
  return {
    lo: best(bounds.lo, higher),
    hi: best(bounds.hi, lower),
    loFull: best(bounds.loFull, higher),
    hiFull: best(bounds.hiFull, lower),
  };
};

/** The smallest premium that supports the fills. */
const premiumOf = (own: Bounds, green: Bounds): bigint => {
  const floor = higher(green.lo, green.loFull);
  const ceiling = lower(own.hi, own.hiFull);
  if (floor === undefined || ceiling === undefined) return 0n;
  const missing = floor - (higher(ceiling, higher(own.lo, own.loFull)) as bigint);
  return missing > 0n ? missing : 0n;
};

const join = (own: Bounds, green: Bounds, premium: bigint): Bounds => {
  const less = (bound: bigint | undefined): bigint | undefined => (bound === undefined ? undefined : bound - premium);
  return {
    lo: higher(own.lo, less(green.lo)),
    hi: lower(own.hi, less(green.hi)),
    loFull: higher(own.loFull, less(green.loFull)),
    hiFull: lower(own.hiFull, less(green.hiFull)),
  };
};

/** The tariffs of an island's backup in shifted prices, as far apart as its zones' shifts take them. */
const tariffCut = (
  members: readonly number[],
  terms: readonly ZoneTerms[],
  shift: readonly bigint[],
  premium: bigint,
): { floor: bigint; ceiling: bigint } | undefined => {
  const supplied = members.find((zone) => terms[zone]?.hasBackup);
  if (supplied === undefined) return undefined;
  const { backupBuy, backupSell, fee } = terms[supplied] as ZoneTerms;
  const shifts = members.map((zone) => shift[zone] as bigint);
  const lowest = shifts.reduce((a, b) => (a < b ? a : b));
  const highest = shifts.reduce((a, b) => (a > b ? a : b));
  return {
    floor: BigInt(backupBuy) * PRICE_UNIT - premium + lowest,
    ceiling: BigInt(backupSell - fee) * PRICE_UNIT + highest,
  };
};

/** The radial rule for one zone, then kept between all bounds, the lower ones first. */
const onePrice = (
  { lo, hi, loFull, hiFull }: Bounds,
  reference: bigint,
  cut: { floor: bigint; ceiling: bigint } | undefined,
): bigint => {
  const lowest = higher(lo, loFull);
  const highest = lower(hi, hiFull);
  const knownLow = lo === undefined ? undefined : lowest;
  const knownHigh = hi === undefined ? undefined : highest;
  const top = higher(knownLow, knownHigh) ?? reference;
  const bottom = lower(knownLow, knownHigh) ?? reference;
  const limited = (value: bigint): bigint =>
    cut === undefined ? value : (higher(cut.floor, lower(value, cut.ceiling)) as bigint);
  const high = limited(knownHigh ?? (higher(loFull, lower(top, hiFull)) as bigint));
  const low = limited(knownLow ?? (lower(hiFull, higher(bottom, loFull)) as bigint));
  const twice = (bound: bigint | undefined): bigint | undefined => (bound === undefined ? undefined : 2n * bound);
  const middle = higher(twice(lowest), lower(twice(highest), low + high)) as bigint;
  return floorDiv(middle, 2n);
};
