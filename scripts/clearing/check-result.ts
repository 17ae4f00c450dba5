import { describe, premiumsByZone } from "../../services/core/market/result.ts";
import type { MarketResult } from "../../services/core/market/result.ts";
import { flowsOf } from "../../services/core/market/mesh/check.ts";
import { networkOutcome } from "../../services/core/market/mesh/decide.ts";
import { isMeshed, networkLimits } from "../../services/core/market/mesh/ptdf.ts";
import { DUAL_UNIT } from "../../services/core/market/mesh/rule.ts";
import type { Decision, NetworkOutcome } from "../../services/core/market/decision.ts";
import { effectiveLimits, netExports } from "../../services/core/market/sums.ts";
import type { CompiledMarket } from "../../services/core/market/market.ts";
import { GREEN, OFFER } from "../../services/core/market/types.ts";
import type { GreenPosting, ZonePosting } from "../../services/core/market/types.ts";
import { encodeBook, WORD_BYTES } from "../../services/core/market/words.ts";
import type { Claim, Harness, Judgement, ProvenOutcome } from "./harness.ts";

/** What `daeg verify` prints. */
export type Verdict =
  | { readonly accepted: true; readonly gas: number }
  | { readonly accepted: false; readonly error: string; readonly values: Record<string, string | null> };

/**
 * Checks a result by the contract. Prices, fills, backup and book go through the proof; everything else in the result
 * follows from what was proven and is compared with it (`WrongTotal`).
 */
export const checkResult = async (harness: Harness, market: CompiledMarket, result: MarketResult): Promise<Verdict> => {
  const posted = claimOf(market, result);
  if ("error" in posted) return posted;
  const book = await harness.record(market);
  const judgement: Judgement = await book.judge(posted);
  if (!judgement.accepted) return judgement;
  const { exactDuals, ...proven } = provenResult(market, posted, judgement.outcome);
  // A result without exact duals was proven with its whole ones.
  const expected = result.exactDuals && exactDuals ? { ...proven, exactDuals } : proven;
  const wrong = firstDifference(result, expected, "");
  if (wrong) return { accepted: false, error: "WrongTotal", values: wrong };
  return { accepted: true, gas: judgement.gas };
};

const refusal = (error: string, values: Record<string, string | null>): Verdict & { accepted: false } => ({
  accepted: false,
  error,
  values,
});

/** The result as the contract takes it: the book in the order of `fillsWh`, marginal totals summed from the fills. */
export const claimOf = (market: CompiledMarket, result: MarketResult): Claim | (Verdict & { accepted: false }) => {
  const { zones, band } = market;
  const priced = Object.keys(result.pricesMicroPerKwh);
  const unknown = priced.findIndex((zone) => !zones.includes(zone));
  if (unknown >= 0 && priced.length === zones.length) {
    return refusal("UnknownZone", { zone: priced[unknown] as string, zones: String(zones.length) });
  }
  for (const [zone, { sold, bought }] of Object.entries(result.backupWh)) {
    if (sold < 0 || bought < 0) {
      return refusal("NegativeEnergy", { field: `backupWh.${zone}`, posted: String(Math.min(sold, bought)) });
    }
  }
  const posting = (zone: string): ZonePosting => ({
    price: result.pricesMicroPerKwh[zone] ?? band.reference,
    marginalBidWh: 0,
    marginalOfferWh: 0,
    backupSoldWh: result.backupWh[zone]?.sold ?? 0,
    backupBoughtWh: result.backupWh[zone]?.bought ?? 0,
  });
  const postings = priced.length === zones.length ? zones.map(posting) : priced.map(posting);
  const green = greenPrices(market, result, postings).map((price): GreenPosting => ({
    price,
    marginalBidWh: 0,
    marginalOfferWh: 0,
  }));
  const fillOf = new Map(Object.entries(result.fillsWh));
  const limits = effectiveLimits(market);
  market.orderIds.forEach((id, i) => {
    const flags = market.columns.flags[i] as number;
    const own = (green.length > 0 && flags & GREEN ? green : postings)[market.columns.zone[i] as number];
    if (!own || limits[i] !== own.price) return;
    const filledWh = fillOf.get(id) ?? 0;
    if (flags & OFFER) own.marginalOfferWh += filledWh;
    else own.marginalBidWh += filledWh;
  });
  const tradesWh = market.bilaterals.map(({ id }) => result.bilateralsWh[id] ?? 0);
  const negative = tradesWh.findIndex((wh) => wh < 0);
  if (negative >= 0) {
    const field = `bilateralsWh.${market.bilaterals[negative]?.id}`;
    return refusal("NegativeEnergy", { field, posted: String(tradesWh[negative]) });
  }
  for (const own of [...postings, ...green]) {
    own.marginalBidWh = Math.max(0, own.marginalBidWh);
    own.marginalOfferWh = Math.max(0, own.marginalOfferWh);
  }
  const mu = dualsOf(market, result);
  const large = mu.find((dual) => BigInt.asIntN(128, dual) !== dual);
  if (large !== undefined) return refusal("DualOutOfRange", { posted: String(large) });
  return {
    book: claimedBook(market, result),
    postings,
    green,
    tradesWh,
    fillsWh: market.orderIds.map((id) => fillOf.get(id) ?? 0),
    mu,
  };
};

