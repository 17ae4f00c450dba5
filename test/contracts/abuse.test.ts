import { expect } from "chai";
import { ZeroAddress, type Wallet } from "ethers";
import {
  NANO,
  TERMS,
  TOKEN,
  WORD_FEE,
  bid,
  createWorld,
  emptyRecord,
  missing,
  offer,
  posting,
  reading,
  type World,
} from "./support/world.ts";

/** IOrderBook.Skip. */
const MARGIN_TOO_LOW = 13;
const REPLAYED = 6;

/** A slot in which 0 sold 1,000 Wh to 1. */
const trade = async (world: World, slot: number) => {
  const { words } = await world.append(slot, [
    await world.order(0, slot, [offer(1_000, 100_000)]),
    await world.order(1, slot, [bid(1_000, 250_000)]),
  ]);
  await world.goTo(world.startOf(slot) - 500);
  return world.clear(slot, words as string, [posting(155_000)]);
};

const gains = async (world: World, doing: () => Promise<unknown>): Promise<bigint[]> => {
  const before = await world.balances();
  await doing();
  return (await world.balances()).map((nano, point) => nano - (before[point] as bigint));
};

describe("what somebody might try", () => {
  it("lowering the trading limit frees no margin of slots with orders", async () => {
    const world = await createWorld({ homes: 1 });
    const { c } = world;
    const slot = world.genesisSlot + 1;
    const owner = world.owners[0] as Wallet;
    await world.fund(owner.address);
    await world.append(slot, [await world.order(0, slot, [offer(5_000, 100_000)])]);
    const bound = await c.orderBook.requiredMargin(0);
    const points = world.as(owner).meteringPoints;
    await points.setTradeLimit(0, 0).catch(() => undefined);
    expect(await c.orderBook.requiredMargin(0)).to.equal(bound);
    await expect(points.setTradeLimit(0, 0)).to.be.revertedWithCustomError(c.meteringPoints, "SlotsOpen");

    // Once every slot with an order is final, the limit may fall.
    const through = Number(await c.orderBook.marginedThrough(0));
    await world.goTo(world.startOf(through + 9 + 96));
    for (let s = world.genesisSlot; s <= through; s += 1) {
      await c.settlement.estimate(s);
      await c.settlement.settleEstimated(emptyRecord(s));
    }
    await c.settlement.advanceFinal(100);
    await points.setTradeLimit(0, 0);
    expect((await c.meteringPoints.pointOf(0)).tradeLimitWh).to.equal(0n);
  });

  it("two accounts of an island without backup cannot trade at prices beyond their margin", async () => {
    const zones = [
      { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
      { parent: 1, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 },
    ];
    const world = await createWorld({ homes: 4, zones, zoneOf: (h) => (h < 2 ? 0 : 1), depositTokens: 0, publish: 0 });
    const { c } = world;
    const slot = world.genesisSlot + 1;
    await world.publishTerms(slot, 1, { bandMax: 9_960_000 });
    await c.token.mint(await world.relayer.getAddress(), 10n ** 15n);
    await c.token.approve(world.addresses.ledger, 2n ** 255n);
    // What two slots at the highest tariff need.
    for (const point of [2, 3]) await c.ledger.deposit(point, 8n * TOKEN);
    const orders = async (sequence: number) => [
      await world.order(2, slot, [offer(5_000, 9_920_000)], sequence),
      await world.order(3, slot, [bid(5_000, 9_960_000)], sequence),
    ];
    expect((await world.append(slot, await orders(1))).skipped).to.deep.equal([MARGIN_TOO_LOW, MARGIN_TOO_LOW]);

    for (const point of [2, 3])
      await c.ledger.deposit(point, (2n * (await c.orderBook.marginPerSlot(point))) / NANO - 8n * TOKEN);
    const { words, skipped } = await world.append(slot, await orders(2));
    expect(skipped).to.deep.equal([]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [
      posting(160_000),
      posting(9_920_000, { marginalBidWh: 5_000, marginalOfferWh: 5_000 }),
    ]);
    await world.goTo(world.startOf(slot + 1));
    // The worst that ratings allow: nothing delivered, everything used.
    const { readings, root } = await world.report(slot, [missing, missing, reading(5_000, 0), reading(5_000, 0)]);
    await c.settlement.settle([{ record, readings, root }]);
    for (const nano of await world.balances()) expect(nano >= 0n).to.equal(true);
    expect(await world.discrepancyNano()).to.equal(0n);
  });

  it("an account that is margined already binds more before its zone loses the backup supplier", async () => {
    const world = await createWorld({ homes: 1, publish: 119 });
    const { c } = world;
    const now = world.genesisSlot - 1;
    const last = now + 119;
    await world.append(last, [await world.order(0, last, [bid(100, 200_000)])]);
    // No later version of the grid can take effect in a slot that is margined.
    expect(await c.orderBook.marginedThrough(0)).to.equal(BigInt(now + 120));
    const before = await c.orderBook.marginPerSlot(0);
    await world.asOperator.grid.setGrid(now + 121, [
      { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 },
    ]);
    // 5,000 Wh at the highest price, with the widest fee twice, and at the lowest price when that is negative.
    const unbacked =
      5_000n * (10_000_000n + 400_000n) + 5_000n * 400_000n + 5_000n * (1_000_000n + 400_000n) + 120n * WORD_FEE;
    expect(await c.orderBook.marginPerSlot(0)).to.equal(unbacked);
    expect(unbacked > before).to.equal(true);
  });

  it("nobody is paid for using energy because a bid that nobody took pushed an island's price below zero", async () => {
    const zones = [{ parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 }];
    const world = await createWorld({ homes: 2, zones });
    const slot = world.genesisSlot + 1;
    const { words } = await world.append(slot, [await world.order(0, slot, [bid(50, TERMS.bandMin)])]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [posting(TERMS.bandMin - TERMS.fee)]);
    await world.goTo(world.startOf(slot + 1));
    // The generator that would have to pay for it is out of reach.
    const { readings, root } = await world.report(slot, [reading(5_000, 0), missing]);
    const paid = await gains(world, () => world.c.settlement.settle([{ record, readings, root }]));
    expect(paid).to.deep.equal([-WORD_FEE, 0n]);
    expect((await world.fixed()).members).to.equal(0n);
  });

  it("one account cannot fill a book until nobody can clear it", async () => {
    const world = await createWorld({ homes: 2 });
    const slot = world.genesisSlot + 1;
    const owner = world.owners[0] as Wallet;
    await world.fund(owner.address);
    const mine = world.as(owner);
    const steps = Array.from({ length: 8 }, () => bid(50, 200_000));
    let skipped: number[] = [];
    for (let first = 1; first < 300; first += 100) {
      const orders = Array.from({ length: 100 }, (_, i) => ({
        ...{ point: 0, slot, sequence: (first + i) % 256, steps, delegate: ZeroAddress, signature: "0x" },
      }));
      skipped = (await world.append(slot, orders, mine)).skipped;
    }
    const [, wordCount] = await world.c.orderBook.bookOf(slot);
    expect(Number(wordCount)).to.be.at.most(63 * 8);
    expect(skipped).to.deep.equal(Array.from({ length: 100 }, () => REPLAYED));
    expect((await world.append(slot, [await world.order(1, slot, [bid(50, 7)])])).skipped).to.deep.equal([]);
  });

  it("an order whose number comes round again within a slot is still a replay", async () => {
    const world = await createWorld({ homes: 1 });
    const slot = world.genesisSlot + 1;
    const first = await world.order(0, slot, [bid(100, 200_000)], 1);
    const later = await Promise.all([63, 120, 140].map((sequence) => world.order(0, slot, [bid(60, 7)], sequence)));
    await world.append(slot, [first, ...later]);
    expect((await world.append(slot, [first])).skipped).to.deep.equal([REPLAYED]);
  });

  it("terms of a later lap do not overwrite those of a slot that is not final", async () => {
    const world = await createWorld();
    const slot = world.genesisSlot + 1;
    const { record } = await trade(world, slot);
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [reading(0, 1_000), reading(1_000, 0)]);
    await world.goTo(world.startOf(slot + 140));
    await world.publishTerms(slot + 256, 1).catch(() => undefined);
    const paid = await gains(world, () => world.c.settlement.settle([{ record, readings, root }]));
    expect(paid).to.deep.equal([155_000_000n - WORD_FEE, -195_000_000n - WORD_FEE, 0n, 0n]);
    await expect(world.asOperator.tariffs.publish(world.genesisSlot + 256, [TERMS])).to.be.revertedWithCustomError(
      world.c.tariffs,
      "TooManyOpenSlots",
    );
  });

  it("a neglected market becomes final without another day of waiting", async () => {
    const world = await createWorld();
    const slot = world.genesisSlot + 1;
    const { record } = await trade(world, slot);
    await world.goTo(world.startOf(slot + 9 + 96));
    await world.c.settlement.estimate(slot);
    const paid = await gains(world, () => world.c.settlement.settleEstimated(record));
    expect(paid).to.deep.equal([155_000_000n - WORD_FEE, -195_000_000n - WORD_FEE, 0n, 0n]);
  });

  it("nobody outruns the settlement of a report that landed at the last moment", async () => {
    const world = await createWorld();
    const { c } = world;
    const slot = world.genesisSlot + 1;
    const { record } = await trade(world, slot);
    await world.goTo(world.startOf(slot + 9));
    await c.settlement.estimate(slot);
    await world.goTo(world.startOf(slot + 9 + 96) - 60);
    const { readings, root } = await world.report(slot, [reading(0, 0), reading(1_000, 0)]);
    await world.goTo(world.startOf(slot + 9 + 96));
    const early = c.settlement.settleEstimated(record);
    await expect(early).to.be.revertedWithCustomError(c.settlement, "TooEarly");
    // When nobody settles it, for want of the readings, it is final all the same.
    const id = await world.networkHelpers.takeSnapshot();
    await world.goTo(world.startOf(slot + 9 + 96 + 8));
    await c.settlement.settleEstimated(record);
    await id.restore();
    const paid = await gains(world, () => c.settlement.settle([{ record, readings, root }]));
    expect(paid[0]).to.equal(1_000n * 155_000n - 1_000n * 300_000n - WORD_FEE);
  });

  it("the backup supplier leaves what it may owe for the open slots", async () => {
    const world = await createWorld();
    const { c } = world;
    const mine = world.as(world.backup).ledger;
    const account = await c.ledger.BACKUP();
    await mine.requestWithdrawal(account, 5_000n * TOKEN);
    await world.goTo(world.startOf(world.genesisSlot + 1 + 9 + 96));
    for (let s = world.genesisSlot - 2; s <= world.genesisSlot + 1; s += 1) {
      if (s < world.genesisSlot) continue;
      await c.settlement.estimate(s);
      await c.settlement.settleEstimated(emptyRecord(s));
    }
    await c.settlement.advanceFinal(100);
    await mine.withdraw(account).catch(() => undefined);
    // One slot in which four homes feed in, and did not use what they bought, at the slot's export tariff.
    expect((await c.ledger.balanceOf(account)) >= 4n * 10_000n * BigInt(TERMS.exportTariff)).to.equal(true);
  });
});
