import { expect } from "chai";
import type { Wallet } from "ethers";
import type { OrderStep } from "../../services/protocol/order.ts";
import { TOKEN, WORD_FEE, bid, createWorld, offer, posting, reading, submit, type World } from "./support/world.ts";
import { expectRebuilt } from "./support/community.ts";

const green = (step: OrderStep): OrderStep => ({ ...step, green: true });
const zone = (parent: number, backupCapacityWh: number) => ({
  ...{ parent, toParentWh: 0, fromParentWh: 0 },
  backupCapacityWh,
});

/** Tariffs 300,000 and 60,000, no fee. */
describe("trades that are not met where prices lie beyond the tariffs", () => {
  let world: World;
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });
  const balances = (points: number[]): Promise<bigint[]> =>
    Promise.all(points.map(async (point) => world.c.ledger.balanceOf(point)));

  it("earn no more than was paid for what is bought below the export tariff and not used", async () => {
    // A line of no capacity; only certificates cross it, and their worth takes the second zone's price to 10,000.
    world = await createWorld({
      ...{ homes: 5, zones: [zone(0, 1_000_000), zone(0, 0)], zoneOf: (home: number) => (home < 2 ? 0 : 1) },
      publish: 0,
    });
    const slot = world.genesisSlot + 1;
    await world.publishTerms(slot, 1, { fee: 0 });
    const { words } = await world.append(slot, [
      await world.order(0, slot, [green(bid(1_000, 119_000))]),
      await world.order(1, slot, [offer(1_000, 60_000)]),
      await world.order(2, slot, [green(offer(1_000, 60_000))]),
      await world.order(3, slot, [bid(400, 10_000)]),
      await world.order(4, slot, [bid(600, 10_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(
      slot,
      words as string,
      [posting(64_500), posting(10_000, { marginalBidWh: 1_000 })],
      world.c,
      {
        green: [
          { price: 114_500, marginalBidWh: 0, marginalOfferWh: 0 },
          { price: 60_000, marginalBidWh: 0, marginalOfferWh: 1_000 },
        ],
      },
    );
    await world.goTo(world.startOf(slot + 1));
    // 3 uses nothing and feeds in 1 Wh, 4 uses all and 100 Wh more; all others are exact.
    const { readings, root } = await world.report(slot, [
      reading(1_000, 0),
      reading(0, 1_000),
      reading(0, 1_000),
      reading(0, 1),
      reading(700, 0),
    ]);
    const [before, pools] = [await balances([0, 1, 2, 3, 4]), await world.fixed()];
    await world.c.settlement.settle([{ record, readings, root }]);
    const [after, later] = [await balances([0, 1, 2, 3, 4]), await world.fixed()];
    expect(after.map((nano, i) => nano - (before[i] as bigint) + WORD_FEE)).to.deep.equal([
      -1_000n * 114_500n,
      1_000n * 64_500n,
      1_000n * 60_000n,
      // The 400 Wh come back at what they cost; the 1 Wh is at the export tariff.
      60_000n,
      -600n * 10_000n - 100n * 300_000n,
    ]);
    // 100 Wh net out in the island, and 400 Wh earned 50,000 less than the export tariff.
    expect(later.members - pools.members).to.equal(100n * 240_000n + 400n * 50_000n);
  });

  it("cost what was earned for what is sold above the import tariff and not delivered", async () => {
    // A triangle of equal lines; the one from zone 0 to 1 takes 100 Wh. Energy at zone 1 makes room on it.
    world = await createWorld({ homes: 3, publish: 0 });
    const { c, asOperator } = world;
    const slot = world.genesisSlot + 127;
    const line = 333_333;
    await asOperator.grid.setMesh(
      slot - 2,
      [zone(0, 0), zone(0, 0), zone(0, 1_000_000)],
      [
        { minWh: -100, maxWh: 100, weights: [line, -line, 0] },
        { minWh: -1_000, maxWh: 1_000, weights: [0, line, -line] },
      ],
    );
    // Points register in the zones of the current slot.
    await world.goTo(world.startOf(slot - 2));
    await world.publishTerms(slot, 1, { fee: 0 });
    await c.token.mint(await world.relayer.getAddress(), 4_000n * TOKEN);
    const points = [3, 4, 5, 6];
    const owners = [0, 1, 2, 0].map((own) => world.owners[own] as Wallet);
    for (const [at, own] of [0, 1, 2, 1].entries()) {
      await asOperator.meteringPoints.register((owners[at] as Wallet).address, own, 5_000, 5_000);
      await c.ledger.deposit(3 + at, 1_000n * TOKEN);
    }
    const { words } = await world.append(slot, [
      await world.order(3, slot, [offer(1_000, 100_000)], 1, owners[0]),
      await world.order(4, slot, [offer(50, 60_000)], 1, owners[1]),
      await world.order(5, slot, [bid(1_000, 300_000)], 1, owners[2]),
      await world.order(6, slot, [offer(60, 60_000)], 1, owners[3]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const postings = [
      posting(100_000, { marginalOfferWh: 410 }),
      posting(500_000),
      posting(300_000, { marginalBidWh: 1_000, backupSoldWh: 480 }),
    ];
    const submission = { ...submit(slot, words as string, postings), duals: { mu: [600_000_600_001n, 0n] } };
    const receipt = await (await c.auction.clear(submission)).wait();
    const cleared = receipt?.logs
      .map((log) => c.auction.interface.parseLog(log))
      .find((log) => log?.name === "Cleared");
    const given = cleared?.args["record"];
    const record = { ...given.toObject(), prices: [...given.prices] };
    expect(record.prices).to.deep.equal([100_000n, 500_000n, 300_000n]);
    await world.goTo(world.startOf(slot + 1));
    const none = reading(0, 0);
    // 4 delivers nothing and uses 30 Wh, 6 delivers all.
    const { readings, root } = await world.report(slot, [
      ...[none, none, none, reading(0, 410), reading(30, 0)],
      ...[reading(1_000, 0), reading(0, 60)],
    ]);
    const [before, pools] = [await balances(points), await world.fixed()];
    await c.settlement.settle([{ record, readings, root }]);
    const [after, later] = [await balances(points), await world.fixed()];
    expect(after.map((nano, i) => nano - (before[i] as bigint) + WORD_FEE)).to.deep.equal([
      410n * 100_000n,
      // What it got for 50 Wh is what they cost; the 30 Wh are at the import tariff.
      -30n * 300_000n,
      -1_000n * 300_000n,
      60n * 500_000n,
    ]);
    expect(later.members - pools.members).to.equal(50n * 200_000n);
  });
});