/** Price of each zone's green orders; none where no green-only bid stands in the book. */
const greenPrices = (market: CompiledMarket, result: MarketResult, postings: readonly ZonePosting[]): number[] => {
  const { flags, energyWh } = market.columns;
  if (!flags.some((own, i) => (own & (GREEN | OFFER)) === GREEN && energyWh[i])) return [];
  const premiums = premiumsByZone(market, result);
  return postings.map(
    ({ price }, i) => result.greenPricesMicroPerKwh?.[market.zones[i] as string] ?? price + (premiums[i] ?? 0),
  );
};

/** Dual price per limit of a meshed market: the exact one, or the whole one where the result has no exact ones. */
const dualsOf = (market: CompiledMarket, { exactDuals, shadowPricesMicroPerKwh }: MarketResult): bigint[] => {
  if (!isMeshed(market)) return [];
  return [...market.lines, ...market.constraints].map(({ id }) =>
    exactDuals ? BigInt(exactDuals.mu[id] ?? 0) : BigInt(shadowPricesMicroPerKwh[id] ?? 0) * DUAL_UNIT,
  );
};

/**
 * The words of the orders that the result names, in its order. JavaScript moves integer-like keys of an object to the front
 * in rising order, so the market's ids take the same detour: the n-th key stands for the order that is n-th there.
 */
const claimedBook = (market: CompiledMarket, result: MarketResult): Uint8Array => {
  const recorded = encodeBook(market.columns);
  const positionOf = new Map(market.orderIds.map((id, i) => [id, i]));
  const canonical = Object.keys(Object.fromEntries(market.orderIds.map((id) => [id, 0])));
  const claimed = Object.keys(result.fillsWh);
  const book = new Uint8Array(claimed.length * WORD_BYTES);
  claimed.forEach((id, n) => {
    const source = positionOf.get(id);
    const place = claimed.length === canonical.length ? (positionOf.get(canonical[n] as string) as number) : n;
    // An order that the market does not know gets a word that no book contains: all flags set.
    const word = source === undefined ? unknownWord : recorded.subarray(source * WORD_BYTES, (source + 1) * WORD_BYTES);
    book.set(word, place * WORD_BYTES);
  });
  return book;
};

const unknownWord = new Uint8Array(WORD_BYTES).fill(255, 4);

/** The result that follows from what the contract proved. */
const provenResult = (market: CompiledMarket, claim: Claim, outcome: ProvenOutcome): MarketResult => {
  const decision = {
    prices: claim.postings.map(({ price }) => price),
    fillsWh: outcome.positionsWh.map(Math.abs),
    backups: claim.postings,
    tradesWh: claim.tradesWh ?? [],
    ...(claim.green?.length ? { greenPrices: claim.green.map(({ price }) => price) } : {}),
  };
  const derived = describe(
    market,
    isMeshed(market) ? { ...decision, network: provenNetwork(market, claim, outcome, decision) } : decision,
  );
  return {
    ...derived,
    volumeWh: Number(outcome.boughtWh + outcome.backupBoughtWh),
    feesNano: String(outcome.feesNano),
    congestionRentNano: String(outcome.congestionNano),
    welfareNano: String(outcome.welfareNano),
    gapNano: String(BigInt(derived.dualNano) - outcome.welfareNano),
  };
};

const provenNetwork = (
  market: CompiledMarket,
  { mu = [] }: Claim,
  { lambda, gamma, welfareNano, gapBoundNano }: ProvenOutcome,
  decision: Decision,
): NetworkOutcome => {
  const flows = flowsOf(networkLimits(market), netExports(market, decision));
  return networkOutcome(market, mu, { flows, prices: { lambda, gamma }, welfareNano, gapBoundNano });
};

const firstDifference = (
  posted: unknown,
  expected: unknown,
  field: string,
): { field: string; posted: string | null; expected: string | null } | undefined => {
  if (isRecord(posted) && isRecord(expected)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(posted)])) {
      const own = (from: Record<string, unknown>): unknown => (Object.hasOwn(from, key) ? from[key] : undefined);
      const wrong = firstDifference(own(posted), own(expected), field === "" ? key : `${field}.${key}`);
      if (wrong) return wrong;
    }
    return undefined;
  }
  if (posted === expected) return undefined;
  return { field, posted: textOf(posted), expected: textOf(expected) };
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const textOf = (value: unknown): string | null =>
  value === undefined || value === null ? null : typeof value === "object" ? JSON.stringify(value) : String(value);
