import { withBackups } from "./backups.ts";
import type { MarketBackup } from "./backups.ts";
import { MOST_JOINT_WH } from "./joint.ts";
import { GREEN, MarketError, OFFER, PRIORITIES, PRIORITY_SHIFT } from "./types.ts";
import type { OrderColumns, PriceBand, Priority, TradeTerms, ZoneTerms } from "./types.ts";
import { networkOf } from "./topology.ts";

/** A market as people write it (MARKET.json). Shapes are checked before; `compileMarket` checks what they mean. */
export interface Market {
  readonly slot?: number | undefined;
  readonly zones?: readonly string[] | undefined;
  readonly feesMicroPerKwh?: Readonly<Record<string, number>> | undefined;
  readonly lines?: readonly MarketLine[] | undefined;
  readonly constraints?: readonly MarketConstraint[] | undefined;
  readonly backup?: readonly MarketBackup[] | undefined;
  readonly bilaterals?: readonly MarketBilateral[] | undefined;
  readonly orders: readonly MarketOrder[];
  readonly priceBand?: { readonly min: number; readonly max: number } | undefined;
}

export interface MarketLine {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly capacityWh: number;
  readonly reactance?: number | undefined;
}

export interface MarketConstraint {
  readonly id: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly maxWh?: number | undefined;
  readonly minWh?: number | undefined;
}

export interface MarketBilateral {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly energyWh: number;
  readonly maxSpreadMicroPerKwh: number;
}

export interface MarketOrder {
  readonly id: string;
  readonly side: "bid" | "offer";
  readonly zone?: string | undefined;
  readonly energyWh: number;
  /** null: any price. */
  readonly priceMicroPerKwh: number | null;
  /** On a bid: green only. On an offer: certified renewable. */
  readonly green?: boolean | undefined;
  /** Of a bid: what its margin weighs where an island without backup has too little. */
  readonly priority?: Priority | undefined;
  readonly account?: string | undefined;
}

/** A market ready to clear. Zones are reordered so that parents stand before their children. */
export interface CompiledMarket {
  /** Names of the zones in the order of `terms`. */
  readonly zones: readonly string[];
  readonly terms: readonly ZoneTerms[];
  readonly band: PriceBand;
  readonly columns: OrderColumns;
  readonly orderIds: readonly string[];
  /** `child`: the zone whose line to its parent this is, -1 when it closes a loop; `upward`: `from` is that zone. */
  readonly lines: readonly {
    id: string;
    from: number;
    to: number;
    child: number;
    upward: boolean;
    capacityWh: number;
    reactance?: number | undefined;
  }[];
  readonly constraints: readonly MarketConstraint[];
  readonly bilaterals: readonly MarketBilateral[];
  /** The bilateral trades by zone number. */
  readonly trades: readonly TradeTerms[];
}

export const DEFAULT_BAND = { min: -1_000_000, max: 10_000_000 } as const;
/** One proof holds at most this many zones: a zone is a byte of the order word. */
export const MAX_ZONES = 256;

const UNNAMED_ZONE = "zone";

/**
 * Checks what a market means and turns it into columns.
 * @throws MarketError naming the field and what to change
 */
export const compileMarket = (market: Market): CompiledMarket => {
  const band = market.priceBand ?? DEFAULT_BAND;
  if (band.min > band.max) throw new MarketError("priceBand", "min must not be above max");
  const names = zoneNames(market);
  const lines = market.lines ?? [];
  unique(
    lines.map(({ id }) => id),
    "lines",
  );
  const network = networkOf(names, lines);
  const zoneOf = (name: string, path: string): number => {
    const zone = network.indexOf.get(name);
    if (zone !== undefined) return zone;
    throw new MarketError(path, `names the unknown zone "${name}": use one of ${listed(names)}`);
  };
  const fees = feesOf(market, zoneOf);
  const terms = withBackups(market.backup ?? [], network.terms, network.names, fees, zoneOf);
  const bilaterals = checkedBilaterals(market, zoneOf);
  const compiled: CompiledMarket = {
    zones: network.names,
    terms,
    band: { ...band, reference: Math.min(band.max, Math.max(band.min, 0)) },
    columns: columnsOf(market, names, band, zoneOf),
    orderIds: market.orders.map(({ id }) => id),
    lines: network.lines,
    constraints: checkedConstraints(market, zoneOf),
    bilaterals,
    trades: bilaterals.map(({ from, to, energyWh, maxSpreadMicroPerKwh }) => ({
      from: network.indexOf.get(from) as number,
      to: network.indexOf.get(to) as number,
      limitWh: energyWh,
      maxSpread: maxSpreadMicroPerKwh,
    })),
  };
  checkTotal(compiled);
  return compiled;
};

const listed = (names: readonly string[]): string =>
  `${names
    .slice(0, 8)
    .map((name) => `"${name}"`)
    .join(", ")}${names.length > 8 ? ", ..." : ""}`;

const unique = (ids: readonly string[], path: string): void => {
  const seen = new Map<string, number>();
  ids.forEach((id, i) => {
    const first = seen.get(id);
    if (first !== undefined) {
      throw new MarketError(
        `${path}[${i}].id`,
        `"${id}" stands at ${path}[${first}] already: give every entry its own id`,
      );
    }
    seen.set(id, i);
  });
};

