import type { Solver } from "../../dispatch/solver.ts";
import { MarketError } from "../types.ts";
import type { GreenPosting, ZonePosting } from "../types.ts";
import { checkMesh } from "./check.ts";
import type { MeshOutcome } from "./check.ts";
import { dualsOf } from "./duals.ts";
import type { Duals } from "./duals.ts";
import { meshBook } from "./groups.ts";
import type { Group } from "./groups.ts";
import { wholeFills } from "./integers.ts";
import type { Fills } from "./integers.ts";
import { solveMesh } from "./linear.ts";
import type { MeshProgram, Nudge } from "./linear.ts";
import { leanDuals, shiftsOf } from "./needed.ts";
import { meshPrices, noteFill, openMeshBounds } from "./rule.ts";
import { supportedFills } from "./supported.ts";
import type { MeshMarket, MeshPosting } from "./tally.ts";

/** A cleared mesh: what is posted, and what the proof says of it. */
export interface MeshClearing {
  readonly posting: MeshPosting;
  readonly outcome: MeshOutcome;
  /** Vertices that were tried, 1 as a rule; above ATTEMPTS: none led to fills, and a search of its own did. */
  readonly attempts: number;
}

/**
 * Clears a meshed network: the optimal vertex of a linear program, exact duals, whole fills beside it, then prices by the
 * rule. The answer is checked exactly before it is given; where whole Wh do not fit a vertex the next one is tried, and
 * after ATTEMPTS of them fills and dual prices are looked for together (supported.ts).
 *
 * @throws MarketError when none of these led to fills that the proof takes
 */
export const clearMesh = (market: MeshMarket, solver: Solver): MeshClearing => {
  const { columns, terms, band, trades, limits } = market;
  const book = meshBook(columns, terms, band, trades);
  const program: MeshProgram = { book, terms, limits };
  let attempts = 0;
  let refusal = "no whole fills keep the limits";
  let first: Duals | undefined;
  for (const nudge of nudges()) {
    attempts += 1;
    const vertex = solveMesh(program, solver, nudge);
    if (!vertex) continue;
    const duals = dualsOf(program, vertex);
    first ??= duals;
    for (const near of NEAR) {
      for (const fills of wholeFills(program, vertex, duals, near, solver)) {
        const posting = postingOf(market, program, fills, duals.mu);
        const outcome = checkMesh(market, posting);
        if (outcome.accepted) return { posting, outcome, attempts };
        refusal = outcome.error;
      }
    }
  }
  for (const { fills, mu } of first ? supportedFills(program, first, solver) : []) {
    attempts += 1;
    const posting = postingOf(market, program, fills, mu);
    const outcome = checkMesh(market, posting);
    if (outcome.accepted) return { posting, outcome, attempts };
    refusal = outcome.error;
  }
  throw new MarketError(
    "lines",
    `no clearing in whole Wh keeps every limit (${refusal}; ${attempts} attempts): give limits of a few Wh more room`,
  );
};

/** What counts as standing at the exact price, micro-token per kWh: first rounding alone, then what the proof allows. */
const NEAR = [0.05, 0.999] as const;

const ATTEMPTS = 12;

/** The true program first; then ones with limits tightened within their tolerance, or with ties decided otherwise. */
function* nudges(): Generator<Nudge> {
  yield {};
  for (let n = 1; n < ATTEMPTS; n += 1) {
    const spread = (index: number): number => (((index + 1) * (n * 0.6180339887 + 0.3)) % 1) - 0.5;
    yield { tighten: (l) => 0.4 + 0.8 * spread(l), favour: (g) => (n % 2 ? 0 : 0.6 * spread(g)) };
  }
}

/** Prices by the rule from what is filled, and the totals that stand at them. */
const postingOf = (market: MeshMarket, { book }: MeshProgram, fills: Fills, dual: readonly bigint[]): MeshPosting => {
  const { terms, limits, band } = market;
  const bounds = openMeshBounds(terms.length);
  const greenSlackWh = new Array<number>(terms.length).fill(0);
  book.groups.forEach((group, g) => {
    const filledWh = fills.groupsWh[g] as number;
    const top = book.root[group.zone] as number;
    if (group.green) greenSlackWh[top] = (greenSlackWh[top] as number) + group.sign * filledWh;
    noteFill(
      group.green ? bounds.green : bounds.ordinary,
      group.zone,
      group,
      filledWh > 0,
      filledWh === group.availableWh,
    );
  });
  const { root } = book;
  const mu = leanDuals(market, { root, bounds, tradesWh: fills.tradesWh, greenSlackWh }, dual);
  const { prices, greenPrices } = meshPrices(
    terms,
    band.reference,
    book.root,
    bounds,
    shiftsOf(terms.length, limits, mu),
  );
  const postings = prices.map((price): ZonePosting => ({
    price,
    marginalBidWh: 0,
    marginalOfferWh: 0,
    backupSoldWh: 0,
    backupBoughtWh: 0,
  }));
  const green = (book.hasGreen ? greenPrices : []).map((price): GreenPosting => ({
    price,
    marginalBidWh: 0,
    marginalOfferWh: 0,
  }));
  book.groups.forEach((group: Group, g) => {
    const filledWh = fills.groupsWh[g] as number;
    const { zone, sign } = group;
    if (group.backup) {
      const own = postings[zone] as ZonePosting;
      if (sign > 0) own.backupSoldWh = filledWh;
      else own.backupBoughtWh = filledWh;
      return;
    }
    const own = (group.green ? green[zone] : postings[zone]) as GreenPosting;
    if (group.limit !== own.price) return;
    if (sign > 0) own.marginalOfferWh = filledWh;
    else own.marginalBidWh = filledWh;
  });
  return { postings, green, tradesWh: fills.tradesWh, mu };
};
