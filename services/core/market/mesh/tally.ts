import { limitBounds } from "../keys.ts";
import { GREEN, OFFER } from "../types.ts";
import type {
  GreenPosting,
  NetworkLimit,
  OrderColumns,
  PriceBand,
  TradeTerms,
  ZonePosting,
  ZoneTerms,
} from "../types.ts";
import { liveOrders } from "../words.ts";
import { hasGreenBid } from "./groups.ts";
import { noteFill, openMeshBounds, PRICE_UNIT } from "./rule.ts";
import type { MeshBounds } from "./rule.ts";

/** A meshed market: what is fixed before anybody solves it. */
export interface MeshMarket {
  readonly columns: OrderColumns;
  readonly terms: readonly ZoneTerms[];
  readonly band: PriceBand;
  readonly trades: readonly TradeTerms[];
  readonly limits: readonly NetworkLimit[];
}

/** What a solver posts for a meshed market. */
export interface MeshPosting {
  readonly postings: readonly ZonePosting[];
  /** Empty unless a green-only bid lives in the book. */
  readonly green: readonly GreenPosting[];
  readonly tradesWh: ArrayLike<number>;
  /** Per limit, 1e-6 micro-token per kWh: above zero while the upper one is full, below while the lower one is. */
  readonly mu: readonly bigint[];
}

/** A posting that the proof does not take. */
export class Refusal extends Error {}

export const refuse = (message: string): never => {
  throw new Refusal(message);
};

/** What is filled and what is left at a zone's price, or at its green price. */
export interface Margin {
  bidLeftWh: number;
  offerLeftWh: number;
}

/** What follows from a posting, zone by zone. */
export interface Tally {
  readonly root: Int32Array;
  readonly hasGreen: boolean;
  readonly bounds: MeshBounds;
  readonly netExportWh: number[];
  readonly margin: readonly Margin[];
  readonly greenMargin: readonly Margin[];
  /** Per island root: green offers less green-only bids, Wh. */
  readonly greenSlackWh: number[];
  /** At limits as they count, bids less fee; nano-token. */
  welfareNano: bigint;
}

type Visit = (
  zone: number,
  order: { readonly sign: 1 | -1; readonly limit: number; readonly edge: boolean; readonly green: boolean },
  energyWh: number,
  at: number,
) => void;

/** Calls `visit` for every live order, with its limit as it counts; `green` where it trades at the green price. */
export const eachOrder = ({ columns, terms, band }: MeshMarket, visit: Visit): boolean => {
  const live = liveOrders(columns);
  const hasGreen = hasGreenBid(columns, live);
  const { bidCap, offerFloor } = limitBounds(terms);
  for (let i = 0; i < columns.count; i += 1) {
    if (!live[i]) continue;
    const zone = columns.zone[i] as number;
    const flags = columns.flags[i] as number;
    const signed = columns.price[i] as number;
    const green = hasGreen && (flags & GREEN) !== 0;
    const { fee } = terms[zone] as ZoneTerms;
    if (flags & OFFER) {
      const limit = Math.max(signed, offerFloor[zone] as number);
      visit(zone, { sign: 1, limit, edge: limit === band.min, green }, columns.energyWh[i] as number, i);
    } else {
      const limit = Math.min(signed, bidCap[zone] as number) - fee;
      visit(zone, { sign: -1, limit, edge: limit + fee === band.max, green }, columns.energyWh[i] as number, i);
    }
  }
  return hasGreen;
};

/** Derives from posted prices and totals what every zone trades. @throws Refusal when they contradict the book */
export const tallyOf = (market: MeshMarket, posted: MeshPosting): Tally => {
  const count = market.terms.length;
  const zeros = (): number[] => new Array<number>(count).fill(0);
  const margins = (): Margin[] => market.terms.map(() => ({ bidLeftWh: 0, offerLeftWh: 0 }));
  const tally: Tally = {
    root: limitBounds(market.terms).root,
    hasGreen: hasGreenBid(market.columns, liveOrders(market.columns)),
    bounds: openMeshBounds(count),
    netExportWh: zeros(),
    margin: margins(),
    greenMargin: margins(),
    greenSlackWh: zeros(),
    welfareNano: 0n,
  };
  if (posted.postings.length !== count) refuse(`${posted.postings.length} postings for ${count} zones`);
  if (posted.green.length !== (tally.hasGreen ? count : 0)) refuse(`${posted.green.length} green postings`);
  if (posted.mu.length !== market.limits.length) refuse(`${posted.mu.length} mu for ${market.limits.length} limits`);
  takeOrders(market, posted, tally);
  takeMargins(market, posted, tally);
  takeBackups(market, posted, tally);
  takeTrades(market, posted, tally);
  return tally;
};

const take = (tally: Tally, zone: number, sign: 1 | -1, green: boolean, limit: number, filledWh: number): void => {
  tally.netExportWh[zone] = (tally.netExportWh[zone] as number) + sign * filledWh;
  tally.welfareNano -= BigInt(sign * filledWh) * BigInt(limit);
  const top = tally.root[zone] as number;
  if (green) tally.greenSlackWh[top] = (tally.greenSlackWh[top] as number) + sign * filledWh;
};

