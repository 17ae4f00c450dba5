import { clearBook } from "./clear.ts";
import { createSolver } from "../dispatch/solver.ts";
import type { Solver } from "../dispatch/solver.ts";
import type { Decision, ExactDuals } from "./decision.ts";
import { explainClearing } from "./explain.ts";
import { explainTrades } from "./explain-trades.ts";
import { limitBounds } from "./keys.ts";
import type { CompiledMarket } from "./market.ts";
import { decideMesh } from "./mesh/decide.ts";
import { fullLimitsOf, limitBehind } from "./mesh/explain.ts";
import { isMeshed } from "./mesh/ptdf.ts";
import { dualOf, moneySums, netExports, rentNano, zonesWithValue } from "./sums.ts";
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
  /** Meshed networks only: the duals before rounding. */
  readonly exactDuals?: ExactDuals | undefined;
  /** Meshed networks with green-only bids: rounded once per zone, so not always zone price plus one premium. */
  readonly greenPricesMicroPerKwh?: Record<string, number> | undefined;
}

/**
 * Clears a market.
 * @param solver needed where the network is meshed or has constraints (`isMeshed`); `solveMarket` brings one
 * @throws MarketError when a meshed network cannot be cleared in whole Wh
 */
export const clearMarket = (market: CompiledMarket, solver?: Solver): MarketResult =>
  describe(market, isMeshed(market) ? decideMeshed(market, solver) : clearRadial(market));

/** Clears any market; loads the linear solver where the network is meshed. @throws as `clearMarket` */
export const solveMarket = async (market: CompiledMarket): Promise<MarketResult> =>
  clearMarket(market, isMeshed(market) ? await createSolver() : undefined);

const decideMeshed = (market: CompiledMarket, solver: Solver | undefined): Decision => {
  if (!solver) throw new Error("a meshed network is cleared with a linear solver: use solveMarket");
  return decideMesh(market, solver);
};

const clearRadial = ({ columns, terms, band, trades }: CompiledMarket): Decision => {
  const { postings, green, fillsWh, tradesWh } = clearBook(columns, terms, band, trades);
  return {
    prices: postings.map(({ price }) => price),
    fillsWh,
    backups: postings,
    tradesWh,
    ...(green.length > 0 ? { greenPrices: green.map(({ price }) => price) } : {}),
  };
};

/** One sentence per order of a result and per bilateral trade, why it was or was not filled. */
export const explain = (market: CompiledMarket, result: MarketResult): string[] => {
  const lineOf = new Map(market.lines.map(({ id, child }) => [child, id]));
  const cleared = {
    ...market,
    zoneNames: market.zones,
    prices: market.zones.map((zone) => result.pricesMicroPerKwh[zone] ?? market.band.reference),
  };
  return [
    ...explainClearing({
      ...cleared,
      orderNames: market.orderIds,
      lineName: (child) => `line ${lineOf.get(child)}`,
      premiums: premiumsByZone(market, result),
      ...(result.exactDuals ? { behind: limitBehind(fullLimitsOf(market, result.exactDuals)) } : {}),
      fillsWh: market.orderIds.map((id) => result.fillsWh[id] ?? 0),
    }),
    ...explainTrades({
      ...cleared,
      tradeNames: market.bilaterals.map(({ id }) => id),
      tradesWh: market.bilaterals.map(({ id }) => result.bilateralsWh[id] ?? 0),
    }),
  ];
};

/** The green premium that a result names, per zone. */
export const premiumsByZone = (market: CompiledMarket, result: MarketResult): number[] => {
  const { root } = limitBounds(market.terms);
  const names = islandNames(market);
  const { greenPricesMicroPerKwh: green, pricesMicroPerKwh: prices } = result;
  if (green) return market.zones.map((zone) => (green[zone] ?? 0) - (prices[zone] ?? market.band.reference));
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
  const network = decision.network ?? {
    flowsWh: Object.fromEntries(
      lines.map(({ id, child, upward }) => [id, (upward ? 1 : -1) * (toParent[child] as number) + 0]),
    ),
    shadowPricesMicroPerKwh: Object.fromEntries([
      ...lines.map(({ id, from, to }) => [id, (prices[to] as number) - (prices[from] as number)]),
      ...market.constraints.map(({ id }) => [id, 0]),
    ]),
    dualNano: dualOf(market, decision),
    gapBoundNano: 0n,
  };
  const meshed = decision.network;
  const trades = Array.from(decision.tradesWh ?? []).some((filledWh) => filledWh > 0);
  const byZone = <T>(value: (zone: number) => T): Record<string, T> =>
    Object.fromEntries(zones.map((name, i) => [name, value(i)]));
  return {
    status: sums.volumeWh > 0 || trades ? "cleared" : "no-trade",
    // A constraint over several islands can give one a price in which nothing could be traded.
    pricesMicroPerKwh: byZone((i) =>
      withValue[i] || prices[i] !== market.band.reference ? (prices[i] as number) : null,
    ),
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
    congestionRentNano: String(rentNano(market, decision, netExport)),
    welfareNano: String(sums.welfareNano),
    dualNano: String(network.dualNano),
    gapNano: String(network.dualNano - sums.welfareNano),
    gapBoundNano: String(network.gapBoundNano),
    ...(meshed ? { lambdaMicroPerKwh: meshed.lambdaMicroPerKwh, exactDuals: meshed.exactDuals } : {}),
    ...(meshed && decision.greenPrices
      ? { greenPricesMicroPerKwh: byZone((i) => decision.greenPrices?.[i] as number) }
      : {}),
  };
};
