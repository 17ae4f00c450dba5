import type { TradeTerms } from "../../../services/core/market/types.ts";
import { bid, createStand, greenPosting, linked, offer, posting, zone, type Stand } from "./support/stand.ts";

/** Orders at the edge of the band that are filled whole: they bound prices as all do, but set none. */
describe("ClearingProof: orders at the edge of the band", function () {
  this.timeout(240_000);
  let stand: Stand;
  before(async () => {
    stand = await createStand();
  });

  const lowest = { min: -100, max: 100, reference: -100 };
  const highest = { min: -100, max: 100, reference: 100 };

  it("keeps a zone beside a filled bid at what that can pay", async () => {
    const zones = [zone({ fee: 4 }), linked(10)];
    const words = [bid(5, 100), offer(5, -100)];
    const at = (price: number) => ({
      postings: [posting({ price: 96, marginalBidWh: 5 }), posting({ price })],
    });
    await stand.prove(words, { zones, band: highest }, at(96));
    await stand.refuses(words, { zones, band: highest }, at(100), "WrongPrice", 1, 100, 96);
  });

  it("keeps a zone that imports at what the filled offer beyond its line takes", async () => {
    // The bid that is left counts with -110, below the band.
    const zones = [zone({ fee: 11 }), linked(20)];
    const words = [bid(10, 100), bid(5, -99), offer(10, -100, { zone: 1 })];
    const at = (price: number) => ({
      postings: [posting({ price }), posting({ price: -100, marginalOfferWh: 10 })],
    });
    await stand.prove(words, { zones }, at(-100));
    await stand.refuses(words, { zones }, at(-105), "WrongPrice", 0, -105, -100);
  });

  it("carries what filled orders bound over trades", async () => {
    const zones = [zone(), linked(10)];
    const trades: TradeTerms[] = [{ from: 0, to: 1, limitWh: 20, maxSpread: 3 }];
    const words = [offer(5, -100), bid(5, 100)];
    const at = (price: number, wh: number) => ({
      postings: [posting({ price, marginalOfferWh: wh }), posting({ price: price + 3 })],
      tradesWh: [10],
    });
    await stand.prove(words, { zones, trades, band: lowest }, at(-100, 5));
    await stand.refuses(words, { zones, trades, band: lowest }, at(-99, 0), "WrongPrice", 0, -99, -100);
  });

  it("keeps the zone price at what a filled green-only bid can pay", async () => {
    const zones = [zone({ fee: 4 })];
    const words = [bid(5, 100, { green: true }), offer(5, -100, { green: true })];
    const at = (price: number, marginalBidWh: number) => ({
      postings: [posting({ price })],
      green: [greenPosting({ price, marginalBidWh })],
    });
    await stand.prove(words, { zones, band: highest }, at(96, 5));
    await stand.refuses(words, { zones, band: highest }, at(95, 0), "WrongPrice", 0, 95, 96);
  });
});
