import { expect } from "chai";
import { getBytes, hexlify } from "ethers";
import fc from "fast-check";
import { clearBook } from "../../../services/core/market/clear.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import { decodeBook, encodeBook } from "../../../services/core/market/words.ts";
import type { Submission } from "../../../services/protocol/clearing.ts";
import { planParts } from "../../../services/protocol/parts.ts";
import { bookHash, decodeBatches, encodeBatches, withoutVoided, type Batch } from "../../../services/protocol/words.ts";
import { fullMarketOf, real, tiny } from "../../services/core/market/random-market.ts";
import { bid, columnsOf, createStand, offer, posting, START, termsOf, zone, type Stand } from "./support/stand.ts";

const long = process.env["DAEG_LONG"] === "1";

describe("books with voided zones", function () {
  this.timeout(long ? 3_600_000 : 240_000);
  let stand: Stand;
  before(async () => {
    stand = await createStand();
  });

  const deployParts = async () => {
    const ClearingMesh = await (await stand.ethers.deployContract("ClearingMesh")).getAddress();
    const linked = await stand.ethers.deployContract("ClearingParts", [], { libraries: { ClearingMesh } });
    const ClearingParts = await linked.getAddress();
    return stand.ethers.deployContract("PartsHarness", [], { libraries: { ClearingParts } });
  };

  it("clear as if the voided words were cancellations, in one transaction and in parts, and in no other way", async () => {
    const harness = await deployParts();
    let differ = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fullMarketOf(tiny, 5, 16), fullMarketOf(real, 5, 16)),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 16, maxLength: 16 }),
        fc.array(fc.nat(5), { minLength: 16, maxLength: 16 }),
        fc.array(fc.option(fc.bigInt({ min: 1n, max: 31n }), { freq: 2 }), { minLength: 17, maxLength: 17 }),
        async (from, cuts, owners, voids) => {
          const market = compileMarket(from);
          const { count } = market.columns;
          if (count === 0) return;
          const batches: Batch[] = [];
          const batchOf: number[] = [];
          for (let left = count, i = 0; left > 0; i += 1) {
            const size = Math.min(left, cuts[i] as number);
            batches.push(size);
            for (let word = 0; word < size; word += 1) batchOf.push(i);
            left -= size;
            const zones = voids[i];
            if (zones !== null && zones !== undefined) batches.push(zones);
          }
          const columns = {
            ...market.columns,
            point: Uint32Array.from({ length: count }, (_, i) => owners[batchOf[i] as number] as number),
            sequence: Uint8Array.from({ length: count }, (_, i) => 1 + (batchOf[i] as number)),
          };
          const book = hexlify(encodeBook(columns));
          const encoded = encodeBatches(batches);
          expect(decodeBatches(encoded)).to.deep.equal(batches);
          const masked = withoutVoided(book, encoded);
          const [terms, trades] = [[...market.terms], [...market.trades]];
          const solve = (words: string) => clearBook(decodeBook(getBytes(words)), terms, market.band, trades);
          const submissionOf = (words: string, given: string, cleared: ReturnType<typeof solve>): Submission => ({
            ...{ slot: 0, book: words, batches: given, postings: cleared.postings, green: cleared.green },
            ...{ tradesWh: [...cleared.tradesWh], trades: "0x", duals: { mu: [] } },
          });
          const onChain = termsOf(terms, market.band, trades);
          const prove = (submission: Submission) => stand.harness.prove.staticCall(submission as never, START, onChain);

          const cleared = solve(masked);
          const own = submissionOf(book, encoded, cleared);
          const [hash, outcome, positions] = await prove(own);
          const end = bookHash(START, book, encoded);
          expect(hash).to.equal(end);
          // The same book in which these words never had energy.
          const plain = encodeBatches(batches.filter((batch) => typeof batch === "number"));
          const [other, sameOutcome, samePositions] = await prove(submissionOf(masked, plain, cleared));
          expect([outcome, positions]).to.deep.equal([sameOutcome, samePositions]);

          // Without its voids it is another book; with them no other prices clear it.
          if (encoded !== plain) {
            expect((await prove(submissionOf(book, plain, solve(book))))[0]).not.to.equal(end);
            expect(other).not.to.equal(end);
            const ignoring = submissionOf(book, encoded, solve(book));
            const key = ({ postings, green, tradesWh }: Submission): string =>
              JSON.stringify([postings, green, tradesWh]);
            if (cleared.postings.some(({ price }, i) => price !== ignoring.postings[i]?.price)) {
              expect(key(ignoring)).not.to.equal(key(own));
              differ += 1;
              expect(
                await prove(ignoring).then(
                  () => "accepted",
                  () => "refused",
                ),
              ).to.equal("refused");
            }
          }

          // A part per batch, voids with the batch before them.
          let state = "0x";
          let proven: unknown;
          for (const part of planParts(own, terms, cleared, START, 1)) {
            const next = await harness.clearPart.staticCall({ ...part, state } as never, onChain, end, START);
            const receipt = await (await harness.clearPart({ ...part, state } as never, onChain, end, START)).wait();
            proven = receipt?.logs.map((log) => harness.interface.parseLog(log))[0]?.args["positions"];
            state = next;
          }
          expect(proven).to.equal(positions);
        },
      ),
      { numRuns: long ? 2_000 : 40, seed: 11 },
    );
    expect(differ).to.be.greaterThan(5);
  });

  it("leave no live word of the zone, and nothing of other zones void", async () => {
    const words = [
      bid(10, 30, { point: 0, zone: 0 }),
      offer(10, 10, { point: 1, zone: 0 }),
      bid(10, 30, { point: 2, zone: 1 }),
      offer(10, 10, { point: 3, zone: 1 }),
      // After the void of zone 1.
      offer(6, 20, { point: 3, zone: 1, sequence: 2 }),
    ];
    const zones = [zone(), zone({ parent: 1 })];
    const submission = {
      ...{ slot: 0, book: hexlify(encodeBook(columnsOf(words))), batches: encodeBatches([4, 2n, 1]) },
      ...{ green: [], trades: "0x", tradesWh: [], duals: { mu: [] } },
      postings: [posting({ price: 20 }), posting({ price: 20 })],
    };
    const [, , positions] = await stand.harness.prove.staticCall(submission, START, termsOf(zones));
    // Words: one each, two of point 3; point 2 bought nothing.
    expect(positions).to.equal(`0x8100000a0100000a0100000002000000`);
    const cut = { ...submission, batches: submission.batches.slice(0, -4) };
    await expect(stand.harness.prove.staticCall(cut, START, termsOf(zones))).to.be.revertedWithCustomError(
      stand.harness,
      "MalformedBatches",
    );
    const ragged = { ...submission, batches: encodeBatches([4, 1, 2n]).slice(0, -2) };
    await expect(stand.harness.prove.staticCall(ragged, START, termsOf(zones))).to.be.revertedWithCustomError(
      stand.harness,
      "MalformedBatches",
    );
  });
});
