import { expect } from "chai";
import { NANO, TOKEN, WORD_FEE } from "../support/world.ts";
import { createBattery, FOREVER, type Battery } from "./battery.ts";
import { expectRebuilt } from "../support/community.ts";

const near = (value: bigint | undefined, highest: bigint, below: bigint): void => {
  const fits = value !== undefined && value <= highest && value >= highest - below;
  expect(fits, `${value} in ${highest - below}..${highest}`).to.equal(true);
};
/** What the battery pays for 2,000 Wh, and gets for 1,800 Wh, nano-token. */
const COST = 2_000n * 135_000n + WORD_FEE;
const INCOME = 1_800n * 205_001n - WORD_FEE;

describe("the community battery", () => {
  let b: Battery;
  let restore: () => Promise<void>;
  before(async () => {
    b = await createBattery();
    ({ restore } = await b.networkHelpers.takeSnapshot());
  });
  afterEach(async () => {
    await b.checkSolvency();
    await expectRebuilt(b);
    await restore();
  });

  it("buys cheap and sells dear: its shares gain exactly that, a late one nothing, and within a week all is out", async () => {
    const { vault, of, addressOf, manager, c } = b;
    const [shares0, shares1] = await b.start([600n * TOKEN, 400n * TOKEN], 10n * TOKEN);
    expect([shares0, shares1]).to.deep.equal([600n * TOKEN * TOKEN, 400n * TOKEN * TOKEN]);
    const slot = (await b.current()) + 3;
    await b.publishTerms(slot, 3);
    await b.trade(slot, true, 2_000);
    expect(await vault.totalAssets(), "rounded down").to.equal(1_000n * TOKEN - (COST + NANO - 1n) / NANO);
    const { record } = await b.clearTrade(slot + 2, false, 1_800);
    // Everybody sees the profit now, and it is not settled; whoever enters now pays for it.
    await b.requestDeposit(2, 50_000n * TOKEN);
    const entered = await b.today();
    await b.goTo(b.startOf(slot + 3));
    const { readings, root } = await b.report(slot + 2, b.metersOf(false, 1_800));
    await c.settlement.settle([{ record, readings, root }]);
    const gain = (INCOME - COST) / NANO;
    expect(await c.ledger.balanceOf(b.point)).to.equal(990n * TOKEN * NANO + INCOME - COST);
    expect(await vault.totalAssets()).to.equal(1_000n * TOKEN + gain);

    await b.run(entered);
    const late = await b.takeShares(2);
    near(await vault.convertToAssets(late), 50_000n * TOKEN, 2n);

    const asked = await b.current();
    const day = await b.today();
    for (const [home, shares] of [shares0, shares1, late].entries()) await of(home).requestRedeem(shares as bigint);
    expect(await vault.maxRedeem(addressOf(0)), "nothing can leave at once").to.equal(0n);
    // Here as everybody would do it, so that the short cut of the other slots is known to be the same.
    await b.finalize(Number(await c.settlement.finalThrough()) + 40, false);
    await b.run(day);
    // The tokens of the late one and ten more are at hand: they pay a part of everybody's.
    await b.pay();
    expect(await vault.idle()).to.equal(0n);
    const part = (50_010n * TOKEN * (shares0 ?? 0n)) / ((shares0 ?? 0n) + (shares1 ?? 0n) + late);
    near(await vault.maxWithdraw(addressOf(0)), part, 1n);
    await expect(vault.pay()).to.be.revertedWithCustomError(vault, "TokensMissing");
    const paid = [await b.takeTokens(0), 0n, 0n];

    // What the account must keep for a connection that may still draw power is paid by whoever takes the battery over.
    await manager.nameHeir(addressOf(2));
    await expect(of(1).takeOver(FOREVER)).to.be.revertedWithCustomError(vault, "NotHeir").withArgs(addressOf(1));
    await c.token.mint(addressOf(2), 1_000n * TOKEN);
    const account = 990n * TOKEN + gain + 1n;
    await expect(of(2).takeOver(account - 1n))
      .to.be.revertedWithCustomError(vault, "TakeOverTooDear")
      .withArgs(account, account - 1n);
    await expect(of(2).takeOver(account)).to.emit(vault, "TakenOver").withArgs(b.point, addressOf(2), account);
    expect((await c.meteringPoints.pointOf(b.point)).owner).to.equal(addressOf(2));
    expect(await c.meteringPoints.isDelegate(b.point, b.key.address)).to.equal(false);
    expect([await vault.pointSet(), await vault.delegate()]).to.deep.equal([false, "0x" + "0".repeat(40)]);
    await b.pay();
    await expect(vault.pay()).to.be.revertedWithCustomError(vault, "NothingDue");
    for (const home of [0, 1, 2]) paid[home] = (paid[home] as bigint) + (await b.takeTokens(home));
    near(paid[0], 600n * TOKEN + (gain * 600n) / 1_000n, 3n);
    near(paid[1], 400n * TOKEN + (gain * 400n) / 1_000n, 3n);
    near(paid[2], 50_000n * TOKEN, 3n);
    expect(await vault.totalSupply()).to.equal(0n);
    near(await b.held(), 8n, 8n);
    expect((await b.current()) - asked <= 7 * 96, "within a week").to.equal(true);
  });

  it("pays a leaver neither what is not final nor what comes later, and lets none leave a loss behind", async () => {
    const { vault, of, addressOf, c } = b;
    const [shares0 = 0n, shares1 = 0n] = await b.start([500n * TOKEN, 500n * TOKEN]);
    const day = await b.today();
    await of(0).requestRedeem(shares0);
    await expect(vault.mark(day)).to.be.revertedWithCustomError(vault, "SlotUnsettled");
    await b.settleAll(day);
    // Sold 1,800 Wh: settled, not final, and in the mark.
    const slot = (await b.current()) + 2;
    const sold = await b.trade(slot, false, 1_800);
    await vault.mark(day);
    await expect(vault.mark(day)).to.be.revertedWithCustomError(vault, "AlreadyMarked");
    expect((await vault.markOf(day)).assets).to.equal(1_000n * TOKEN + INCOME / NANO);
    const marked = Number((await vault.markOf(day)).slot);
    await expect(vault.execute(day)).to.be.revertedWithCustomError(vault, "BatchNotFinal");

    // The meter had shown too much: 800 Wh of it are bought at the import tariff.
    const second = await b.report(slot, b.metersOf(false, 1_800, 1_000), 2);
    await c.settlement.resettle([
      {
        record: sold.record,
        settledReadings: sold.readings,
        settledRoot: sold.root,
        readings: second.readings,
        root: second.root,
      },
    ]);
    // A profit as large hides the correction in the balance.
    await b.trade(slot + 2, false, 2_000);
    await b.makeFinal(day);
    await vault.execute(day);
    const again = await vault.markOf(day);
    expect(again.executedSlot, "it is marked again instead").to.equal(0n);
    expect(Number(again.slot) > marked).to.equal(true);
    const income = INCOME - 800n * 300_000n + 2_000n * 205_001n - WORD_FEE;
    expect(again.assets).to.equal(1_000n * TOKEN + income / NANO);

    // Bought 2,000 Wh: the leaver bears his part, for the money is not his yet. The profit after it is not his.
    const later = (await b.current()) + 2;
    await b.trade(later, true, 2_000);
    await b.makeFinal(day);
    await b.execute(day);
    const expected = 1_000n * TOKEN + (income - COST) / NANO;
    near(await vault.totalAssets(), expected, 1n);
    await vault.fetch();
    await b.trade((await b.current()) + 2, false, 2_000);
    await b.trade((await b.current()) + 2, false, 2_000);
    await b.finalize(await b.current());
    await vault.fetch();
    await b.pay();
    expect(await vault.unpaidDays()).to.deep.equal([]);
    near(await vault.maxWithdraw(addressOf(0)), (1_000n * TOKEN + income / NANO) / 2n, 2n);
    const profit = 4_000n * 205_001n - 2n * WORD_FEE - COST;
    near(await vault.convertToAssets(shares1), 500n * TOKEN + income / NANO / 2n + profit / NANO, 3n);
    await b.takeTokens(0);
  });

  it("pays less than marked after a loss", async () => {
    const { vault, of, addressOf } = b;
    const [shares0 = 0n, shares1 = 0n] = await b.start([500n * TOKEN, 500n * TOKEN], 500n * TOKEN);
    const day = await b.today();
    await of(0).requestRedeem(shares0);
    await b.settleAll(day);
    await vault.mark(day);
    expect((await vault.markOf(day)).assets).to.equal(1_000n * TOKEN);
    await b.trade((await b.current()) + 2, true, 2_000);
    await b.makeFinal(day);
    await b.execute(day);
    await b.pay();
    near(await vault.maxWithdraw(addressOf(0)), 500n * TOKEN - COST / NANO / 2n, 2n);
    near(await vault.convertToAssets(shares1), 500n * TOKEN - COST / NANO / 2n, 2n);
  });
});
