import type { NetworkLimit, ZonePosting } from "../types.ts";
import { shiftsOf, unneededDual } from "./needed.ts";
import { ceilDiv, meshPrices, PRICE_UNIT } from "./rule.ts";
import type { MeshPrices } from "./rule.ts";
import { dualOf, Refusal, refuse, tallyOf } from "./tally.ts";
import type { Margin, MeshMarket, MeshPosting, Tally } from "./tally.ts";

/** What follows from an accepted posting. */
export interface MeshOutcome {
  readonly accepted: true;
  readonly netExportWh: readonly number[];
  /** Sum of weight x net export per limit, 1e-6 Wh. */
  readonly flows: readonly bigint[];
  readonly prices: MeshPrices;
  readonly welfareNano: bigint;
  /** Dual less welfare at the exact prices, rounded up: what the fills may be short of the optimum at most. */
  readonly gapBoundNano: bigint;
}

export type MeshJudgement = MeshOutcome | { readonly accepted: false; readonly error: string };

const WEIGHT = 1_000_000n;

/** Sum of weight x net export per limit, exactly, in 1e-6 Wh. */
export const flowsOf = (limits: readonly NetworkLimit[], netExportWh: readonly number[]): bigint[] => {
  const traded = netExportWh.flatMap((own, z) => (own ? [{ z, own: BigInt(own) }] : []));
  return limits.map(({ weights }) =>
    traded.reduce((sum, { z, own }) => (weights[z] ? sum + BigInt(weights[z]) * own : sum), 0n),
  );
};

/** Sum of absolute weights: with less slack than this (1e-6 Wh) a limit counts as full. */
export const toleranceOf = ({ weights }: NetworkLimit): bigint =>
  BigInt(weights.reduce((sum, weight) => sum + Math.abs(weight), 0));

/** Slack of a limit to either side, 1e-6 Wh. */
export const slackOf = ({ minWh, maxWh }: NetworkLimit, flow: bigint): { above: bigint; below: bigint } => ({
  above: BigInt(maxWh) * WEIGHT - flow,
  below: flow - BigInt(minWh) * WEIGHT,
});

/**
 * Judges a posting for a meshed market as the contract does (contracts/libraries/ClearingMesh.sol), exactly: derives every
 * fill from the posted prices and marginal totals; checks balance, limits, green balance and trades; that mu is not zero at
 * full limits only; that prices are the rule's; that no zone could trade more at its price, and the backup is last. What
 * passes is within `gapBoundNano` of the optimum.
 */
export const checkMesh = (market: MeshMarket, posted: MeshPosting): MeshJudgement => {
  try {
    return judge(market, posted);
  } catch (error) {
    if (error instanceof Refusal) return { accepted: false, error: error.message };
    throw error;
  }
};

const judge = (market: MeshMarket, posted: MeshPosting): MeshOutcome => {
  const tally = tallyOf(market, posted);
  const shift = shiftsOf(market.terms.length, market.limits, posted.mu);
  checkBalance(tally);
  const { flows, free } = checkLimits(market, posted, tally.netExportWh);
  checkTrades(market, posted, tally.root, shift, free);
  const prices = checkPrices(market, posted, tally, shift, free);
  checkVolume(market, posted, tally, prices, free);
  const spare = unneededDual(market, { ...tally, tradesWh: posted.tradesWh }, posted.mu, shift, prices);
  if (spare !== undefined) refuse(`limit ${spare} has a higher dual price than the fills need`);
  const dual = dualOf(market, posted, tally.root, prices.exact, prices.gamma);
  return {
    accepted: true,
    netExportWh: tally.netExportWh,
    flows,
    prices,
    welfareNano: tally.welfareNano,
    gapBoundNano: ceilDiv(dual, PRICE_UNIT) - tally.welfareNano,
  };
};

const checkBalance = ({ netExportWh, root, greenSlackWh }: Tally): void => {
  const balance = new Map<number, number>();
  netExportWh.forEach((own, z) => balance.set(root[z] as number, (balance.get(root[z] as number) ?? 0) + own));
  for (const [top, sum] of balance) if (sum !== 0) refuse(`island ${top} exports ${sum} Wh`);
  greenSlackWh.forEach((slackWh, top) => {
    if (slackWh < 0) refuse(`island ${top} lacks ${-slackWh} Wh of green energy`);
  });
};

/** @returns free: no limit is so full that one Wh more or less in every zone could reach it */
const checkLimits = (
  { limits }: MeshMarket,
  { mu }: MeshPosting,
  netExportWh: readonly number[],
): { flows: bigint[]; free: boolean } => {
  const flows = flowsOf(limits, netExportWh);
  let free = true;
  limits.forEach((limit, l) => {
    const own = mu[l] as bigint;
    const width = toleranceOf(limit);
    const { above, below } = slackOf(limit, flows[l] as bigint);
    if (above < 0n || below < 0n) refuse(`limit ${l} is exceeded: ${flows[l]} for ${limit.minWh}..${limit.maxWh} Wh`);
    if (above < width || below < width) free = false;
    if (own !== 0n && (own > 0n ? above : below) >= width) refuse(`limit ${l} has mu ${own} and is not full`);
  });
  return { flows, free };
};

