import { expect } from "chai";
import fc from "fast-check";
import { checkResult, claimOf } from "../../../scripts/clearing/check-result.ts";
import { createHarness } from "../../../scripts/clearing/harness.ts";
import type { Claim, Harness, Judgement } from "../../../scripts/clearing/harness.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import type { CompiledMarket } from "../../../services/core/market/market.ts";
import { clearMarket } from "../../../services/core/market/result.ts";
import type { ZonePosting } from "../../../services/core/market/types.ts";
import { randomMarket } from "../../services/core/market/random-market.ts";

const long = process.env["DAEG_LONG"] === "1";
const runs = (short: number, full: number): { numRuns: number } => ({ numRuns: long ? full : short });

describe("random markets before the contract", function () {
  this.timeout(long ? 3_600_000 : 60_000);
  let harness: Harness;
  before(async () => {
    harness = await createHarness();
  });
  after(() => harness.close());

  const claimed = (market: CompiledMarket): Claim => {
    const claim = claimOf(market, clearMarket(market));
    if ("error" in claim) throw new Error(claim.error);
    return claim;
  };
  const withPosting = (claim: Claim, zone: number, change: Partial<ZonePosting>): Claim => ({
    ...claim,
    postings: claim.postings.map((posting, i) => (i === zone ? { ...posting, ...change } : posting)),
  });

  it("accepts what the solver finds, and finds no gap", async () => {
    await fc.assert(
      fc.asyncProperty(randomMarket(12, 30), async (drawn) => {
        const market = compileMarket(drawn);
        const result = clearMarket(market);
        expect(result.gapNano).to.equal("0");
        const verdict = await checkResult(harness, market, result);
        expect(verdict, JSON.stringify(verdict)).to.have.property("accepted", true);
      }),
      runs(250, 20_000),
    );
  });

  it("refuses one unit more or less of anything posted", async () => {
    await fc.assert(
      fc.asyncProperty(randomMarket(5, 12), async (drawn) => {
        const market = compileMarket(drawn);
        const claim = claimed(market);
        const book = await harness.record(market);
        const refuses = async (changed: Claim, what: string): Promise<void> => {
          expect(await book.judge(changed), what).to.have.property("accepted", false);
        };
        const fields: (keyof ZonePosting)[] = [
          "price",
          "marginalBidWh",
          "marginalOfferWh",
          "backupSoldWh",
          "backupBoughtWh",
        ];
        for (const [zone, posting] of claim.postings.entries()) {
          for (const field of fields) {
            for (const step of [-1, 1]) {
              const value = posting[field] + step;
              if (field !== "price" && value < 0) continue;
              await refuses(withPosting(claim, zone, { [field]: value }), `${field} ${value} in zone ${zone}`);
            }
          }
        }
        for (const [order, filledWh] of claim.fillsWh.entries()) {
          for (const step of [-1, 1]) {
            const fillsWh = claim.fillsWh.with(order, filledWh + step);
            await refuses({ ...claim, fillsWh }, `fill ${filledWh + step} of order ${order}`);
          }
        }
      }),
      runs(40, 2_000),
    );
  });

  it("accepts another split between zones only of one kind, at the same prices and welfare", async () => {
    let accepted = 0;
    // What one more Wh of a posted field does to the zone's net export.
    const signs = { marginalBidWh: -1, marginalOfferWh: 1, backupSoldWh: 1, backupBoughtWh: -1 } as const;
    const fields = Object.keys(signs) as (keyof typeof signs)[];
    await fc.assert(
      fc.asyncProperty(randomMarket(4, 14), async (drawn) => {
        const market = compileMarket(drawn);
        const claim = claimed(market);
        const book = await harness.record(market);
        const own = await book.judge(claim);
        if (!own.accepted) throw new Error("the solver's own claim was refused");
        const cells = claim.postings.flatMap((posting, zone) =>
          fields.map((field) => ({ zone, field, value: posting[field] })),
        );
        for (const up of cells) {
          for (const other of cells) {
            const value = other.value - signs[up.field] * signs[other.field];
            if (other === up || value < 0) continue;
            const moved = withPosting(withPosting(claim, up.zone, { [up.field]: up.value + 1 }), other.zone, {
              [other.field]: value,
            });
            const judged = await withDerivedFills(book.judge, moved);
            if (!judged.accepted) continue;
            accepted += 1;
            expect(up.field, "a split moves energy of one kind").to.equal(other.field);
            expect(judged.outcome.welfareNano).to.equal(own.outcome.welfareNano);
            expect(judged.outcome.boughtWh + judged.outcome.backupBoughtWh).to.equal(
              own.outcome.boughtWh + own.outcome.backupBoughtWh,
            );
          }
        }
      }),
      { ...runs(40, 1_000), seed: 7 },
    );
    expect(accepted).to.be.greaterThan(0);
  });

  it("refuses every other book", async () => {
    await fc.assert(
      fc.asyncProperty(randomMarket(3, 10), fc.nat(), async (drawn, pick) => {
        const market = compileMarket(drawn);
        const claim = claimed(market);
        const words: Uint8Array[] = Array.from({ length: claim.book.length / 16 }, (_, i) =>
          claim.book.slice(i * 16, i * 16 + 16),
        );
        if (words.length === 0) return;
        const book = await harness.record(market);
        const at = pick % words.length;
        const changed = (words[at] as Uint8Array).slice();
        changed[15] = (changed[15] as number) ^ 1;
        const others = [
          words.toSpliced(at, 1),
          words.toSpliced(at, 0, words[at] as Uint8Array),
          words.with(at, changed),
          ...(words.length > 1
            ? [words.with(at, words.at(at - 1) as Uint8Array).with(at - 1, words[at] as Uint8Array)]
            : []),
        ];
        for (const other of others) {
          const judged = await book.judge({ ...claim, book: Buffer.concat(other) });
          expect(judged).to.include({ accepted: false, error: "BookMismatch" });
        }
      }),
      runs(40, 1_000),
    );
  });
});

/** Judges a claim with the fills that the contract itself derives from its postings. */
const withDerivedFills = async (judge: (claim: Claim) => Promise<Judgement>, claim: Claim): Promise<Judgement> => {
  const fillsWh = claim.fillsWh.slice();
  for (;;) {
    const judged = await judge({ ...claim, fillsWh });
    if (judged.accepted || judged.error !== "FillMismatch") return judged;
    const order = Number(judged.values["order"]);
    if (fillsWh[order] === Number(judged.values["expectedWh"])) throw new Error("the contract contradicts itself");
    fillsWh[order] = Number(judged.values["expectedWh"]);
  }
};
