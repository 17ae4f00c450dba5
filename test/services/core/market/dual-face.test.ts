import { expect } from "chai";
import fc from "fast-check";
import { limitBounds } from "../../../../services/core/market/keys.ts";
import { compileMarket } from "../../../../services/core/market/market.ts";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { clearMarket } from "../../../../services/core/market/result.ts";
import type { GreenPosting, ZonePosting } from "../../../../services/core/market/types.ts";
import { dualFace } from "./dual-face.ts";
import { fullMarketOf, marketOf, tiny } from "./random-market.ts";

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
        const face = (await dualFace(market, Number(clearMarket(market).welfareNano))).prices;
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

  it("takes the smallest premium, and with it the midpoint where all sides of an island are closed", async () => {
    const seen = { premium: 0, trades: 0, plain: 0 };
    await fc.assert(
      fc.asyncProperty(fullMarketOf(tiny, 6, 18), async (drawn) => {
        const market = compileMarket(drawn);
        const { terms, columns, band, trades } = market;
        const { postings, green } = clearBook(columns, terms, band, trades);
        const { premiums, prices } = await dualFace(market, Number(clearMarket(market).welfareNano));
        const { root, bidCap, offerFloor } = limitBounds(terms);
        terms.forEach((zone, i) => {
          const price = (postings[i] as ZonePosting).price;
          const premium = premiums[i] as number;
          if (green.length > 0) expect((green[i] as GreenPosting).price - price).to.equal(premium);
          const island = prices.filter((_, other) => root[other] === root[i]);
          const edges = [
            band.min,
            band.min - premium,
            ...terms.flatMap(({ fee }) => [band.max - fee, band.max - fee - premium]),
          ];
          const { low, high } = prices[i] as (typeof prices)[number];
          expect(price).to.be.within(low, high);
          const closed = (value: number): boolean =>
            Number.isFinite(value) &&
            !edges.includes(value) &&
            value >= (offerFloor[i] as number) - premium &&
            value <= (bidCap[i] as number) - zone.fee;
          if (!island.every((own) => closed(own.low) && closed(own.high))) return;
          seen[premium > 0 ? "premium" : trades.some(({ limitWh }) => limitWh > 0) ? "trades" : "plain"] += 1;
          expect(price, `zone ${i}, face ${low}..${high}`).to.equal(Math.floor((low + high) / 2) + 0);
        });
      }),
      { numRuns: Number(process.env["RUNS"] ?? (long ? 5_000 : 300)) },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.greaterThan(0);
  });
});
