import { expect } from "chai";
import { Wallet } from "ethers";
import { deriveKey } from "../../services/protocol/keys.ts";
import { standingOf } from "../../services/protocol/standings.ts";
import { rebuild } from "./support/rebuild.ts";
import { NANO, TOKEN, bid, createWorld, emptyRecord, offer, type World } from "./support/world.ts";
import { unnoticed } from "./support/unnoticed.ts";

const MODULE = new Wallet(deriveKey("test", "module")).address;
const T = TOKEN * NANO;
/** IOrderBook.Skip. */
const MARGIN_TOO_LOW = 13;

/** Makes everything up to `last` final, without readings. */
const finalise = async ({ c, goTo, startOf }: World, last: number): Promise<void> => {
  const first = Number(await c.settlement.finalThrough()) + 1;
  for (let slot = first; slot <= last; slot += 1) {
    await goTo(startOf(slot + 9));
    await c.settlement.estimate(slot);
  }
  await goTo(startOf(last + 9 + 96));
  for (let slot = first; slot <= last; slot += 1) await c.settlement.settleEstimated(emptyRecord(slot));
  await c.settlement.advanceFinal(300);
};

describe("credit, default and suspension", () => {
  let world: World;
  let module: World["c"];
  let backup: World["c"];
  let backupBefore: bigint;
  beforeEach(async () => {
    world = await createWorld({ homes: 3, ledgerModules: [MODULE], depositTokens: 0, publish: 0 });
    await world.fund(MODULE);
    module = world.as(world.wallet("module"));
    backup = world.as(world.backup);
    await world.publishTerms(world.genesisSlot, 40);
    await world.c.token.mint(await world.relayer.getAddress(), 1_000_000n * TOKEN);
    await world.c.token.approve(world.addresses.ledger, 2n ** 255n);
    await world.c.ledger.deposit(await world.c.ledger.BACKUP(), 50_000n * TOKEN);
    backupBefore = (await world.fixed()).backup;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    (await rebuild(world)).close();
  });
  const standing = async (point = 0) => {
    const { creditNano, drawnNano, sinceSlot, fundNano, shortNano } = await world.c.ledger.standingOf(point);
    return { creditNano, drawnNano, suspended: sinceSlot !== 0n, fundNano, shortNano };
  };
  const clean = { creditNano: 0n, drawnNano: 0n, suspended: false, fundNano: 0n, shortNano: 0n };
  /** Point 0 loses to the members' pool. */
  const lose = async (nano: bigint): Promise<void> => {
    await module.ledger.transferBetween([0, await world.c.ledger.MEMBERS()], [-nano, nano]);
  };
  const balance = async (): Promise<bigint> => world.c.ledger.balanceOf(0);

  it("lets credit stand in for a balance in the margin of orders, and binds it at the backup", async () => {
    const { c, genesisSlot: slot } = world;
    const order = async (sequence: number) => [await world.order(0, slot + 1, [bid(1_000, 200_000)], sequence)];
    expect((await world.append(slot + 1, await order(1))).skipped).to.deep.equal([MARGIN_TOO_LOW]);
    await expect(c.ledger.setCredit(0, 1)).to.be.revertedWithCustomError(c.ledger, "NotAccountOwner");
    await expect(backup.ledger.setCredit(3, 1)).to.be.revertedWithCustomError(c.ledger, "UnknownAccount");
    await expect(backup.ledger.setCredit(0, 60_000n * T)).to.be.revertedWithCustomError(c.ledger, "CreditNotCovered");
    await expect(backup.ledger.setCredit(0, 1_000n * T))
      .to.emit(c.ledger, "CreditSet")
      .withArgs(0, 1_000n * T);
    await backup.ledger.setCredit(1, 500n * T);
    expect(await c.ledger.creditNano()).to.equal(1_500n * T);
    expect(await c.ledger.unboundOf(0)).to.equal(1_000n * T);
    expect((await world.append(slot + 1, await order(2))).skipped).to.deep.equal([]);

    const required = await c.orderBook.requiredMargin(0);
    await expect(backup.ledger.setCredit(0, required - 1n))
      .to.be.revertedWithCustomError(c.ledger, "CreditInUse")
      .withArgs(0, required - 1n, required);
    await backup.ledger.setCredit(0, required);
    // The backup's withdrawal leaves its margin and all credit.
    await backup.ledger.requestWithdrawal(await c.ledger.BACKUP(), 100_000n * TOKEN);
    await finalise(world, slot + 1);
    const margin = (await c.orderBook.backupMargin()) + required + 500n * T;
    expect(await backup.ledger.withdraw.staticCall(await c.ledger.BACKUP())).to.equal((backupBefore - margin) / NANO);
  });

  it("lets an account with credit withdraw its own money, never the credit", async () => {
    const { c, genesisSlot: slot } = world;
    const owner = world.owners[0] as Wallet;
    await world.fund(owner.address);
    await c.ledger.deposit(0, 10n * TOKEN);
    await world.as(owner).ledger.requestWithdrawal(0, 500n * TOKEN);
    await finalise(world, slot);
    const required = await c.orderBook.requiredMargin(0);
    expect(required > 10n * T).to.equal(true);
    await expect(world.as(owner).ledger.withdraw(0)).to.be.revertedWithCustomError(c.ledger, "MarginNeeded");
    await backup.ledger.setCredit(0, required - 4n * T);
    expect(await world.as(owner).ledger.withdraw.staticCall(0)).to.equal(6n * TOKEN);
    await backup.ledger.setCredit(0, required + 100n * T);
    expect(await world.as(owner).ledger.withdraw.staticCall(0)).to.equal(10n * TOKEN);
  });

  it("covers what an account cannot pay: default fund, then credit, then debt; and pays it back in turn", async () => {
    const { c, genesisSlot: slot } = world;
    await c.ledger.deposit(0, 20n * TOKEN);
    await c.ledger.deposit(await c.ledger.DEFAULT_FUND(), 5n * TOKEN);
    await backup.ledger.setCredit(0, 7n * T);
    await expect(c.ledger.suspend(0))
      .to.be.revertedWithCustomError(c.ledger, "NotInDefault")
      .withArgs(0, 20n * T);
    await expect(c.ledger.suspend(9)).to.be.revertedWithCustomError(c.ledger, "UnknownAccount");
    await expect(c.ledger.cover(0)).to.be.revertedWithCustomError(c.ledger, "NotSuspended").withArgs(0);
    await lose(35n * T);
    const since = slot - 1;
    await expect(c.ledger.suspend(0))
      .to.emit(c.ledger, "Suspended")
      .withArgs(0, 15n * T, since);
    await expect(c.ledger.suspend(0)).to.be.revertedWithCustomError(c.ledger, "AlreadySuspended").withArgs(0, since);
    expect(await c.ledger.unboundOf(0)).to.equal(-8n * T);
    await world.goTo(world.startOf(slot));
    // A later loss is not in the mark.
    await lose(2n * T);
    await finalise(world, slot);
    await expect(c.ledger.cover(0))
      .to.emit(c.ledger, "Covered")
      .withArgs(0, 5n * T, 7n * T);
    expect(await balance()).to.equal(-5n * T);
    expect(await standing()).to.deep.equal({
      ...{ creditNano: 0n, drawnNano: 7n * T, suspended: true, fundNano: 5n * T, shortNano: 3n * T },
    });
    expect((await world.fixed()).defaultFund).to.equal(0n);
    expect((await world.fixed()).backup).to.equal(backupBefore - 7n * T);
    expect(await c.ledger.creditNano()).to.equal(0n);
    await expect(c.ledger.cover(0)).to.be.revertedWithCustomError(c.ledger, "NothingToCover").withArgs(0);
    // The mark's rest is covered when the fund has something again, and not what came after the mark.
    await c.ledger.deposit(await c.ledger.DEFAULT_FUND(), 100n * TOKEN);
    await c.ledger.cover(0);
    expect(await balance()).to.equal(-2n * T);
    await expect(c.ledger.cover(0)).to.be.revertedWithCustomError(c.ledger, "NothingToCover");
    await expect(c.ledger.suspend(0)).to.emit(c.ledger, "Suspended");
    await expect(c.ledger.cover(0)).to.be.revertedWithCustomError(c.ledger, "NotFinalYet");
    await expect(c.ledger.repay(0))
      .to.be.revertedWithCustomError(c.ledger, "NothingToRepay")
      .withArgs(0, -2n * T);

    // What comes in goes to the backup first, as credit again, then to the fund.
    await c.ledger.deposit(0, 5n * TOKEN);
    expect(await balance()).to.equal(0n);
    expect(await standing()).to.deep.equal({
      ...{ creditNano: 3n * T, drawnNano: 4n * T, suspended: true, fundNano: 8n * T, shortNano: 0n },
    });
    await module.ledger.transferBetween([await c.ledger.MEMBERS(), 0], [-9n * T, 9n * T]);
    expect(await c.ledger.unboundOf(0)).to.equal(-1n);
    await expect(c.ledger.repay(0))
      .to.emit(c.ledger, "Repaid")
      .withArgs(0, 4n * T, 5n * T);
    await expect(c.ledger.deposit(0, 4n * TOKEN))
      .to.emit(c.ledger, "Reinstated")
      .withArgs(0);
    expect(await standing()).to.deep.equal({ ...clean, creditNano: 7n * T });
    expect(await balance()).to.equal(T);
    expect((await world.fixed()).defaultFund).to.equal(105n * T);
    expect((await world.fixed()).backup).to.equal(backupBefore);
    await expect(c.ledger.repay(0)).to.be.revertedWithCustomError(c.ledger, "NotSuspended");
    const figures = ["CreditSet", "Covered", "Repaid", "Reinstated"];
    expect(await unnoticed(world, figures)).to.deep.equal([]);
    const store = await rebuild(world);
    expect(standingOf(store, 0)).to.deep.equal({
      ...{ creditNano: 7n * T, drawnNano: 0n, fundNano: 0n, suspended: false },
    });
    store.close();
  });

  it("suspends an account from trading until it has paid, however far its margin reached", async () => {
    const { c, genesisSlot: slot } = world;
    await c.ledger.deposit(0, 5_000n * TOKEN);
    const place = async (sequence: number) =>
      (await world.append(slot + 1, [await world.order(0, slot + 1, [offer(1_000, 100_000)], sequence)])).skipped;
    expect(await place(1)).to.deep.equal([]);
    expect(Number(await c.orderBook.marginedThrough(0))).to.be.greaterThan(slot + 1);
    await lose(5_001n * T);
    await c.ledger.suspend(0);
    expect(await place(2)).to.deep.equal([MARGIN_TOO_LOW]);
    // A cancellation extends no margin: it is taken.
    expect((await world.append(slot + 1, [await world.order(0, slot + 1, [], 3)])).skipped).to.deep.equal([]);
    await expect(c.orderBook.dropMargin(1)).to.be.revertedWithCustomError(c.orderBook, "NotLedger");
    await c.ledger.deposit(0, 5_001n * TOKEN);
    expect(await standing()).to.deep.equal(clean);
    expect(await place(4)).to.deep.equal([]);
  });

  it("never draws more credit than the backup has", async () => {
    const { c, genesisSlot: slot } = world;
    await backup.ledger.setCredit(0, 30n * T);
    await module.ledger.transferBetween(
      [await c.ledger.BACKUP(), await c.ledger.MEMBERS()],
      [-backupBefore + 10n * T, backupBefore - 10n * T],
    );
    await lose(25n * T);
    await c.ledger.suspend(0);
    await finalise(world, slot);
    await c.ledger.cover(0);
    expect((await world.fixed()).backup).to.equal(0n);
    expect(await balance()).to.equal(-15n * T);
    expect(await standing()).to.deep.equal({
      ...{ creditNano: 20n * T, drawnNano: 10n * T, suspended: true, fundNano: 0n, shortNano: 15n * T },
    });
    expect(await unnoticed(world, ["Suspended"])).to.deep.equal(["Suspended.shortNano"]);
  });

  it("pays back before it pays out", async () => {
    const { c, genesisSlot: slot } = world;
    const owner = world.owners[0] as Wallet;
    await world.fund(owner.address);
    await c.ledger.deposit(await c.ledger.DEFAULT_FUND(), 100n * TOKEN);
    await lose(60n * T);
    await c.ledger.suspend(0);
    await finalise(world, slot);
    await c.ledger.cover(0);
    const mine = world.as(owner);
    await mine.ledger.requestWithdrawal(0, 50n * TOKEN);
    await module.ledger.transferBetween([await c.ledger.MEMBERS(), 0], [-50n * T, 50n * T]);
    await finalise(world, Number((await c.ledger.requestOf(0))[1]));
    await expect(mine.ledger.withdraw(0)).to.be.revertedWithCustomError(c.ledger, "MarginNeeded");
    // As nothing was paid out the refusal keeps all as it was; anybody has it paid back.
    await c.ledger.repay(0);
    expect(await balance()).to.equal(0n);
    expect((await standing()).fundNano).to.equal(10n * T);
  });
});
