import type { Solver } from "../../dispatch/solver.ts";
import type { Decision, NetworkOutcome } from "../decision.ts";
import { limitBounds } from "../keys.ts";
import type { CompiledMarket } from "../market.ts";
import type { MeshOutcome } from "./check.ts";
import { clearMesh } from "./clear.ts";
import { fillsOf } from "./fills.ts";
import { networkLimits } from "./ptdf.ts";
import { DUAL_UNIT, floorDiv, PRICE_UNIT } from "./rule.ts";
import type { MeshMarket, MeshPosting } from "./tally.ts";

/** A market in the form of the mesh proof. @throws MarketError as `networkLimits` */
export const meshMarket = (market: CompiledMarket): MeshMarket => {
  const { columns, terms, band, trades } = market;
  return { columns, terms, band, trades, limits: networkLimits(market) };
};

/** Clears a market that is meshed or has constraints. @throws Error when whole Wh do not fit, as `clearMesh` */
export const decideMesh = (market: CompiledMarket, solver: Solver): Decision => {
  const { posting, outcome } = clearMesh(meshMarket(market), solver);
  return meshDecision(market, posting, outcome);
};

/** What an accepted posting decides. */
export const meshDecision = (market: CompiledMarket, posting: MeshPosting, outcome: MeshOutcome): Decision => ({
  prices: posting.postings.map(({ price }) => price),
  fillsWh: fillsOf(meshMarket(market), posting),
  backups: posting.postings,
  tradesWh: posting.tradesWh,
  ...(posting.green.length > 0 ? { greenPrices: posting.green.map(({ price }) => price) } : {}),
  network: networkOutcome(market, posting.mu, outcome),
});

/** How a result tells of flows and duals. @param flows of every limit, 1e-6 Wh; lambda and gamma count at islands' roots */
export const networkOutcome = (
  { zones, terms, lines, constraints }: CompiledMarket,
  mu: readonly bigint[],
  {
    flows,
    prices,
    welfareNano,
    gapBoundNano,
  }: Pick<MeshOutcome, "flows" | "welfareNano" | "gapBoundNano"> & {
    readonly prices: { readonly lambda: readonly bigint[]; readonly gamma: readonly bigint[] };
  },
): NetworkOutcome => {
  const ids = [...lines, ...constraints].map(({ id }) => id);
  const { root } = limitBounds(terms);
  const islands = new Map<string, number>();
  for (const [top, own] of islandNames(zones, root)) islands.set(own, top);
  const perIsland = <T>(values: readonly bigint[], show: (value: bigint) => T): Record<string, T> =>
    Object.fromEntries([...islands].map(([name, top]) => [name, show(values[top] as bigint)]));
  return {
    flowsWh: Object.fromEntries(lines.map(({ id }, l) => [id, rounded(flows[l] as bigint, 1_000_000n)])),
    shadowPricesMicroPerKwh: Object.fromEntries(ids.map((id, l) => [id, rounded(mu[l] as bigint, DUAL_UNIT)])),
    lambdaMicroPerKwh: perIsland(prices.lambda, (value) => rounded(value, PRICE_UNIT)),
    exactDuals: {
      lambda: perIsland(prices.lambda, String),
      gamma: perIsland(prices.gamma, String),
      mu: Object.fromEntries(ids.map((id, l) => [id, String(mu[l])])),
    },
    dualNano: welfareNano + gapBoundNano,
    gapBoundNano,
  };
};

/** Lowest zone name of each island, by its root. */
const islandNames = (zones: readonly string[], root: Int32Array): Map<number, string> => {
  const names = new Map<number, string>();
  zones.forEach((name, z) => {
    const before = names.get(root[z] as number);
    if (before === undefined || name < before) names.set(root[z] as number, name);
  });
  return names;
};

/** To the nearest whole number, halves up. */
const rounded = (value: bigint, unit: bigint): number => Number(floorDiv(2n * value + unit, 2n * unit));
