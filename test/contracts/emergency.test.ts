import { expect } from "chai";
import { id, type Wallet } from "ethers";
import type { Contracts } from "../../services/protocol/contracts.ts";
import { packOrders } from "../../services/protocol/order.ts";
import { appendDays, dayOrderOf, signedDay } from "./support/days.ts";
import {
  bid,
  createWorld,
  emptyRecord,
  NANO,
  offer,
  posting,
  reading,
  submit,
  TERMS,
  TOKEN,
  WORD_FEE,
  type World,
} from "./support/world.ts";

const [OPEN, NO_NEW_ORDERS, NO_CLEARING] = [0, 1, 2];
const MARKET_HALTED = 15;
const HOUR = 3_600;
const MOST_WITHDRAWN = 1_000n * TOKEN;
const [NORMAL, ALERT, EMERGENCY, BLACKOUT, RESTORATION] = [0, 1, 2, 3, 4];

const world_ = (options: Parameters<typeof createWorld>[0] = {}) =>
  createWorld({ emergency: { withdrawnPerDay: MOST_WITHDRAWN, highestPrice: 500_000, silentSlots: 12 }, ...options });
const asGuardian = (world: World): Contracts => world.as(world.guardian);

/** Every slot from the first that is not final up to `through` becomes final, settled as reported or by its deadline. */
const finalize = async (world: World, through: number, settled: readonly number[]): Promise<void> => {
  const { settlement } = world.c;
  await world.goTo(world.startOf(through + 9 + 96));
  for (let slot = Number(await settlement.finalThrough()) + 1; slot <= through; slot += 1) {
    if (settled.includes(slot)) continue;
    await settlement.estimate(slot);
    await settlement.settleEstimated(emptyRecord(slot));
  }
  await settlement.advanceFinal(200);
  expect(await settlement.finalThrough()).to.be.greaterThanOrEqual(through);
};

