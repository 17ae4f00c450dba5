import type { CompiledMarket } from "../../../../services/core/market/market.ts";
import { effectiveLimits } from "../../../../services/core/market/sums.ts";
import { GREEN, OFFER, PRIORITY_MASK, PRIORITY_SHIFT } from "../../../../services/core/market/types.ts";
import type { Clearing } from "../../../../services/core/market/types.ts";
import { rationed } from "../../../../services/core/market/margins.ts";

export interface GroupClaim {
  availableWh: number;
  words: number;
  restWh: number;
}

/** What a submitter of parts claims of the words at the price: five groups per record (ClearingPart). */
export const claimsOf = (market: CompiledMarket, clearing: Clearing): GroupClaim[] => {
  const { columns, terms } = market;
  const zones = terms.length;
  const postings = [...clearing.postings, ...clearing.green];
  const limits = effectiveLimits(market);
  const recordOf = (i: number): number =>
    (columns.zone[i] as number) + ((columns.flags[i] as number) & GREEN && clearing.green.length > 0 ? zones : 0);
  const members = new Map<number, number[]>();
  for (let i = 0; i < columns.count; i += 1) {
    const record = recordOf(i);
    if (!columns.energyWh[i] || limits[i] !== postings[record]?.price) continue;
    const flags = columns.flags[i] as number;
    const group = 5 * record + (flags & OFFER ? 0 : 1 + ((flags >> PRIORITY_SHIFT) & PRIORITY_MASK));
    members.set(group, [...(members.get(group) ?? []), i]);
  }
  const wh = (group: number): number[] => (members.get(group) ?? []).map((i) => columns.energyWh[i] as number);
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const rootOf = (zone: number): number => {
    const { parent } = terms[zone] as (typeof terms)[number];
    return parent === zone ? zone : rootOf(parent);
  };
  const backed = new Set(terms.flatMap((zone, i) => (zone.hasBackup ? [rootOf(i)] : [])));
  const claim = (energies: number[], total: number): GroupClaim => {
    const availableWh = sum(energies);
    const floors = energies.map((energy) => Number((BigInt(energy) * BigInt(total)) / BigInt(availableWh || 1)));
    return { availableWh, words: energies.length, restWh: total === availableWh ? 0 : total - sum(floors) };
  };
  return postings.flatMap(({ marginalBidWh, marginalOfferWh }, record) => {
    const classes = [1, 2, 3, 4].map((group) => wh(5 * record + group));
    const all = sum(classes.map(sum));
    const offers = claim(wh(5 * record), marginalOfferWh);
    if (marginalBidWh === 0 || marginalBidWh === all || backed.has(rootOf(record % zones))) {
      // In order of append.
      const order = [1, 2, 3, 4].flatMap((group) => members.get(5 * record + group) ?? []).sort((a, b) => a - b);
      const bids = claim(
        order.map((i) => columns.energyWh[i] as number),
        marginalBidWh,
      );
      return [offers, bids, ...[0, 0, 0].map(() => ({ availableWh: 0, words: 0, restWh: 0 }))];
    }
    const shares = rationed(classes.map(sum), marginalBidWh);
    return [offers, ...classes.map((own, c) => claim(own, shares[c] as number))];
  });
};
