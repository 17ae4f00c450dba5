import { expect } from "chai";
import { hexlify, type Signer } from "ethers";
import fc from "fast-check";
import { clearBook } from "../../../services/core/market/clear.ts";
import { claimsOf } from "../../../services/core/market/claims.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import type { OrderColumns, PriceBand, TradeTerms, ZoneTerms } from "../../../services/core/market/types.ts";
import { encodeBook } from "../../../services/core/market/words.ts";
import type { Submission } from "../../../services/protocol/clearing.ts";
import { MOST_GAS, planParts, type ClearingPart } from "../../../services/protocol/parts.ts";
import { bookHash, encodeBatches } from "../../../services/protocol/words.ts";
import { fullMarketOf, real, tiny } from "../../services/core/market/random-market.ts";
import { band, bid, columnsOf, createStand, linked, offer, START, termsOf, zone, type Stand } from "./support/stand.ts";

const long = process.env["DAEG_LONG"] === "1";

interface Case {
  columns: OrderColumns;
  terms: ZoneTerms[];
  band: PriceBand;
  trades: TradeTerms[];
}

describe("clearings in parts", function () {
  this.timeout(long ? 3_600_000 : 240_000);
  let stand: Stand;
  before(async () => {
    stand = await createStand();
  });

  const deploy = async () => {
    const ClearingMesh = await (await stand.ethers.deployContract("ClearingMesh")).getAddress();
    const linked = await stand.ethers.deployContract("ClearingParts", [], { libraries: { ClearingMesh } });
    const ClearingParts = await linked.getAddress();
    return stand.ethers.deployContract("PartsHarness", [], { libraries: { ClearingParts } });
  };
  type Parts = Awaited<ReturnType<typeof deploy>>;

  /** A case solved, in batches of these sizes. */
  const solved = (given: Case, sizes: readonly number[]) => {
    const clearing = clearBook(given.columns, given.terms, given.band, given.trades);
    const submission: Submission = {
      slot: 0,
      book: hexlify(encodeBook(given.columns)),
      batches: encodeBatches(sizes),
      postings: clearing.postings,
      green: clearing.green,
      tradesWh: [...clearing.tradesWh],
      trades: "0x",
      duals: { mu: [] },
    };
    return {
      submission,
      claims: claimsOf(given.columns, given.terms, clearing),
      terms: termsOf(given.terms, given.band, given.trades),
      end: bookHash(START, submission.book, submission.batches),
      plan: () => planParts(submission, given.terms, clearing, START),
    };
  };
  type Solved = ReturnType<typeof solved>;

  /** Parts of one batch each, from the end. */
  const perBatch = ({ submission, claims }: Solved): ClearingPart[] => {
    const parts: ClearingPart[] = [];
    let hashBefore = START;
    let from = 2;
    for (let at = 2; at < submission.batches.length; at += 4) {
      const batches = `0x${submission.batches.slice(at, at + 4)}`;
      const book = `0x${submission.book.slice(from, from + 32 * parseInt(batches, 16))}`;
      from += book.length - 2;
      parts.unshift({ submission: { ...submission, book, batches }, claims, hashBefore });
      hashBefore = bookHash(hashBefore, book, batches);
    }
    return parts;
  };

  const post = async (harness: Parts, { terms, end }: Solved, part: ClearingPart, state: string, signer?: Signer) => {
    const own = signer ? harness.connect(signer as never) : harness;
    const next = await own.clearPart.staticCall({ ...part, state }, terms, end, START);
    const receipt = await (await own.clearPart({ ...part, state }, terms, end, START, { gasLimit: MOST_GAS })).wait();
    const proven = receipt?.logs.map((log) => harness.interface.parseLog(log))[0]?.args;
    return { next, gasUsed: Number(receipt?.gasUsed), proven };
  };

  const postAll = async (harness: Parts, market: Solved, parts: readonly ClearingPart[]) => {
    let state = "0x";
    const gas: number[] = [];
    for (const part of parts) {
      const { next, gasUsed, proven } = await post(harness, market, part, state);
      state = next;
      gas.push(gasUsed);
      if (proven) return { proven, gas };
    }
    throw new Error("the last part did not complete the clearing");
  };

  /** What the contract makes of the clearing in one piece. */
  const whole = async ({ submission, terms }: Solved) => {
    const [, outcome, positions] = await stand.harness.prove.staticCall(submission as never, START, terms);
    return { outcome, positions };
  };

  it("prove the same as one transaction, wherever the book is cut", async () => {
    const harness = await deploy();
    const drawn = fc.oneof(fullMarketOf(tiny, 6, 20), fullMarketOf(real, 6, 20));
    const draws = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        drawn,
        draws,
        fc.array(fc.nat(6), { minLength: 20, maxLength: 20 }),
        async (from, cuts, owners) => {
          const market = compileMarket(from);
          const { count } = market.columns;
          if (count === 0) return;
          // Points with several orders, which replace each other across parts.
          const sizes: number[] = [];
          for (let left = count; left > 0; left -= sizes.at(-1) as number)
            sizes.push(Math.min(left, cuts[sizes.length % cuts.length] as number));
          const batchOf = sizes.flatMap((size, batch) => Array.from({ length: size }, () => batch));
          const columns = {
            ...market.columns,
            point: Uint32Array.from({ length: count }, (_, i) => owners[(batchOf[i] as number) % 20] as number),
            sequence: Uint8Array.from({ length: count }, (_, i) => 1 + (batchOf[i] as number)),
          };
          const own = solved({ ...market, columns, terms: [...market.terms], trades: [...market.trades] }, sizes);
          const expected = await whole(own);
          const { proven } = await postAll(harness, own, perBatch(own));
          expect(proven?.["positions"]).to.equal(expected.positions);
          expect(proven?.["outcome"]).to.deep.equal(expected.outcome);
        },
      ),
      { numRuns: long ? 2_000 : 40 },
    );
  });

  const small = () => {
    const words = [bid(10, 30), offer(4, 30, { zone: 1 }), bid(8, 30), offer(6, 10), offer(9, 30, { zone: 1 })];
    const terms = [zone(), linked(100)];
    return solved({ columns: columnsOf(words), terms, band, trades: [] }, [2, 1, 2]);
  };

  it("belong to their submitter, and take no state but the last", async () => {
    const harness = await deploy();
    const market = small();
    const [last, middle, first] = perBatch(market) as [ClearingPart, ClearingPart, ClearingPart];
    const [, other] = (await stand.ethers.getSigners()) as unknown as Signer[];
    const one = await post(harness, market, last, "0x");
    const two = await post(harness, market, middle, one.next);
    const refused = (part: ClearingPart, state: string, error: string, signer?: Signer) =>
      expect(post(harness, market, part, state, signer)).to.be.revertedWithCustomError(harness, error);
    await refused(middle, one.next, "StaleProgress");
    await refused(first, two.next, "StaleProgress", other);
    // Another's parts from the beginning do not touch the first one's.
    const theirs = await post(harness, market, last, "0x", other);
    expect(theirs.next).to.equal(one.next);
    await refused(
      first,
      two.next.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      "StaleProgress",
    );
    const { proven } = await post(harness, market, first, two.next);
    expect(proven?.["positions"]).to.equal((await whole(market)).positions);
    await refused(first, two.next, "StaleProgress");
  });

  it("cover the book exactly, with the same postings and claims throughout", async () => {
    const harness = await deploy();
    const market = small();
    const [last, middle, first] = perBatch(market) as [ClearingPart, ClearingPart, ClearingPart];
    const refused = (part: ClearingPart, state: string, error: string) =>
      expect(post(harness, market, part, state)).to.be.revertedWithCustomError(harness, error);
    await refused(middle, "0x", "PartMismatch");
    const { next } = await post(harness, market, last, "0x");
    await refused(first, next, "PartMismatch");
    await refused({ ...middle, hashBefore: START }, next, "PartMismatch");
    await refused(last, next, "PartMismatch");
    const postings = middle.submission.postings.map((own) => ({ ...own, price: Number(own.price) + 1 }));
    await refused({ ...middle, submission: { ...middle.submission, postings } }, next, "OtherSubmission");
    const claims = middle.claims.map((own) => ({ ...own, restWh: own.restWh + 1 }));
    await refused({ ...middle, claims }, next, "OtherSubmission");
    await refused({ ...last, claims: last.claims.slice(1) }, "0x", "WrongClaim");
  });

  it("keep no position that their tables cannot hold", async () => {
    const harness = await deploy();
    const most = 2 ** 32 - 1;
    const sold = [offer(most, 10, { point: 1 }), offer(most, 10, { point: 1 })];
    const bought = [bid(most, 30, { point: 2 }), bid(most, 30, { point: 2 })];
    const columns = columnsOf([bid(1, 30, { point: 0 }), ...sold, ...bought]);
    const market = solved({ columns, terms: [zone()], band, trades: [] }, [1, 4]);
    await expect(post(harness, market, perBatch(market)[0] as ClearingPart, "0x"))
      .to.be.revertedWithCustomError(harness, "PositionOverflow")
      .withArgs(1, 2 * most, 2);
  });

  it("refuse every other claim about the words at the price", async () => {
    const harness = await deploy();
    const market = small();
    let tried = 0;
    for (const [group, own] of market.claims.entries()) {
      for (const field of ["availableWh", "words", "restWh"] as const) {
        for (const step of [-1, 1]) {
          if (own[field] + step < 0) continue;
          const claims = market.claims.with(group, { ...own, [field]: own[field] + step });
          tried += 1;
          const outcome = await postAll(harness, market, perBatch({ ...market, claims })).then(
            () => "accepted",
            () => "refused",
          );
          expect(outcome, `${field} ${own[field] + step} of group ${group}`).to.equal("refused");
        }
      }
    }
    expect(tried).to.be.greaterThan(30);
  });

  it("refuse a claim of words at the price without any energy, at the first of them", async () => {
    const harness = await deploy();
    const market = small();
    // Offers of zone 1: 12 of 13 Wh are filled.
    const claims = market.claims.with(5, { ...(market.claims[5] as (typeof market.claims)[0]), availableWh: 0 });
    const [last] = perBatch({ ...market, claims });
    await expect(post(harness, market, last as ClearingPart, "0x"))
      .to.be.revertedWithCustomError(harness, "WrongClaim")
      .withArgs(5);
  });

  it("clear 26,000 words of 3,250 points within the gas of a transaction each", async () => {
    const harness = await deploy();
    const count = 26_000;
    const words = Array.from({ length: count }, (_, i) => {
      const point = Math.floor(i / 8);
      const of = { point, zone: point % 3 };
      const energyWh = 50 + ((i * 7919) % 900);
      const price = 60_000 + ((i * 104_729) % 240) * 1_000;
      return point % 5 < 2 ? offer(energyWh, price, of) : bid(energyWh, price, of);
    });
    const line = { toParentWh: 40_000, fromParentWh: 40_000, fee: 20_000 };
    const backup = { hasBackup: true, backupSell: 300_000, backupBuy: 60_000, backupCapacityWh: 10_000_000 };
    const terms = [zone({ fee: 20_000, ...backup }), zone(line), zone(line)];
    const wide = { min: -1_000_000, max: 10_000_000, reference: 0 };
    const sizes = Array.from({ length: 65 }, () => 400);
    const market = solved({ columns: columnsOf(words), terms, band: wide, trades: [] }, sizes);
    const { proven, gas } = await postAll(harness, market, market.plan());
    expect(gas.length).to.be.within(2, 5);
    expect(Math.max(...gas)).to.be.lessThan(MOST_GAS);
    const expected = await whole(market);
    expect(proven?.["positions"]).to.equal(expected.positions);
    expect(proven?.["outcome"]).to.deep.equal(expected.outcome);
  });
});
