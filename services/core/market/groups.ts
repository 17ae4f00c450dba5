import { GREEN, OFFER } from "./types.ts";
import type { OrderColumns } from "./types.ts";

/**
 * Which orders trade at one price: the orders of a zone. Once a green-only bid lives in the book, green-only bids and green
 * offers trade in a twin of their zone instead, at the zone price plus the island's premium: group `zones + zone`.
 */
export interface Groups {
  readonly zones: number;
  /** `zones`, or twice as many with twins. */
  readonly count: number;
  /** Group per order. */
  readonly of: OrderColumns["zone"];
}

export const zoneOfGroup = ({ zones }: Groups, group: number): number => (group < zones ? group : group - zones);

export const groupsOf = (columns: OrderColumns, live: Uint8Array, zones: number): Groups => {
  const { count, flags, zone } = columns;
  let green = false;
  for (let i = 0; i < count && !green; i += 1) green = isGreenBid(flags[i] as number) && live[i] === 1;
  if (!green) return { zones, count: zones, of: zone };
  const of = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) {
    of[i] = (zone[i] as number) + ((flags[i] as number) & GREEN ? zones : 0);
  }
  return { zones, count: 2 * zones, of };
};

const isGreenBid = (flags: number): boolean => (flags & (GREEN | OFFER)) === GREEN;
