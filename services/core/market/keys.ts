import { OFFER } from "./types.ts";
import type { OrderColumns, ZoneTerms } from "./types.ts";

/**
 * Keys order everything that can trade by its limit in the zone's own price and, among equal limits, by rank. A key is
 * 8 x limit + rank; energy flows from keys that are lower to keys that are higher. The ranks make trades at equal limits
 * happen (maximal volume) and the backup come last; together they weigh less than one unit of price, so welfare decides first.
 */
const SCALE = 8;
export const BID_RANK = 2;
export const OFFER_RANK = -2;
const BACKUP_BID_RANK = 1;
const BACKUP_OFFER_RANK = -1;

/** The limit of a key, in the zone's own price (a bid's less its fee). */
export const limitOf = (key: number): number => Math.floor((key + SCALE / 2) / SCALE);

/** The key of a limit, without rank: no order has it. */
export const keyOf = (limit: number): number => SCALE * limit;

/** What the orders of one zone count with: its island's tariffs bound them. */
export interface LimitBounds {
  /** Highest gross limit of bids, per zone; +Infinity in an island without backup. */
  readonly bidCap: Float64Array;
  /** Lowest limit of offers, per zone; -Infinity in an island without backup. */
  readonly offerFloor: Float64Array;
  /** Root of the zone's island. */
  readonly root: Int32Array;
}

export const limitBounds = (zones: readonly ZoneTerms[]): LimitBounds => {
  const count = zones.length;
  const bidCap = new Float64Array(count).fill(Infinity);
  const offerFloor = new Float64Array(count).fill(-Infinity);
  const root = new Int32Array(count);
  zones.forEach((zone, i) => {
    if (zone.parent > i) throw new RangeError(`zone ${i} stands before its parent ${zone.parent}`);
    const top = zone.parent === i ? i : (root[zone.parent] as number);
    root[i] = top;
    if (!zone.hasBackup) return;
    bidCap[top] = zone.backupSell;
    offerFloor[top] = zone.backupBuy;
  });
  for (let i = 0; i < count; i += 1) {
    bidCap[i] = bidCap[root[i] as number] as number;
    offerFloor[i] = offerFloor[root[i] as number] as number;
  }
  return { bidCap, offerFloor, root };
};

/** Keys of all orders; those that are not live get NaN. */
export const orderKeys = (
  columns: OrderColumns,
  live: Uint8Array,
  zones: readonly ZoneTerms[],
  bounds: LimitBounds,
): Float64Array => {
  const { count, zone, flags, price } = columns;
  const fees = Float64Array.from(zones, (terms) => terms.fee);
  const { bidCap, offerFloor } = bounds;
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    if (!live[i]) {
      keys[i] = NaN;
      continue;
    }
    const z = zone[i] as number;
    const limit = price[i] as number;
    if ((flags[i] as number) & OFFER) keys[i] = SCALE * Math.max(limit, offerFloor[z] as number) + OFFER_RANK;
    else keys[i] = SCALE * (Math.min(limit, bidCap[z] as number) - (fees[z] as number)) + BID_RANK;
  }
  return keys;
};

/** Keys of a zone's backup. */
export const backupKeys = (zone: ZoneTerms): { offer: number; bid: number } => ({
  offer: SCALE * (zone.backupSell - zone.fee) + BACKUP_OFFER_RANK,
  bid: SCALE * zone.backupBuy + BACKUP_BID_RANK,
});
