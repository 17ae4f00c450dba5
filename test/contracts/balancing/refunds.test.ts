import { expect } from "chai";
import { TOKEN, missing, NANO, reading } from "../support/world.ts";
import { createArchived, JUNE, type Archived } from "./support.ts";
import { expectRebuilt } from "../support/community.ts";
import { unnoticed } from "../support/unnoticed.ts";

describe("refunds to the members", () => {
  let p: Archived;
  let first: number;
  const energy = [4n * 1_000n, 4n * 777n, 4n * 300n + 4n * 100n, 0n, 3n * 50n, 50n];
  before(async () => {
    p = await createArchived({ homes: 6 });
    first = p.genesisSlot;
    for (let i = 0; i < 6; i += 1) {
      // Estimated and missing readings are no metered energy.
      const fifth = i === 2 ? reading(50, 0, 2) : reading(0, 50);
      await p.run([
        reading(1_000, 0),
        reading(0, 777),
        reading(300, 100),
        missing,
        fifth,
        i === 3 ? reading(50, 0) : missing,
      ]);
    }
    await p.c.token.mint(await p.relayer.getAddress(), TOKEN);
    await p.c.ledger.deposit(await p.c.ledger.CONGESTION(), 777_777n);
    await p.archive();
  });
  afterEach(async () => {
    expect(await p.discrepancyNano(), "conservation").to.equal(0n);
  });
  after(async () => {
    await expectRebuilt(p);
    expect(await unnoticed(p, ["EnergyCounted", "RefundOpened", "Refunded", "TransferredBetween"])).to.deep.equal([
      // In the last test: the first slots of all, without energy.
      "EnergyCounted.firstSlot",
    ]);
  });

  it("count every slot once, in order, with all readings", async () => {
    const { refunds } = p.c;
    await expect(refunds.count(...p.whole(first + 1, first + 3)))
      .to.be.revertedWithCustomError(refunds, "SlotNotNextToCount")
      .withArgs(first + 1, first);
    await expect(refunds.count(...p.whole(first, first + 1)))
      .to.emit(refunds, "EnergyCounted")
      .withArgs(JUNE, first, first + 1, 2n * (1_000n + 777n + 400n + 50n));
    await expect(refunds.refund(6))
      .to.be.revertedWithCustomError(refunds, "MonthNotCounted")
      .withArgs(JUNE, first + 1);
    await refunds.count(...p.whole(first + 2, first + 3));
    for (const [point, wh] of energy.entries()) expect(await refunds.energyOf(JUNE, point), `${point}`).to.equal(wh);
    expect([...(await refunds.totalOf(JUNE))]).to.deep.equal([energy.reduce((a, b) => a + b), 6n]);
  });

  it("share what both accounts hold, exactly, in chunks", async () => {
    const { refunds, ledger } = p.c;
    await expect(refunds.refund(0)).to.be.revertedWithCustomError(refunds, "NothingToRefund");
    const [before, pools] = [await p.balances(), await p.fixed()];
    expect(pools.congestion).to.equal(777_777n * NANO);
    expect(pools.members > 0n).to.equal(true);
    const all = energy.reduce((a, b) => a + b);
    await expect(refunds.refund(2))
      .to.emit(refunds, "RefundOpened")
      .withArgs(JUNE, pools.members, pools.congestion, all);
    expect([...(await refunds.progress())]).to.deep.equal([BigInt(JUNE), 2n]);

    // Somebody else is paid meanwhile.
    const members = await ledger.MEMBERS();
    const held = await ledger.balanceOf(members);
    await p.asModule.ledger.transferBetween([members, 3], [-held, held]);
    await expect(refunds.refund(4)).to.be.revertedWithCustomError(refunds, "RefundShort");
    await p.asModule.ledger.transferBetween([members, 3], [held, -held]);

    await expect(refunds.refund(100)).to.emit(refunds, "Refunded");
    expect([...(await refunds.progress())]).to.deep.equal([BigInt(JUNE + 1), 0n]);
    const [after, later] = [await p.balances(), await p.fixed()];
    expect(later).to.deep.equal({ ...pools, members: 0n, congestion: 0n });
    let sum = 0n;
    for (const [point, wh] of energy.entries()) {
      const share = (after[point] as bigint) - (before[point] as bigint);
      const exact = ((pools.members + pools.congestion) * wh) / all;
      expect(share >= exact - 2n && share <= exact + 2n, `${point}: ${share}, ${exact}`).to.equal(true);
      sum += share;
    }
    expect(sum).to.equal(pools.members + pools.congestion);
    await expect(refunds.refund(1)).to.be.revertedWithCustomError(refunds, "MonthNotCounted");
  });

  it("leave everything to the next month when nothing was metered", async () => {
    p = await createArchived({ homes: 1 });
    first = p.genesisSlot;
    for (let i = 0; i < 4; i += 1) await p.run([missing]);
    await p.archive();
    await p.c.refunds.count(...p.whole(first, first + 3));
    await expect(p.c.refunds.refund(1)).to.emit(p.c.refunds, "RefundOpened").withArgs(JUNE, 0, 0, 0);
    expect([...(await p.c.refunds.progress())]).to.deep.equal([BigInt(JUNE + 1), 0n]);
  });
});
