import { expect } from "chai";
import fc from "fast-check";
import { createSolver } from "../../../services/core/dispatch/solver.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import { checkMesh } from "../../../services/core/market/mesh/check.ts";
import { clearMesh } from "../../../services/core/market/mesh/clear.ts";
import { meshMarket } from "../../../services/core/market/mesh/decide.ts";
import { isMeshed } from "../../../services/core/market/mesh/ptdf.ts";
import type { MeshMarket, MeshPosting } from "../../../services/core/market/mesh/tally.ts";
import { MarketError } from "../../../services/core/market/types.ts";
import { randomMesh } from "../../services/core/market/random-mesh.ts";
import { createProver } from "./mesh-case.ts";

const long = process.env["DAEG_LONG"] === "1";

/** One step away from a posting: which number, and by how much. */
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom("price", "bid", "offer", "sold", "bought", "green", "greenBid", "greenOffer", "trade", "mu"),
    at: fc.nat(),
    by: fc.constantFrom(-1, 1),
    far: fc.constantFrom(1, 1, 1, 400_000, 1_000_000, 50_000_000),
  }),
  { minLength: 1, maxLength: 2 },
);
type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

const FIELDS = {
  price: "price",
  bid: "marginalBidWh",
  offer: "marginalOfferWh",
  sold: "backupSoldWh",
  bought: "backupBoughtWh",
} as const;
const GREEN_FIELDS = { green: "price", greenBid: "marginalBidWh", greenOffer: "marginalOfferWh" } as const;

const moved = (posting: MeshPosting, walked: Steps): MeshPosting => {
  const postings = posting.postings.map((own) => ({ ...own }));
  const green = posting.green.map((own) => ({ ...own }));
  const tradesWh = Array.from(posting.tradesWh);
  const mu = [...posting.mu];
  for (const { kind, at, by, far } of walked) {
    if (kind === "mu") mu[at % mu.length] = (mu[at % mu.length] as bigint) + BigInt(by * far);
    else if (kind === "trade") {
      if (tradesWh.length > 0) tradesWh[at % tradesWh.length] = (tradesWh[at % tradesWh.length] as number) + by;
    } else if (kind in FIELDS) {
      const own = postings[at % postings.length] as (typeof postings)[0];
      own[FIELDS[kind as keyof typeof FIELDS]] += by;
    } else if (green.length > 0) {
      const own = green[at % green.length] as (typeof green)[0];
      own[GREEN_FIELDS[kind as keyof typeof GREEN_FIELDS]] += by;
    }
  }
  return { postings, green, tradesWh, mu };
};

/** Whole Wh of no sign: the rest cannot even be encoded. */
const isPosting = ({ postings, green, tradesWh }: MeshPosting): boolean =>
  Array.from(tradesWh).every((wh) => wh >= 0) &&
  green.every((own) => own.marginalBidWh >= 0 && own.marginalOfferWh >= 0) &&
  postings.every((own) =>
    [own.marginalBidWh, own.marginalOfferWh, own.backupSoldWh, own.backupBoughtWh].every((wh) => wh >= 0),
  );

describe("the contract and services/core/market/mesh/check.ts, written apart", function () {
  this.timeout(long ? 3_600_000 : 120_000);

  it("agree on what is a clearing of a meshed market, and on its gap", async () => {
    const prover = await createProver();
    const solver = await createSolver();
    const seen = { accepted: 0, refused: 0, green: 0, trades: 0 };
    const compare = async (market: MeshMarket, posting: MeshPosting): Promise<void> => {
      const { terms: zones, columns, limits, band, trades } = market;
      const given = { zones, limits, band, columns, trades };
      const claim = { ...posting, tradesWh: Array.from(posting.tradesWh) };
      const expected = checkMesh(market, posting);
      const proven = await prover.prove(given, claim).catch((error: Error) => error.message);
      if (typeof proven === "string") {
        seen.refused += 1;
        expect(proven).to.match(/custom error/);
        expect(expected.accepted, `the contract alone refuses: ${proven}`).to.equal(false);
        return;
      }
      seen.accepted += 1;
      if (posting.green.length > 0) seen.green += 1;
      if (claim.tradesWh.some((wh) => wh > 0)) seen.trades += 1;
      if (!expected.accepted) throw new Error(`the contract alone accepts: ${expected.error}`);
      expect(proven.gapBoundNano).to.equal(expected.gapBoundNano);
      expect(proven.welfareNano).to.equal(expected.welfareNano);
      zones.forEach(({ parent }, z) => {
        if (parent === z) expect(proven.lambda[z]).to.equal(expected.prices.lambda[z]);
      });
    };
    await fc.assert(
      fc.asyncProperty(randomMesh(6, 18), fc.array(steps, { minLength: 4, maxLength: 4 }), async (drawn, walks) => {
        const compiled = compileMarket(drawn);
        if (!isMeshed(compiled)) return;
        const market = meshMarket(compiled);
        let posting: MeshPosting;
        try {
          posting = clearMesh(market, solver).posting;
        } catch (error) {
          if (error instanceof MarketError) return;
          throw error;
        }
        await compare(market, posting);
        for (const walk of walks) {
          const other = moved(posting, walk);
          if (isPosting(other)) await compare(market, other);
        }
      }),
      { numRuns: Number(process.env["RUNS"] ?? (long ? 5_000 : 120)) },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.greaterThan(0);
  });
});
