import { expect } from "chai";
import { Wallet } from "ethers";
import { deriveKey } from "../../../services/protocol/keys.ts";
import { createArchived, JUNE } from "../balancing/support.ts";
import { bid, createWorld, emptyRecord, NANO, reading, TOKEN, type World } from "../support/world.ts";

const MODULE = new Wallet(deriveKey("test", "module")).address;
const MARGIN_TOO_LOW = 13;
const MOST_WITHDRAWN = 1_000n * TOKEN;
const DAY = 86_400;

describe("attacks on the ledger and its alarms", () => {
  it("sending the same tokens in and out again raises no alarm", async () => {
    const world = await createWorld({
      homes: 1,
      publish: 0,
      limitWh: 100,
      emergency: { withdrawnPerDay: MOST_WITHDRAWN },
    });
    const { c, addresses } = world;
    const [owner] = world.owners as [Wallet];
    await world.fund(owner.address);
    const mine = world.as(owner);
    // A request for more than there will ever be is payable for good once its slot is final.
    await mine.ledger.requestWithdrawal(0, 2n ** 127n);
    await world.goTo((Math.floor((await world.networkHelpers.time.latest()) / DAY) + 1) * DAY + 60);
    await mine.ledger.withdraw(0);
    const stake = 600n * TOKEN;
    await c.token.connect(owner as never).transfer(addresses.grid, (await c.token.balanceOf(owner.address)) - stake);
    await mine.token.approve(addresses.ledger, 2n ** 255n);
    await world.goTo((await world.networkHelpers.time.latest()) + DAY);
    for (let round = 0; round < 3; round += 1) {
      await mine.ledger.deposit(0, await c.token.balanceOf(owner.address));
      await mine.ledger.withdraw(0);
    }
    await expect(mine.emergency.raiseForWithdrawals()).to.be.revertedWithCustomError(c.emergency, "WithinRate");
    expect((await c.ledger.withdrawnOn()).amount < stake).to.equal(true);
    expect(await c.emergency.marketState()).to.equal(0n);
  });

  it("a pool that a correction takes back from, after it was given to the members, stops no clearing", async () => {
    const p = await createArchived({ homes: 2 });
    const { c } = p;
    for (let i = 0; i < 4; i += 1) await p.run([reading(500, 0), reading(0, 500)]);
    await p.archive();
    // A slot of July nets 400 Wh; its money is in the pool when June is refunded, and it is not final.
    const slot = await p.run([reading(400, 0), reading(0, 400)]);
    await c.refunds.count(...p.whole(p.genesisSlot, p.genesisSlot + 3));
    await c.refunds.refund(2);
    expect([...(await c.refunds.progress())]).to.deep.equal([BigInt(JUNE + 1), 0n]);
    const settled = p.slots.at(-1) as { readings: string };
    const root = p.reportOf(slot, settled.readings).root;
    const second = await p.report(slot, [reading(300, 0), reading(0, 0)], 2);
    await c.settlement.resettle([
      { record: emptyRecord(slot), settledReadings: settled.readings, settledRoot: root, ...second },
    ]);
    expect((await p.fixed()).members).to.equal(-400n * 240_000n);
    await expect(c.emergency.raiseForNegative(await c.ledger.MEMBERS())).to.be.revertedWithCustomError(
      c.emergency,
      "NotNegative",
    );
  });

  it("an account that a module took money from trades no further on the margin it had", async () => {
    const world: World = await createWorld({ homes: 2, ledgerModules: [MODULE], depositTokens: 1_000 });
    await world.fund(MODULE);
    const slot = world.genesisSlot + 3;
    const order = async (sequence: number) =>
      world.append(slot, [await world.order(0, slot, [bid(500, 200_000)], sequence)]);
    expect((await order(1)).skipped).to.deep.equal([]);
    const left = 1n;
    const taken = (await world.c.ledger.balanceOf(0)) - left;
    await world.as(world.wallet("module")).ledger.transferBetween([0, 1], [-taken, taken]);
    // Nothing to suspend: it has a nano-token. Its orders are asked for their margin anew.
    await expect(world.c.ledger.suspend(0)).to.be.revertedWithCustomError(world.c.ledger, "NotInDefault");
    expect((await order(2)).skipped).to.deep.equal([MARGIN_TOO_LOW]);
    await world.c.token.mint(await world.relayer.getAddress(), 1_000n * TOKEN);
    await world.c.ledger.deposit(0, 1_000n * TOKEN);
    expect((await order(3)).skipped).to.deep.equal([]);
    expect(taken / NANO > 0n).to.equal(true);
  });
});
