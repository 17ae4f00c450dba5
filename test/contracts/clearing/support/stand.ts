import { expect } from "chai";
import { hexlify } from "ethers";
import { network } from "hardhat";
import { GREEN, OFFER } from "../../../../services/core/market/types.ts";
import type {
  GreenPosting,
  OrderColumns,
  PriceBand,
  TradeTerms,
  ZonePosting,
  ZoneTerms,
} from "../../../../services/core/market/types.ts";
import { encodeBook } from "../../../../services/core/market/words.ts";
import type { Submission } from "../../../../services/protocol/clearing.ts";
import { countOf, encodeBatches } from "../../../../services/protocol/words.ts";

/** Hand-made books before the contract that proves clearings. */

export const band: PriceBand = { min: -100, max: 100, reference: 7 };

export const zone = (change: Partial<ZoneTerms> = {}): ZoneTerms => ({
  parent: 0,
  toParentWh: 0,
  fromParentWh: 0,
  fee: 0,
  hasBackup: false,
  backupSell: 0,
  backupBuy: 0,
  backupCapacityWh: 0,
  ...change,
});

/** A zone beside zone 0, with limits in both directions. */
export const linked = (limitWh: number, change: Partial<ZoneTerms> = {}): ZoneTerms =>
  zone({ parent: 0, toParentWh: limitWh, fromParentWh: limitWh, ...change });

export interface Word {
  point?: number;
  sequence?: number;
  zone?: number;
  side: "bid" | "offer";
  green?: boolean;
  /** 0 normal, 1 opportunistic, 2 critical, 3 emergency. */
  priority?: number;
  energyWh: number;
  price: number;
}

export const bid = (energyWh: number, price: number, rest: Partial<Word> = {}): Word => ({
  side: "bid",
  energyWh,
  price,
  ...rest,
});
export const offer = (energyWh: number, price: number, rest: Partial<Word> = {}): Word => ({
  side: "offer",
  energyWh,
  price,
  ...rest,
});

const flagsOf = ({ side, green, priority = 0 }: Word): number =>
  (side === "offer" ? OFFER : 0) | (green ? GREEN : 0) | (priority << 2);

export const columnsOf = (words: readonly Word[]): OrderColumns & { point: Uint32Array } => ({
  count: words.length,
  point: Uint32Array.from(words, (word, i) => word.point ?? i),
  sequence: Uint8Array.from(words, (word) => word.sequence ?? 1),
  zone: Uint8Array.from(words, (word) => word.zone ?? 0),
  flags: Uint8Array.from(words, flagsOf),
  energyWh: Uint32Array.from(words, (word) => word.energyWh),
  price: Float64Array.from(words, (word) => word.price),
});

export const posting = (change: Partial<ZonePosting> = {}): ZonePosting => ({
  price: 0,
  marginalBidWh: 0,
  marginalOfferWh: 0,
  backupSoldWh: 0,
  backupBoughtWh: 0,
  ...change,
});

export const greenPosting = (change: Partial<GreenPosting> = {}): GreenPosting => ({
  price: 0,
  marginalBidWh: 0,
  marginalOfferWh: 0,
  ...change,
});

/** What is posted beside the book. */
export interface Posted {
  postings: ZonePosting[];
  green?: GreenPosting[];
  tradesWh?: number[];
}

export const submissionOf = (book: string, { postings, green = [], tradesWh = [] }: Posted): Submission => ({
  slot: 0,
  book,
  batches: countOf(book) >= 1 ? encodeBatches([Math.floor(countOf(book))]) : "0x",
  postings: [...postings],
  green: [...green],
  trades: "0x",
  tradesWh: [...tradesWh],
  duals: { mu: [] },
});

export const termsOf = (
  zones: readonly ZoneTerms[],
  { min, max, reference }: PriceBand = band,
  trades: readonly TradeTerms[] = [],
) => ({
  zones: [...zones],
  band: { min, max, reference_: reference },
  trades: [...trades],
  limits: "0x",
});

/** Hash before the first word of every book here. */
export const START = `0x${"5a".repeat(32)}`;

/** A market without its book. */
export interface Market {
  zones: ZoneTerms[];
  trades?: TradeTerms[];
  band?: PriceBand;
}

/** An EVM with the contract in it. */
export const createStand = async () => {
  const { ethers } = await network.create();
  const ClearingMesh = await (await ethers.deployContract("ClearingMesh")).getAddress();
  const harness = await ethers.deployContract("ClearingHarness", [], { libraries: { ClearingMesh } });
  const prove = (words: readonly Word[], market: Market, posted: Posted) =>
    harness.prove.staticCall(
      submissionOf(hexlify(encodeBook(columnsOf(words))), posted),
      START,
      termsOf(market.zones, market.band, market.trades),
    );
  /** By this error; with these values where any are given. */
  const refuses = async (
    words: readonly Word[],
    market: Market,
    posted: Posted,
    error: string,
    ...values: unknown[]
  ): Promise<void> => {
    const refused = expect(prove(words, market, posted)).to.be.revertedWithCustomError(harness, error);
    await (values.length > 0 ? refused.withArgs(...values) : refused);
  };
  return { ethers, harness, prove, refuses };
};

export type Stand = Awaited<ReturnType<typeof createStand>>;
