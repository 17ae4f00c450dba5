import { mulDivFloor } from "./exact.ts";
import { groupsOf } from "./groups.ts";
import { limitBounds } from "./keys.ts";
import { GREEN, OFFER, PRIORITIES, PRIORITY_MASK, PRIORITY_SHIFT } from "./types.ts";
import type { OrderColumns, Priority, ZoneTerms } from "./types.ts";
import { liveOrders } from "./words.ts";

/** A cleared market, with what to call its parts. Per zone and per order as in the clearing. */
export interface Explainable {
  readonly columns: OrderColumns;
  readonly terms: readonly ZoneTerms[];
  readonly orderNames: readonly string[];
  readonly zoneNames: readonly string[];
  /** Name of the line from a zone to its parent. */
  readonly lineName: (child: number) => string;
  readonly prices: ArrayLike<number>;
  readonly fillsWh: ArrayLike<number>;
  /** Green premium per zone; left out: none. */
  readonly premiums?: ArrayLike<number>;
  /** Of a meshed network: a clause naming the full limit that keeps a better price away; left out: radial. */
  readonly behind?: (zone: number, isOffer: boolean) => string;
}

/** One side of one zone, green orders apart: its orders whose limit is the price, and those of each priority class. */
interface Margin extends Share {
  readonly classes: Map<Priority, Share>;
}

interface Share {
  availableWh: number;
  filledWh: number;
}

/**
 * Why each order was or was not filled: one sentence per order, in order of append. Prices micro-token per kWh. It reads
 * prices and fills only, so it explains any clearing, whoever found it.
 */
export const explainClearing = (market: Explainable): string[] => {
  const live = liveOrders(market.columns);
  const orders = ordersOf(market, live);
  const margins = marginsOf(market, orders, live);
  return orders.map((order, i) => {
    const name = market.orderNames[i];
    const what = `${name} (${kindOf(order)} of ${order.energyWh} Wh in ${market.zoneNames[order.zone]})`;
    if (order.energyWh === 0) return `${name}: nothing to fill, since it is for 0 Wh.`;
    if (!live[i]) return `${what}: not filled, since a later order of the same point replaced it.`;
    const margin = (order.isOffer ? margins.offers : margins.bids)[order.group] as Margin;
    return `${what}: ${reasonOf(market, order, margin, market.fillsWh[i] as number)}.`;
  });
};

const kindOf = ({ isOffer, isGreen }: Order): string => {
  if (isOffer) return isGreen ? "green offer" : "offer";
  return isGreen ? "green-only bid" : "bid";
};

interface Order {
  readonly zone: number;
  /** Its zone, or the twin in which the zone's green orders trade. */
  readonly group: number;
  readonly isOffer: boolean;
  readonly isGreen: boolean;
  /** What green orders trade at beyond the zone price. */
  readonly premium: number;
  /** Where it counts: of a bid in an island without backup. */
  readonly priority: Priority | undefined;
  readonly energyWh: number;
  readonly fee: number;
  /** As signed, fee included. */
  readonly limit: number;
  /** As it counts beside the tariffs, in the zone's own price. */
  readonly counted: number;
  /** The tariff that the limit counts as; undefined where it counts as signed. */
  readonly tariff: number | undefined;
}

const ordersOf = ({ columns, terms, premiums }: Explainable, live: Uint8Array): Order[] => {
  const { bidCap, offerFloor } = limitBounds(terms);
  const groups = groupsOf(columns, live, terms.length);
  return Array.from({ length: columns.count }, (_, i) => {
    const zone = columns.zone[i] as number;
    const flags = columns.flags[i] as number;
    const isOffer = (flags & OFFER) !== 0;
    const group = groups.of[i] as number;
    const limit = columns.price[i] as number;
    const fee = terms[zone]?.fee ?? 0;
    const tariff = (isOffer ? offerFloor : bidCap)[zone] as number;
    const bound = isOffer ? Math.max(limit, tariff) : Math.min(limit, tariff);
    return {
      zone,
      group,
      isOffer,
      isGreen: (flags & GREEN) !== 0,
      premium: group === zone ? 0 : (premiums?.[zone] ?? 0),
      priority:
        isOffer || bidCap[zone] !== Infinity ? undefined : PRIORITIES[(flags >> PRIORITY_SHIFT) & PRIORITY_MASK],
      energyWh: columns.energyWh[i] as number,
      fee,
      limit,
      counted: isOffer ? bound : bound - fee,
      tariff: bound === limit ? undefined : tariff,
    };
  });
};

