import { getBytes, Interface } from "ethers";
import { clearBook } from "../core/market/clear.ts";
import type { Solver } from "../core/dispatch/solver.ts";
import type { Clearing, PriceBand, ZoneTerms } from "../core/market/types.ts";
import { clearMesh } from "../core/market/mesh/clear.ts";
import { fillsOf } from "../core/market/mesh/fills.ts";
import { decodeBook } from "../core/market/words.ts";
import { slotStart } from "../platform/clock.ts";
import type { GridZone, SlotTerms } from "./events.ts";
import { boundedWh, unpackLimits } from "./limits.ts";
import { listedTrades, tradesHash } from "./trade.ts";
import { bookHash, bookStart, withoutVoided } from "./words.ts";

/** What everybody needs who clears a slot on chain: the auctioneer, and any stranger (`daeg clear --chain`). */

/** Orders are accepted at block times up to this many seconds before the slot starts (SlotTime.GATE_SECONDS). */
const GATE_SECONDS = 600;
export const gateOf = (slot: number): number => slotStart(slot) - GATE_SECONDS;

type Whole = bigint | number;

export interface PostedZone {
  price: Whole;
  marginalBidWh: Whole;
  marginalOfferWh: Whole;
  backupSoldWh: Whole;
  backupBoughtWh: Whole;
}

export interface PostedGreen {
  price: Whole;
  marginalBidWh: Whole;
  marginalOfferWh: Whole;
}

/** What `Auction.clear` takes (ClearingSubmission). */
export interface Submission {
  slot: number;
  /** The whole book, 0x and 16 bytes per word, in order of append. */
  book: string;
  /** `encodeBatches`. */
  batches: string;
  postings: PostedZone[];
  /** Empty, or one per zone. */
  green: PostedGreen[];
  /** The slot's bilateral trades as registered, 0x and 32 bytes each. */
  trades: string;
  /** Fill of every one of them. */
  tradesWh: Whole[];
  /** Empty arrays on a radial network. */
  duals: { mu: bigint[] };
}

/** One slot's market as the chain has it. */
export interface SlotMarket {
  /** The whole book, 0x and 16 bytes per word, in order of append. */
  readonly words: string;
  /** `encodeBatches`: how the words were appended, and voids of zones between them. */
  readonly batches: string;
  /** The slot's bilateral trades as registered, 0x and 32 bytes each (`listedTrades`). */
  readonly trades: string;
  readonly grid: readonly GridZone[];
  /** Limits of a meshed network (`packLimits`); 0x on a radial one. */
  readonly limits: string;
  readonly terms: SlotTerms;
}

/** Zones as the auction sees them: the network with the slot's tariffs where a backup supplier is connected. */
export const zoneTermsOf = (grid: readonly GridZone[], terms: SlotTerms): ZoneTerms[] =>
  grid.map((zone) => {
    const hasBackup = zone.backupCapacityWh > 0n;
    return {
      parent: zone.parent,
      toParentWh: boundedWh(zone.toParentWh),
      fromParentWh: boundedWh(zone.fromParentWh),
      fee: terms.fee,
      hasBackup,
      backupSell: hasBackup ? terms.importTariff : 0,
      backupBuy: hasBackup ? terms.exportTariff : 0,
      backupCapacityWh: boundedWh(zone.backupCapacityWh),
    };
  });

export const bandOf = (terms: SlotTerms): PriceBand => ({
  min: terms.bandMin,
  max: terms.bandMax,
  reference: terms.reference,
});

/** A cleared slot. On a meshed network lines to parents carry nothing: `flowToParentWh` is 0, `flows` says what limits see. */
export interface SlotClearing extends Clearing {
  /** Dual price per limit, 1e-6 micro-token per kWh; empty on a radial network. */
  readonly mu: readonly bigint[];
  /** Sum of weight x net export per limit, 1e-6 Wh; empty on a radial network. */
  readonly flows: readonly bigint[];
}

