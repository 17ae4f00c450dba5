import { expect } from "chai";
import fc from "fast-check";
import { limitBounds } from "../../../../services/core/market/keys.ts";
import { compileMarket } from "../../../../services/core/market/market.ts";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { clearMarket } from "../../../../services/core/market/result.ts";
import { dualFace } from "./dual-face.ts";
import { marketOf, tiny } from "./random-market.ts";

const long = process.env["DAEG_LONG"] === "1";

describe("the price rule against the LP's dual face", function () {
  this.timeout(long ? 3_600_000 : 60_000);

  it("takes the midpoint of the optimal dual prices; an open side takes the island's extreme", async () => {
    const seen = { closed: 0, open: 0, edge: 0 };
    await fc.assert(
      fc.asyncProperty(marketOf(tiny, 7, 16), async (drawn) => {
        const market = compileMarket(drawn);
        const { terms, columns, band } = market;
        const prices = clearBook(columns, terms, band).postings.map(({ price }) => price);
        const face = await dualFace(market, Number(clearMarket(market).welfareNano));
        const { root, bidCap, offerFloor } = limitBounds(terms);
        terms.forEach((zone, i) => {
          const values = face
            .flatMap(({ low, high }, other) => (root[other] === root[i] ? [low, high] : []))
            .filter(Number.isFinite);
          // Whether an order filled at the band's edge leaves its side open the face alone does not tell.
          if (values.includes(band.min) || terms.some(({ fee }) => values.includes(band.max - fee))) {
            seen.edge += 1;
            return;
          }
          const known = values.length > 0;
          const { low, high } = face[i] as (typeof face)[number];
          const open = low === -Infinity || high === Infinity;
          const cut = (price: number): number =>
            Math.max(offerFloor[i] as number, Math.min(price, (bidCap[i] as number) - zone.fee));
          const lo = low === -Infinity ? (known ? Math.min(...values) : band.reference) : low;
          const hi = high === Infinity ? (known ? Math.max(...values) : band.reference) : high;
          seen[open ? "open" : "closed"] += 1;
          expect(prices[i], `zone ${i}, face ${low}..${high}`).to.equal(Math.floor((cut(lo) + cut(hi)) / 2) + 0);
        });
      }),
      { numRuns: Number(process.env["RUNS"] ?? (long ? 5_000 : 200)) },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.greaterThan(0);
  });
});
