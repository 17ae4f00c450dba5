import { expect } from "chai";
import fc from "fast-check";
import { createSolver } from "../../../services/core/dispatch/solver.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import { isMeshed } from "../../../services/core/market/mesh/ptdf.ts";
import { clearMarket } from "../../../services/core/market/result.ts";
import { checkResult } from "../../../scripts/clearing/check-result.ts";
import { createHarness } from "../../../scripts/clearing/harness.ts";
import { clearMesh } from "../../../services/core/market/mesh/clear.ts";
import { meshMarket } from "../../../services/core/market/mesh/decide.ts";
import { isWide, randomMesh } from "../../services/core/market/random-mesh.ts";
import { createProver } from "./mesh-case.ts";

const long = process.env["DAEG_LONG"] === "1";

describe("meshes with green orders and bilateral trades before the contract", function () {
  this.timeout(long ? 3_600_000 : 120_000);

  it("takes what our solver posts, with the very gap and prices of our own proof", async () => {
    const prover = await createProver();
    const solver = await createSolver();
    const seen = { congested: 0, green: 0, trades: 0 };
    await fc.assert(
      fc.asyncProperty(randomMesh(10, 30).filter(isWide), async (drawn) => {
        const market = meshMarket(compileMarket(drawn));
        fc.pre(market.limits.length > 0);
        const { posting, outcome } = clearMesh(market, solver);
        const { postings, green, mu } = posting;
        const tradesWh = Array.from(posting.tradesWh);
        if (mu.some((own) => own !== 0n)) seen.congested += 1;
        if (outcome.prices.gamma.some((own) => own > 0n)) seen.green += 1;
        if (tradesWh.some((wh) => wh > 0)) seen.trades += 1;
        const proven = await prover.prove({ ...market, zones: market.terms }, { postings, green, tradesWh, mu });
        expect(proven.gapBoundNano).to.equal(outcome.gapBoundNano);
        expect(proven.welfareNano).to.equal(outcome.welfareNano);
        market.terms.forEach(({ parent }, z) => {
          if (parent === z) expect(proven.lambda[z]).to.equal(outcome.prices.lambda[z]);
        });
      }),
      { numRuns: Number(process.env["RUNS"] ?? (long ? 3_000 : 100)) },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.greaterThan(0);
  });

  it("takes whole results as daeg verify does", async () => {
    const harness = await createHarness();
    const solver = await createSolver();
    try {
      await fc.assert(
        fc.asyncProperty(randomMesh(8, 24).filter(isWide), async (drawn) => {
          const market = compileMarket(drawn);
          fc.pre(isMeshed(market));
          const verdict = await checkResult(harness, market, clearMarket(market, solver));
          expect(verdict, JSON.stringify(verdict)).to.have.property("accepted", true);
        }),
        { numRuns: Number(process.env["RUNS"] ?? (long ? 1_000 : 50)) },
      );
    } finally {
      await harness.close();
    }
  });
});