const marginsOf = (
  market: Explainable,
  orders: readonly Order[],
  live: Uint8Array,
): { bids: Margin[]; offers: Margin[] } => {
  const open = (): Margin[] =>
    Array.from({ length: 2 * market.terms.length }, () => ({ availableWh: 0, filledWh: 0, classes: new Map() }));
  const margins = { bids: open(), offers: open() };
  orders.forEach((order, i) => {
    const { isOffer, group, priority, energyWh } = order;
    if (!live[i] || order.counted !== priceOf(market, order)) return;
    const margin = (isOffer ? margins.offers : margins.bids)[group] as Margin;
    const shares: Share[] = [margin];
    if (priority) {
      const own = margin.classes.get(priority) ?? { availableWh: 0, filledWh: 0 };
      margin.classes.set(priority, own);
      shares.push(own);
    }
    for (const share of shares) {
      share.availableWh += energyWh;
      share.filledWh += market.fillsWh[i] as number;
    }
  });
  return margins;
};

/** What the order trades at: its zone's price and, if it is green, the premium. */
const priceOf = ({ prices }: Explainable, { zone, premium }: Order): number => (prices[zone] as number) + premium;

const reasonOf = (market: Explainable, order: Order, margin: Margin, filledWh: number): string => {
  const { isOffer, energyWh, counted } = order;
  const price = priceOf(market, order);
  const gain = isOffer ? price - counted : counted - price;
  const at = (how: string): string => `${priceWords(order, price)}, ${how} ${limitWords(order)}`;
  if (gain > 0) return `filled in full, since ${at("better than")}`;
  if (gain < 0) return `not filled, since ${at("worse than")}${behindLine(market, order)}`;
  const kind = isOffer ? "offers" : "bids";
  if (margin.filledWh === margin.availableWh)
    return `filled in full: ${at("exactly")}, and all ${kind} at it were served`;
  const blocked = behindLine(market, order);
  if (margin.filledWh === 0) {
    return `not filled: ${at("exactly")}, and nothing was left to ${isOffer ? "sell to" : "buy"} at it${blocked}`;
  }
  const own = (order.priority && margin.classes.get(order.priority)) ?? margin;
  const share = mulDivFloor(energyWh, own.filledWh, own.availableWh);
  const parts = filledWh > share ? `${share} Wh, and 1 Wh of the remainder as one of the first` : `${share} Wh`;
  const much = filledWh === energyWh ? "in full" : `with ${filledWh} of ${energyWh} Wh`;
  return `filled ${much}: ${at("exactly")}, where ${kind} of ${margin.availableWh} Wh share ${margin.filledWh} Wh ${ration(margin, order, own)}pro rata (${parts})${blocked}`;
};

/** How much of a margin the order's class gets, where classes differ. */
const ration = ({ classes }: Margin, { priority }: Order, own: Share): string =>
  classes.size > 1
    ? `by priority, of which ${own.filledWh} Wh go to the ${own.availableWh} Wh of ${priority} ones, `
    : "";

const priceWords = ({ isOffer, fee, premium }: Order, price: number): string => {
  const parts = [
    ...(premium === 0 ? [] : [`green premium ${premium}`]),
    ...(isOffer || fee === 0 ? [] : [`fee ${fee}`]),
  ];
  const total = isOffer ? `selling earns ${price}` : `buying costs ${price + fee}`;
  return parts.length === 0 ? total : `${total} (price ${price - premium}, ${parts.join(", ")})`;
};

const limitWords = ({ isOffer, limit, tariff }: Order): string => {
  if (tariff === undefined) return `its limit ${limit}`;
  return `its limit ${limit}, which counts as the ${isOffer ? "export" : "import"} tariff ${tariff} that is open to everybody`;
};

/**
 * A full line behind which the order would have been better than the price: the nearest one, reached over zones of the
 * order's own price.
 */
const behindLine = (market: Explainable, order: Order): string => {
  if (market.behind) return market.behind(order.zone, order.isOffer);
  const { terms, prices, zoneNames, lineName } = market;
  const price = priceOf(market, order);
  const seen = new Set([order.zone]);
  const queue = [order.zone];
  for (let zone = queue.shift(); zone !== undefined; zone = queue.shift()) {
    for (const { child, other, limitWh } of linesAt(terms, zone, order.isOffer)) {
      if (seen.has(other)) continue;
      seen.add(other);
      const there = (prices[other] as number) + order.premium;
      if (there === price) queue.push(other);
      else if (order.isOffer ? there >= order.counted && there > price : there <= order.counted && there < price) {
        const full = limitWh === 0 ? "takes nothing" : `is full with ${limitWh} Wh`;
        return `; ${lineName(child)} ${full}, so that the price ${there - order.premium} in ${zoneNames[other]} does not reach it`;
      }
    }
  }
  return "";
};

/** Lines at a zone; the limit is that of energy going out of the zone for an offer, into it for a bid. */
const linesAt = (
  terms: readonly ZoneTerms[],
  zone: number,
  outward: boolean,
): { child: number; other: number; limitWh: number }[] =>
  terms.flatMap(({ parent, toParentWh, fromParentWh }, child) => {
    if (parent === child || (child !== zone && parent !== zone)) return [];
    const up = (child === zone) === outward;
    return [{ child, other: child === zone ? parent : child, limitWh: up ? toParentWh : fromParentWh }];
  });
