import { mulDivFloor } from "./exact.ts";
import { backupKeys, limitBounds, limitOf, orderKeys } from "./keys.ts";
import { meritOrders } from "./merit.ts";
import { dispatch } from "./network.ts";
import type { Cuts } from "./network.ts";
import { openBounds, zonePrices } from "./prices.ts";
import type { PriceBounds } from "./prices.ts";
import { OFFER } from "./types.ts";
import type { Clearing, OrderColumns, PriceBand, ZonePosting, ZoneTerms } from "./types.ts";
import { liveOrders } from "./words.ts";

/**
 * Clears a book over a radial network: maximal welfare, then maximal volume, the backup last among equals, prices by the
 * one rule, fills pro rata at the margin. Exact integers. Linear in orders but for searches that are logarithmic.
 *
 * @param columns the book, in order of append; replaced orders and cancellations may stand in it
 * @param zones parents before children
 * @returns what the contract accepts: postings per zone, and the fills that it derives from them
 * @throws RangeError on a zone out of order, an order of an unknown zone, or energies whose sum is no safe integer
 */
export const clearBook = (columns: OrderColumns, zones: readonly ZoneTerms[], band: PriceBand): Clearing => {
  checkColumns(columns, zones);
  const live = liveOrders(columns);
  const limits = limitBounds(zones);
  const keys = orderKeys(columns, live, zones, limits);
  const merit = meritOrders(columns, keys, zones);
  const cuts = dispatch(merit, zones);
  const margins = shareMargins(columns, keys, zones, cuts);
  const bounds = knownBounds(columns, keys, zones, cuts, margins, band);
  const prices = zonePrices(zones, cuts.flowToParentWh, bounds, limits, band);
  const postings = prices.map((price, zone) => openPosting(price, zone, zones, cuts));
  const fillsWh = fill(columns, keys, cuts, margins, postings);
  return {
    postings,
    green: [],
    tradesWh: new Float64Array(0),
    fillsWh,
    netExportWh: cuts.netExportWh,
    flowToParentWh: cuts.flowToParentWh,
  };
};

const checkColumns = (columns: OrderColumns, zones: readonly ZoneTerms[]): void => {
  let total = 0;
  for (const zone of zones) if (zone.hasBackup) total += 2 * zone.backupCapacityWh;
  for (let i = 0; i < columns.count; i += 1) {
    if ((columns.zone[i] as number) >= zones.length && columns.energyWh[i]) {
      throw new RangeError(`order ${i} names zone ${columns.zone[i]} of ${zones.length}`);
    }
    total += columns.energyWh[i] as number;
  }
  if (total > Number.MAX_SAFE_INTEGER) throw new RangeError("the energies of the book do not add up to a safe integer");
};

/** The orders at a zone's level: all of one kind and one limit. */
interface Margins {
  /** Wh of them; without the backup 0. */
  readonly availableWh: Float64Array;
  /** Wh of them that are filled. */
  readonly filledWh: Float64Array;
  /** Wh that pro rata leaves over; the first orders get one each. */
  readonly restWh: Float64Array;
  readonly members: Uint32Array;
}

const shareMargins = (columns: OrderColumns, keys: Float64Array, zones: readonly ZoneTerms[], cuts: Cuts): Margins => {
  const count = zones.length;
  const availableWh = new Float64Array(count);
  const filledWh = new Float64Array(count);
  const isBid = new Uint8Array(count);
  let size = 0;
  for (let i = 0; i < columns.count; i += 1) {
    const z = columns.zone[i] as number;
    if (keys[i] !== cuts.level[z]) continue;
    size += 1;
    availableWh[z] = (availableWh[z] as number) + (columns.energyWh[i] as number);
    isBid[z] = (columns.flags[i] as number) & OFFER ? 0 : 1;
  }
  for (let z = 0; z < count; z += 1) {
    const available = availableWh[z] as number;
    if (available === 0) continue;
    // A step of bids that is taken is a step of bids that drop out.
    const taken = cuts.atLevelWh[z] as number;
    filledWh[z] = isBid[z] ? available - taken : taken;
  }
  const restWh = filledWh.slice();
  const members = new Uint32Array(size);
  for (let i = 0, at = 0; at < size; i += 1) {
    const z = columns.zone[i] as number;
    if (keys[i] !== cuts.level[z]) continue;
    members[at++] = i;
    const share = mulDivFloor(columns.energyWh[i] as number, filledWh[z] as number, availableWh[z] as number);
    restWh[z] = (restWh[z] as number) - share;
  }
  return { availableWh, filledWh, restWh, members };
};

