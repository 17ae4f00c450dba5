import { clearBook } from "./clear.ts";
import { createExactSum } from "./exact.ts";
import { explainClearing } from "./explain.ts";
import { limitBounds } from "./keys.ts";
import type { CompiledMarket } from "./market.ts";
import { MarketError, OFFER } from "./types.ts";
import type { ZoneTerms } from "./types.ts";

/** RESULT.json. Money is nano-token in decimal, since it may exceed what a JSON number holds. */
export interface MarketResult {
  readonly status: "cleared" | "no-trade";
  readonly pricesMicroPerKwh: Record<string, number | null>;
  readonly greenPremiumMicroPerKwh: number;
  readonly fillsWh: Record<string, number>;
  readonly backupWh: Record<string, { sold: number; bought: number }>;
  readonly netExportWh: Record<string, number>;
  readonly flowsWh: Record<string, number>;
  readonly shadowPricesMicroPerKwh: Record<string, number>;
  readonly bilateralsWh: Record<string, number>;
  readonly volumeWh: number;
  readonly feesNano: string;
  readonly congestionRentNano: string;
  readonly welfareNano: string;
  readonly dualNano: string;
  readonly gapNano: string;
  readonly gapBoundNano: string;
  /** Meshed networks only: per island, its lowest zone name as key. */
  readonly lambdaMicroPerKwh?: Record<string, number> | undefined;
}

/** What a clearing decides; everything else in a result follows from it. Per zone and order as in the compiled market. */
export interface Decision {
  readonly prices: ArrayLike<number>;
  readonly fillsWh: ArrayLike<number>;
  readonly backups: readonly { readonly backupSoldWh: number; readonly backupBoughtWh: number }[];
  /** Zone price plus the island's green premium; left out where green offers count as ordinary ones. */
  readonly greenPrices?: ArrayLike<number>;
  /** Fill per bilateral trade of the market; left out: none. */
  readonly tradesWh?: ArrayLike<number>;
  /** Left out: radial, all of it follows from prices and fills. */
  readonly network?: NetworkOutcome;
}

/** What a network that is no tree, or has general constraints, adds to a decision; its solver says it all. */
export interface NetworkOutcome {
  readonly flowsWh: Record<string, number>;
  readonly shadowPricesMicroPerKwh: Record<string, number>;
  readonly lambdaMicroPerKwh: Record<string, number>;
  /** The dual objective at the exact prices, rounded up to whole nano. */
  readonly dualNano: bigint;
  /** What integer fills may cost at most: dual less welfare is at most this. */
  readonly gapBoundNano: bigint;
}

/**
 * Clears a market.
 * @throws MarketError when a general constraint would bind (they are checked, not yet solved for)
 */
export const clearMarket = (market: CompiledMarket): MarketResult => {
  const result = describe(market, decide(market));
  checkConstraints(market, result);
  return result;
};

/** The seam between radial networks and all others. */
const decide = (market: CompiledMarket): Decision => clearRadial(market);

const clearRadial = ({ columns, terms, band, lines }: CompiledMarket): Decision => {
  const loop = lines.findIndex(({ child }) => child < 0);
  if (loop >= 0) {
    const message = `"${lines[loop]?.id}" closes a loop: meshed networks are not supported yet, remove a line`;
    throw new MarketError(`lines[${loop}]`, message);
  }
  const { postings, green, fillsWh, tradesWh } = clearBook(columns, terms, band);
  return {
    prices: postings.map(({ price }) => price),
    fillsWh,
    backups: postings,
    tradesWh,
    ...(green.length > 0 ? { greenPrices: green.map(({ price }) => price) } : {}),
  };
};

/** One sentence per order of a result, why it was or was not filled. */
export const explain = (market: CompiledMarket, result: MarketResult): string[] => {
  const lineOf = new Map(market.lines.map(({ id, child }) => [child, id]));
  return explainClearing({
    ...market,
    orderNames: market.orderIds,
    zoneNames: market.zones,
    lineName: (child) => `line ${lineOf.get(child)}`,
    prices: market.zones.map((zone) => result.pricesMicroPerKwh[zone] ?? market.band.reference),
    fillsWh: market.orderIds.map((id) => result.fillsWh[id] ?? 0),
  });
};

