import { expect } from "chai";
import fc from "fast-check";
import { checkResult, claimOf } from "../../../scripts/clearing/check-result.ts";
import { createHarness } from "../../../scripts/clearing/harness.ts";
import type { Claim, Harness } from "../../../scripts/clearing/harness.ts";
import { compileMarket } from "../../../services/core/market/market.ts";
import type { CompiledMarket, Market } from "../../../services/core/market/market.ts";
import { clearMarket } from "../../../services/core/market/result.ts";
import { optimalWelfare } from "../../services/core/market/linear-program.ts";
import { fullMarketOf, randomFullMarket, real, tiny } from "../../services/core/market/random-market.ts";

const long = process.env["DAEG_LONG"] === "1";
const runs = (short: number, full: number): { numRuns: number } => ({ numRuns: long ? full : short });

/** Trees of up to twelve zones with green orders, bilateral trades and priority classes. */
describe("random markets with all there is before the contract", function () {
  this.timeout(long ? 3_600_000 : 120_000);
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
  const accepted = async (drawn: Market): Promise<void> => {
    const market = compileMarket(drawn);
    const verdict = await checkResult(harness, market, clearMarket(market));
    expect(verdict, JSON.stringify(verdict)).to.have.property("accepted", true);
  };

  it("accepts what the solver finds", async () => {
    await fc.assert(fc.asyncProperty(randomFullMarket(12, 30), accepted), runs(150, 20_000));
  });

  it("accepts the welfare of an independent linear program, and no less", async () => {
    for (const scale of [tiny, real]) {
      await fc.assert(
        fc.asyncProperty(fullMarketOf(scale, 12, 20), async (drawn) => {
          const market = compileMarket(drawn);
          const book = await harness.record(market);
          const judged = await book.judge(claimed(market));
          if (!judged.accepted) throw new Error(judged.error);
          const best = await optimalWelfare(drawn);
          expect(Math.abs(Number(judged.outcome.welfareNano) - best)).to.be.at.most(1e-7 * Math.abs(best) + 1e-6);
        }),
        runs(60, 5_000),
      );
    }
  });

  it("refuses one unit more or less of every field that is posted", async () => {
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(fullMarketOf(tiny, 5, 12), async (drawn) => {
        const market = compileMarket(drawn);
        const claim = claimed(market);
        const book = await harness.record(market);
        const refuses = async (changed: Claim, what: string): Promise<void> => {
          tried += 1;
          expect(await book.judge(changed), what).to.have.property("accepted", false);
        };
        for (const list of ["postings", "green"] as const) {
          for (const [zone, own] of (claim[list] ?? []).entries()) {
            for (const [field, value] of Object.entries(own)) {
              for (const step of [-1, 1]) {
                if (field !== "price" && value + step < 0) continue;
                const changed = (claim[list] ?? []).map((each, i) =>
                  i === zone ? { ...each, [field]: (value as number) + step } : each,
                );
                await refuses({ ...claim, [list]: changed }, `${list} ${field} ${value + step} in zone ${zone}`);
              }
            }
          }
        }
        for (const [trade, wh] of (claim.tradesWh ?? []).entries()) {
          // Within one zone and between islands too: the fill of a trade follows from its spread there.
          for (const step of [-1, 1]) {
            if (wh + step < 0) continue;
            await refuses({ ...claim, tradesWh: claim.tradesWh?.with(trade, wh + step) ?? [] }, `trade ${trade}`);
          }
        }
        for (const [order, wh] of claim.fillsWh.entries()) {
          await refuses({ ...claim, fillsWh: claim.fillsWh.with(order, wh + 1) }, `fill of order ${order}`);
        }
      }),
      { ...runs(30, 2_000), seed: 11 },
    );
    expect(tried).to.be.greaterThan(500);
  });

  it("refuses a premium or a trade moved in a way that still balances", async () => {
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(fullMarketOf(tiny, 4, 12), async (drawn) => {
        const market = compileMarket(drawn);
        const claim = claimed(market);
        const own = await (await harness.record(market)).judge(claim);
        if (!own.accepted) throw new Error(own.error);
        const book = await harness.record(market);
        const green = claim.green ?? [];
        for (const step of [-1, 1]) {
          if (green.length === 0) break;
          tried += 1;
          const shifted = green.map((each) => ({ ...each, price: each.price + step }));
          const judged = await book.judge({ ...claim, green: shifted });
          expect(judged, "all premiums together").to.have.property("accepted", false);
          const both = claim.postings.map((each) => ({ ...each, price: each.price + step }));
          expect(await book.judge({ ...claim, postings: both, green: shifted })).to.have.property("accepted", false);
        }
        if (green.length > 0) {
          tried += 1;
          expect(await book.judge({ ...claim, green: [] })).to.have.property("accepted", false);
        }
      }),
      { ...runs(60, 3_000), seed: 5 },
    );
    expect(tried).to.be.greaterThan(50);
  });

  it("fills alike whatever the order of arrival, but for the Wh that rounding leaves", async () => {
    await fc.assert(
      fc.asyncProperty(fullMarketOf(tiny, 6, 16), fc.infiniteStream(fc.nat()), async (drawn, stream) => {
        const order = drawn.orders
          .map((each) => ({ each, key: stream.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each);
        const market = compileMarket(drawn);
        const shuffled = compileMarket({ ...drawn, orders: order });
        const claim = claimed(market);
        const own = await (await harness.record(market)).judge(claim);
        if (!own.accepted) throw new Error(own.error);
        const book = await harness.record(shuffled);
        const other = { ...claim, book: claimed(shuffled).book };
        // The same postings clear the shuffled book; what differs is told fill by fill.
        let fillsWh = order.map(({ id }) => claim.fillsWh[market.orderIds.indexOf(id)] as number);
        for (;;) {
          const judged = await book.judge({ ...other, fillsWh });
          if (judged.accepted) {
            expect(judged.outcome.welfareNano).to.equal(own.outcome.welfareNano);
            break;
          }
          expect(judged.error).to.equal("FillMismatch");
          const at = Number(judged.values["order"]);
          const expected = Number(judged.values["expectedWh"]);
          expect(Math.abs(expected - (fillsWh[at] as number))).to.equal(1);
          fillsWh = fillsWh.with(at, expected);
        }
      }),
      runs(50, 3_000),
    );
  });
});
