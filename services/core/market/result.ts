import { clearBook } from "./clear.ts";
import type { Decision } from "./decision.ts";
import { createExactSum } from "./exact.ts";
import { explainClearing } from "./explain.ts";
import { limitBounds } from "./keys.ts";
import type { CompiledMarket } from "./market.ts";
import { dualOf, moneySums, netExports, zonesWithValue } from "./sums.ts";
import { MarketError } from "./types.ts";
import type { ZoneTerms } from "./types.ts";

/** RESULT.json. Money is nano-token in decimal, since it may exceed what a JSON number holds. */
export interface MarketResult {
  readonly status: "cleared" | "no-trade";
  readonly pricesMicroPerKwh: Record<string, number | null>;
  /** Of the island where it is highest. */
  readonly greenPremiumMicroPerKwh: number;
  /** Per island, its lowest zone name as key; only where islands differ. */
  readonly greenPremiumsMicroPerKwh?: Record<string, number> | undefined;
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

const clearRadial = ({ columns, terms, band, lines, trades }: CompiledMarket): Decision => {
  const loop = lines.findIndex(({ child }) => child < 0);
  if (loop >= 0) {
    const message = `"${lines[loop]?.id}" closes a loop: meshed networks are not supported yet, remove a line`;
    throw new MarketError(`lines[${loop}]`, message);
  }
  const { postings, green, fillsWh, tradesWh } = clearBook(columns, terms, band, trades);
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
    premiums: premiumsByZone(market, result),
    fillsWh: market.orderIds.map((id) => result.fillsWh[id] ?? 0),
  });
};

/** The green premium that a result names, per zone. */
export const premiumsByZone = (market: CompiledMarket, result: MarketResult): number[] => {
  const { root } = limitBounds(market.terms);
  const names = islandNames(market);
  return market.zones.map(
    (_, i) =>
      result.greenPremiumsMicroPerKwh?.[names.get(root[i] as number) as string] ?? result.greenPremiumMicroPerKwh,
  );
};

/** Lowest zone name of each island, by its root. */
const islandNames = ({ zones, terms }: CompiledMarket): Map<number, string> => {
  const { root } = limitBounds(terms);
  const names = new Map<number, string>();
  zones.forEach((name, i) => {
    const before = names.get(root[i] as number);
    if (before === undefined || name < before) names.set(root[i] as number, name);
  });
  return names;
};

const premiumsOf = (
  market: CompiledMarket,
  { prices, greenPrices }: Decision,
): Pick<MarketResult, "greenPremiumMicroPerKwh" | "greenPremiumsMicroPerKwh"> => {
  const premiums = [...islandNames(market)].map(
    ([root, name]) => [name, greenPrices ? (greenPrices[root] as number) - (prices[root] as number) : 0] as const,
  );
  const greenPremiumMicroPerKwh = premiums.reduce((most, [, premium]) => Math.max(most, premium), 0);
  if (premiums.every(([, premium]) => premium === greenPremiumMicroPerKwh)) return { greenPremiumMicroPerKwh };
  return { greenPremiumMicroPerKwh, greenPremiumsMicroPerKwh: Object.fromEntries(premiums) };
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
    dualNano: dualOf(market, decision),
    gapBoundNano: 0n,
  };
  const trades = Array.from(decision.tradesWh ?? []).some((filledWh) => filledWh > 0);
  const byZone = <T>(value: (zone: number) => T): Record<string, T> =>
    Object.fromEntries(zones.map((name, i) => [name, value(i)]));
  return {
    status: sums.volumeWh > 0 || trades ? "cleared" : "no-trade",
    pricesMicroPerKwh: byZone((i) => (withValue[i] ? (prices[i] as number) : null)),
    ...premiumsOf(market, decision),
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
