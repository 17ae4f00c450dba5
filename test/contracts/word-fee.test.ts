import { expect } from "chai";
import type { Signer, Wallet } from "ethers";
import type { ClearingRecord } from "../../services/protocol/events.ts";
import {
  NANO,
  TOKEN,
  WORD_FEE,
  bid,
  createWorld,
  emptyRecord,
  offer,
  posting,
  reading,
  type World,
} from "./support/world.ts";
import { expectRebuilt } from "./support/community.ts";

describe("the word fee", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 1;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });

  const payer = async (role: string): Promise<Wallet> => {
    const wallet = world.wallet(role);
    await world.fund(wallet.address);
    return wallet;
  };

  /** Point 0 sells 1,000 Wh to point 1 at 155,000 in `s`; `clearer` clears. */
  const trade = async (s: number, clearer?: Signer): Promise<ClearingRecord> => {
    const { words } = await world.append(s, [
      await world.order(0, s, [offer(1_000, 100_000)]),
      await world.order(1, s, [bid(1_000, 250_000)]),
    ]);
    await world.goTo(world.startOf(s) - 500);
    const runner = clearer ? world.as(clearer) : world.c;
    return (await world.clear(s, words as string, [posting(155_000)], runner)).record;
  };

  const exact = async (s: number) => {
    await world.goTo(world.startOf(s + 1));
    return world.report(s, [reading(0, 1_000), reading(1_000, 0), reading(0, 0), reading(0, 0)]);
  };

  it("is paid for every word in the book, superseded ones and cancellations too, to whoever cleared", async () => {
    const clearer = await payer("clearer");
    const before = await world.balances();
    const first = await world.append(slot, [
      await world.order(0, slot, [offer(400, 90_000), offer(600, 100_000)]),
      await world.order(1, slot, [bid(500, 250_000), bid(500, 240_000), bid(300, 90_000)]),
      await world.order(2, slot, [bid(700, 120_000)]),
    ]);
    const second = await world.append(slot, [
      await world.order(1, slot, [bid(1_000, 250_000)], 2),
      await world.order(2, slot, [], 2),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(
      slot,
      [first.words as string, second.words as string],
      [posting(155_000)],
      world.as(clearer),
    );
    expect(record.clearer).to.equal(clearer.address);
    const { readings, root } = await exact(slot);
    await expect(world.c.settlement.settle([{ record, readings, root }])).to.emit(world.c.ledger, "Moved");
    const after = await world.balances();
    expect(after.map((nano, point) => nano - (before[point] as bigint))).to.deep.equal([
      1_000n * 155_000n - 2n * WORD_FEE,
      -1_000n * 195_000n - 4n * WORD_FEE,
      -2n * WORD_FEE,
      0n,
    ]);
    expect(await world.c.ledger.earnedOf(clearer.address)).to.equal(8n * WORD_FEE);
    expect(await world.c.ledger.earnedOf(await world.relayer.getAddress())).to.equal(0n);
  });

  it("of several slots is one write per clearer, and each earns its own slots", async () => {
    const [one, other] = [await payer("one"), await payer("other")];
    const given = [];
    for (const [at, clearer] of [one, other, one, one].entries()) {
      const record = await trade(slot + 2 * at, clearer);
      given.push({ record, ...(await exact(slot + 2 * at)) });
    }
    // A void slot in between costs no words.
    await world.goTo(world.startOf(slot + 9));
    const empty = await world.report(slot + 8, [reading(100, 0)]);
    given.push({ record: emptyRecord(slot + 8), ...empty });
    const receipt = await (await world.c.settlement.settle(given)).wait();
    const moved = receipt?.logs
      .map((entry) => world.c.ledger.interface.parseLog(entry))
      .find((entry) => entry?.name === "Moved");
    expect(moved?.args["earnings"]).to.deep.equal([
      [one.address, 6n * WORD_FEE],
      [other.address, 2n * WORD_FEE],
    ]);
    expect(await world.c.ledger.earnedOf(one.address)).to.equal(6n * WORD_FEE);
    expect(await world.c.ledger.earnedOf(other.address)).to.equal(2n * WORD_FEE);
  });

  it("is counted beyond the first eight points", async () => {
    world = await createWorld({ homes: 10 });
    slot = world.genesisSlot + 1;
    const clearer = await payer("clearer");
    const before = await world.balances();
    const { words } = await world.append(slot, [
      await world.order(0, slot, [offer(1_000, 100_000)]),
      await world.order(8, slot, [bid(300, 70_000), bid(200, 60_000), bid(100, 50_000)]),
      await world.order(9, slot, [bid(1_000, 250_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [posting(155_000)], world.as(clearer));
    await world.goTo(world.startOf(slot + 1));
    const metered = Array.from({ length: 10 }, (_, at) => reading(at === 9 ? 1_000 : 0, at === 0 ? 1_000 : 0));
    const { readings, root } = await world.report(slot, metered);
    await world.c.settlement.settle([{ record, readings, root }]);
    const paid = (await world.balances()).map((nano, point) => nano - (before[point] as bigint));
    expect([paid[0], paid[7], paid[8], paid[9]]).to.deep.equal([
      1_000n * 155_000n - WORD_FEE,
      0n,
      -3n * WORD_FEE,
      -1_000n * 195_000n - WORD_FEE,
    ]);
    expect(await world.c.ledger.earnedOf(clearer.address)).to.equal(5n * WORD_FEE);
  });

  it("is paid for an estimated slot, and by nobody for a void one", async () => {
    const clearer = await payer("clearer");
    const record = await trade(slot, clearer);
    await world.append(slot + 1, [await world.order(0, slot + 1, [offer(100, 100_000)])]);
    const before = await world.balances();
    for (const s of [slot, slot + 1]) {
      await world.goTo(world.startOf(s + 9));
      await world.c.settlement.estimate(s);
    }
    await world.goTo(world.startOf(slot + 10 + 96));
    await world.c.settlement.settleEstimated(record);
    await world.c.settlement.settleEstimated(emptyRecord(slot + 1));
    const after = await world.balances();
    expect((after[0] as bigint) - (before[0] as bigint)).to.equal(1_000n * 155_000n - WORD_FEE);
    expect((after[1] as bigint) - (before[1] as bigint)).to.equal(-1_000n * 195_000n - WORD_FEE);
    expect(await world.c.ledger.earnedOf(clearer.address)).to.equal(2n * WORD_FEE);
  });

  it("is taken out in whole base units, by its earner alone; the rest stays", async () => {
    world = await createWorld({ wordFeeNano: 1_250n });
    slot = world.genesisSlot + 1;
    const clearer = await payer("clearer");
    const { c } = world;
    const mine = world.as(clearer).ledger;
    await expect(mine.withdrawEarned()).to.be.revertedWithCustomError(c.ledger, "ZeroAmount");
    const record = await trade(slot, clearer);
    const { readings, root } = await exact(slot);
    await c.settlement.settle([{ record, readings, root }]);
    expect(await c.ledger.earnedOf(clearer.address)).to.equal(2_500n);
    await expect(c.ledger.withdrawEarned()).to.be.revertedWithCustomError(c.ledger, "ZeroAmount");
    await expect(mine.withdrawEarned()).to.emit(c.ledger, "EarnedWithdrawn").withArgs(clearer.address, 2n);
    expect(await c.token.balanceOf(clearer.address)).to.equal(2n);
    expect(await c.ledger.earnedOf(clearer.address)).to.equal(500n);
    await expect(mine.withdrawEarned()).to.be.revertedWithCustomError(c.ledger, "ZeroAmount");
  });

  it("of a full book is bound as margin: an account pays all its words out of what it had to leave", async () => {
    const dear = 1_000_000_000n;
    world = await createWorld({ homes: 2, depositTokens: 0, wordFeeNano: dear });
    slot = world.genesisSlot;
    const { c } = world;
    const perSlot = await c.orderBook.marginPerSlot(0);
    expect(perSlot).to.equal(2n * 5_000n * 400_000n + 120n * dear);
    await c.token.mint(await world.relayer.getAddress(), 10n ** 12n * TOKEN);
    await c.token.approve(world.addresses.ledger, 2n ** 255n);
    await c.ledger.deposit(0, perSlot / NANO - 1n);
    const steps = Array.from({ length: 8 }, () => bid(100, 200_000));
    const order = async (sequence: number) => world.order(0, slot, steps, sequence);
    expect((await world.append(slot, [await order(1)])).skipped).to.deep.equal([13]);
    await c.ledger.deposit(0, 1n);
    const all = await world.append(slot, await Promise.all(Array.from({ length: 15 }, (_, at) => order(at + 1))));
    expect(all.skipped).to.deep.equal([]);
    // No word more than the margin counts with.
    expect((await world.append(slot, [await order(16)])).skipped).to.deep.equal([6]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, all.words as string, [posting(210_000)]);
    await world.goTo(world.startOf(slot + 1));
    // The worst that the connection allows beside the words.
    const { readings, root } = await world.report(slot, [reading(5_000, 0), reading(0, 0)]);
    await c.settlement.settle([{ record, readings, root }]);
    expect(await c.ledger.balanceOf(0)).to.equal(perSlot - 120n * dear - 5_000n * 300_000n);
    expect(await c.ledger.earnedOf(await world.relayer.getAddress())).to.equal(120n * dear);
  });
});
