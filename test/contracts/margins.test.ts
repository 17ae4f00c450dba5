import { expect } from "chai";
import type { Wallet } from "ethers";
import { BOUNDS, TOKEN, WORD_FEE, bid, createWorld } from "./support/world.ts";

const WORDS_NANO = 120n * WORD_FEE;

describe("margins at their bounds", () => {
  it("stand for what feeding in may cost where the lowest export tariff is below zero", async () => {
    const bounds = { ...BOUNDS, lowestExportTariff: -50_000 };
    const { c } = await createWorld({ homes: 1, bounds });
    expect(await c.orderBook.marginPerSlot(0)).to.equal(
      5_000n * 400_000n + 5_000n * 450_000n + 5_000n * 50_000n + WORDS_NANO,
    );
  });

  it("ask nothing of the backup supplier where no import tariff is above zero", async () => {
    const bounds = { ...BOUNDS, highestImportTariff: -10_000, lowestExportTariff: -50_000 };
    const { c } = await createWorld({ homes: 1, bounds, publish: 0 });
    expect(await c.orderBook.marginPerSlot(0)).to.equal(5_000n * 40_000n + 5_000n * 50_000n + WORDS_NANO);
    expect(await c.orderBook.backupMargin()).to.equal(0n);
  });

  it("reach as far as before when a raise of the trading limit leaves no more than that", async () => {
    const world = await createWorld({ homes: 1, depositTokens: 0 });
    const { c, genesisSlot } = world;
    const slot = genesisSlot + 1;
    const owner = world.owners[0] as Wallet;
    await world.fund(owner.address);
    const perSlot = await c.orderBook.marginPerSlot(0);
    await world.as(owner).meteringPoints.setTradeLimit(0, 100);
    await c.token.mint(await world.relayer.getAddress(), 1_000n * TOKEN);
    await c.token.approve(world.addresses.ledger, 2n ** 255n);
    // Genesis and nine slots from the next one on.
    await c.ledger.deposit(0, (10n * perSlot) / 1_000n);
    await world.append(slot, [await world.order(0, slot, [bid(100, 7)])]);
    expect(await c.orderBook.marginedThrough(0)).to.equal(BigInt(slot + 8));
    await world.as(owner).meteringPoints.setTradeLimit(0, 5_000);
    await expect(c.orderBook.append(slot, [await world.order(0, slot, [bid(100, 7)], 2)]))
      .to.emit(c.orderBook, "MarginExtended")
      .withArgs(0, slot + 8);
    expect(await c.orderBook.marginedThrough(0)).to.equal(BigInt(slot + 8));
  });
});
