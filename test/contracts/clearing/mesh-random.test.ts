import { expect } from "chai";
import fc from "fast-check";
import { checkResult } from "../../../scripts/clearing/check-result.ts";
import { createHarness } from "../../../scripts/clearing/harness.ts";
import { clearBook } from "../../../services/core/market/clear.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import type { Market } from "../../../services/core/market/market.ts";
import { isMeshed, networkLimits } from "../../../services/core/market/mesh/ptdf.ts";
import { clearMarket } from "../../../services/core/market/result.ts";
import type { MarketResult } from "../../../services/core/market/result.ts";
import { MarketError } from "../../../services/core/market/types.ts";
import type { ZonePosting } from "../../../services/core/market/types.ts";
import { createSolver } from "../../../services/core/dispatch/solver.ts";
import { createProver } from "./mesh-case.ts";
import type { MeshCase, MeshClaim, MeshOutcome } from "./mesh-case.ts";
import { randomMesh } from "./mesh-market.ts";
import { solveMesh } from "./mesh-solver.ts";
import type { MeshSolution } from "./mesh-solver.ts";

const long = process.env["DAEG_LONG"] === "1";
const runs = (short: number, full: number): { numRuns: number } => ({
  numRuns: Number(process.env["RUNS"] ?? (long ? full : short)),
});

const caseOf = (drawn: Market): MeshCase => {
  const market = compileMarket(drawn);
  return { zones: market.terms, limits: networkLimits(market), band: market.band, columns: market.columns };
};

/** The same with its first number one higher; duals lose their lambda. */
const moved = (value: unknown): unknown => {
  if (typeof value === "string") return String(BigInt(value) + 1n);
  if (typeof value === "number") return value + 1;
  const [[key, first] = ["", 0] as const, ...rest] = Object.entries(value as Record<string, unknown>);
  return { ...Object.fromEntries(rest), [key]: moved(first) };
};

/** Nobody can do better than by the bound that the contract computed. */
const expectBound = (solution: MeshSolution, { welfareNano, gapBoundNano }: MeshOutcome): void => {
  const lost = solution.optimum - Number(welfareNano);
  const rounding = 1e-9 * Math.abs(solution.optimum) + 1e-6;
  expect(lost, "welfare above the optimum").to.be.at.least(-rounding);
  expect(Number(gapBoundNano), "gap below what was lost").to.be.at.least(lost - rounding);
};