describe("market state", () => {
  it("rises at once by the guardian, and falls by the operator after a delay", async () => {
    const world = await world_({ homes: 1 });
    const { emergency, orderBook } = world.c;
    const [guardian, operator] = [asGuardian(world).emergency, world.asOperator.emergency];
    for (const stranger of [world.c.emergency, operator])
      await expect(stranger.raise(NO_NEW_ORDERS)).to.be.revertedWithCustomError(emergency, "AccessManagedUnauthorized");
    const calls = [
      () => guardian.announceLowering(OPEN),
      () => guardian.lower(),
      () => guardian.setGridState(1, ALERT),
    ];
    for (const call of calls)
      await expect(call()).to.be.revertedWithCustomError(emergency, "AccessManagedUnauthorized");
    await expect(guardian.raise(OPEN)).to.be.revertedWithCustomError(emergency, "NotHigher").withArgs(0, 0);
    await expect(operator.announceLowering(OPEN)).to.be.revertedWithCustomError(emergency, "NotLower").withArgs(0, 0);
    await expect(guardian.raise(NO_CLEARING)).to.emit(emergency, "MarketRaised").withArgs(NO_CLEARING, 0);
    expect(await emergency.marketState()).to.equal(NO_CLEARING);
    await expect(guardian.raise(NO_NEW_ORDERS)).to.be.revertedWithCustomError(emergency, "NotHigher").withArgs(2, 1);
    await expect(operator.lower()).to.be.revertedWithCustomError(emergency, "NothingAnnounced");
    await operator.announceLowering(NO_NEW_ORDERS);
    const [state, from] = await emergency.announced();
    expect(state).to.equal(NO_NEW_ORDERS);
    await world.at(Number(from) - 1);
    await expect(operator.lower())
      .to.be.revertedWithCustomError(emergency, "NotYet")
      .withArgs(from - 1n, from);
    await world.at(Number(from));
    await expect(operator.lower()).to.emit(emergency, "MarketLowered").withArgs(NO_NEW_ORDERS);
    // Raising takes an announcement back.
    await operator.announceLowering(OPEN);
    await guardian.raise(NO_CLEARING);
    await world.goTo(Number(from) + 3 * HOUR);
    await expect(operator.lower()).to.be.revertedWithCustomError(emergency, "NothingAnnounced");
    await expect(orderBook.setMarketState(0)).to.be.revertedWithCustomError(orderBook, "NotEmergency");
    await expect(orderBook.voidZones(1, 1)).to.be.revertedWithCustomError(orderBook, "NotGrid");
    expect((await emergency.limits()).silentSlots).to.equal(12n);
  });

  for (const state of [OPEN, NO_NEW_ORDERS, NO_CLEARING]) {
    it(`in state ${state}: money, meters, settlement and finality go on`, async () => {
      const world = await world_({ homes: 4 });
      const { c } = world;
      const slot = world.genesisSlot + 2;
      const owner = world.owners[0] as Wallet;
      await world.fund(owner.address);
      const { words: first } = await world.append(slot, [
        await world.order(0, slot, [offer(1_000, 100_000)]),
        await world.order(1, slot, [bid(1_000, 250_000)]),
        await world.order(2, slot, [bid(500, 250_000)]),
      ]);
      const relayer = await world.relayer.getAddress();
      await c.token.mint(relayer, 20n * TOKEN);
      await c.token.approve(world.addresses.sealedBatches, 2n ** 255n);
      await c.sealedBatches.deposit(relayer, 10n * TOKEN);
      const sealed = packOrders([await world.order(3, slot, [bid(400, 240_000)], 3)]);
      await c.sealedBatches.seal(slot, await c.sealedBatches.commitmentOf(slot, relayer, sealed, id("salt")));

      if (state !== OPEN) await asGuardian(world).emergency.raise(state);
      await c.ledger.deposit(0, TOKEN);
      const isOpen = state === OPEN;
      const orders = [await world.order(1, slot, [bid(900, 250_000)], 2), await world.order(2, slot, [], 2)];
      const packed = await world.appendPacked(slot, [orders[0] as never]);
      expect(packed.skipped).to.deep.equal(isOpen ? [] : [MARKET_HALTED]);
      // A cancellation is taken, whichever way it comes.
      const cancelled = await world.append(slot, [
        await world.order(1, slot, [bid(800, 250_000)], 3),
        orders[1] as never,
      ]);
      expect(cancelled.skipped).to.deep.equal(isOpen ? [] : [MARKET_HALTED]);
      const again = await world.appendPacked(slot, [await world.order(2, slot, [], 3)]);
      expect(again.skipped).to.deep.equal([]);
      const days = await appendDays(world, [await signedDay(world, dayOrderOf(3, slot, [[[-100, 200_000]], []]))]);
      expect(days.skippedSlots).to.deep.equal(
        isOpen
          ? []
          : [
              [slot, MARKET_HALTED],
              [slot + 1, MARKET_HALTED],
            ],
      );

      await world.goTo(world.startOf(slot) - 599);
      const opened = await (await c.sealedBatches.openSealed(slot, sealed, id("salt"))).wait();
      const appended = opened?.logs
        .map((log) => c.orderBook.interface.parseLog(log))
        .find((log) => log?.name === "Appended")?.args["words"] as string | undefined;
      expect(appended === undefined).to.equal(!isOpen);
      expect(await c.sealedBatches.freeOf(relayer)).to.equal(10n * TOKEN);

      const batches = [first, packed.words, cancelled.words, again.words, days.words.get(slot), appended].filter(
        (words) => words !== undefined,
      );
      // Halted: 1,000 Wh at 155,000; open: offer 1,000 against bids of 800 and 400.
      const posted = isOpen ? [posting(200_000, { marginalBidWh: 200 })] : [posting(155_000)];
      let record = emptyRecord(slot);
      if (state === NO_CLEARING) {
        expect((await c.orderBook.clearableFrom(slot))[0]).to.equal(2n ** 256n - 1n);
        await expect(c.auction.clear(submit(slot, batches, posted))).to.be.revertedWithCustomError(
          c.auction,
          "NotBetweenGateAndStart",
        );
      } else ({ record } = await world.clear(slot, batches, posted));

      const before = await world.balances();
      await world.goTo(world.startOf(slot + 1));
      const report = await world.report(slot, [reading(0, 1_000), reading(1_000, 0), reading(0, 0), reading(0, 0)]);
      await c.settlement.settle([{ record, ...report }]);
      const paid = (await world.balances()).map((nano, point) => nano - (before[point] as bigint));
      if (state === NO_CLEARING) {
        // The slot is void: everything is imbalance at the tariffs.
        expect(paid).to.deep.equal([1_000n * BigInt(TERMS.exportTariff), -1_000n * BigInt(TERMS.importTariff), 0n, 0n]);
      } else if (state === NO_NEW_ORDERS) {
        expect(paid).to.deep.equal([155_000_000n - WORD_FEE, -195_000_000n - WORD_FEE, -3n * WORD_FEE, 0n]);
      }
      expect(await world.discrepancyNano()).to.equal(0n);

      const mine = world.as(owner);
      await mine.ledger.requestWithdrawal(0, 10n ** 12n);
      await finalize(world, slot + 12, [slot]);
      const asked = Number((await c.ledger.requestOf(0)).slot);
      await finalize(world, asked, [slot]);
      await mine.ledger.withdraw(0);
      // All that is free, in every state: nothing but the margin of open slots stays.
      const left = await c.ledger.balanceOf(0);
      const required = await c.orderBook.requiredMargin(0);
      expect(left - required < NANO && left >= required).to.equal(true);
      if (state === OPEN) return;
      await world.asOperator.emergency.announceLowering(OPEN);
      await world.goTo((await world.networkHelpers.time.latest()) + HOUR);
      await world.asOperator.emergency.lower();
      const now = Math.floor((await world.networkHelpers.time.latest()) / 900);
      await world.publishTerms(now + 2, 1);
      const after = await world.append(now + 2, [await world.order(1, now + 2, [bid(100, 200_000)])]);
      expect(after.skipped).to.deep.equal([]);
    });
  }

  it("rises by anybody's proof of a price out of its band", async () => {
    const zones = [{ parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 }];
    const world = await world_({ zones, depositTokens: 50_000 });
    const { emergency } = world.c;
    const slot = world.genesisSlot + 1;
    const { words: high } = await world.append(slot, [
      await world.order(0, slot, [offer(100, 500_000)]),
      await world.order(1, slot, [bid(100, 600_000)]),
    ]);
    const { words: usual } = await world.append(slot + 1, [
      await world.order(0, slot + 1, [offer(100, 400_000)]),
      await world.order(1, slot + 1, [bid(100, 500_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, high as string, [posting(530_000)]);
    await world.goTo(world.startOf(slot + 1) - 500);
    const within = (await world.clear(slot + 1, usual as string, [posting(430_000)])).record;
    await expect(emergency.raiseForPrice(within)).to.be.revertedWithCustomError(emergency, "PricesInBand");
    await expect(emergency.raiseForPrice({ ...record, prices: [1n] })).to.be.revertedWithCustomError(
      emergency,
      "NotTheRecord",
    );
    const before = await world.networkHelpers.takeSnapshot();
    await expect(emergency.raiseForPrice(record)).to.emit(emergency, "MarketRaised").withArgs(NO_NEW_ORDERS, 1);
    await expect(emergency.raiseForPrice(record)).to.be.revertedWithCustomError(emergency, "NotHigher");
    await before.restore();
    await world.goTo(world.startOf(slot + 1));
    await expect(emergency.raiseForPrice(record)).to.be.revertedWithCustomError(emergency, "NotCurrent");
  });

  it("rises when the oracle is silent", async () => {
    const world = await world_({ homes: 1 });
    const { emergency } = world.c;
    const first = world.genesisSlot;
    // Twelve slots of the market must be over.
    await world.goTo(world.startOf(first + 11));
    await expect(emergency.raiseForSilence())
      .to.be.revertedWithCustomError(emergency, "NotSilent")
      .withArgs(first - 1);
    const before = await world.networkHelpers.takeSnapshot();
    await world.goTo(world.startOf(first + 12));
    await expect(emergency.raiseForSilence()).to.emit(emergency, "MarketRaised").withArgs(NO_NEW_ORDERS, 2);
    await before.restore();
    await world.report(first + 3, [reading(0, 0)]);
    await world.goTo(world.startOf(first + 15));
    await expect(emergency.raiseForSilence())
      .to.be.revertedWithCustomError(emergency, "NotSilent")
      .withArgs(first + 3);
    await world.goTo(world.startOf(first + 16));
    await emergency.raiseForSilence();
    expect(await emergency.marketState()).to.equal(NO_NEW_ORDERS);
  });

  it("rises when more is withdrawn in a day than its bound, which stops no withdrawal", async () => {
    const world = await world_({ homes: 3, publish: 0 });
    const { c } = world;
    for (const [home, amount] of [900n, 900n, 1_001n].entries()) {
      const owner = world.owners[home] as Wallet;
      await world.fund(owner.address);
      await world.as(owner).ledger.requestWithdrawal(home, amount * TOKEN);
    }
    const take = (home: number) => world.as(world.owners[home] as Wallet).ledger.withdraw(home);
    const today = Math.floor((await world.networkHelpers.time.latest()) / 86_400);
    const onDay = (days: number) => world.goTo((today + days) * 86_400 + HOUR);
    const within = (withdrawn: bigint) =>
      expect(c.emergency.raiseForWithdrawals())
        .to.be.revertedWithCustomError(c.emergency, "WithinRate")
        .withArgs(withdrawn * TOKEN, MOST_WITHDRAWN);
    await onDay(1);
    await take(0);
    await within(900n);
    // Another day counts by itself, and yesterday's count raises nothing.
    await onDay(2);
    await within(900n);
    await take(1);
    await within(900n);
    await take(2);
    expect((await c.ledger.withdrawnOn()).amount).to.equal(1_901n * TOKEN);
    await expect(c.emergency.raiseForWithdrawals()).to.emit(c.emergency, "MarketRaised").withArgs(NO_NEW_ORDERS, 4);
    // Once it was lowered, what came before counts no longer.
    await world.asOperator.emergency.announceLowering(OPEN);
    await world.goTo((await world.networkHelpers.time.latest()) + HOUR);
    await world.asOperator.emergency.lower();
    await within(0n);
  });

  it("rises when the ledger holds less than it owes, and when a fixed account is overdrawn", async () => {
    const world = await world_({ homes: 2 });
    const { c, addresses } = world;
    const account = await c.ledger.BACKUP();
    await expect(c.emergency.raiseForDeficit()).to.be.revertedWithCustomError(c.emergency, "NoDeficit");
    await expect(c.emergency.raiseForNegative(account)).to.be.revertedWithCustomError(c.emergency, "NotNegative");
    await expect(c.emergency.raiseForNegative(0)).to.be.revertedWithCustomError(c.emergency, "NotNegative");
    const before = await world.networkHelpers.takeSnapshot();
    // The token takes one base unit away.
    await world.networkHelpers.impersonateAccount(addresses.ledger);
    await world.fund(addresses.ledger);
    const thief = await world.ethers.getSigner(addresses.ledger);
    await c.token.connect(thief as never).transfer(await world.admin.getAddress(), 1n);
    await expect(c.emergency.raiseForDeficit()).to.emit(c.emergency, "MarketRaised").withArgs(NO_CLEARING, 3);
    await before.restore();

    const most = 5_000n * BigInt(TERMS.exportTariff);
    const poor = await world_({ homes: 1, depositTokens: 0, emergency: { overdrawnNano: most } });
    const feedIn = async (slot: number): Promise<void> => {
      await poor.goTo(poor.startOf(slot + 1));
      const report = await poor.report(slot, [reading(0, 5_000)]);
      await poor.c.settlement.settle([{ record: emptyRecord(slot), ...report }]);
    };
    await feedIn(poor.genesisSlot);
    await expect(poor.c.emergency.raiseForNegative(account))
      .to.be.revertedWithCustomError(c.emergency, "NotNegative")
      .withArgs(account, -most);
    await feedIn(poor.genesisSlot + 1);
    await expect(poor.c.emergency.raiseForNegative(account))
      .to.emit(poor.c.emergency, "MarketRaised")
      .withArgs(NO_CLEARING, 3);
  });

  it("knows the emergency price: no band with its fee goes beyond", async () => {
    const world = await world_({ publish: 0 });
    const publish = (bandMax: number) => world.asOperator.tariffs.publish(world.genesisSlot, [{ ...TERMS, bandMax }]);
    await expect(publish(9_960_001)).to.be.revertedWithCustomError(world.c.tariffs, "OutsideBounds");
    await expect(publish(9_960_000)).to.emit(world.c.tariffs, "TermsPublished");
  });
});

describe("grid state", () => {
  it("is set by the operator for zones or the whole grid, and stops nothing", async () => {
    const zones = [0, 0, 2].map((parent) => ({ parent, toParentWh: 100, fromParentWh: 100, backupCapacityWh: 1_000 }));
    const world = await world_({ zones });
    const { emergency } = world.c;
    const operator = world.asOperator.emergency;
    const states = async () => Promise.all([0, 1, 2].map(async (zone) => Number(await emergency.gridStateOf(zone))));
    expect(await states()).to.deep.equal([NORMAL, NORMAL, NORMAL]);
    await expect(operator.setGridState(0b101, ALERT)).to.emit(emergency, "GridStateSet").withArgs(0b101, ALERT);
    await operator.setGridState(0b100, BLACKOUT);
    expect(await states()).to.deep.equal([ALERT, NORMAL, BLACKOUT]);
    await expect(operator.setGridState(2n ** 256n - 1n, RESTORATION))
      .to.emit(emergency, "GridStateSet")
      .withArgs(0b111, RESTORATION);
    expect(await states()).to.deep.equal([RESTORATION, RESTORATION, RESTORATION]);
    await operator.setGridState(0b111, EMERGENCY);
    await operator.setGridState(0b010, NORMAL);
    expect(await states()).to.deep.equal([EMERGENCY, NORMAL, EMERGENCY]);
    await expect(operator.setGridState(0b1000, ALERT))
      .to.be.revertedWithCustomError(emergency, "UnknownZones")
      .withArgs(0b1000, 3);
    const slot = world.genesisSlot + 1;
    const { skipped } = await world.append(slot, [await world.order(0, slot, [bid(100, 200_000)])]);
    expect(skipped).to.deep.equal([]);
    await world.goTo(world.startOf(slot + 1));
    await world.report(slot, [reading(1, 0)]);
    expect(await emergency.marketState()).to.equal(OPEN);
  });
});
