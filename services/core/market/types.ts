/** Energy is Wh and prices are micro-token per kWh, as safe integers; money is nano-token (Wh x micro/kWh) as bigint. */

/** Bits of `OrderColumns.flags`. On a bid GREEN means green only, on an offer certified renewable. */
export const OFFER = 1;
export const GREEN = 2;
/** Bits 3..2: priority class of a bid, an index into PRIORITIES. */
export const PRIORITY_SHIFT = 2;
export const PRIORITY_MASK = 3;

/** Priority classes by their number in the flags, and what a marginal bid of each weighs in an island without backup. */
export const PRIORITIES = ["normal", "opportunistic", "critical", "emergency"] as const;
export type Priority = (typeof PRIORITIES)[number];
export const PRIORITY_WEIGHTS = [2, 1, 4, 8] as const;

/** A zone as the clearing sees it; mirrors contracts/libraries/MarketTypes.sol. Parents stand before their children. */
export interface ZoneTerms {
  /** Index of the parent zone; the own index at the root of an island. */
  readonly parent: number;
  /** Limit of the flow to the parent. */
  readonly toParentWh: number;
  /** Limit of the flow from the parent. */
  readonly fromParentWh: number;
  /** What bids pay on top of the zone price. */
  readonly fee: number;
  readonly hasBackup: boolean;
  /** Import tariff: the backup offers at this less the fee. */
  readonly backupSell: number;
  /** Export tariff: the backup bids at this. */
  readonly backupBuy: number;
  /** Rating of the backup's connection, each direction. */
  readonly backupCapacityWh: number;
}

export interface PriceBand {
  readonly min: number;
  readonly max: number;
  /** Price of an island without any value. */
  readonly reference: number;
}

/** What a solver posts for one zone; the contract derives every fill from it. */
export interface ZonePosting {
  price: number;
  marginalBidWh: number;
  marginalOfferWh: number;
  backupSoldWh: number;
  backupBoughtWh: number;
}

/** What a solver posts for the green orders of one zone; they trade at the zone price plus the island's premium. */
export interface GreenPosting {
  price: number;
  marginalBidWh: number;
  marginalOfferWh: number;
}

/** A bilateral trade: energy from the seller's zone to the buyer's at a price difference of at most `maxSpread`. */
export interface TradeTerms {
  readonly from: number;
  readonly to: number;
  readonly limitWh: number;
  readonly maxSpread: number;
}

/** minWh <= sum of weight x net export / 1e6 <= maxWh, with minWh <= 0 <= maxWh. */
export interface NetworkLimit {
  readonly minWh: number;
  readonly maxWh: number;
  /** Per zone, integers in 1e-6. */
  readonly weights: readonly number[];
}

/** Dual prices of a meshed network, in 1e-6 micro-token per kWh; `lambda` per zone (roots count), `mu` per limit. */
export interface NetworkDuals {
  readonly lambda: readonly bigint[];
  readonly mu: readonly bigint[];
}

/**
 * A book as columns, in order of append. One entry is one priced step (an order word).
 * `point` and `sequence` may be left out together when no order replaces another.
 */
export interface OrderColumns {
  readonly count: number;
  readonly point?: Uint32Array;
  readonly sequence?: Uint8Array;
  readonly zone: Uint8Array | Uint16Array | Uint32Array;
  /** OFFER, GREEN and the priority class. */
  readonly flags: Uint8Array;
  readonly energyWh: Uint32Array;
  /** Limits; int40 where the book is on chain. */
  readonly price: Float64Array;
}

/** A cleared book. */
export interface Clearing {
  /** Per zone. */
  readonly postings: ZonePosting[];
  /** Per zone; empty when no green-only bid lives in the book, and then green offers count as ordinary ones. */
  readonly green: GreenPosting[];
  /** Per bilateral trade. */
  readonly tradesWh: Float64Array;
  /** Per order, in order of append. */
  readonly fillsWh: Float64Array;
  /** Per zone, backup included. */
  readonly netExportWh: Float64Array;
  /** Per zone: flow over the line to its parent; 0 at a root. */
  readonly flowToParentWh: Float64Array;
}

/** A market that is not well-formed. `path` names the field, `message` what to change. */
export class MarketError extends Error {
  override readonly name = "MarketError";
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}