describe("random meshes before the contract", function () {
  this.timeout(long ? 3_600_000 : 120_000);
  let prover: Awaited<ReturnType<typeof createProver>>;
  before(async () => {
    prover = await createProver();
  });

  it("accepts rounded optima, whose gap it bounds", async () => {
    const seen = { cleared: 0, tight: 0, gap: 0, unsolved: 0, notNeeded: 0 };
    await fc.assert(
      fc.asyncProperty(randomMesh(12, 40), async (drawn) => {
        const given = caseOf(drawn);
        if (given.limits.length === 0) return;
        const solution = await solveMesh(given);
        if (!solution) {
          seen.unsolved += 1;
          return;
        }
        const outcome = await prover.prove(given, solution).catch((error: Error) => {
          // Duals of a linear program may be higher than need be where a limit is full by chance.
          if (!error.message.includes("DualNotNeeded")) throw error;
          seen.notNeeded += 1;
        });
        if (!outcome) return;
        expectBound(solution, outcome);
        seen.cleared += 1;
        if (solution.tight > 0) seen.tight += 1;
        if (outcome.gapBoundNano > 0n) seen.gap += 1;
      }),
      runs(150, 5_000),
    );
    expect(seen.unsolved, JSON.stringify(seen)).to.be.lessThan(0.03 * (seen.cleared + 50));
    expect(seen.notNeeded, JSON.stringify(seen)).to.be.lessThan(0.2 * (seen.cleared + 50));
    expect(Math.min(seen.tight, seen.gap), JSON.stringify(seen)).to.be.greaterThan(0);
  });

  it("refuses one unit more or less of all but dual prices, and no dual price changes what is cleared", async () => {
    const seen = { other: 0, refused: 0 };
    const fields = ["price", "marginalBidWh", "marginalOfferWh", "backupSoldWh", "backupBoughtWh"] as const;
    const withPosting = (claim: MeshClaim, at: number, change: Partial<ZonePosting>): MeshClaim => ({
      ...claim,
      postings: claim.postings.map((own, i) => (i === at ? { ...own, ...change } : own)),
    });
    await fc.assert(
      fc.asyncProperty(randomMesh(5, 14), async (drawn) => {
        const given = caseOf(drawn);
        const solution = given.limits.length > 0 ? await solveMesh(given) : undefined;
        if (!solution || !(await prover.accepts(given, solution))) return;
        for (const [zone, posting] of solution.postings.entries()) {
          for (const field of fields) {
            for (const step of [-1, 1]) {
              const value = posting[field] + step;
              if (field !== "price" && value < 0) continue;
              const changed = withPosting(solution, zone, { [field]: value });
              expect(await prover.accepts(given, changed), `${field} ${value} in zone ${zone}`).to.equal(false);
            }
          }
        }
        for (const [limit, dual] of solution.mu.entries()) {
          for (const other of [dual - 1n, dual + 1n, -dual, 0n]) {
            if (other === dual) continue;
            const changed = { ...solution, mu: solution.mu.with(limit, other) };
            if (!(await prover.accepts(given, changed))) {
              seen.refused += 1;
              continue;
            }
            seen.other += 1;
            expectBound(solution, await prover.prove(given, changed));
          }
        }
      }),
      runs(25, 1_000),
    );
    expect(Math.min(seen.other, seen.refused), JSON.stringify(seen)).to.be.greaterThan(0);
  });

  it("accepts what daeg clear finds, and refuses other totals", async () => {
    const harness = await createHarness();
    const solver = await createSolver();
    const seen = { meshed: 0, unsolved: 0 };
    try {
      await fc.assert(
        fc.asyncProperty(randomMesh(10, 30), fc.nat(), async (drawn, pick) => {
          const market = compileMarket(drawn);
          if (!isMeshed(market)) return;
          let result: MarketResult;
          try {
            result = clearMarket(market, solver);
          } catch (error) {
            if (!(error instanceof MarketError)) throw error;
            seen.unsolved += 1;
            return;
          }
          seen.meshed += 1;
          const verdict = await checkResult(harness, market, result);
          expect(verdict, JSON.stringify(verdict)).to.have.property("accepted", true);
          const names = ["gapBoundNano", "dualNano", "lambdaMicroPerKwh", "flowsWh", "exactDuals"] as const;
          const name = names[pick % names.length] as (typeof names)[number];
          const other = await checkResult(harness, market, { ...result, [name]: moved(result[name]) } as MarketResult);
          expect(other, name).to.have.property("accepted", false);
        }),
        runs(60, 2_000),
      );
    } finally {
      await harness.close();
    }
    expect(seen.meshed, JSON.stringify(seen)).to.be.greaterThan(20 * seen.unsolved);
  });

  it("where nothing is tight, takes what the radial solver posts and no other price", async () => {
    await fc.assert(
      fc.asyncProperty(randomMesh(6, 20), async (drawn) => {
        const roomy = {
          ...drawn,
          constraints: [],
          lines: (drawn.lines ?? []).map((line) => ({ ...line, capacityWh: 10 ** 9 })),
        };
        const given = caseOf(roomy);
        if (given.limits.length === 0) return;
        const open = given.zones.map((own) => ({ ...own, toParentWh: 10 ** 9, fromParentWh: 10 ** 9 }));
        const { postings } = clearBook(given.columns, open, given.band);
        const claim = { postings, mu: given.limits.map(() => 0n) };
        expect((await prover.prove(given, claim)).gapBoundNano).to.equal(0n);
        // The split of a marginal quantity between zones is free, but not the price.
        const prices = (await solveMesh(given))?.postings.map(({ price }) => price);
        expect(prices).to.deep.equal(postings.map(({ price }) => price));
      }),
      runs(60, 2_000),
    );
  });
});