/** Better orders are full, worse ones empty; what stands at the price is summed. */
const takeOrders = (market: MeshMarket, { postings, green }: MeshPosting, tally: Tally): void => {
  eachOrder(market, (zone, order, energyWh) => {
    const price = order.green ? green[zone]?.price : postings[zone]?.price;
    const gain = ((price as number) - order.limit) * order.sign;
    if (gain === 0) {
      const left = (order.green ? tally.greenMargin : tally.margin)[zone] as Margin;
      if (order.sign > 0) left.offerLeftWh += energyWh;
      else left.bidLeftWh += energyWh;
      return;
    }
    noteFill(order.green ? tally.bounds.green : tally.bounds.ordinary, zone, order, gain > 0, gain > 0);
    if (gain > 0) take(tally, zone, order.sign, order.green, order.limit, energyWh);
  });
};

/** The posted totals fill what stands at the price. */
const takeMargins = ({ terms, band }: MeshMarket, posted: MeshPosting, tally: Tally): void => {
  terms.forEach(({ fee }, zone) => {
    for (const isGreen of tally.hasGreen ? [false, true] : [false]) {
      const own = (isGreen ? posted.green[zone] : posted.postings[zone]) as GreenPosting;
      const left = (isGreen ? tally.greenMargin : tally.margin)[zone] as Margin;
      const bounds = isGreen ? tally.bounds.green : tally.bounds.ordinary;
      const fill = (sign: 1 | -1, availableWh: number, filledWh: number, edge: boolean): void => {
        if (!(filledWh >= 0 && filledWh <= availableWh)) refuse(`zone ${zone} fills ${filledWh} of ${availableWh} Wh`);
        if (availableWh === 0) return;
        const order = { sign, limit: own.price, edge };
        noteFill(bounds, zone, order, filledWh > 0, filledWh === availableWh);
        take(tally, zone, sign, isGreen, own.price, filledWh);
      };
      fill(-1, left.bidLeftWh, own.marginalBidWh, own.price + fee === band.max);
      fill(1, left.offerLeftWh, own.marginalOfferWh, own.price === band.min);
      left.bidLeftWh -= own.marginalBidWh;
      left.offerLeftWh -= own.marginalOfferWh;
    }
  });
};

const takeBackups = ({ terms }: MeshMarket, { postings }: MeshPosting, tally: Tally): void => {
  terms.forEach(({ hasBackup, backupCapacityWh, backupSell, backupBuy, fee }, zone) => {
    const { price, backupSoldWh, backupBoughtWh } = postings[zone] as ZonePosting;
    const capacityWh = hasBackup ? backupCapacityWh : 0;
    for (const sign of [-1, 1] as const) {
      const filledWh = sign > 0 ? backupSoldWh : backupBoughtWh;
      const limit = sign > 0 ? backupSell - fee : backupBuy;
      if (!(filledWh >= 0 && filledWh <= capacityWh)) refuse(`the backup in ${zone} fills ${filledWh} Wh`);
      if (capacityWh === 0) continue;
      const gain = (price - limit) * sign;
      if (gain > 0 && filledWh < capacityWh) refuse(`the backup in ${zone} gains and is not full`);
      if (gain < 0 && filledWh > 0) refuse(`the backup in ${zone} trades at a loss`);
      noteFill(tally.bounds.ordinary, zone, { sign, limit, edge: false }, filledWh > 0, filledWh === capacityWh);
      take(tally, zone, sign, false, limit, filledWh);
    }
  });
};

const takeTrades = ({ trades }: MeshMarket, { tradesWh }: MeshPosting, tally: Tally): void => {
  const { root, netExportWh } = tally;
  if (tradesWh.length !== trades.length) refuse(`${tradesWh.length} fills of ${trades.length} trades`);
  trades.forEach(({ from, to, limitWh, maxSpread }, k) => {
    const filledWh = tradesWh[k] as number;
    if (!(filledWh >= 0 && filledWh <= limitWh)) refuse(`trade ${k} fills ${filledWh} of ${limitWh} Wh`);
    if (root[from] !== root[to] && filledWh > 0) refuse(`trade ${k} crosses islands`);
    netExportWh[from] = (netExportWh[from] as number) + filledWh;
    netExportWh[to] = (netExportWh[to] as number) - filledWh;
    tally.welfareNano += BigInt(maxSpread) * BigInt(filledWh);
  });
};

/** What every order and trade could gain at the exact prices, and what every limit earns; 1e-12 nano-token. */
export const dualOf = (
  market: MeshMarket,
  { mu }: MeshPosting,
  root: Int32Array,
  exact: readonly bigint[],
  gamma: readonly bigint[],
): bigint => {
  let dual = 0n;
  const gain = (price: bigint, sign: 1 | -1, limit: number, energyWh: number): void => {
    const own = (price - BigInt(limit) * PRICE_UNIT) * BigInt(sign);
    if (own > 0n) dual += own * BigInt(energyWh);
  };
  eachOrder(market, (zone, { sign, limit, green }, energyWh) =>
    gain((exact[zone] as bigint) + (green ? (gamma[zone] as bigint) : 0n), sign, limit, energyWh),
  );
  market.terms.forEach(({ hasBackup, backupCapacityWh, backupSell, backupBuy, fee }, zone) => {
    if (!hasBackup) return;
    gain(exact[zone] as bigint, 1, backupSell - fee, backupCapacityWh);
    gain(exact[zone] as bigint, -1, backupBuy, backupCapacityWh);
  });
  for (const { from, to, limitWh, maxSpread } of market.trades) {
    if (root[from] === root[to]) gain((exact[to] as bigint) - (exact[from] as bigint), -1, maxSpread, limitWh);
  }
  market.limits.forEach(({ minWh, maxWh }, l) => {
    const own = mu[l] as bigint;
    dual += own * BigInt(own > 0n ? maxWh : minWh) * 1_000_000n;
  });
  return dual;
};
