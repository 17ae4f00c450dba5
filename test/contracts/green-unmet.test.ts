import { expect } from "chai";
import type { Wallet } from "ethers";
import type { OrderStep } from "../../services/protocol/order.ts";
import { consentToTrade, encodeTradeWord, tradeDomain, type Trade } from "../../services/protocol/trade.ts";
import { WORD_FEE, bid, createWorld, offer, oneZone, posting, reading } from "./support/world.ts";
import { expectRebuilt } from "./support/community.ts";

const green = (step: OrderStep): OrderStep => ({ ...step, green: true });

/** An island without backup: what is missing costs its price of 100,000 and the fee of 40,000. */
describe("green trades that are not met in an island without backup", () => {
  it("cost the green price for each green Wh, and the zone price for who sold on what it bought green", async () => {
    const world = await createWorld({ homes: 5, zones: oneZone.map((zone) => ({ ...zone, backupCapacityWh: 0 })) });
    const { c } = world;
    const slot = world.genesisSlot + 1;
    const { words } = await world.append(slot, [
      await world.order(0, slot, [green(offer(400, 90_000))]),
      await world.order(1, slot, [offer(1_000, 100_000)]),
      await world.order(2, slot, [green(bid(600, 240_000))]),
      await world.order(3, slot, [bid(700, 260_000)]),
    ]);
    const trade: Trade = {
      ...{ seller: 2, buyer: 4, energyWh: 700, firstSlot: slot, slots: 1, priceMicroPerKwh: 120_000, nonce: 1n },
      ...{ maxSpreadMicroPerKwh: 0, sellerBearsSpread: false },
    };
    const domain = tradeDomain(world.addresses);
    const consent = (point: number) => consentToTrade(world.owners[point] as Wallet, domain, trade);
    await c.bilaterals.register(trade, await consent(2), await consent(4));
    const trades = encodeTradeWord({ ...trade, from: 0, to: 0, cancels: false });
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [posting(100_000, { marginalOfferWh: 700 })], c, {
      ...{ trades, tradesWh: [700] },
      green: [{ price: 200_000, marginalBidWh: 400, marginalOfferWh: 0 }],
    });
    await world.goTo(world.startOf(slot + 1));
    // 0 delivers 50 Wh too little; 2 delivers nothing of the 300 Wh that it sold beyond its green ones.
    const metered = [reading(0, 350), reading(0, 700), reading(0, 0), reading(700, 0), reading(700, 0)];
    const { readings, root } = await world.report(slot, metered);
    const before = await world.balances();
    await c.settlement.settle([{ record, readings, root }]);
    const gains = (await world.balances()).map((nano, point) => nano - (before[point] as bigint));
    expect(gains).to.deep.equal([
      400n * 200_000n - 50n * 240_000n - WORD_FEE,
      700n * 100_000n - WORD_FEE,
      -400n * 240_000n + 700n * 120_000n - 300n * 140_000n - WORD_FEE,
      -700n * 140_000n - WORD_FEE,
      -700n * 120_000n,
    ]);
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });
});
