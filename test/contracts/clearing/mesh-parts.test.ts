import { expect } from "chai";
import { hexlify } from "ethers";
import fc from "fast-check";
import { compileMarket } from "../../../services/core/market/market.ts";
import { clearMesh } from "../../../services/core/market/mesh/clear.ts";
import { meshMarket } from "../../../services/core/market/mesh/decide.ts";
import { createSolver } from "../../../services/core/dispatch/solver.ts";
import { encodeBook } from "../../../services/core/market/words.ts";
import type { Submission } from "../../../services/protocol/clearing.ts";
import { packLimits } from "../../../services/protocol/limits.ts";
import { MOST_GAS, partGas, planParts } from "../../../services/protocol/parts.ts";
import { bookHash, encodeBatches } from "../../../services/protocol/words.ts";
import { isWide, randomMesh } from "../../services/core/market/random-mesh.ts";
import { createStand, START, termsOf } from "./support/stand.ts";

describe("clearings of meshed networks in parts", function () {
  this.timeout(240_000);

  it("prove the same as one transaction, each part within its plan", async () => {
    const stand = await createStand();
    const solver = await createSolver();
    const ClearingMesh = await (await stand.ethers.deployContract("ClearingMesh")).getAddress();
    const linked = await stand.ethers.deployContract("ClearingParts", [], { libraries: { ClearingMesh } });
    const ClearingParts = await linked.getAddress();
    const libraries = { ClearingParts };
    const harness = await stand.ethers.deployContract("PartsHarness", [], { libraries });
    const seen = { congested: 0, parts: 0 };
    await fc.assert(
      fc.asyncProperty(randomMesh(10, 30).filter(isWide), async (drawn) => {
        const market = meshMarket(compileMarket(drawn));
        fc.pre(market.limits.length > 0 && market.columns.count > 0);
        const { columns, terms: zones, limits } = market;
        const { postings, green, mu, tradesWh } = clearMesh(market, solver).posting;
        const sizes = Array.from({ length: Math.ceil(columns.count / 4) }, (_, i) =>
          Math.min(4, columns.count - 4 * i),
        );
        const submission: Submission = {
          ...{ slot: 0, book: hexlify(encodeBook(columns)), batches: encodeBatches(sizes), trades: "0x" },
          ...{ postings: [...postings], green: [...green], tradesWh: Array.from(tradesWh), duals: { mu: [...mu] } },
        };
        const terms = { ...termsOf([...zones], market.band, [...market.trades]), limits: packLimits(limits) };
        const [, outcome, positions] = await stand.harness.prove.staticCall(submission as never, START, terms);
        const end = bookHash(START, submission.book, submission.batches);
        // Parts of one batch; every order has a point of its own.
        const planned = partGas(4, columns.count, zones.length, limits.length);
        const parts = planParts(submission, zones, { postings: [...postings], green: [...green] }, START, planned);
        let state = "0x";
        for (const [at, part] of parts.entries()) {
          const next = await harness.clearPart.staticCall({ ...part, state }, terms, end, START);
          const sent = await harness.clearPart({ ...part, state }, terms, end, START, { gasLimit: MOST_GAS });
          const receipt = await sent.wait();
          expect(Number(receipt?.gasUsed), `part ${at} of ${parts.length}`).to.be.lessThan(planned);
          state = next;
          if (at < parts.length - 1) continue;
          const proven = receipt?.logs.map((log) => harness.interface.parseLog(log))[0]?.args;
          expect(proven?.["positions"]).to.equal(positions);
          expect(proven?.["outcome"]).to.deep.equal(outcome);
        }
        if (mu.some((own) => own !== 0n)) seen.congested += 1;
        seen.parts += parts.length;
      }),
      { numRuns: process.env["DAEG_LONG"] === "1" ? 500 : 20 },
    );
    expect(seen.congested).to.be.greaterThan(0);
    expect(seen.parts).to.be.greaterThan(25);
  });
});
