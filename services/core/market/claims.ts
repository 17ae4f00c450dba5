import { limitBounds, limitOf, orderKeys } from "./keys.ts";
import { rationed } from "./margins.ts";
import { GREEN, OFFER, PRIORITY_MASK, PRIORITY_SHIFT } from "./types.ts";
import type { Clearing, OrderColumns, ZoneTerms } from "./types.ts";
import { liveOrders } from "./words.ts";

/** What is claimed of one group of words at the price, when a clearing is posted in parts; mirrors PartTypes.sol. */
export interface GroupClaim {
  availableWh: number;
  words: number;
  /** Wh that the floors of the pro rata shares leave over. */
  restWh: number;
}

const GROUPS = 5;
const NOTHING: GroupClaim = { availableWh: 0, words: 0, restWh: 0 };

/**
 * The claims that go with a clearing: five groups per record (offers, then bids by class), records of zones first, then of their
 * twins where green orders trade apart. Bids that do not share by class all count in the first of the four. Linear in orders.
 */
export const claimsOf = (
  columns: OrderColumns,
  zones: readonly ZoneTerms[],
  { postings, green }: Pick<Clearing, "postings" | "green">,
): GroupClaim[] => {
  const records = [...postings, ...green];
  const limits = limitBounds(zones);
  const keys = orderKeys(columns, liveOrders(columns), zones, limits);
  const members: number[][] = Array.from({ length: GROUPS * records.length }, () => []);
  for (let i = 0; i < columns.count; i += 1) {
    const key = keys[i] as number;
    const flags = columns.flags[i] as number;
    const record = (columns.zone[i] as number) + (flags & GREEN && green.length > 0 ? zones.length : 0);
    if (Number.isNaN(key) || limitOf(key) !== records[record]?.price) continue;
    const group = flags & OFFER ? 0 : 1 + ((flags >> PRIORITY_SHIFT) & PRIORITY_MASK);
    members[GROUPS * record + group]?.push(columns.energyWh[i] as number);
  }
  return records.flatMap(({ marginalBidWh, marginalOfferWh }, record) => {
    const [offers = [], ...classes] = members.slice(GROUPS * record, GROUPS * (record + 1));
    const availableWh = classes.map(sum);
    const backed = limits.bidCap[record % zones.length] !== Infinity;
    if (backed || marginalBidWh === 0 || marginalBidWh === sum(availableWh)) {
      return [claim(offers, marginalOfferWh), claim(classes.flat(), marginalBidWh), NOTHING, NOTHING, NOTHING];
    }
    const shares = rationed(availableWh, marginalBidWh);
    return [claim(offers, marginalOfferWh), ...classes.map((own, c) => claim(own, shares[c] as number))];
  });
};

const sum = (list: readonly number[]): number => list.reduce((total, wh) => total + wh, 0);

const claim = (energiesWh: readonly number[], totalWh: number): GroupClaim => {
  const availableWh = sum(energiesWh);
  if (totalWh === availableWh) return { availableWh, words: energiesWh.length, restWh: 0 };
  const floors = energiesWh.map((wh) => Number((BigInt(wh) * BigInt(totalWh)) / BigInt(availableWh)));
  return { availableWh, words: energiesWh.length, restWh: totalWh - sum(floors) };
};
