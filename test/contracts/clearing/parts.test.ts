import { expect } from "chai";
import { concat, hexlify, keccak256 } from "ethers";
import fc from "fast-check";
import { clearBook } from "../../../services/core/market/clear.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import { encodeBook } from "../../../services/core/market/words.ts";
import { encodeBatches } from "../../../services/protocol/words.ts";
import { fullMarketOf, real, tiny } from "../../services/core/market/random-market.ts";
import { createStand, START, submissionOf, termsOf, type Stand } from "./support/stand.ts";
import { claimsOf } from "./support/claims.ts";

const long = process.env["DAEG_LONG"] === "1";

describe("clearings in parts", function () {
  this.timeout(long ? 3_600_000 : 120_000);
  let stand: Stand;
  before(async () => {
    stand = await createStand();
  });

  const partsHarness = async () => {
    const ClearingMesh = await (await stand.ethers.deployContract("ClearingMesh")).getAddress();
    const ClearingRadial = await (await stand.ethers.deployContract("ClearingRadial")).getAddress();
    return stand.ethers.deployContract("PartsHarness", [], { libraries: { ClearingMesh, ClearingRadial } });
  };

  const cut = (book: Uint8Array, sizes: number[]): { words: string; hashBefore: string }[] => {
    const batches: { words: string; hashBefore: string }[] = [];
    let hash = START;
    let at = 0;
    for (const size of sizes) {
      const words = hexlify(book.slice(at, at + 16 * size));
      batches.push({ words, hashBefore: hash });
      hash = keccak256(concat([hash, words]));
      at += 16 * size;
    }
    return batches;
  };

  it("prove the same as one transaction, wherever the book is cut", async () => {
    const harness = await partsHarness();
    const drawn = fc.oneof(fullMarketOf(tiny, 6, 20), fullMarketOf(real, 6, 20));
    await fc.assert(
      fc.asyncProperty(
        drawn,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 20, maxLength: 20 }),
        async (from, draws) => {
          const market = compileMarket(from);
          if (market.columns.count === 0) return;
          const clearing = clearBook(market.columns, market.terms, market.band, market.trades);
          const posted = {
            postings: clearing.postings,
            green: clearing.green,
            tradesWh: [...clearing.tradesWh],
          };
          const book = encodeBook(market.columns);
          const sizes: number[] = [];
          for (let left = market.columns.count; left > 0; left -= sizes.at(-1) as number)
            sizes.push(Math.min(left, draws[sizes.length % draws.length] as number));
          const terms = termsOf(market.terms, market.band, market.trades);
          const whole = submissionOf(hexlify(book), posted);
          const [end, outcome, positions] = await stand.harness.prove.staticCall(
            { ...whole, batches: encodeBatches(sizes) },
            START,
            terms,
          );
          const claims = claimsOf(market, clearing);
          let state = "0x";
          for (const { words, hashBefore } of cut(book, sizes).toReversed()) {
            const part = { submission: submissionOf(words, posted), claims, hashBefore, state };
            const next = await harness.clearPart.staticCall(part, terms, end, START);
            const receipt = await (await harness.clearPart(part, terms, end, START)).wait();
            state = next;
            if (hashBefore !== START) continue;
            const event = receipt?.logs.map((log) => harness.interface.parseLog(log))[0];
            expect(event?.args["positions"]).to.equal(positions);
            expect(event?.args["outcome"]).to.deep.equal(outcome);
          }
          expect(state).to.equal("0x");
        },
      ),
      { numRuns: long ? 2_000 : 40 },
    );
  });
});
