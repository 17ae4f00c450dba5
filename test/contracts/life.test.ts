import { expect } from "chai";
import { packSignatures } from "../../services/protocol/report.ts";
import {
  SLOT_SECONDS,
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
import { expectRebuilt } from "./support/community.ts";

describe("the life of a slot", () => {
  let world: World;
  let slot: number;
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 1;
  });

  const trade = async () => {
    const { words } = await world.append(slot, [
      await world.order(0, slot, [offer(1_000, 100_000)]),
      await world.order(1, slot, [bid(1_000, 250_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    return world.clear(slot, words as string, [posting(155_000)]);
  };

  it("pays what was traded and metered, and the rest at the tariffs", async () => {
    const before = await world.balances();
    const { record } = await trade();
    expect(record.prices).to.deep.equal([155_000n]);
    await world.goTo(world.startOf(slot + 1));
    // 0 delivers 900 of 1,000; 1 uses 1,100; 2 is passive; 3's meter is missing.
    const { readings, root } = await world.report(slot, [reading(0, 900), reading(1_100, 0), reading(300, 0), missing]);
    await world.c.settlement.settle([{ record, readings, root }]);

    const after = await world.balances();
    const earned = after.map((nano, point) => nano - (before[point] as bigint));
    expect(earned).to.deep.equal([
      1_000n * 155_000n - 100n * 300_000n - WORD_FEE,
      -1_000n * 195_000n - 100n * 300_000n - WORD_FEE,
      -300n * 300_000n,
      0n,
    ]);
    expect(await world.c.settlement.statusOf(slot)).to.deep.equal([2n, BigInt(slot + 1), 1n]);
  });

  it("nets imbalances for the members and settles the backup on the rest", async () => {
    const { record } = await trade();
    const before = await world.fixed();
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [
      reading(0, 900),
      reading(950, 0),
      reading(0, 0),
      reading(0, 0),
    ]);
    await world.c.settlement.settle([{ record, readings, root }]);
    const after = await world.fixed();
    expect(after.members - before.members).to.equal(50n * 240_000n + 1_000n * 40_000n);
    expect(after.backup - before.backup).to.equal(50n * 300_000n);
    expect(after.operator).to.equal(0n);
  });

  it("settles a void slot at the tariffs and refuses a second time", async () => {
    const [first] = await world.balances();
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [reading(200, 0), reading(0, 100)]);
    const given = { record: emptyRecord(slot), readings, root };
    await world.c.settlement.settle([given]);
    expect((await world.balances())[0]).to.equal((first as bigint) - 200n * 300_000n);
    await expect(world.c.settlement.settle([given]))
      .to.be.revertedWithCustomError(world.c.settlement, "AlreadySettled")
      .withArgs(slot);
  });

  it("pays an estimated slot for its positions once nobody can report any more", async () => {
    const { c } = world;
    const { record } = await trade();
    const before = await world.balances();
    await world.goTo(world.startOf(slot + 1));
    await expect(c.settlement.estimate(slot)).to.be.revertedWithCustomError(c.settlement, "TooEarly");
    await expect(c.settlement.settleEstimated(record)).to.be.revertedWithCustomError(c.settlement, "NotEstimated");
    await world.goTo(world.startOf(slot + 9));
    await expect(c.settlement.estimate(slot)).to.emit(c.settlement, "Estimated").withArgs(slot);
    await expect(c.settlement.estimate(slot)).to.be.revertedWithCustomError(c.settlement, "AlreadyEstimated");
    await expect(c.settlement.settleEstimated(record)).to.be.revertedWithCustomError(c.settlement, "TooEarly");
    await world.goTo(world.startOf(slot + 9 + 96));
    const content = world.reportOf(slot, "0x");
    await expect(
      c.meterOracle.report(content, packSignatures([0, 1, 2], await world.signReport(content, [0, 1, 2]))),
    ).to.be.revertedWithCustomError(c.meterOracle, "SlotIsFinal");
    await expect(c.settlement.settleEstimated({ ...record, backupSoldWh: 1n })).to.be.revertedWithCustomError(
      c.settlement,
      "RecordMismatch",
    );
    await c.settlement.settleEstimated(record);
    const after = await world.balances();
    expect((after[0] as bigint) - (before[0] as bigint)).to.equal(1_000n * 155_000n - WORD_FEE);
    expect((after[1] as bigint) - (before[1] as bigint)).to.equal(-1_000n * 195_000n - WORD_FEE);
    await expect(c.settlement.settleEstimated(record)).to.be.revertedWithCustomError(c.settlement, "AlreadySettled");
  });

  it("settles a late report of an estimated slot normally", async () => {
    const { c } = world;
    const { record } = await trade();
    await world.goTo(world.startOf(slot + 9));
    await c.settlement.estimate(slot);
    await world.goTo(world.startOf(slot + 20));
    const before = await world.balances();
    const { readings, root } = await world.report(slot, [reading(0, 1_000), reading(1_000, 0)]);
    await c.settlement.settle([{ record, readings, root }]);
    const after = await world.balances();
    expect((after[0] as bigint) - (before[0] as bigint)).to.equal(1_000n * 155_000n - WORD_FEE);
    expect((await c.settlement.statusOf(slot))[0]).to.equal(2n);
  });

  it("pays a void estimated slot nothing", async () => {
    const { c } = world;
    const before = await world.balances();
    await world.goTo(world.startOf(slot + 9));
    await c.settlement.estimate(slot);
    await world.goTo(world.startOf(slot + 9 + 96));
    await c.settlement.settleEstimated(emptyRecord(slot));
    expect(await world.balances()).to.deep.equal(before);
  });

  it("holds a missing reading against its owner", async () => {
    const { record } = await trade();
    const before = await world.balances();
    await world.goTo(world.startOf(slot + 1));
    // Both meters missing: 0 did not deliver, 1 used what it bought. Points 2 and 3 are beyond the readings.
    const { readings, root } = await world.report(slot, [missing, missing]);
    await world.c.settlement.settle([{ record, readings, root }]);
    const after = await world.balances();
    expect((after[0] as bigint) - (before[0] as bigint)).to.equal(1_000n * 155_000n - 1_000n * 300_000n - WORD_FEE);
    expect((after[1] as bigint) - (before[1] as bigint)).to.equal(-1_000n * 195_000n - WORD_FEE);
    expect(after.slice(2)).to.deep.equal(before.slice(2));
  });

  it("becomes final in order, and only then pays a withdrawal, above the margin", async () => {
    const { c } = world;
    const owner = world.owners[0];
    if (!owner) throw new Error("no owner");
    await world.fund(owner.address);
    const mine = world.as(owner);
    const { record } = await trade();
    await world.goTo(world.startOf(slot + 1));
    await expect(mine.ledger.withdraw(0)).to.be.revertedWithCustomError(c.ledger, "NothingRequested").withArgs(0);
    await mine.ledger.requestWithdrawal(0, 5_000n * TOKEN);
    await expect(mine.ledger.withdraw(0)).to.be.revertedWithCustomError(c.ledger, "NotFinalYet");
    const last = slot + 1;
    for (let s = world.genesisSlot; s <= last; s += 1) {
      await world.goTo(world.startOf(s + 9));
      await c.settlement.estimate(s);
    }
    expect(await c.settlement.advanceFinal.staticCall(10)).to.equal(BigInt(world.genesisSlot - 1));
    await world.goTo(world.startOf(last + 9 + 96));
    await c.settlement.settleEstimated(emptyRecord(world.genesisSlot));
    await c.settlement.settleEstimated(record);
    await c.settlement.settleEstimated(emptyRecord(last));
    await expect(c.settlement.advanceFinal(2))
      .to.emit(c.settlement, "FinalThrough")
      .withArgs(world.genesisSlot + 1);
    await c.settlement.advanceFinal(100);
    expect(await c.settlement.finalThrough()).to.equal(BigInt(last));

    const required = await c.orderBook.requiredMargin(0);
    const [balance] = await world.balances();
    const paid = await mine.ledger.withdraw.staticCall(0);
    expect(paid).to.equal(((balance as bigint) - required) / 1_000n);
    await mine.ledger.withdraw(0);
    expect(await c.token.balanceOf(owner.address)).to.equal(paid);
    expect((await c.ledger.requestOf(0))[0]).to.equal(5_000n * TOKEN - paid);
    await expect(mine.ledger.withdraw(0)).to.be.revertedWithCustomError(c.ledger, "MarginNeeded");
    await expect(
      c.settlement.settle([{ record: emptyRecord(last), readings: "0x", root: `0x${"0".repeat(64)}` }]),
    ).to.be.revertedWithCustomError(c.settlement, "AlreadySettled");
  });

  it("is final 96 slots after it was settled, and not a second before", async () => {
    const { c } = world;
    const first = world.genesisSlot;
    await world.goTo(world.startOf(first + 1));
    const { readings, root } = await world.report(first, [reading(100, 0)]);
    await c.settlement.settle([{ record: emptyRecord(first), readings, root }]);
    for (const time of [world.startOf(first + 2), world.startOf(first + 97) - 2]) {
      await world.goTo(time);
      expect(await c.settlement.advanceFinal.staticCall(10)).to.equal(BigInt(first - 1));
    }
    await world.goTo(world.startOf(first + 97));
    await expect(c.settlement.advanceFinal(10)).to.emit(c.settlement, "FinalThrough").withArgs(first);
  });

  it("refuses readings, records, orders of slots and clearings that are not the chain's", async () => {
    const { c } = world;
    const { record } = await trade();
    const none = `0x${"0".repeat(64)}`;
    await expect(c.settlement.settle([])).to.be.revertedWithCustomError(c.settlement, "NothingToSettle");
    await expect(c.settlement.settle([{ record, readings: "0x", root: none }])).to.be.revertedWithCustomError(
      c.settlement,
      "NotReported",
    );
    await world.goTo(world.startOf(slot + 2));
    const { readings, root } = await world.report(slot, [reading(0, 1_000)]);
    await expect(c.settlement.settle([{ record, readings: `${readings}00`, root }])).to.be.revertedWithCustomError(
      c.settlement,
      "ReadingsMismatch",
    );
    await expect(c.settlement.settle([{ record, readings, root: none }])).to.be.revertedWithCustomError(
      c.settlement,
      "ReadingsMismatch",
    );
    await expect(
      c.settlement.settle([{ record: { ...record, congestionNano: 1n }, readings, root }]),
    ).to.be.revertedWithCustomError(c.settlement, "RecordMismatch");
    await expect(
      c.settlement.settle([{ record: emptyRecord(world.genesisSlot - 1), readings, root }]),
    ).to.be.revertedWithCustomError(c.settlement, "BeforeGenesis");
    await expect(
      c.settlement.settle([{ record: emptyRecord(slot + 300), readings, root }]),
    ).to.be.revertedWithCustomError(c.settlement, "TooManyOpenSlots");
    const given = { record, readings, root };
    await expect(c.settlement.settle([given, given])).to.be.revertedWithCustomError(c.settlement, "SlotsNotAscending");
    const other = await world.report(slot + 1, [reading(0, 0)]);
    await c.settlement.settle([given, { record: emptyRecord(slot + 1), ...other }]);
  });

  it("pays nothing for a slot without terms", async () => {
    const bare = await createWorld({ publish: 0 });
    const before = await bare.balances();
    await bare.goTo(bare.startOf(bare.genesisSlot + 1));
    const { readings, root } = await bare.report(bare.genesisSlot, [reading(700, 0), reading(0, 900)]);
    await bare.c.settlement.settle([{ record: emptyRecord(bare.genesisSlot), readings, root }]);
    expect(await bare.balances()).to.deep.equal(before);
    expect(SLOT_SECONDS).to.equal(900);
  });
});