/** Derives a whole result from what a clearing decides. */
export const describe = (market: CompiledMarket, decision: Decision): MarketResult => {
  const { terms, zones, lines } = market;
  const prices = Array.from(decision.prices);
  const netExport = netExports(market, decision);
  const toParent = netExport.slice();
  for (let i = terms.length - 1; i >= 0; i -= 1) {
    const parent = (terms[i] as ZoneTerms).parent;
    if (parent !== i) toParent[parent] = (toParent[parent] as number) + (toParent[i] as number);
  }
  const withValue = zonesWithValue(market);
  const sums = moneySums(market, decision);
  const rent = createExactSum();
  netExport.forEach((exportWh, i) => rent.add(-exportWh, prices[i] as number));
  const network = decision.network ?? {
    flowsWh: Object.fromEntries(
      lines.map(({ id, child, upward }) => [id, (upward ? 1 : -1) * (toParent[child] as number) + 0]),
    ),
    shadowPricesMicroPerKwh: Object.fromEntries([
      ...lines.map(({ id, from, to }) => [id, (prices[to] as number) - (prices[from] as number)]),
      ...market.constraints.map(({ id }) => [id, 0]),
    ]),
    lambdaMicroPerKwh: undefined,
    dualNano: dualOf(market, prices),
    gapBoundNano: 0n,
  };
  const byZone = <T>(value: (zone: number) => T): Record<string, T> =>
    Object.fromEntries(zones.map((name, i) => [name, value(i)]));
  return {
    status: sums.volumeWh > 0 ? "cleared" : "no-trade",
    pricesMicroPerKwh: byZone((i) => (withValue[i] ? (prices[i] as number) : null)),
    greenPremiumMicroPerKwh: 0,
    fillsWh: Object.fromEntries(market.orderIds.map((id, i) => [id, decision.fillsWh[i] ?? 0])),
    backupWh: Object.fromEntries(
      zones.flatMap((name, i) => {
        const own = decision.backups[i];
        return terms[i]?.hasBackup ? [[name, { sold: own?.backupSoldWh ?? 0, bought: own?.backupBoughtWh ?? 0 }]] : [];
      }),
    ),
    netExportWh: byZone((i) => netExport[i] as number),
    flowsWh: network.flowsWh,
    shadowPricesMicroPerKwh: network.shadowPricesMicroPerKwh,
    bilateralsWh: Object.fromEntries(market.bilaterals.map(({ id }, i) => [id, decision.tradesWh?.[i] ?? 0])),
    volumeWh: sums.volumeWh,
    feesNano: String(sums.feesNano),
    congestionRentNano: String(rent.value()),
    welfareNano: String(sums.welfareNano),
    dualNano: String(network.dualNano),
    gapNano: String(network.dualNano - sums.welfareNano),
    gapBoundNano: String(network.gapBoundNano),
    ...(network.lambdaMicroPerKwh ? { lambdaMicroPerKwh: network.lambdaMicroPerKwh } : {}),
  };
};

/** The limit an order counts with, in its zone's own price; bids net of the fee. */
export const effectiveLimits = (market: CompiledMarket): Float64Array => {
  const { columns, terms } = market;
  const { bidCap, offerFloor } = limitBounds(terms);
  return Float64Array.from({ length: columns.count }, (_, i) => {
    const z = columns.zone[i] as number;
    const limit = columns.price[i] as number;
    return (columns.flags[i] as number) & OFFER
      ? Math.max(limit, offerFloor[z] as number)
      : Math.min(limit, bidCap[z] as number) - (terms[z] as ZoneTerms).fee;
  });
};

const netExports = ({ columns, terms }: CompiledMarket, decision: Decision): number[] => {
  const exports = terms.map((_, i) => {
    const own = decision.backups[i];
    return own ? own.backupSoldWh - own.backupBoughtWh : 0;
  });
  for (let i = 0; i < columns.count; i += 1) {
    const z = columns.zone[i] as number;
    const sign = (columns.flags[i] as number) & OFFER ? 1 : -1;
    exports[z] = (exports[z] as number) + sign * (decision.fillsWh[i] ?? 0) + 0;
  }
  return exports;
};

