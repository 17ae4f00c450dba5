import { expect } from "chai";
import fc from "fast-check";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { explainClearing } from "../../../../services/core/market/explain.ts";
import { compileMarket } from "../../../../services/core/market/market.ts";
import type { Market } from "../../../../services/core/market/market.ts";
import { clearMarket, explain } from "../../../../services/core/market/result.ts";
import { randomFullMarket, randomMarket } from "./random-market.ts";

const sentences = (market: Market): string[] => {
  const compiled = compileMarket(market);
  return explain(compiled, clearMarket(compiled));
};

const order = (id: string, side: "bid" | "offer", energyWh: number, priceMicroPerKwh: number | null, zone = "A") => ({
  id,
  side,
  zone,
  energyWh,
  priceMicroPerKwh,
});

describe("explaining a clearing", () => {
  it("says what is full, what shares the margin and its remainder, and what misses the price", () => {
    expect(
      sentences({
        feesMicroPerKwh: { A: 10 },
        orders: [
          order("a", "bid", 3, 100),
          order("b", "bid", 3, 100),
          order("c", "bid", 3, 99),
          order("d", "offer", 5, 40),
          order("e", "offer", 5, 91),
          order("f", "bid", 0, 1),
        ],
      }),
    ).to.deep.equal([
      "a (bid of 3 Wh in A): filled in full: buying costs 100 (price 90, fee 10), exactly its limit 100, where bids of 6 Wh share 5 Wh pro rata (2 Wh, and 1 Wh of the remainder as one of the first).",
      "b (bid of 3 Wh in A): filled with 2 of 3 Wh: buying costs 100 (price 90, fee 10), exactly its limit 100, where bids of 6 Wh share 5 Wh pro rata (2 Wh).",
      "c (bid of 3 Wh in A): not filled, since buying costs 100 (price 90, fee 10), worse than its limit 99.",
      "d (offer of 5 Wh in A): filled in full, since selling earns 90, better than its limit 40.",
      "e (offer of 5 Wh in A): not filled, since selling earns 90, worse than its limit 91.",
      "f: nothing to fill, since it is for 0 Wh.",
    ]);
  });

  it("names the tariff that a limit counts as, and what was left at the price", () => {
    const backup = [{ zone: "A", sellMicroPerKwh: 300, buyMicroPerKwh: 60, capacityWh: 50 }];
    expect(sentences({ backup, orders: [order("a", "bid", 100, null)] })).to.deep.equal([
      "a (bid of 100 Wh in A): filled with 50 of 100 Wh: buying costs 300, exactly its limit 10000000, which counts as the import tariff 300 that is open to everybody, where bids of 100 Wh share 50 Wh pro rata (50 Wh).",
    ]);
    expect(sentences({ backup, orders: [order("a", "offer", 20, -5)] })).to.deep.equal([
      "a (offer of 20 Wh in A): filled in full: selling earns 60, exactly its limit -5, which counts as the export tariff 60 that is open to everybody, and all offers at it were served.",
    ]);
    expect(sentences({ orders: [order("a", "offer", 20, 7)] })).to.deep.equal([
      "a (offer of 20 Wh in A): not filled: selling earns 7, exactly its limit 7, and nothing was left to sell to at it.",
    ]);
  });

  it("names the full line that keeps a better price away", () => {
    const market = {
      zones: ["A", "B", "C"],
      lines: [
        { id: "A-B", from: "A", to: "B", capacityWh: 500 },
        { id: "C-A", from: "C", to: "A", capacityWh: 900 },
      ],
      orders: [
        order("near", "bid", 1_000, 250, "A"),
        order("beyond", "bid", 100, 120, "C"),
        order("sun", "offer", 1_200, 90, "B"),
        order("dear", "bid", 10, 80, "C"),
      ],
    };
    expect(sentences(market)).to.deep.equal([
      "near (bid of 1000 Wh in A): filled with 500 of 1000 Wh: buying costs 250, exactly its limit 250, where bids of 1000 Wh share 500 Wh pro rata (500 Wh); line A-B is full with 500 Wh, so that the price 90 in B does not reach it.",
      "beyond (bid of 100 Wh in C): not filled, since buying costs 250, worse than its limit 120; line A-B is full with 500 Wh, so that the price 90 in B does not reach it.",
      "sun (offer of 1200 Wh in B): filled with 500 of 1200 Wh: selling earns 90, exactly its limit 90, where offers of 1200 Wh share 500 Wh pro rata (500 Wh); line A-B is full with 500 Wh, so that the price 250 in A does not reach it.",
      "dear (bid of 10 Wh in C): not filled, since buying costs 250, worse than its limit 80.",
    ]);
  });

  it("names the green premium, priority classes, and what trades wait for", () => {
    expect(
      sentences({
        orders: [
          { ...order("leaf", "bid", 10, 120), green: true },
          order("plain", "bid", 5, 100),
          { ...order("sun", "offer", 10, 90), green: true },
          order("coal", "offer", 20, 50),
        ],
      }),
    ).to.deep.equal([
      "leaf (green-only bid of 10 Wh in A): filled in full, since buying costs 90 (price 50, green premium 40), better than its limit 120.",
      "plain (bid of 5 Wh in A): filled in full, since buying costs 50, better than its limit 100.",
      "sun (green offer of 10 Wh in A): filled in full: selling earns 90 (price 50, green premium 40), exactly its limit 90, and all offers at it were served.",
      "coal (offer of 20 Wh in A): filled with 5 of 20 Wh: selling earns 50, exactly its limit 50, where offers of 20 Wh share 5 Wh pro rata (5 Wh).",
    ]);
    expect(
      sentences({
        zones: ["A", "B", "C"],
        lines: [{ id: "A-B", from: "A", to: "B", capacityWh: 10 }],
        orders: [
          { ...order("clinic", "bid", 4, 100), priority: "emergency" },
          order("house", "bid", 8, 100),
          order("sun", "offer", 6, 40),
        ],
        bilaterals: [
          { id: "t1", from: "A", to: "B", energyWh: 12, maxSpreadMicroPerKwh: 5 },
          { id: "t2", from: "A", to: "C", energyWh: 12, maxSpreadMicroPerKwh: 5 },
          { id: "t3", from: "B", to: "A", energyWh: 0, maxSpreadMicroPerKwh: 5 },
        ],
      }),
    ).to.deep.equal([
      "clinic (bid of 4 Wh in A): filled in full: buying costs 100, exactly its limit 100, where bids of 12 Wh share 6 Wh by priority, of which 4 Wh go to the 4 Wh of emergency ones, pro rata (4 Wh).",
      "house (bid of 8 Wh in A): filled with 2 of 8 Wh: buying costs 100, exactly its limit 100, where bids of 12 Wh share 6 Wh by priority, of which 2 Wh go to the 8 Wh of normal ones, pro rata (2 Wh).",
      "sun (offer of 6 Wh in A): filled in full, since selling earns 100, better than its limit 40.",
      "t1 (trade of 12 Wh from A to B): carried with 10 Wh, since the price difference 5 is exactly its limit 5.",
      "t2 (trade of 12 Wh from A to C): not carried, since no path of lines links its zones.",
      "t3: nothing to carry, since it is for 0 Wh.",
    ]);
  });

  it("tells which order replaced which on chain", () => {
    const columns = {
      count: 3,
      point: Uint32Array.of(1, 2, 1),
      sequence: Uint8Array.of(1, 1, 2),
      zone: new Uint8Array(3),
      flags: Uint8Array.of(1, 0, 1),
      energyWh: Uint32Array.of(50, 80, 60),
      price: Float64Array.of(1, 9, 2),
    };
    const terms = compileMarket({ orders: [] }).terms;
    const band = { min: -10, max: 10, reference: 0 };
    const { postings, fillsWh } = clearBook(columns, terms, band);
    const prices = postings.map(({ price }) => price);
    const names = { orderNames: ["a", "b", "c"], zoneNames: ["A"], lineName: String };
    expect(explainClearing({ columns, terms, prices, fillsWh, ...names })[0]).to.equal(
      "a (offer of 50 Wh in A): not filled, since a later order of the same point replaced it.",
    );
  });

  it("never contradicts the fills, and blames only lines that are full", () => {
    fc.assert(
      fc.property(fc.oneof(randomMarket(8, 30), randomFullMarket(8, 30)), (drawn) => {
        const market = compileMarket(drawn);
        const result = clearMarket(market);
        explain(market, result).forEach((sentence, i) => {
          const trade = drawn.bilaterals?.[i - drawn.orders.length];
          if (trade && trade.energyWh > 0) {
            const carriedWh = result.bilateralsWh[trade.id] as number;
            if (carriedWh === trade.energyWh)
              expect(sentence).to.match(/: carried in full, .* (below|exactly) its limit/);
            else if (carriedWh > 0) expect(sentence).to.match(/: carried with \d+ Wh, .* exactly its limit/);
            else expect(sentence).to.match(/: not carried, .*( (above|exactly) its limit|no path of lines)/);
          }
          const own = drawn.orders[i];
          if (!own) return;
          const filledWh = result.fillsWh[own.id] as number;
          expect(sentence).to.match(/^[^\n]+\.$/);
          if (own.energyWh === 0) expect(sentence).to.contain("nothing to fill");
          else if (filledWh === own.energyWh) expect(sentence).to.contain(": filled in full");
          else if (filledWh > 0) expect(sentence).to.contain(`: filled with ${filledWh} of ${own.energyWh} Wh`);
          // Where all at the margin share less than they are, a small one may get nothing.
          else expect(sentence).to.match(/: (not filled|filled with 0 of)/);
          const line = /; line (\S+) (is full|takes nothing)/.exec(sentence)?.[1];
          if (line === undefined) return;
          const { capacityWh } = drawn.lines?.find(({ id }) => id === line) as { capacityWh: number };
          expect(Math.abs(result.flowsWh[line] as number)).to.equal(capacityWh);
        });
      }),
      { numRuns: process.env["DAEG_LONG"] === "1" ? 20_000 : 300 },
    );
  });
});
