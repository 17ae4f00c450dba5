import { expect } from "chai";
import { ZeroAddress, getCreateAddress } from "ethers";
import { Emergency__factory } from "../../types/contracts/factories/balancing/Emergency__factory.ts";
import { MeteringPoints__factory } from "../../types/contracts/factories/consumption/MeteringPoints__factory.ts";
import { Ledger__factory } from "../../types/contracts/factories/pricing/Ledger__factory.ts";
import { OrderBook__factory } from "../../types/contracts/factories/pricing/OrderBook__factory.ts";
import { SealedBatches__factory } from "../../types/contracts/factories/pricing/SealedBatches__factory.ts";
import { TestFeeToken__factory } from "../../types/contracts/factories/test/TestFeeToken__factory.ts";
import { createWorld } from "./support/world.ts";

describe("contracts of the market at their edges", () => {
  it("check every name that they are given: order book and emergency", async () => {
    const world = await createWorld({ publish: 0, homes: 2 });
    const { addresses: a, relayer, c } = world;
    // Deployed by the fourth transaction from here, if ever.
    const from = await relayer.getAddress();
    const next = getCreateAddress({ from, nonce: (await world.provider.getTransactionCount(from)) + 3 });
    const ledgerNaming = (settlement: string) =>
      new Ledger__factory(relayer).deploy(
        a.token,
        a.meteringPoints,
        settlement,
        next,
        a.bilaterals,
        ZeroAddress,
        ZeroAddress,
        [],
      );
    const ledger = await ledgerNaming(a.settlement);
    const other = await ledgerNaming(a.grid);
    const points = await new MeteringPoints__factory(relayer).deploy(a.accessManager, a.grid, next);
    const deploy = (metering: string | typeof points, money: typeof ledger) =>
      new OrderBook__factory(relayer).deploy(metering, a.tariffs, money, a.settlement, a.sealedBatches, a.emergency);
    for (const [attempt, ...values] of [
      [() => deploy(a.meteringPoints, ledger), next, a.orderBook],
      [() => deploy(points, other), a.settlement, a.grid],
      [() => deploy(points, ledger), next, a.orderBook],
    ] as const)
      await expect(attempt())
        .to.be.revertedWithCustomError(c.orderBook, "WrongWiring")
        .withArgs(...values);
    const limits = {
      lowestPrice: 0,
      highestPrice: 1,
      silentSlots: 1,
      withdrawnPerDay: 1,
      loweringDelay: 1,
      overdrawnNano: 0,
    };
    await expect(new Emergency__factory(relayer).deploy(a.accessManager, a, 10, limits)).to.be.revertedWithCustomError(
      c.orderBook,
      "WrongWiring",
    );
  });

  it("take no bonds in a token that delivers less", async () => {
    const { addresses: a, relayer } = await createWorld({ publish: 0, homes: 2 });
    const token = await new TestFeeToken__factory(relayer).deploy();
    const ledger = await new Ledger__factory(relayer).deploy(
      token,
      a.meteringPoints,
      a.settlement,
      a.orderBook,
      a.bilaterals,
      ZeroAddress,
      ZeroAddress,
      [],
    );
    const bonds = await new SealedBatches__factory(relayer).deploy(a.orderBook, ledger, 1n);
    await token.approve(bonds, 500);
    await expect(bonds.deposit(relayer, 500))
      .to.be.revertedWithCustomError(bonds, "WrongAmountReceived")
      .withArgs(500, 495);
    expect(await bonds.freeOf(relayer)).to.equal(0n);
  });

  it("hold no more than the highest balance in an account, whatever is paid in one by one", async () => {
    const { c, relayer } = await createWorld({ publish: 0, homes: 2 });
    const most = (await c.ledger.HIGHEST_BALANCE()) / 1_000n;
    const held = (await c.ledger.balanceOf(0)) / 1_000n;
    expect(held).to.be.greaterThan(0n);
    await c.token.mint(relayer, most);
    await expect(c.ledger.deposit(0, most - held + 1n))
      .to.be.revertedWithCustomError(c.ledger, "DepositTooLarge")
      .withArgs(most - held + 1n);
    await c.ledger.deposit(0, most - held);
  });
});