/** An island has a value once anything in it could trade. */
const zonesWithValue = ({ columns, terms }: CompiledMarket): boolean[] => {
  const { root } = limitBounds(terms);
  const islands = new Set<number>();
  terms.forEach((zone, i) => zone.hasBackup && islands.add(root[i] as number));
  for (let i = 0; i < columns.count; i += 1) {
    if (columns.energyWh[i]) islands.add(root[columns.zone[i] as number] as number);
  }
  return terms.map((_, i) => islands.has(root[i] as number));
};

const moneySums = (
  market: CompiledMarket,
  decision: Decision,
): { volumeWh: number; feesNano: bigint; welfareNano: bigint } => {
  const { columns, terms } = market;
  const limits = effectiveLimits(market);
  const fees = createExactSum();
  const welfare = createExactSum();
  let volumeWh = 0;
  for (let i = 0; i < columns.count; i += 1) {
    const filledWh = decision.fillsWh[i] ?? 0;
    if (filledWh === 0) continue;
    if ((columns.flags[i] as number) & OFFER) welfare.add(-filledWh, limits[i] as number);
    else {
      volumeWh += filledWh;
      fees.add(filledWh, (terms[columns.zone[i] as number] as ZoneTerms).fee);
      welfare.add(filledWh, limits[i] as number);
    }
  }
  terms.forEach((zone, i) => {
    const { backupSoldWh = 0, backupBoughtWh = 0 } = decision.backups[i] ?? {};
    volumeWh += backupBoughtWh;
    welfare.add(backupBoughtWh, zone.backupBuy);
    welfare.add(-backupSoldWh, zone.backupSell - zone.fee);
  });
  return { volumeWh, feesNano: fees.value(), welfareNano: welfare.value() };
};

/**
 * The dual objective: an upper bound on the welfare of any feasible clearing. What every order could gain at its zone's
 * price, and what every line earns per Wh of its limit.
 */
const dualOf = (market: CompiledMarket, prices: readonly number[]): bigint => {
  const { columns, terms } = market;
  const limits = effectiveLimits(market);
  const dual = createExactSum();
  for (let i = 0; i < columns.count; i += 1) {
    const price = prices[columns.zone[i] as number] as number;
    const gain = (columns.flags[i] as number) & OFFER ? price - (limits[i] as number) : (limits[i] as number) - price;
    if (gain > 0) dual.add(columns.energyWh[i] as number, gain);
  }
  terms.forEach((zone, i) => {
    const price = prices[i] as number;
    if (zone.hasBackup) {
      dual.add(zone.backupCapacityWh, Math.max(0, price - (zone.backupSell - zone.fee)));
      dual.add(zone.backupCapacityWh, Math.max(0, zone.backupBuy - price));
    }
    const rise = (prices[zone.parent] as number) - price;
    dual.add(rise > 0 ? zone.toParentWh : zone.fromParentWh, Math.abs(rise));
  });
  return dual.value();
};

/** General constraints are only checked: a slack one changes nothing, any other is refused. */
const checkConstraints = ({ constraints, zones, terms }: CompiledMarket, { netExportWh }: MarketResult): void => {
  const { root } = limitBounds(terms);
  constraints.forEach(({ id, weights, minWh = -Infinity, maxWh = Infinity }, i) => {
    const weightOf = (zone: number): number => weights[zones[zone] as string] ?? 0;
    // Islands balance: with one weight for all zones of each island the sum is zero whatever is traded.
    if (zones.every((_, zone) => weightOf(zone) === weightOf(root[zone] as number))) return;
    let sum = 0;
    let scale = 0;
    for (const zone of zones) {
      const term = (weights[zone] ?? 0) * (netExportWh[zone] ?? 0);
      sum += term;
      scale = Math.max(scale, Math.abs(term));
    }
    const tolerance = scale * 2 ** -40;
    if (sum > minWh + tolerance && sum < maxWh - tolerance) return;
    throw new MarketError(
      `constraints[${i}]`,
      `"${id}" would bind at ${sum} Wh: constraints that bind are not supported yet, widen or remove it`,
    );
  });
};
