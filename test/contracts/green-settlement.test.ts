import { expect } from "chai";
import { decodeExtras } from "../../services/protocol/extras.ts";
import type { OrderStep } from "../../services/protocol/order.ts";
import { WORD_FEE, bid, createWorld, missing, offer, posting, reading, type World } from "./support/world.ts";
import { expectRebuilt } from "./support/community.ts";

const green = (step: OrderStep): OrderStep => ({ ...step, green: true });

/** Two zones that are far apart in price: a line of 500 Wh from the second to the first, where the grid is. */
const zones = [
  { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
  { parent: 0, toParentWh: 500, fromParentWh: 500, backupCapacityWh: 0 },
];

describe("settlement of green energy", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ homes: 4 });
    slot = world.genesisSlot + 1;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });

  const gains = async (doing: () => Promise<unknown>) => {
    const [before, pools] = [await world.balances(), await world.fixed()];
    await doing();
    const [after, later] = [await world.balances(), await world.fixed()];
    return {
      homes: after.map((nano, point) => nano - (before[point] as bigint)),
      members: later.members - pools.members,
      congestion: later.congestion - pools.congestion,
      backup: later.backup - pools.backup,
    };
  };

  it("pays green offers and green-only bids the zone price plus the premium, and the rest the zone price", async () => {
    // 600 Wh of green are wanted at up to 250,000 less the fee by two homes; 400 Wh are there.
    const { words } = await world.append(slot, [
      await world.order(0, slot, [green(offer(400, 90_000))]),
      await world.order(1, slot, [offer(1_000, 100_000)]),
      await world.order(2, slot, [green(bid(600, 240_000))]),
      await world.order(3, slot, [bid(700, 260_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    // Grey: 700 of 1,000 Wh at 100,000. Green: all 400 Wh; the bid is left with 200 Wh at 200,000.
    const { record } = await world.clear(slot, words as string, [posting(100_000, { marginalOfferWh: 700 })], world.c, {
      green: [{ price: 200_000, marginalBidWh: 400, marginalOfferWh: 0 }],
    });
    expect(decodeExtras(record.extras)).to.deep.equal({
      greenPrices: [200_000n],
      greenWh: [400, 0, -400, 0],
      trades: [],
      gapBoundNano: 0n,
    });
    await world.goTo(world.startOf(slot + 1));
    // 0 delivers 50 too little, 2 uses 100 too much; 3's meter is missing.
    const { readings, root } = await world.report(slot, [reading(0, 350), reading(0, 700), reading(500, 0), missing]);
    const paid = await gains(() => world.c.settlement.settle([{ record, readings, root }]));
    expect(paid.homes).to.deep.equal([
      400n * 200_000n - 50n * 300_000n - WORD_FEE,
      700n * 100_000n - WORD_FEE,
      -400n * 240_000n - 100n * 300_000n - WORD_FEE,
      -700n * 140_000n - WORD_FEE,
    ]);
    expect(paid.members).to.equal(1_100n * 40_000n);
    expect(paid.congestion).to.equal(0n);
  });

  it("pays the premium for a single Wh", async () => {
    world = await createWorld({ homes: 5 });
    slot = world.genesisSlot + 1;
    const { words } = await world.append(slot, [
      await world.order(0, slot, [green(offer(399, 90_000))]),
      await world.order(1, slot, [offer(1_000, 100_000)]),
      await world.order(2, slot, [green(offer(300, 200_000))]),
      await world.order(3, slot, [green(bid(400, 260_000))]),
      await world.order(4, slot, [bid(700, 260_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [posting(100_000, { marginalOfferWh: 700 })], world.c, {
      green: [{ price: 200_000, marginalBidWh: 0, marginalOfferWh: 1 }],
    });
    await world.goTo(world.startOf(slot + 1));
    const metered = [reading(0, 399), reading(0, 700), reading(0, 1), reading(400, 0), reading(700, 0)];
    const { readings, root } = await world.report(slot, metered);
    const paid = await gains(() => world.c.settlement.settle([{ record, readings, root }]));
    expect(paid.homes).to.deep.equal([
      399n * 200_000n - WORD_FEE,
      700n * 100_000n - WORD_FEE,
      200_000n - WORD_FEE,
      -400n * 240_000n - WORD_FEE,
      -700n * 140_000n - WORD_FEE,
    ]);
  });

  it("pays the premium across a full line, estimated slots too", async () => {
    world = await createWorld({ homes: 4, zones, zoneOf: (home) => (home < 2 ? 0 : 1) });
    slot = world.genesisSlot + 1;
    const { words } = await world.append(slot, [
      await world.order(0, slot, [green(bid(300, 290_000))]),
      await world.order(1, slot, [bid(400, 250_000)]),
      await world.order(2, slot, [green(offer(200, 70_000))]),
      await world.order(3, slot, [offer(900, 80_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(
      slot,
      words as string,
      [posting(210_000, { marginalBidWh: 300 }), posting(80_000, { marginalOfferWh: 300 })],
      world.c,
      {
        green: [
          { price: 250_000, marginalBidWh: 200, marginalOfferWh: 0 },
          { price: 120_000, marginalBidWh: 0, marginalOfferWh: 0 },
        ],
      },
    );
    await world.goTo(world.startOf(slot + 9));
    await world.c.settlement.estimate(slot);
    await world.goTo(world.startOf(slot + 9 + 96));
    const paid = await gains(() => world.c.settlement.settleEstimated(record));
    expect(paid.homes).to.deep.equal([
      -200n * 290_000n - WORD_FEE,
      -300n * 250_000n - WORD_FEE,
      200n * 120_000n - WORD_FEE,
      300n * 80_000n - WORD_FEE,
    ]);
    expect(paid.congestion).to.equal(500n * 130_000n);
  });
});
