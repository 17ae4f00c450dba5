import type { NetworkLimit, TradeTerms } from "../types.ts";
import { meshPrices, PRICE_UNIT } from "./rule.ts";
import type { MeshBounds, MeshPrices } from "./rule.ts";
import type { MeshMarket } from "./tally.ts";

/** What fills say, from which the need for dual prices follows. */
export interface MeshFills {
  readonly root: Int32Array;
  readonly bounds: MeshBounds;
  readonly tradesWh: ArrayLike<number>;
  /** Per island root: green offers less green-only bids, Wh. */
  readonly greenSlackWh: readonly number[];
}

/** Sum of weight x mu per zone: what the full limits take off lambda there, 1e-12 micro-token per kWh. */
export const shiftsOf = (zones: number, limits: readonly NetworkLimit[], mu: readonly bigint[]): bigint[] => {
  const shift = new Array<bigint>(zones).fill(0n);
  limits.forEach(({ weights }, l) => {
    const own = mu[l] as bigint;
    if (own === 0n) return;
    for (let z = 0; z < zones; z += 1) {
      if (weights[z]) shift[z] = (shift[z] as bigint) + BigInt(weights[z] as number) * own;
    }
  });
  return shift;
};

/**
 * The first limit whose dual price is higher than the fills need, the others given; as contracts/libraries/MeshNeeded.sol. It
 * is needed if with less of it a lower bound at an island's price (within a unit) would pass an upper one, or a trade at its
 * spread would have to change.
 */
export const unneededDual = (
  { limits, trades }: MeshMarket,
  { root, bounds, tradesWh }: MeshFills,
  mu: readonly bigint[],
  shift: readonly bigint[],
  { gamma, low, high }: Pick<MeshPrices, "gamma" | "low" | "high">,
): number | undefined => {
  const holdsUp: number[] = [];
  const holdsDown: number[] = [];
  for (const own of boundsOf(bounds)) {
    const moved = (own.shift(shift) as bigint) - (own.green ? (gamma[own.zone] as bigint) : 0n);
    const [least, most] = [low[own.zone], high[own.zone]];
    if (own.lower && most !== undefined && own.value + moved > most - PRICE_UNIT) holdsUp.push(own.zone);
    if (!own.lower && least !== undefined && own.value + moved < least + PRICE_UNIT) holdsDown.push(own.zone);
  }
  const found = mu.findIndex((own, l) => {
    if (own === 0n) return false;
    const { weights } = limits[l] as NetworkLimit;
    const sign = own > 0n ? 1 : -1;
    const weight = (zone: number): number => sign * (weights[zone] as number);
    const least = new Map<number, number>();
    for (const zone of holdsUp) {
      const top = root[zone] as number;
      least.set(top, Math.min(least.get(top) ?? Infinity, weight(zone)));
    }
    if (holdsDown.some((zone) => (least.get(root[zone] as number) ?? Infinity) < weight(zone))) return false;
    return !trades.some((trade, k) => {
      const rise = weight(trade.from) - weight(trade.to);
      if (root[trade.from] !== root[trade.to]) return false;
      const gain = gainOf(trade, shift);
      const filledWh = tradesWh[k] as number;
      return (
        (rise > 0 && filledWh < trade.limitWh && gain > -PRICE_UNIT) || (rise < 0 && filledWh > 0 && gain < PRICE_UNIT)
      );
    });
  });
  return found < 0 ? undefined : found;
};

/** The same duals, each lowered in turn to what the fills need. */
export const leanDuals = (market: MeshMarket, fills: MeshFills, posted: readonly bigint[]): bigint[] => {
  const { limits, terms, band } = market;
  const mu = [...posted];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const shift = shiftsOf(terms.length, limits, mu);
    const prices = meshPrices(terms, band.reference, fills.root, fills.bounds, shift);
    const l = unneededDual(market, fills, mu, shift, prices);
    if (l === undefined) break;
    const own = mu[l] as bigint;
    const less = spareOf(market, fills, limits[l] as NetworkLimit, own, shift);
    mu[l] = own > 0n ? own - less : own + less;
  }
  return mu;
};

const MOST_ROUNDS = 200;

interface Bound {
  readonly zone: number;
  readonly green: boolean;
  readonly lower: boolean;
  readonly value: bigint;
  readonly shift: (shifts: readonly bigint[]) => bigint;
}

function* boundsOf({ ordinary, green }: MeshBounds): Generator<Bound> {
  for (const [side, isGreen] of [
    [ordinary, false],
    [green, true],
  ] as const) {
    for (let zone = 0; zone < side.lo.length; zone += 1) {
      const own = { zone, green: isGreen, shift: (shifts: readonly bigint[]) => shifts[zone] as bigint };
      const lo = Math.max(side.lo[zone] as number, side.loFull[zone] as number);
      const hi = Math.min(side.hi[zone] as number, side.hiFull[zone] as number);
      if (Number.isFinite(lo)) yield { ...own, lower: true, value: BigInt(lo) * PRICE_UNIT };
      if (Number.isFinite(hi)) yield { ...own, lower: false, value: BigInt(hi) * PRICE_UNIT };
    }
  }
}

/** How much less a dual price can be before a lower bound passes an upper one, or a trade must change. */
const spareOf = (
  { trades }: MeshMarket,
  { root, bounds, tradesWh, greenSlackWh }: MeshFills,
  { weights }: NetworkLimit,
  own: bigint,
  shift: readonly bigint[],
): bigint => {
  const sign = own > 0n ? 1n : -1n;
  const weight = (zone: number): bigint => sign * BigInt(weights[zone] as number);
  let spare = own > 0n ? own : -own;
  const bind = (room: bigint, speed: bigint): void => {
    if (speed <= 0n) return;
    const most = (room > 0n ? room : 0n) / speed;
    if (most < spare) spare = most;
  };
  const all = [...boundsOf(bounds)];
  const uppers = all.filter(({ lower }) => !lower);
  for (const low of all) {
    if (!low.lower) continue;
    const top = root[low.zone];
    for (const high of uppers) {
      if (root[high.zone] !== top) continue;
      // A green order's lower bound and an ordinary one's upper bound only set the premium, unless it must be zero.
      if (low.green && !high.green && (greenSlackWh[top as number] as number) === 0) continue;
      const room = high.value + (shift[high.zone] as bigint) - low.value - (shift[low.zone] as bigint);
      bind(room, weight(high.zone) - weight(low.zone));
    }
  }
  trades.forEach((trade, k) => {
    if (root[trade.from] !== root[trade.to]) return;
    const rise = weight(trade.from) - weight(trade.to);
    const gain = gainOf(trade, shift);
    const filledWh = tradesWh[k] as number;
    if (filledWh < trade.limitWh) bind(-gain, rise);
    if (filledWh > 0) bind(gain, -rise);
  });
  return spare;
};

/** What a trade gains per Wh beyond the rise of the price on its way, 1e-12 micro-token. */
const gainOf = ({ from, to, maxSpread }: TradeTerms, shift: readonly bigint[]): bigint =>
  BigInt(maxSpread) * PRICE_UNIT - ((shift[from] as bigint) - (shift[to] as bigint));
