import { expect } from "chai";
import { bid, createWorld, offer, posting, reading } from "./support/world.ts";

describe("on an OP stack chain", () => {
  it("a market deploys, and a slot is traded, cleared, reported and settled with nothing lost", async () => {
    const world = await createWorld({ op: true, homes: 2, publish: 8 });
    // An OP stack chain answers what others do not have: the price of its data on the chain below.
    const gasOracle = "0x420000000000000000000000000000000000000F";
    expect(await world.provider.getCode(gasOracle)).to.not.equal("0x");
    const slot = world.genesisSlot + 1;
    const before = await world.balances();
    const { words } = await world.append(slot, [
      await world.order(0, slot, [offer(1_000, 100_000)]),
      await world.order(1, slot, [bid(1_000, 250_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [posting(155_000)]);
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [reading(0, 1_000), reading(1_000, 0)]);
    await world.c.settlement.settle([{ record, readings, root }]);
    const earned = (await world.balances()).map((nano, point) => nano - (before[point] as bigint));
    expect(earned).to.deep.equal([154_999_000n, -195_001_000n]);
    expect(await world.discrepancyNano()).to.equal(0n);
  });
});
