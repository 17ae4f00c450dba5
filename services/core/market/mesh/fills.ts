import { limitBounds } from "../keys.ts";
import { mulDivFloor } from "../exact.ts";
import { rationed } from "../margins.ts";
import { OFFER, PRIORITY_MASK, PRIORITY_SHIFT, PRIORITY_WEIGHTS } from "../types.ts";
import { eachOrder } from "./tally.ts";
import type { MeshMarket, MeshPosting } from "./tally.ts";

interface Member {
  readonly at: number;
  readonly energyWh: number;
  readonly kind: number;
}

/**
 * Fills per order, as the contract derives them: better than the price full, worse empty; what stands at it shares the posted
 * total, by priority class in an island without backup, else pro rata, the remainder one Wh each by order of append.
 */
export const fillsOf = (market: MeshMarket, { postings, green }: MeshPosting): Float64Array => {
  const fillsWh = new Float64Array(market.columns.count);
  const classes = PRIORITY_WEIGHTS.length;
  const { bidCap } = limitBounds(market.terms);
  const kinds = new Map<number, Member[]>();
  eachOrder(market, (zone, order, energyWh, at) => {
    const price = (order.green ? green[zone]?.price : postings[zone]?.price) as number;
    const gain = (price - order.limit) * order.sign;
    if (gain > 0) fillsWh[at] = energyWh;
    if (gain !== 0) return;
    const flags = market.columns.flags[at] as number;
    const rations = bidCap[zone] === Infinity && !(flags & OFFER);
    const kind = zone * 4 + (order.sign > 0 ? 1 : 0) + (order.green ? 2 : 0);
    const members = kinds.get(kind) ?? [];
    members.push({ at, energyWh, kind: rations ? (flags >> PRIORITY_SHIFT) & PRIORITY_MASK : 0 });
    kinds.set(kind, members);
  });
  for (const [kind, members] of kinds) {
    const zone = Math.floor(kind / 4);
    const own = kind & 2 ? green[zone] : postings[zone];
    const totalWh = (kind & 1 ? own?.marginalOfferWh : own?.marginalBidWh) as number;
    const availableWh = new Array<number>(classes).fill(0);
    for (const { kind: c, energyWh } of members) availableWh[c] = (availableWh[c] as number) + energyWh;
    const sharesWh = rationed(availableWh, totalWh);
    const restWh = sharesWh.slice();
    for (const { at, energyWh, kind: c } of members) {
      fillsWh[at] = mulDivFloor(energyWh, sharesWh[c] as number, availableWh[c] as number);
      restWh[c] = (restWh[c] as number) - (fillsWh[at] as number);
    }
    for (const { at, kind: c } of members) {
      if ((restWh[c] as number) === 0) continue;
      restWh[c] = (restWh[c] as number) - 1;
      fillsWh[at] = (fillsWh[at] as number) + 1;
    }
  }
  return fillsWh;
};