/** The zones listed, or the single one that the orders and the backup name. */
const zoneNames = (market: Market): readonly string[] => {
  if (market.zones) {
    const twice = market.zones.find((name, i) => market.zones?.indexOf(name) !== i);
    if (twice !== undefined) throw new MarketError("zones", `"${twice}" is listed twice: list every zone once`);
    if (market.zones.length === 0) throw new MarketError("zones", "is empty: list at least one zone, or leave it out");
    if (market.zones.length > MAX_ZONES) {
      throw new MarketError(
        "zones",
        `${market.zones.length} zones are more than one proof takes: use at most ${MAX_ZONES}`,
      );
    }
    return market.zones;
  }
  const named = new Set<string>();
  for (const { zone } of market.orders) if (zone !== undefined) named.add(zone);
  for (const { zone } of market.backup ?? []) named.add(zone);
  for (const zone of Object.keys(market.feesMicroPerKwh ?? {})) named.add(zone);
  for (const { from, to } of market.lines ?? []) named.add(from).add(to);
  if (named.size > 1) throw new MarketError("zones", `is missing: list the zones ${listed([...named])}`);
  return [...named, UNNAMED_ZONE].slice(0, 1);
};

const feesOf = (market: Market, zoneOf: (name: string, path: string) => number): Map<number, number> =>
  new Map(
    Object.entries(market.feesMicroPerKwh ?? {}).map(([name, fee]) => [zoneOf(name, `feesMicroPerKwh.${name}`), fee]),
  );

const columnsOf = (
  market: Market,
  names: readonly string[],
  band: { min: number; max: number },
  zoneOf: (name: string, path: string) => number,
): OrderColumns => {
  unique(
    market.orders.map(({ id }) => id),
    "orders",
  );
  const count = market.orders.length;
  const columns = {
    count,
    zone: new Uint16Array(count),
    flags: new Uint8Array(count),
    energyWh: new Uint32Array(count),
    price: new Float64Array(count),
  };
  market.orders.forEach((order, i) => {
    const path = `orders[${i}]`;
    if (order.zone === undefined && names.length > 1) {
      throw new MarketError(`${path}.zone`, `is missing: use one of ${listed(names)}`);
    }
    if (order.priority !== undefined && order.side === "offer") {
      throw new MarketError(`${path}.priority`, "belongs to bids: leave it out of offers");
    }
    const price = order.priceMicroPerKwh ?? (order.side === "bid" ? band.max : band.min);
    if (price < band.min || price > band.max) {
      throw new MarketError(
        `${path}.priceMicroPerKwh`,
        `${price} is outside the price band ${band.min} to ${band.max}`,
      );
    }
    columns.zone[i] = zoneOf(order.zone ?? (names[0] as string), `${path}.zone`);
    const priority = PRIORITIES.indexOf(order.priority ?? "normal") << PRIORITY_SHIFT;
    columns.flags[i] = (order.side === "offer" ? OFFER : 0) | (order.green ? GREEN : 0) | priority;
    columns.energyWh[i] = order.energyWh;
    columns.price[i] = price;
  });
  return columns;
};

const checkedConstraints = (
  market: Market,
  zoneOf: (name: string, path: string) => number,
): readonly MarketConstraint[] => {
  const constraints = market.constraints ?? [];
  unique(
    [...(market.lines ?? []), ...constraints].map(({ id }) => id),
    "lines and constraints",
  );
  constraints.forEach((constraint, i) => {
    for (const zone of Object.keys(constraint.weights)) zoneOf(zone, `constraints[${i}].weights.${zone}`);
    const { minWh = -Infinity, maxWh = Infinity } = constraint;
    if (minWh > 0 || maxWh < 0) {
      throw new MarketError(`constraints[${i}]`, "must allow no trade at all: minWh at most 0, maxWh at least 0");
    }
  });
  return constraints;
};

const checkedBilaterals = (
  market: Market,
  zoneOf: (name: string, path: string) => number,
): readonly MarketBilateral[] => {
  const bilaterals = market.bilaterals ?? [];
  unique(
    bilaterals.map(({ id }) => id),
    "bilaterals",
  );
  bilaterals.forEach((bilateral, i) => {
    zoneOf(bilateral.from, `bilaterals[${i}].from`);
    zoneOf(bilateral.to, `bilaterals[${i}].to`);
  });
  return bilaterals;
};

const checkTotal = ({ columns, terms, trades }: CompiledMarket): void => {
  let total = 0;
  for (const { limitWh } of trades) total += limitWh;
  for (const energyWh of columns.energyWh) total += energyWh;
  for (const zone of terms) total += 2 * zone.backupCapacityWh;
  const greenOnly = columns.flags.some((flags) => (flags & GREEN) !== 0 && !(flags & OFFER));
  const joint = greenOnly || trades.length > 0;
  if (total > (joint ? MOST_JOINT_WH : Number.MAX_SAFE_INTEGER)) {
    throw new MarketError(
      "orders",
      joint
        ? "with green-only bids or bilaterals all energies and backup capacities together exceed 2^50 Wh: use smaller ones"
        : "all energies and backup capacities together exceed 2^53 Wh: use smaller ones",
    );
  }
};
