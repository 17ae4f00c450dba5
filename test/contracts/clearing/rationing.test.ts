import { expect } from "chai";
import { decodePositions } from "../../../services/protocol/words.ts";
import { bid, createStand, greenPosting, offer, posting, zone, type Stand, type Word } from "./support/stand.ts";

const [NORMAL, OPPORTUNISTIC, CRITICAL, EMERGENCY] = [0, 1, 2, 3];

describe("ClearingProof: rationing by priority", () => {
  let stand: Stand;
  before(async () => {
    stand = await createStand();
  });

  /** Bought Wh by bid at 20, where an offer of so much stands against them. */
  const bought = async (bids: Word[], offeredWh: number, change = {}): Promise<number[]> => {
    const words = [...bids, offer(offeredWh, 5)];
    const posted = { postings: [posting({ price: 20, marginalBidWh: offeredWh })] };
    const [, , positions] = await stand.prove(words, { zones: [zone(change)] }, posted);
    return decodePositions(positions)
      .slice(0, bids.length)
      .map((wh) => 0 - wh);
  };
  const classes = [
    bid(8, 20, { priority: NORMAL }),
    bid(8, 20, { priority: OPPORTUNISTIC }),
    bid(4, 20, { priority: EMERGENCY }),
  ];

  it("fills classes in proportion to their weights until they are full", async () => {
    // Emergency is full; what is left goes 2 : 1.
    expect(await bought(classes, 10)).to.deep.equal([4, 2, 4]);
    // All below full: theta x 8, 2 and 1.
    expect(
      await bought([bid(56, 20, { priority: EMERGENCY }), bid(56, 20), bid(56, 20, { priority: 1 })], 11),
    ).to.deep.equal([8, 2, 1]);
    expect(
      await bought(
        [CRITICAL, NORMAL].map((priority) => bid(30, 20, { priority })),
        15,
      ),
    ).to.deep.equal([10, 5]);
  });

  it("gives what rounding leaves to the most urgent classes, within a class by order of append", async () => {
    const order = [OPPORTUNISTIC, NORMAL, CRITICAL, EMERGENCY].map((priority) => bid(100, 20, { priority }));
    // Of 15 weights 19 Wh make 1.2, 2.5, 5.06 and 10.1: one Wh is left. 29 Wh make 1.9, 3.9, 7.7 and 15.5: three are left.
    expect(await bought(order, 19)).to.deep.equal([1, 2, 5, 11]);
    expect(await bought(order, 29)).to.deep.equal([1, 4, 8, 16]);
    const twice = [bid(3, 20, { priority: 3 }), bid(3, 20, { priority: 3 }), bid(90, 20)];
    // S = 48 + 180: 10 Wh give emergency 2, normal 7, and one more to emergency: the first bid.
    expect(await bought(twice, 10)).to.deep.equal([2, 1, 7]);
  });

  it("shares as one where a backup serves everybody, and where all are of one class", async () => {
    const backup = { hasBackup: true, backupSell: 90, backupBuy: 1, backupCapacityWh: 0 };
    expect(await bought(classes, 10, backup)).to.deep.equal([4, 4, 2]);
    const urgent = classes.map((own) => ({ ...own, priority: EMERGENCY }));
    expect(await bought(urgent, 10)).to.deep.equal([4, 4, 2]);
  });

  it("rations green-only bids among themselves, and never offers", async () => {
    const words = [
      bid(8, 20, { green: true }),
      bid(4, 20, { green: true, priority: EMERGENCY }),
      bid(8, 20),
      offer(6, 5, { green: true }),
    ];
    const [, , positions] = await stand.prove(
      words,
      { zones: [zone()] },
      {
        postings: [posting({ price: 20 })],
        green: [greenPosting({ price: 20, marginalBidWh: 6 })],
      },
    );
    expect(decodePositions(positions)).to.deep.equal([-2, -4, 0, 6]);
    // The class bits of an offer mean nothing.
    const offers = [offer(6, 20), offer(6, 20, { priority: EMERGENCY }), bid(6, 40)];
    const [, , sold] = await stand.prove(
      offers,
      { zones: [zone()] },
      {
        postings: [posting({ price: 20, marginalOfferWh: 6 })],
      },
    );
    expect(decodePositions(sold)).to.deep.equal([3, 3, -6]);
  });
});