/** A trade that gains a unit or more is full, one that loses a unit or more is empty. */
const checkTrades = (
  { trades }: MeshMarket,
  { tradesWh }: MeshPosting,
  root: Int32Array,
  shift: readonly bigint[],
  free: boolean,
): void => {
  trades.forEach(({ from, to, limitWh, maxSpread }, k) => {
    if (root[from] !== root[to]) return;
    const filledWh = tradesWh[k] as number;
    const gain = BigInt(maxSpread) * PRICE_UNIT - ((shift[from] as bigint) - (shift[to] as bigint));
    const must = gain >= PRICE_UNIT || ((free || from === to) && gain >= 0n);
    if (must && filledWh < limitWh) refuse(`trade ${k} gains and is not full`);
    if (gain <= -PRICE_UNIT && filledWh > 0) refuse(`trade ${k} trades at a loss`);
  });
};

const checkPrices = (
  { terms, band }: MeshMarket,
  { postings, green }: MeshPosting,
  { root, bounds, hasGreen, greenSlackWh }: Tally,
  shift: readonly bigint[],
  free: boolean,
): MeshPrices => {
  const rule = meshPrices(terms, band.reference, root, bounds, shift);
  const zonesOf = new Map<number, number>();
  root.forEach((top) => zonesOf.set(top, (zonesOf.get(top) ?? 0) + 1));
  terms.forEach((_, z) => {
    const { price } = postings[z] as ZonePosting;
    if (price !== rule.prices[z]) refuse(`price of zone ${z} is ${price}, by the rule ${rule.prices[z]}`);
    if (!hasGreen) return;
    const own = green[z]?.price;
    if (own !== rule.greenPrices[z]) refuse(`green price of zone ${z} is ${own}, by the rule ${rule.greenPrices[z]}`);
    const top = root[z] as number;
    const slackWh = greenSlackWh[top] as number;
    const gamma = rule.gamma[z] as bigint;
    if (gamma === 0n || slackWh === 0) return;
    // Below a unit a premium comes from rounding mu, and demands nothing.
    if (free || (gamma >= PRICE_UNIT && slackWh >= (zonesOf.get(top) as number))) {
      refuse(`island ${top} has a premium and ${slackWh} Wh of green energy to spare`);
    }
  });
  return rule;
};

/** What a zone, or a whole island, could still trade at its price. */
interface Left {
  bid: boolean;
  offer: boolean;
  backupBid: boolean;
  backupOffer: boolean;
  backupSold: boolean;
  backupBought: boolean;
  greenBid: boolean;
  greenOffer: boolean;
}

/** Volume is maximal within each zone, and where no limit is full within each island; the backup is last. */
const checkVolume = (
  { terms }: MeshMarket,
  { postings }: MeshPosting,
  { root, margin, greenMargin, greenSlackWh }: Tally,
  { gamma }: MeshPrices,
  free: boolean,
): void => {
  const lefts = terms.map((term, z): Left => {
    const { price, backupSoldWh, backupBoughtWh } = postings[z] as ZonePosting;
    const { bidLeftWh, offerLeftWh } = margin[z] as Margin;
    const green = greenMargin[z] as Margin;
    const plain = gamma[z] === 0n;
    const sells = term.hasBackup && price === term.backupSell - term.fee;
    const buys = term.hasBackup && price === term.backupBuy;
    return {
      bid: bidLeftWh > 0 || (plain && green.bidLeftWh > 0 && (greenSlackWh[root[z] as number] as number) > 0),
      offer: offerLeftWh > 0 || (plain && green.offerLeftWh > 0),
      backupBid: buys && backupBoughtWh < term.backupCapacityWh,
      backupOffer: sells && backupSoldWh < term.backupCapacityWh,
      backupSold: sells && backupSoldWh > 0,
      backupBought: buys && backupBoughtWh > 0,
      greenBid: green.bidLeftWh > 0,
      greenOffer: green.offerLeftWh > 0,
    };
  });
  const places = free ? islandsOf(lefts, root) : lefts;
  places.forEach((left, place) => {
    const more =
      (left.bid && (left.offer || left.backupOffer)) ||
      (left.backupBid && left.offer) ||
      (left.greenBid && left.greenOffer);
    if (more) refuse(`more could be traded in ${place}`);
    if ((left.backupSold && left.offer) || (left.backupBought && left.bid))
      refuse(`the backup is not last in ${place}`);
  });
};

const islandsOf = (lefts: readonly Left[], root: Int32Array): Left[] =>
  [...new Set(root)].map((top) => {
    const own = lefts.filter((_, z) => root[z] === top);
    const any = (key: keyof Left): boolean => own.some((left) => left[key]);
    return {
      bid: any("bid"),
      offer: any("offer"),
      backupBid: any("backupBid"),
      backupOffer: any("backupOffer"),
      backupSold: any("backupSold"),
      backupBought: any("backupBought"),
      greenBid: any("greenBid"),
      greenOffer: any("greenOffer"),
    };
  });
