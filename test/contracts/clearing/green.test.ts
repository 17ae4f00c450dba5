import { expect } from "chai";
import { decodePositions } from "../../../services/protocol/words.ts";
import { bid, createStand, greenPosting, linked, offer, posting, zone, type Stand } from "./support/stand.ts";

const green = { green: true };

describe("ClearingProof: green energy", () => {
  let stand: Stand;
  before(async () => {
    stand = await createStand();
  });

  /** A green-only bid is served by the dearer green offer, and pays for it: the ordinary offer at 10 stays. */
  const dearer = [bid(10, 50, green), offer(10, 10), offer(10, 30, green)];
  const paid = {
    postings: [posting({ price: 10 })],
    green: [greenPosting({ price: 30, marginalOfferWh: 10 })],
  };

  it("trades green orders at the zone price plus the smallest premium", async () => {
    const [, outcome, positions] = await stand.prove(dearer, { zones: [zone()] }, paid);
    expect(outcome.welfareNano).to.equal(200n);
    expect(outcome.boughtWh).to.equal(10n);
    expect(outcome.congestionNano).to.equal(0n);
    expect(decodePositions(positions)).to.deep.equal([-10, 0, 10]);
  });

  it("adds fee and caps to green orders as to all", async () => {
    const zones = [zone({ fee: 4, hasBackup: true, backupSell: 40, backupBuy: 5, backupCapacityWh: 100 })];
    // The bid counts with the import tariff of 40 less the fee; the backup offers at 36 and bids at 5.
    const words = [bid(10, 50, green), offer(10, 10, green), offer(6, 4)];
    const posted = {
      postings: [posting({ price: 5, marginalOfferWh: 6, backupBoughtWh: 6 })],
      green: [greenPosting({ price: 10, marginalOfferWh: 10 })],
    };
    const [, outcome] = await stand.prove(words, { zones }, posted);
    expect(outcome.welfareNano).to.equal(10n * (36n - 10n));
    expect(outcome.feesNano).to.equal(40n);
    expect(outcome.backupNano).to.equal(-30n);
    // Without a premium the bid would take what the offer at 4 sells, which is not green.
    const shared = {
      postings: [posting({ price: 10 })],
      green: [greenPosting({ price: 10, marginalOfferWh: 4 })],
    };
    await stand.refuses(words, { zones }, shared, "GreenNotCovered", 0, -6);
  });

  it("refuses any other premium", async () => {
    const zones = [zone(), linked(5)];
    const posted = (q0: number, q1: number) => ({
      postings: [posting({ price: 10 }), posting({ price: 10 })],
      green: [greenPosting({ price: q0, marginalOfferWh: q0 === 30 ? 10 : 0 }), greenPosting({ price: q1 })],
    });
    await stand.prove(dearer, { zones }, posted(30, 30));
    await stand.refuses(dearer, { zones }, posted(30, 29), "WrongPremium", 1, 19, 20);
    await stand.refuses(dearer, { zones }, posted(31, 31), "WrongPremium", 0, 21, 20);
    // At 29 the green offer would not sell at all.
    await stand.refuses(dearer, { zones }, posted(29, 29), "IslandNotBalanced", 0, -10);
  });

  it("refuses green energy that nobody offers", async () => {
    const words = [bid(10, 50, green), offer(10, 10)];
    const posted = { postings: [posting({ price: 30 })], green: [greenPosting({ price: 30 })] };
    await stand.refuses(words, { zones: [zone()] }, posted, "GreenNotCovered", 0, -10);
    const left = { postings: [posting({ price: 10 })], green: [greenPosting({ price: 50 })] };
    await stand.prove(words, { zones: [zone()] }, left);
  });

  it("refuses a premium while green energy is left over", async () => {
    const words = [bid(5, 50, green), bid(5, 40), offer(10, 10), offer(10, 30, green)];
    await stand.refuses(words, { zones: [zone()] }, paid, "GreenNotTight", 0, 5);
    // Both offers sell 5: green at 30, the other at 10.
    const tight = {
      postings: [posting({ price: 10, marginalOfferWh: 5 })],
      green: [greenPosting({ price: 30, marginalOfferWh: 5 })],
    };
    const [, , positions] = await stand.prove(words, { zones: [zone()] }, tight);
    expect(decodePositions(positions)).to.deep.equal([-5, -5, 5, 5]);
  });

  it("needs green prices as soon as a live bid is green only, and counts green offers as ordinary without", async () => {
    await stand.refuses(dearer, { zones: [zone()] }, { postings: [posting({ price: 10 })] }, "GreenNotPosted", 0);
    // Better than the price, at it, and worse.
    for (const price of [99, 7, -99]) {
      const lone = { postings: [posting({ price: 7 })] };
      await stand.refuses([bid(5, price, green)], { zones: [zone()] }, lone, "GreenNotPosted", 0);
    }
    const words = [bid(10, 50), offer(10, 30, green)];
    await stand.prove(words, { zones: [zone()] }, { postings: [posting({ price: 40 })] });
    await stand.prove(
      words,
      { zones: [zone()] },
      {
        postings: [posting({ price: 40 })],
        green: [greenPosting({ price: 40 })],
      },
    );
    const replaced = [bid(10, 50, { ...green, point: 0 }), bid(10, 50, { point: 0, sequence: 2 }), offer(10, 30)];
    await stand.prove(replaced, { zones: [zone()] }, { postings: [posting({ price: 40 })] });
    const two = { postings: [posting({ price: 40 })], green: [greenPosting(), greenPosting()] };
    await stand.refuses(words, { zones: [zone()] }, two, "WrongZoneCount", 2, 1);
  });

  it("refuses less than the most volume, through certificates too", async () => {
    const zones = [zone()];
    const none = { postings: [posting({ price: 20 })], green: [greenPosting({ price: 20 })] };
    // Both green; a green offer and an ordinary bid; never an ordinary offer and a green-only bid alone.
    await stand.refuses([bid(5, 20, green), offer(5, 20, green)], { zones }, none, "VolumeNotMaximal", 0);
    await stand.refuses([bid(5, 20), offer(5, 20, green), bid(5, 0, green)], { zones }, none, "VolumeNotMaximal", 0);
    await stand.prove([bid(5, 20, green), offer(5, 20)], { zones }, none);
    // Green energy that is left over serves the green-only bid.
    const words = [bid(4, 20, green), offer(4, 20), bid(6, 40), offer(6, 10, green)];
    await stand.refuses(words, { zones }, none, "VolumeNotMaximal", 0);
    await stand.prove(
      words,
      { zones },
      {
        postings: [posting({ price: 20, marginalOfferWh: 4 })],
        green: [greenPosting({ price: 20, marginalBidWh: 4 })],
      },
    );
  });

  it("refuses totals at the green price beyond what there is, and any other", async () => {
    const zones = [zone()];
    const change = (marginalOfferWh: number, marginalBidWh = 0) => ({
      ...paid,
      green: [greenPosting({ price: 30, marginalOfferWh, marginalBidWh })],
    });
    await stand.refuses(dearer, { zones }, change(11), "MarginalOfferOverfilled", 1, 11, 10);
    await stand.refuses(dearer, { zones }, change(10, 1), "MarginalBidOverfilled", 1, 1, 0);
    await stand.refuses(dearer, { zones }, change(9), "IslandNotBalanced", 0, -1);
  });

  it("carries the bounds of green orders over lines", async () => {
    const zones = [zone(), linked(4), linked(100)];
    // Zone 1 sells green behind a line of 4, zone 2 buys green; zone 0 has green energy at 60.
    const words = [
      offer(10, 20, { ...green, zone: 1 }),
      offer(10, 60, { ...green, zone: 0 }),
      bid(10, 90, { ...green, zone: 2 }),
      offer(50, 25, { zone: 2 }),
    ];
    const posted = {
      postings: [posting({ price: 25 }), posting({ price: -15 }), posting({ price: 25 })],
      green: [
        greenPosting({ price: 60, marginalOfferWh: 6 }),
        greenPosting({ price: 20, marginalOfferWh: 4 }),
        greenPosting({ price: 60 }),
      ],
    };
    const [, outcome] = await stand.prove(words, { zones }, posted);
    expect(outcome.congestionNano).to.equal(4n * 40n);
    expect(outcome.welfareNano).to.equal(900n - 80n - 360n);
  });
});
