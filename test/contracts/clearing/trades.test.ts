import { expect } from "chai";
import type { TradeTerms } from "../../../services/core/market/types.ts";
import { bid, createStand, linked, offer, posting, zone, type Stand } from "./support/stand.ts";

describe("ClearingProof: bilateral trades", () => {
  let stand: Stand;
  before(async () => {
    stand = await createStand();
  });

  const trade = (maxSpread: number, limitWh = 6, change: Partial<TradeTerms> = {}): TradeTerms => ({
    from: 0,
    to: 1,
    limitWh,
    maxSpread,
    ...change,
  });
  /** A line of 10 Wh between an offer at 10 and a bid at 30. */
  const zones = [zone(), linked(10)];
  const words = [offer(100, 10), bid(100, 30, { zone: 1 })];
  const posted = (ordersWh: number, ...tradesWh: number[]) => ({
    postings: [posting({ price: 10, marginalOfferWh: ordersWh }), posting({ price: 30, marginalBidWh: ordersWh })],
    tradesWh,
  });

  it("fills what pays the price difference, and nothing else", async () => {
    const [, outcome] = await stand.prove(words, { zones, trades: [trade(25)] }, posted(4, 6));
    expect(outcome.welfareNano).to.equal(4n * 20n + 6n * 25n);
    expect(outcome.boughtWh).to.equal(4n);
    expect(outcome.congestionNano).to.equal(10n * 20n);
    await stand.refuses(words, { zones, trades: [trade(25)] }, posted(5, 5), "TradeNotFull", 0, 5, 6);
    await stand.refuses(words, { zones, trades: [trade(25)] }, posted(3, 7), "TradeOverfilled", 0, 7, 6);
    await stand.prove(words, { zones, trades: [trade(19)] }, posted(10, 0));
    await stand.refuses(words, { zones, trades: [trade(19)] }, posted(9, 1), "TradeAgainstSpread", 0, 1);
    await stand.refuses(words, { zones, trades: [trade(19)] }, posted(10), "WrongTradeCount", 0, 1);
    await stand.refuses(words, { zones, trades: [] }, posted(10, 0), "WrongTradeCount", 1, 0);
    await stand.refuses(words, { zones, trades: [trade(25)] }, posted(5, 6), "LineOverloaded", 1, -11, 10);
    // At exactly its spread a trade is worth as much as an offer and a bid.
    await stand.prove(words, { zones, trades: [trade(20)] }, posted(10, 0));
    await stand.prove(words, { zones, trades: [trade(20)] }, posted(7, 3));
    await stand.refuses(words, { zones, trades: [trade(20)] }, posted(7, 2), "NotOptimal");
  });

  it("lets a trade against the flow make room", async () => {
    const back = trade(-12, 5, { from: 1, to: 0 });
    const [, outcome] = await stand.prove(words, { zones, trades: [back] }, posted(15, 5));
    expect(outcome.welfareNano).to.equal(15n * 20n - 5n * 12n);
    await stand.refuses(words, { zones, trades: [back] }, posted(14, 4), "TradeNotFull", 0, 4, 5);
  });

  it("carries bounds over trades, and prices zones that only trades know", async () => {
    // The trade alone fills the line; nobody takes the offer at 10 in zone 0, so zone 1 is at 13.
    const lone = [offer(5, 10)];
    const at = (price: number, wh: number) => ({
      postings: [posting({ price: 10 }), posting({ price })],
      tradesWh: [wh],
    });
    const trades = [trade(3, 20)];
    await stand.prove(lone, { zones, trades }, at(13, 10));
    await stand.refuses(lone, { zones, trades }, at(12, 10), "TradeNotFull", 0, 10, 20);
    await stand.refuses(lone, { zones, trades }, at(14, 10), "TradeAgainstSpread", 0, 10);
    await stand.refuses(lone, { zones, trades }, at(10, 9), "TradeNotFull", 0, 9, 20);
    // A chain of two: zone 2 at 13 + 4.
    const three = [zone(), linked(10), linked(10, { parent: 1 })];
    const chain = [trade(3, 20), trade(4, 20, { from: 1, to: 2 })];
    const chained = (price: number) => ({
      postings: [posting({ price: 10 }), posting({ price: 13 }), posting({ price })],
      tradesWh: [10, 10],
    });
    await stand.prove(lone, { zones: three, trades: chain }, chained(17));
    await stand.prove(lone, { zones: three, trades: chain.toReversed() }, { ...chained(17) });
    await stand.refuses(lone, { zones: three, trades: chain }, chained(18), "TradeAgainstSpread", 1, 10);
  });

  it("keeps the midpoint between what trades leave open", async () => {
    // p0 lies in 10..20. The full line leaves p1 >= p0 and the full trade p1 <= p0 + 30: p1 lies in 10..50.
    const full = [offer(5, 10), bid(5, 20)];
    const trades = [trade(30, 10)];
    const at = (price: number) => ({
      postings: [posting({ price: 15 }), posting({ price })],
      tradesWh: [10],
    });
    await stand.prove(full, { zones, trades }, at(30));
    await stand.refuses(full, { zones, trades }, at(29), "WrongPrice", 1, 29, 30);
  });

  it("lets no trade leave its island, and treats one within a zone by its spread alone", async () => {
    const apart = [zone(), zone({ parent: 1 })];
    const nothing = (wh: number) => ({
      postings: [posting({ price: 7 }), posting({ price: 7 })],
      tradesWh: [wh],
    });
    await stand.prove([], { zones: apart, trades: [trade(90)] }, nothing(0));
    await stand.refuses([], { zones: apart, trades: [trade(90)] }, nothing(1), "TradeOverfilled", 0, 1, 0);
    const within = (maxSpread: number) => [trade(maxSpread, 5, { to: 0 })];
    const one = (wh: number) => ({ postings: [posting({ price: 7 })], tradesWh: [wh] });
    await stand.prove([], { zones: [zone()], trades: within(0) }, one(5));
    await stand.refuses([], { zones: [zone()], trades: within(0) }, one(4), "VolumeNotMaximal", 0);
    await stand.prove([], { zones: [zone()], trades: within(1) }, one(5));
    await stand.refuses([], { zones: [zone()], trades: within(1) }, one(4), "TradeNotFull", 0, 4, 5);
    await stand.prove([], { zones: [zone()], trades: within(-1) }, one(0));
    await stand.refuses([], { zones: [zone()], trades: within(-1) }, one(1), "TradeAgainstSpread", 0, 1);
  });

  it("refuses less than the most volume of trades", async () => {
    const nothing = (wh: number) => ({
      postings: [posting({ price: 7 }), posting({ price: 7 })],
      tradesWh: [wh],
    });
    await stand.prove([], { zones, trades: [trade(0)] }, nothing(6));
    await stand.refuses([], { zones, trades: [trade(0)] }, nothing(5), "VolumeNotMaximal", 0);
    // A trade frees an offer and a bid of the same price behind a full line.
    const behind = [offer(3, 7), bid(3, 7, { zone: 1 })];
    const swap = [trade(0, 3, { from: 1, to: 0 })];
    const narrow = [zone(), linked(0)];
    const filled = (wh: number) => ({
      postings: [posting({ price: 7, marginalOfferWh: wh }), posting({ price: 7, marginalBidWh: wh })],
      tradesWh: [wh],
    });
    await stand.prove(behind, { zones: narrow, trades: swap }, filled(3));
    await stand.refuses(behind, { zones: narrow, trades: swap }, filled(2), "VolumeNotMaximal", 1);
  });
});
