import { expect } from "chai";
import { Wallet, ZeroAddress } from "ethers";
import { deriveKey } from "../../../services/protocol/keys.ts";
import { CommunityStorage__factory } from "../../../types/contracts/factories/balancing/CommunityStorage__factory.ts";
import { Ledger__factory } from "../../../types/contracts/factories/pricing/Ledger__factory.ts";
import { TestFeeToken__factory } from "../../../types/contracts/factories/test/TestFeeToken__factory.ts";
import { emptyRecord, NANO, reading, TOKEN } from "../support/world.ts";
import { createBattery, FOREVER, type Battery } from "./battery.ts";
import { expectRebuilt } from "../support/community.ts";

const MODULE = new Wallet(deriveKey("test", "module")).address;
const near = (value: bigint | undefined, highest: bigint, below: bigint): void => {
  const fits = value !== undefined && value <= highest && value >= highest - below;
  expect(fits, `${value} in ${highest - below}..${highest}`).to.equal(true);
};

describe("the community battery's money", () => {
  let b: Battery;
  let restore: () => Promise<void>;
  before(async () => {
    b = await createBattery({ ledgerModules: [MODULE] });
    await b.fund(MODULE);
    ({ restore } = await b.networkHelpers.takeSnapshot());
  });
  afterEach(async () => {
    await b.checkSolvency();
    await expectRebuilt(b);
    await restore();
  });
  /** The battery's account loses to the members' pool. */
  const lose = async (nano: bigint): Promise<void> => {
    const { ledger } = b.as(b.wallet("module"));
    await ledger.transferBetween([b.point, await ledger.MEMBERS()], [-nano, nano]);
  };

  it("is paid in order and in parts as the margin frees it; trading stops where it does not suffice", async () => {
    const { vault, of, addressOf, manager, c } = b;
    const [shares0 = 0n, shares1 = 0n] = await b.start([500n * TOKEN, 500n * TOKEN]);
    const [first, second] = [await b.today(), (await b.today()) + 1];
    await of(0).requestRedeem(shares0);
    await vault.fetch();
    await b.goTo(b.startOf(second * 96));
    await of(1).requestRedeem(shares1 / 2n);
    await b.requestDeposit(2, 10n * TOKEN);
    await expect(vault.fetch()).to.be.revertedWithCustomError(c.ledger, "NotFinalYet");
    await b.run(first);
    await b.settleAll(second);
    await vault.mark(second);
    await expect(vault.pay())
      .to.be.revertedWithCustomError(vault, "TokensMissing")
      .withArgs(first, 500n * TOKEN);
    await vault.fetch();
    // The margin of 106 slots at 4.00012 leaves more; half a thousand was asked for, and an eighth.
    expect(await vault.idle()).to.equal(5_625n * 100_000n);
    await b.pay();
    expect(await vault.unpaidDays()).to.deep.equal([BigInt(second)]);
    await expect(vault.pay()).to.be.revertedWithCustomError(vault, "NotExecuted").withArgs(second);
    await b.makeFinal(second);
    await b.execute(second);
    await b.pay();
    // 62.5 tokens and those of the deposit, which waits for nobody.
    near(await vault.maxWithdraw(addressOf(1)), 725n * 100_000n, 1n);
    near(await vault.convertToAssets(await b.takeShares(2)), 10n * TOKEN, 1n);
    const { asked } = await vault.redemptionsOf(addressOf(1));
    expect(asked).to.equal(await vault.pendingShares());
    expect(await vault.maxRedeem(addressOf(1))).to.equal(shares1 / 2n - asked);

    await expect(vault.halt()).to.be.revertedWithCustomError(vault, "NothingToHalt");
    await vault.fetch();
    await b.finalize(await b.current());
    await vault.fetch();
    await expect(manager.appoint(b.key.address, 1))
      .to.be.revertedWithCustomError(vault, "BatchOverdue")
      .withArgs(second);
    await expect(vault.halt()).to.emit(vault, "Halted").withArgs(second);
    expect(await c.meteringPoints.isDelegate(b.point, b.key.address)).to.equal(false);
    await expect(vault.halt()).to.be.revertedWithCustomError(vault, "NothingToHalt");
    await b.pay();
    const left = (await c.ledger.balanceOf(b.point)) / NANO;
    near(left, 425n * TOKEN, 5n * TOKEN);
    await expect(vault.fetch()).to.be.revertedWithCustomError(c.ledger, "MarginNeeded");
    // Without orders the limit can fall, and with it the margin.
    await manager.setTradeLimit(0);
    await vault.fetch();
    await b.pay();
    expect(await vault.unpaidDays()).to.deep.equal([]);
    near(await b.takeTokens(1), 250n * TOKEN, 2n);
    await manager.appoint(b.key.address, FOREVER);

    // The last ones leave: the backup supplier stands for what the connection may still cost.
    await of(1).requestRedeem(await vault.balanceOf(addressOf(1)));
    await of(2).requestRedeem(await vault.balanceOf(addressOf(2)));
    await b.run(await vault.unpaidDays().then(([day]) => Number(day)));
    await b.as(b.backup).ledger.setCredit(b.point, await c.orderBook.requiredMargin(b.point));
    if ((await c.ledger.requestOf(b.point))[0] === 0n) await vault.fetch();
    await b.finalize(await b.current());
    await b.as(b.backup).ledger.setCredit(b.point, await c.orderBook.requiredMargin(b.point));
    await vault.fetch();
    await b.pay();
    near(await b.takeTokens(1), 250n * TOKEN, 3n);
    near(await b.takeTokens(2), 10n * TOKEN, 3n);
    near(await b.takeTokens(0), 500n * TOKEN, 2n);
    expect(await vault.totalSupply()).to.equal(0n);
    near((await b.held()) + (await c.ledger.balanceOf(b.point)) / NANO, 8n, 8n);
  });

  it("is worth nothing in default: everything is returned, nothing waits for it, and it can recover", async () => {
    const { vault, of, addressOf, c } = b;
    const [shares = 0n] = await b.start([TOKEN]);
    // Nobody trades, and the battery takes 5 kWh at the tariff: more than there is.
    const slot = (await b.current()) + 2;
    await b.publishTerms(slot, 1);
    await b.goTo(b.startOf(slot + 1));
    const { readings, root } = await b.report(slot, [reading(0, 0), reading(0, 0), reading(0, 0), reading(5_000, 0)]);
    await c.settlement.settle([{ record: emptyRecord(slot), readings, root }]);
    expect(await c.ledger.balanceOf(b.point)).to.equal((-1n * TOKEN * NANO) / 2n);
    expect(await vault.totalAssets()).to.equal(0n);

    await b.requestDeposit(1, 5n * TOKEN);
    await of(0).requestRedeem(shares);
    await expect(vault.fetch()).to.be.revertedWithCustomError(vault, "NothingToFetch");
    const day = await b.today();
    await b.run(day);
    await expect(vault.halt()).to.be.revertedWithCustomError(vault, "NothingToHalt");
    await expect(vault.pay()).to.emit(vault, "Paid").withArgs(day, 0, 0, shares);
    expect(await vault.unpaidDays()).to.deep.equal([]);
    expect((await vault.depositsOf(addressOf(1))).returned).to.equal(5n * TOKEN);
    await expect(of(2).takeBack(addressOf(2)))
      .to.be.revertedWithCustomError(vault, "NothingReturned")
      .withArgs(addressOf(2));
    await of(1).takeBack(addressOf(1));
    expect(await c.token.balanceOf(addressOf(1))).to.equal(5n * TOKEN);
    await expect(of(0).takeBack(addressOf(0)))
      .to.emit(vault, "TakenBack")
      .withArgs(addressOf(0), addressOf(0), 0, shares);

    // What the ledger's fund pays for the battery is its debt.
    await c.ledger.deposit(await c.ledger.DEFAULT_FUND(), 10n * TOKEN);
    await c.ledger.suspend(b.point);
    await b.finalize(await b.current());
    await c.ledger.cover(b.point);
    expect(await c.ledger.balanceOf(b.point)).to.equal(0n);
    await c.token.mint(b.addresses.communityStorage, TOKEN / 2n);
    expect(await vault.totalAssets(), "half a token, and half a token of debt").to.equal(0n);
    await c.ledger.deposit(b.point, 2n * TOKEN);
    expect(await vault.totalAssets()).to.equal(2n * TOKEN);
    near(await vault.convertToAssets(shares), 2n * TOKEN, 2n);

    // A whole unit of two million left: who enters would pay for the losses of others.
    await lose((2n * TOKEN - 1n) * NANO);
    expect(await vault.totalAssets()).to.equal(1n);
    await b.requestDeposit(1, 5n * TOKEN);
    await b.c.token.mint(b.addresses.communityStorage, TOKEN);
    await b.requestDeposit(2, 5n * TOKEN);
    const next = await b.today();
    await b.run(next);
    near(await vault.convertToAssets(await b.takeShares(1)), 5n * TOKEN, 10n);
  });

  it("takes nobody in where a share is worth less than a millionth of its first price, or the vault less than nothing", async () => {
    const { vault, of, addressOf } = b;
    await b.start([2n * TOKEN]);
    await lose((2n * TOKEN - 1n) * NANO);
    await b.requestDeposit(1, 5n * TOKEN);
    await b.run(await b.today());
    expect((await vault.depositsOf(addressOf(1))).returned).to.equal(5n * TOKEN);
    await of(1).takeBack(addressOf(2));
    expect(await b.c.token.balanceOf(addressOf(2))).to.equal(5n * TOKEN);
    await lose(TOKEN * NANO);
    await b.requestDeposit(1, 3n * TOKEN);
    await b.run(await b.today());
    expect((await vault.depositsOf(addressOf(1))).returned).to.equal(3n * TOKEN);
  });

  it("takes nobody in before the account's debts are paid, though nobody has a share", async () => {
    await b.manager.setPoint(b.point);
    await lose(TOKEN * NANO);
    await b.requestDeposit(0, 5n * TOKEN);
    await b.run(await b.today());
    expect((await b.vault.depositsOf(b.addressOf(0))).returned).to.equal(5n * TOKEN);
  });

  it("counts a debt below a whole unit as a unit", async () => {
    const { vault, c } = b;
    await b.start([2n * TOKEN]);
    await c.token.mint(b.addresses.communityStorage, 5n);
    await lose(2n * TOKEN * NANO);
    expect(await vault.totalAssets()).to.equal(5n);
    await lose(1n);
    expect(await vault.totalAssets()).to.equal(4n);
    await lose(NANO);
    expect(await vault.totalAssets()).to.equal(3n);
  });

  it("makes who enters pay for what was earned before", async () => {
    const { vault } = b;
    const [shares = 0n] = await b.start([500n * TOKEN]);
    await b.requestDeposit(1, 100n * TOKEN);
    const first = await b.today();
    await b.settleAll(first);
    await vault.mark(first);
    // Earned after the mark: at the marked worth he would get a sixth of it.
    await lose(-100n * TOKEN * NANO);
    await b.makeFinal(first);
    await b.execute(first);
    near(await vault.convertToAssets(await b.takeShares(1)), 100n * TOKEN, 1n);
    near(await vault.convertToAssets(shares), 600n * TOKEN, 1n);

    await b.requestDeposit(2, 70n * TOKEN);
    const second = await b.today();
    await b.settleAll(second);
    await vault.mark(second);
    const { assets, supply } = await vault.markOf(second);
    expect(assets).to.equal(700n * TOKEN);
    // Lost after the mark: who enters bears his part.
    await lose(350n * TOKEN * NANO);
    await b.makeFinal(second);
    await b.execute(second);
    expect(await b.takeShares(2)).to.equal((70n * TOKEN * (supply + TOKEN)) / (assets + 1n));
  });

  it("cannot be inflated against who comes next", async () => {
    const { vault } = b;
    await b.manager.setPoint(b.point);
    await b.requestDeposit(0, 1n);
    await b.run(await b.today());
    expect(await b.takeShares(0)).to.equal(TOKEN);
    await b.requestDeposit(1, TOKEN);
    const day = await b.today();
    await b.settleAll(day);
    // Tokens given to the vault, and to its account, right before the price is made.
    await b.c.token.mint(b.addresses.communityStorage, 6n * TOKEN);
    await b.c.ledger.deposit(b.point, 4n * TOKEN);
    await vault.mark(day);
    await b.makeFinal(day);
    await expect(vault.execute(day)).to.emit(vault, "Executed").withArgs(day, TOKEN, 199_999n);
    near(await vault.convertToAssets(await b.takeShares(1)), TOKEN, 20n);
    near(await vault.convertToAssets(await vault.balanceOf(b.addressOf(0))), 6n * TOKEN, 6n * TOKEN);
  });

  it("is asked for once at a time, given in parts, and managed by the manager alone", async () => {
    const { vault, of, addressOf, c, manager } = b;
    await expect(of(0).requestDeposit(1n)).to.be.revertedWithCustomError(vault, "PointNotSet");
    for (const call of [
      () => vault.fetch(),
      () => vault.takeOver(1),
      () => manager.appoint(b.key.address, 1),
      () => manager.setTradeLimit(1),
      () => manager.fundLedger(1),
    ])
      await expect(call()).to.be.revertedWithCustomError(vault, "PointNotSet");
    await expect(manager.setPoint(0)).to.be.revertedWithCustomError(vault, "NotVaultPoint").withArgs(0, addressOf(0));
    expect(await vault.totalAssets()).to.equal(0n);
    await manager.setPoint(b.point);
    await expect(manager.setPoint(b.point)).to.be.revertedWithCustomError(vault, "PointAlreadySet").withArgs(b.point);
    for (const call of [
      () => vault.setPoint(1),
      () => vault.appoint(b.key.address, 1),
      () => vault.setTradeLimit(1),
      () => vault.fundLedger(1),
      () => vault.nameHeir(addressOf(0)),
    ])
      await expect(call()).to.be.revertedWithCustomError(vault, "AccessManagedUnauthorized");
    const day = await b.today();
    await expect(vault.mark(day)).to.be.revertedWithCustomError(vault, "NothingAsked");
    await expect(vault.execute(day)).to.be.revertedWithCustomError(vault, "NotMarked");
    await expect(vault.pay()).to.be.revertedWithCustomError(vault, "NothingDue");
    await expect(vault.fetch()).to.be.revertedWithCustomError(vault, "NothingToFetch");
    await expect(vault.halt()).to.be.revertedWithCustomError(vault, "NothingToHalt");
    await expect(of(0).requestDeposit(0)).to.be.revertedWithCustomError(vault, "ZeroAmount");
    await expect(of(0).requestRedeem(0)).to.be.revertedWithCustomError(vault, "ZeroAmount");
    await expect(of(0).requestDeposit(2n ** 96n + 1n)).to.be.revertedWithCustomError(vault, "AmountTooLarge");
    await expect(of(0).requestRedeem(1)).to.be.revertedWithCustomError(vault, "ERC20InsufficientBalance");
    for (const preview of ["previewDeposit", "previewMint", "previewWithdraw", "previewRedeem"] as const)
      await expect(vault[preview](1)).to.be.revertedWithCustomError(vault, "NoPreview");

    await b.requestDeposit(0, 70n);
    await b.requestDeposit(0, 30n);
    await b.goTo(b.startOf((day + 1) * 96));
    await c.token.mint(addressOf(0), 5n);
    await expect(of(0).requestDeposit(5n))
      .to.be.revertedWithCustomError(vault, "RequestOpen")
      .withArgs(addressOf(0), day);
    await b.requestDeposit(1, 900n);
    expect(await vault.pendingAssets()).to.equal(1_000n);
    expect(await vault.throughSlotOf(day)).to.equal(BigInt((day + 1) * 96 + 119));
    // Each day for itself, in whatever order.
    await b.run(day + 1);
    await b.run(day);
    await expect(vault.execute(day)).to.be.revertedWithCustomError(vault, "AlreadyExecuted");
    expect(await vault.maxMint(addressOf(0))).to.equal(100n * TOKEN);
    await expect(of(0).deposit(101n, addressOf(0))).to.be.revertedWithCustomError(vault, "ERC4626ExceededMaxDeposit");
    await expect(of(0).mint(100n * TOKEN + 1n, addressOf(0))).to.be.revertedWithCustomError(
      vault,
      "ERC4626ExceededMaxMint",
    );
    await of(0).deposit(40n, addressOf(2));
    // A part of what a base unit gives uses the whole unit up.
    await of(0).mint(1n, addressOf(2));
    expect(await vault.balanceOf(addressOf(2))).to.equal(40n * TOKEN + 1n);
    const { asked, done, given, returned } = await vault.depositsOf(addressOf(0));
    expect([asked, done, given, returned]).to.deep.equal([0n, 59n, 60n * TOKEN - 1n, 0n]);
    // A new request goes with what an older one gave.
    await of(0).requestDeposit(5n);
    expect((await vault.depositsOf(addressOf(0))).done).to.equal(59n);
    await of(0).deposit(59n, addressOf(0));
    expect(await vault.balanceOf(addressOf(0))).to.equal(60n * TOKEN - 1n);

    await manager.nameHeir(addressOf(1));
    await of(2).requestRedeem(40n * TOKEN + 1n);
    await expect(of(1).takeOver(0))
      .to.be.revertedWithCustomError(vault, "SharesStay")
      .withArgs(960n * TOKEN - 1n);
    // Open redemptions keep what they need.
    await expect(manager.fundLedger(960n)).to.be.revertedWithCustomError(vault, "NotFree").withArgs(960n, 959n);
    await b.run(await b.today());
    await b.pay();
    await expect(of(1).withdraw(1n, addressOf(1), addressOf(2)))
      .to.be.revertedWithCustomError(vault, "NotRequester")
      .withArgs(addressOf(2), addressOf(1));
    await expect(of(1).redeem(1n, addressOf(1), addressOf(2))).to.be.revertedWithCustomError(vault, "NotRequester");
    await expect(of(2).withdraw(41n, addressOf(1), addressOf(2))).to.be.revertedWithCustomError(
      vault,
      "ERC4626ExceededMaxWithdraw",
    );
    await of(2).withdraw(30n, addressOf(1), addressOf(2));
    expect(await c.token.balanceOf(addressOf(1))).to.equal(30n);
    await of(2).redeem(await vault.maxRedeem(addressOf(2)), addressOf(2), addressOf(2));
    expect(await c.token.balanceOf(addressOf(2))).to.equal(10n);
    await expect(of(2).redeem(1n, addressOf(2), addressOf(2))).to.be.revertedWithCustomError(
      vault,
      "ERC4626ExceededMaxRedeem",
    );
    expect([await vault.decimals(), await vault.asset()]).to.deep.equal([12n, b.addresses.token]);
    expect([await vault.delegate(), await vault.heir()]).to.deep.equal([ZeroAddress, addressOf(1)]);
    // Another key takes the place of the one before.
    await manager.appoint(addressOf(2), FOREVER);
    await manager.appoint(b.key.address, FOREVER);
    expect(await c.meteringPoints.isDelegate(b.point, addressOf(2))).to.equal(false);
    expect(await c.meteringPoints.isDelegate(b.point, b.key.address)).to.equal(true);
  });

  it("refuses a token that keeps a part", async () => {
    const { addresses: at } = b;
    const fee = await new TestFeeToken__factory(b.relayer).deploy();
    const owner = await b.relayer.getAddress();
    const ledger = await new Ledger__factory(b.relayer).deploy(
      await fee.getAddress(),
      at.meteringPoints,
      at.settlement,
      at.orderBook,
      at.bilaterals,
      owner,
      owner,
      [],
    );
    const other = await new CommunityStorage__factory(b.relayer).deploy(
      at.accessManager,
      await ledger.getAddress(),
      at.meteringPoints,
      "Other",
      "OTHER",
    );
    await b.asOperator.meteringPoints.register(await other.getAddress(), 0, 1, 1);
    // No role was given for this contract: only the admin may call it.
    await other.connect(b.admin).setPoint(b.point + 1);
    await fee.approve(await other.getAddress(), 1_000n);
    await expect(other.requestDeposit(1_000n))
      .to.be.revertedWithCustomError(other, "WrongAmountReceived")
      .withArgs(1_000, 990);
  });
});
