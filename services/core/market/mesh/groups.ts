import { BID_RANK, limitBounds, OFFER_RANK } from "../keys.ts";
import { GREEN, OFFER } from "../types.ts";
import type { OrderColumns, TradeTerms, ZoneTerms } from "../types.ts";
import { liveOrders } from "../words.ts";

/**
 * Everything of one zone, side and limit: an aggregated step of a merit order. A solver decides about groups; within one
 * the orders share pro rata.
 */
export interface Group {
  readonly zone: number;
  /** Net export per Wh: 1 an offer, -1 a bid. */
  readonly sign: 1 | -1;
  /** As it counts, in the zone's own price (green orders: in the zone's green price), micro-token per kWh. */
  readonly limit: number;
  /** Trades at the green price. */
  readonly green: boolean;
  readonly backup: boolean;
  /** At the band's edge: filled whole it says nothing about the price that was wanted. */
  readonly edge: boolean;
  /** Rank among equals, eighths of a unit of price (keys.ts). */
  readonly rank: number;
  availableWh: number;
}

/** A market as the mesh solver sees it: nothing of it is floating point. */
export interface MeshBook {
  readonly groups: readonly Group[];
  readonly trades: readonly TradeTerms[];
  /** Root of each zone's island. */
  readonly root: Int32Array;
  /** A green-only bid lives in the book: green orders trade at their own price. */
  readonly hasGreen: boolean;
}

/** Does a live green-only bid stand in the book? */
export const hasGreenBid = (columns: OrderColumns, live: Uint8Array): boolean => {
  for (let i = 0; i < columns.count; i += 1) {
    if (live[i] && ((columns.flags[i] as number) & (GREEN | OFFER)) === GREEN) return true;
  }
  return false;
};

/** Sums a book by zone, side and limit; the backups are groups of their own. */
export const meshBook = (
  columns: OrderColumns,
  terms: readonly ZoneTerms[],
  band: { readonly min: number; readonly max: number },
  trades: readonly TradeTerms[],
): MeshBook => {
  const live = liveOrders(columns);
  const hasGreen = hasGreenBid(columns, live);
  const { bidCap, offerFloor, root } = limitBounds(terms);
  const groups: Group[] = [];
  const indexOf = terms.map(() => new Map<number, number>());
  for (let i = 0; i < columns.count; i += 1) {
    if (!live[i]) continue;
    const zone = columns.zone[i] as number;
    const flags = columns.flags[i] as number;
    const isOffer = (flags & OFFER) !== 0;
    const green = hasGreen && (flags & GREEN) !== 0;
    const signed = columns.price[i] as number;
    const fee = (terms[zone] as ZoneTerms).fee;
    const limit = isOffer
      ? Math.max(signed, offerFloor[zone] as number)
      : Math.min(signed, bidCap[zone] as number) - fee;
    const index = indexOf[zone] as Map<number, number>;
    const key = limit * 4 + (isOffer ? 1 : 0) + (green ? 2 : 0);
    const at = index.get(key);
    if (at !== undefined) {
      (groups[at] as Group).availableWh += columns.energyWh[i] as number;
      continue;
    }
    index.set(key, groups.length);
    groups.push({
      zone,
      sign: isOffer ? 1 : -1,
      limit,
      green,
      backup: false,
      edge: isOffer ? limit === band.min : limit + fee === band.max,
      rank: isOffer ? OFFER_RANK : BID_RANK,
      availableWh: columns.energyWh[i] as number,
    });
  }
  terms.forEach(({ hasBackup, backupSell, backupBuy, backupCapacityWh, fee }, zone) => {
    if (!hasBackup || backupCapacityWh === 0) return;
    const own = { zone, green: false, backup: true, edge: false, availableWh: backupCapacityWh };
    groups.push({ ...own, sign: 1, limit: backupSell - fee, rank: OFFER_RANK / 2 });
    groups.push({ ...own, sign: -1, limit: backupBuy, rank: BID_RANK / 2 });
  });
  return { groups, trades, root, hasGreen };
};