/**
 * Clears one slot as the auction takes it.
 * @throws MarketError when a meshed network cannot be cleared in whole Wh
 */
export const solveSlot = async ({ words, batches, trades, grid, limits, terms }: SlotMarket): Promise<SlotClearing> => {
  const columns = decodeBook(getBytes(withoutVoided(words, batches)));
  const zones = zoneTermsOf(grid, terms);
  const listed = listedTrades(trades);
  if (limits === "0x") return { ...clearBook(columns, zones, bandOf(terms), listed), mu: [], flows: [] };
  const market = {
    ...{ columns, terms: zones, band: bandOf(terms), trades: listed },
    limits: unpackLimits(limits, zones.length),
  };
  const { posting, outcome } = clearMesh(market, await linearSolver());
  return {
    postings: [...posting.postings],
    green: [...posting.green],
    tradesWh: Float64Array.from(posting.tradesWh),
    fillsWh: fillsOf(market, posting),
    netExportWh: Float64Array.from(outcome.netExportWh),
    flowToParentWh: new Float64Array(zones.length),
    mu: posting.mu,
    flows: outcome.flows,
  };
};

let solver: Promise<Solver> | undefined;
/** Loaded when a network turns out to be meshed, once per process. */
const linearSolver = (): Promise<Solver> =>
  (solver ??= import("../core/dispatch/solver.ts").then(({ createSolver }) => createSolver()));

/** ClearingSubmission in the ABI. */
export const SUBMISSION = `tuple(${[
  "uint32 slot",
  "bytes book",
  "bytes batches",
  "tuple(int64 price,uint64 marginalBidWh,uint64 marginalOfferWh,uint64 backupSoldWh,uint64 backupBoughtWh)[] postings",
  "tuple(int64 price,uint64 marginalBidWh,uint64 marginalOfferWh)[] green",
  "bytes trades",
  "uint64[] tradesWh",
  "tuple(int128[] mu) duals",
].join(",")})`;

const iface = new Interface([`function clear(${SUBMISSION} submission)`]);

/** A cleared book as `Auction.clear` takes it. */
export const submissionOf = (
  slot: number,
  { words, batches, trades }: Pick<SlotMarket, "words" | "batches" | "trades">,
  {
    postings,
    green = [],
    tradesWh,
    mu = [],
  }: Pick<SlotClearing, "postings"> & Partial<Pick<SlotClearing, "green" | "tradesWh" | "mu">>,
): Submission => ({
  slot,
  book: words,
  batches,
  postings,
  green,
  trades,
  tradesWh: Array.from(tradesWh ?? []),
  duals: { mu: [...mu] },
});

/** Calldata of `Auction.clear`. */
export const encodeClear = (submission: Submission): string => iface.encodeFunctionData("clear", [submission]);

/**
 * Whether trades collected from events are the whole list that the registry holds.
 * @param hash running hash as the chain has it, 28 bytes
 * @throws Error when a log is missing, doubled or out of order
 */
export const checkTrades = (slot: number, trades: string, hash: string): void => {
  const folded = tradesHash(trades);
  if (folded === hash) return;
  throw new Error(`the trades of slot ${slot} fold to ${folded}, the chain has ${hash}: a log is missing`);
};

/**
 * Whether words collected from events are the whole book that the chain holds.
 * @param book running hash as the chain has it
 * @throws Error when a log is missing, doubled or out of order
 */
export const checkBook = (
  { chainId, orderBook, slot }: { chainId: number; orderBook: string; slot: number },
  { words, batches }: Pick<SlotMarket, "words" | "batches">,
  book: string | undefined,
): void => {
  const folded = bookHash(bookStart(chainId, orderBook, slot), words, batches);
  if (folded === book) return;
  throw new Error(`the events of slot ${slot} fold to ${folded}, the chain has ${book}: a log is missing`);
};