const knownBounds = (
  columns: OrderColumns,
  keys: Float64Array,
  zones: readonly ZoneTerms[],
  cuts: Cuts,
  margins: Margins,
  band: PriceBand,
): PriceBounds => {
  const bounds = openBounds(zones.length);
  const { lo, hi, loFull, hiFull } = bounds;
  const note = (z: number, offer: boolean, limit: number, some: boolean, all: boolean, edge: boolean): void => {
    // Filled offers and unfilled bids hold the price up; filled bids and unfilled offers hold it down.
    if (offer ? some : !all) {
      const side = offer && all && edge ? loFull : lo;
      if (limit > (side[z] as number)) side[z] = limit;
    }
    if (offer ? !all : some) {
      const side = !offer && all && edge ? hiFull : hi;
      if (limit < (side[z] as number)) side[z] = limit;
    }
  };
  for (let i = 0; i < columns.count; i += 1) {
    const key = keys[i] as number;
    if (Number.isNaN(key)) continue;
    const z = columns.zone[i] as number;
    const level = cuts.level[z] as number;
    const offer = ((columns.flags[i] as number) & OFFER) !== 0;
    const limit = limitOf(key);
    const atLevel = key === level;
    const filled = offer ? key < level : key > level;
    const some = atLevel ? (margins.filledWh[z] as number) > 0 : filled;
    const all = atLevel ? margins.filledWh[z] === margins.availableWh[z] : filled;
    const edge = offer ? limit === band.min : limit + (zones[z] as ZoneTerms).fee === band.max;
    note(z, offer, limit, some, all, edge);
  }
  zones.forEach((terms, z) => {
    if (!terms.hasBackup || terms.backupCapacityWh === 0) return;
    const { soldWh, boughtWh } = backupFills(terms, z, cuts);
    const own = backupKeys(terms);
    note(z, true, limitOf(own.offer), soldWh > 0, soldWh === terms.backupCapacityWh, false);
    note(z, false, limitOf(own.bid), boughtWh > 0, boughtWh === terms.backupCapacityWh, false);
  });
  return bounds;
};

const backupFills = (terms: ZoneTerms, zone: number, cuts: Cuts): { soldWh: number; boughtWh: number } => {
  if (!terms.hasBackup || terms.backupCapacityWh === 0) return { soldWh: 0, boughtWh: 0 };
  const capacity = terms.backupCapacityWh;
  const level = cuts.level[zone] as number;
  const taken = cuts.atLevelWh[zone] as number;
  const own = backupKeys(terms);
  const soldWh = own.offer < level ? capacity : own.offer === level ? taken : 0;
  const boughtWh = own.bid > level ? capacity : own.bid === level ? capacity - taken : 0;
  return { soldWh, boughtWh };
};

const openPosting = (price: number, zone: number, zones: readonly ZoneTerms[], cuts: Cuts): ZonePosting => {
  const { soldWh, boughtWh } = backupFills(zones[zone] as ZoneTerms, zone, cuts);
  return { price, marginalBidWh: 0, marginalOfferWh: 0, backupSoldWh: soldWh, backupBoughtWh: boughtWh };
};

/** Fills every order, and adds to the postings what is filled at the price. */
const fill = (
  columns: OrderColumns,
  keys: Float64Array,
  cuts: Cuts,
  margins: Margins,
  postings: ZonePosting[],
): Float64Array => {
  const fillsWh = new Float64Array(columns.count);
  const restWh = margins.restWh;
  for (const i of margins.members) {
    const z = columns.zone[i] as number;
    const energy = columns.energyWh[i] as number;
    const share = mulDivFloor(energy, margins.filledWh[z] as number, margins.availableWh[z] as number);
    const extra = (restWh[z] as number) > 0 ? 1 : 0;
    restWh[z] = (restWh[z] as number) - extra;
    fillsWh[i] = share + extra;
  }
  for (let i = 0; i < columns.count; i += 1) {
    const key = keys[i] as number;
    if (Number.isNaN(key)) continue;
    const z = columns.zone[i] as number;
    const level = cuts.level[z] as number;
    const offer = ((columns.flags[i] as number) & OFFER) !== 0;
    if (offer ? key < level : key > level) fillsWh[i] = columns.energyWh[i] as number;
    const posting = postings[z] as ZonePosting;
    if (limitOf(key) !== posting.price) continue;
    if (offer) posting.marginalOfferWh += fillsWh[i] as number;
    else posting.marginalBidWh += fillsWh[i] as number;
  }
  return fillsWh;
};
