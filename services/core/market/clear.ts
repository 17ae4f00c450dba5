import { linksOf } from "./carry.ts";
import { groupsOf, zoneOfGroup } from "./groups.ts";
import type { Groups } from "./groups.ts";
import { dispatchJointly, MOST_JOINT_WH } from "./joint.ts";
import type { JointCuts } from "./joint.ts";
import { backupKeys, limitBounds, limitOf, orderKeys } from "./keys.ts";
import { marginsOf } from "./margins.ts";
import type { Margins } from "./margins.ts";
import { meritOrders } from "./merit.ts";
import { dispatch } from "./network.ts";
import type { Cuts } from "./network.ts";
import { openBounds, zonePrices } from "./prices.ts";
import type { PriceBounds } from "./prices.ts";
import { OFFER } from "./types.ts";
import type { Clearing, OrderColumns, PriceBand, TradeTerms, ZonePosting, ZoneTerms } from "./types.ts";
import { liveOrders } from "./words.ts";

/**
 * Clears a book over a radial network: maximal welfare, then maximal volume, the backup last among equals, prices by the
 * one rule, fills pro rata at the margin (by priority class in an island without backup). Exact integers. Without green-only
 * bids and trades linear in orders but for searches that are logarithmic; with them a flow over the merit orders.
 *
 * @param columns the book, in order of append; replaced orders and cancellations may stand in it
 * @param zones parents before children
 * @param trades bilateral trades in order of registration
 * @returns what the contract accepts: postings per zone, and the fills that it derives from them
 * @throws RangeError on a zone out of order, an order or trade of an unknown zone, or energies whose sum is no safe integer
 */
export const clearBook = (
  columns: OrderColumns,
  zones: readonly ZoneTerms[],
  band: PriceBand,
  trades: readonly TradeTerms[] = [],
): Clearing => {
  const totalWh = checkedTotal(columns, zones, trades);
  const live = liveOrders(columns);
  const limits = limitBounds(zones);
  const groups = groupsOf(columns, live, zones.length);
  const keys = orderKeys(columns, live, zones, limits);
  const merit = meritOrders(columns, groups, keys, zones);
  const joint = groups.count > zones.length || trades.some(({ limitWh }) => limitWh > 0);
  if (joint && totalWh > MOST_JOINT_WH) {
    throw new RangeError("with green-only bids or trades the energies of a book must not exceed 2^50 Wh");
  }
  const cuts: Cuts & Partial<Pick<JointCuts, "tradesWh">> = joint
    ? dispatchJointly(merit, groups, zones, limits, trades)
    : dispatch(merit, zones);
  const { tradesWh = new Float64Array(trades.length) } = cuts;
  const margins = marginsOf(columns, groups, keys, limits, cuts);
  const bounds = knownBounds(columns, groups, keys, zones, cuts, margins, band);
  const links = linksOf(zones, cuts.flowToParentWh, limits.root, trades, tradesWh);
  const prices = zonePrices(links, bounds, limits, band);
  const postings = [...prices.zone, ...prices.green].map((price, group) => openPosting(price, group, zones, cuts));
  const fillsWh = fill(columns, groups, keys, cuts, margins, postings);
  return {
    postings: postings.slice(0, zones.length),
    green: postings
      .slice(zones.length)
      .map(({ price, marginalBidWh, marginalOfferWh }) => ({ price, marginalBidWh, marginalOfferWh })),
    tradesWh,
    fillsWh,
    netExportWh: cuts.netExportWh,
    flowToParentWh: cuts.flowToParentWh,
  };
};

const checkedTotal = (columns: OrderColumns, zones: readonly ZoneTerms[], trades: readonly TradeTerms[]): number => {
  let total = 0;
  trades.forEach(({ from, to, limitWh }, i) => {
    if (from >= zones.length || to >= zones.length) throw new RangeError(`trade ${i} names a zone of ${zones.length}`);
    total += limitWh;
  });
  for (const zone of zones) if (zone.hasBackup) total += 2 * zone.backupCapacityWh;
  for (let i = 0; i < columns.count; i += 1) {
    if ((columns.zone[i] as number) >= zones.length && columns.energyWh[i]) {
      throw new RangeError(`order ${i} names zone ${columns.zone[i]} of ${zones.length}`);
    }
    total += columns.energyWh[i] as number;
  }
  if (total > Number.MAX_SAFE_INTEGER) throw new RangeError("the energies of the book do not add up to a safe integer");
  return total;
};

const knownBounds = (
  columns: OrderColumns,
  groups: Groups,
  keys: Float64Array,
  zones: readonly ZoneTerms[],
  cuts: Cuts,
  margins: Margins,
  band: PriceBand,
): PriceBounds => {
  const bounds = openBounds(groups.count);
  const fees = Float64Array.from({ length: groups.count }, (_, group) => zones[zoneOfGroup(groups, group)]?.fee ?? 0);
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
    const z = groups.of[i] as number;
    const level = cuts.level[z] as number;
    const offer = ((columns.flags[i] as number) & OFFER) !== 0;
    const limit = limitOf(key);
    const atLevel = key === level;
    const filled = offer ? key < level : key > level;
    const some = atLevel ? (margins.filledWh[z] as number) > 0 : filled;
    const all = atLevel ? margins.filledWh[z] === margins.availableWh[z] : filled;
    const edge = offer ? limit === band.min : limit + (fees[z] as number) === band.max;
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

const backupFills = (terms: ZoneTerms | undefined, zone: number, cuts: Cuts): { soldWh: number; boughtWh: number } => {
  if (!terms?.hasBackup || terms.backupCapacityWh === 0) return { soldWh: 0, boughtWh: 0 };
  const capacity = terms.backupCapacityWh;
  const level = cuts.level[zone] as number;
  const taken = cuts.atLevelWh[zone] as number;
  const own = backupKeys(terms);
  const soldWh = own.offer < level ? capacity : own.offer === level ? taken : 0;
  const boughtWh = own.bid > level ? capacity : own.bid === level ? capacity - taken : 0;
  return { soldWh, boughtWh };
};

/** Posting of a group; a twin stands after all zones and has no backup. */
const openPosting = (price: number, group: number, zones: readonly ZoneTerms[], cuts: Cuts): ZonePosting => {
  const { soldWh, boughtWh } = backupFills(zones[group], group, cuts);
  return { price, marginalBidWh: 0, marginalOfferWh: 0, backupSoldWh: soldWh, backupBoughtWh: boughtWh };
};

/** Fills every order, and adds to the postings what is filled at the price. */
const fill = (
  columns: OrderColumns,
  groups: Groups,
  keys: Float64Array,
  cuts: Cuts,
  margins: Margins,
  postings: ZonePosting[],
): Float64Array => {
  const fillsWh = new Float64Array(columns.count);
  margins.share(fillsWh);
  for (let i = 0; i < columns.count; i += 1) {
    const key = keys[i] as number;
    if (Number.isNaN(key)) continue;
    const z = groups.of[i] as number;
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
