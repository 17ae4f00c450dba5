import { expect } from "chai";
import { hexlify } from "ethers";
import { network } from "hardhat";
import { OFFER } from "../../../services/core/market/types.ts";
import type {
  GreenPosting,
  NetworkLimit,
  OrderColumns,
  PriceBand,
  TradeTerms,
  ZonePosting,
  ZoneTerms,
} from "../../../services/core/market/types.ts";
import { encodeBook } from "../../../services/core/market/words.ts";
import { packLimits } from "../../../services/protocol/limits.ts";
import { encodeBatches } from "../../../services/protocol/words.ts";

/** A book on a meshed network. */
export interface MeshCase {
  readonly zones: readonly ZoneTerms[];
  readonly limits: readonly NetworkLimit[];
  readonly band: PriceBand;
  readonly columns: OrderColumns;
  readonly trades?: readonly TradeTerms[];
}

/** What is posted for it. */
export interface MeshClaim {
  readonly postings: readonly ZonePosting[];
  readonly mu: readonly bigint[];
  readonly green?: readonly GreenPosting[];
  readonly tradesWh?: readonly number[];
}

export interface MeshOutcome {
  readonly boughtWh: bigint;
  readonly welfareNano: bigint;
  readonly gapBoundNano: bigint;
  readonly lambda: readonly bigint[];
}

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

export const posting = (price: number, change: Partial<ZonePosting> = {}): ZonePosting => ({
  price,
  marginalBidWh: 0,
  marginalOfferWh: 0,
  backupSoldWh: 0,
  backupBoughtWh: 0,
  ...change,
});

/** [zone, Wh, micro-token per kWh]: positive energy is an offer, negative a bid. */
export type Step = readonly [number, number, number];

export const columnsOf = (steps: readonly Step[]): OrderColumns => ({
  count: steps.length,
  zone: Uint8Array.from(steps, ([own]) => own),
  flags: Uint8Array.from(steps, ([, energyWh]) => (energyWh > 0 ? OFFER : 0)),
  energyWh: Uint32Array.from(steps, ([, energyWh]) => Math.abs(energyWh)),
  price: Float64Array.from(steps, ([, , price]) => price),
});

export const LINE = 333_333;

/** Three zones, each linked with each other over equal lines; the line from 0 to 1 takes 100 Wh. */
export const triangle = (steps: readonly Step[], change: Partial<MeshCase> = {}): MeshCase => ({
  zones: [zone(), zone(), zone()],
  limits: [
    { minWh: -100, maxWh: 100, weights: [LINE, -LINE, 0] },
    { minWh: -1_000, maxWh: 1_000, weights: [0, LINE, -LINE] },
    { minWh: -1_000, maxWh: 1_000, weights: [LINE, 0, -LINE] },
  ],
  band: { min: -100, max: 100, reference: 7 },
  columns: columnsOf(steps),
  ...change,
});

const START = `0x${"5a".repeat(32)}`;

/** The proof as a contract, for books on meshed networks. */
export const createProver = async () => {
  const { ethers } = await network.create();
  const ClearingMesh = await (await ethers.deployContract("ClearingMesh")).getAddress();
  const harness = await ethers.deployContract("ClearingHarness", [], { libraries: { ClearingMesh } });
  const call = ({ zones, limits, band, columns, trades = [] }: MeshCase, claim: MeshClaim) => {
    const submission = {
      slot: 0,
      book: hexlify(encodeBook(columns)),
      batches: columns.count === 0 ? "0x" : encodeBatches([columns.count]),
      postings: [...claim.postings],
      green: [...(claim.green ?? [])],
      trades: "0x",
      tradesWh: [...(claim.tradesWh ?? [])],
      duals: { mu: [...claim.mu] },
    };
    const { min, max, reference } = band;
    const terms = {
      zones: [...zones],
      band: { min, max, reference_: reference },
      trades: [...trades],
      limits: packLimits(limits),
    };
    return [submission, START, terms] as const;
  };
  const prove = async (given: MeshCase, claim: MeshClaim): Promise<MeshOutcome> => {
    const { outcome } = await harness.getFunction("prove").staticCall(...call(given, claim));
    return outcome as unknown as MeshOutcome;
  };
  return {
    harness,
    /** Reverts with the contract's error. */
    prove,
    /** Expects the contract's error with these values. */
    refuses: (given: MeshCase, claim: MeshClaim, error: string, ...values: unknown[]) =>
      expect(prove(given, claim))
        .to.be.revertedWithCustomError(harness, error)
        .withArgs(...values),
    async accepts(given: MeshCase, claim: MeshClaim): Promise<boolean> {
      return harness
        .getFunction("prove")
        .staticCall(...call(given, claim))
        .then(
          () => true,
          () => false,
        );
    },
    /** Gas of the whole transaction. */
    async gas(given: MeshCase, claim: MeshClaim): Promise<number> {
      const [signer] = await ethers.getSigners();
      const data = harness.interface.encodeFunctionData("prove", call(given, claim) as never);
      const sent = await signer?.sendTransaction({ to: await harness.getAddress(), data });
      return Number((await sent?.wait())?.gasUsed);
    },
  };
};
