import { expect } from "chai";
import type { Wallet } from "ethers";
import { decodeExtras } from "../../services/protocol/extras.ts";
import {
  cancellingWord,
  consentToCancel,
  consentToTrade,
  encodeTradeWord,
  tradeDomain,
  type Trade,
} from "../../services/protocol/trade.ts";
import {
  WORD_FEE,
  bid,
  createWorld,
  emptyRecord,
  missing,
  offer,
  posting,
  reading,
  type World,
} from "./support/world.ts";
import { expectRebuilt } from "./support/community.ts";

/** Homes 0 and 1 where the grid is, 2 and 3 behind a line of 500 Wh. */
const zones = [
  { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
  { parent: 0, toParentWh: 500, fromParentWh: 500, backupCapacityWh: 0 },
];
const zoneOf = (home: number): number => (home < 2 ? 0 : 1);

describe("bilateral trades: clearing and settlement", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ homes: 4, zones, zoneOf });
    slot = world.genesisSlot + 1;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });

  let nonce = 0n;
  /** Registers a trade of the slot and gives its word, and what cancels it. */
  const registered = async (seller: number, buyer: number, energyWh: number, rest: Partial<Trade> = {}) => {
    nonce += 1n;
    const trade: Trade = {
      ...{ seller, buyer, energyWh, firstSlot: slot, slots: 1, priceMicroPerKwh: 120_000, nonce },
      ...{ maxSpreadMicroPerKwh: 50_000, sellerBearsSpread: false, ...rest },
    };
    const domain = tradeDomain(world.addresses);
    const both = async (consentTo: typeof consentToTrade) =>
      [
        await consentTo(world.owners[seller] as Wallet, domain, trade),
        await consentTo(world.owners[buyer] as Wallet, domain, trade),
      ] as const;
    await world.c.bilaterals.register(trade, ...(await both(consentToTrade)));
    const word = encodeTradeWord({ ...trade, from: zoneOf(seller), to: zoneOf(buyer), cancels: false });
    return { word, cancel: async () => world.c.bilaterals.cancel(trade, ...(await both(consentToCancel))) };
  };
  const register = async (...own: Parameters<typeof registered>) => (await registered(...own)).word;
  const listOf = (...words: string[]): string => `0x${words.map((word) => word.slice(2)).join("")}`;
  const gains = async (doing: () => Promise<unknown>): Promise<bigint[]> => {
    const before = await world.balances();
    await doing();
    return (await world.balances()).map((nano, point) => nano - (before[point] as bigint));
  };
  /** 3 sells 400 Wh at 80,000 to 1 over the line; trades share what is left of it. */
  const orders = async (): Promise<string> => {
    const { words } = await world.append(slot, [
      await world.order(1, slot, [bid(400, 250_000)]),
      await world.order(3, slot, [offer(900, 80_000)]),
    ]);
    return words as string;
  };
  const congested = [posting(130_000), posting(80_000, { marginalOfferWh: 400 })];

  it("share a line as far as they pay for it, and are paid as agreed: the spread to its bearer, imbalance to its owner", async () => {
    const words = await orders();
    const first = await register(2, 0, 60);
    const second = await register(2, 0, 300, { maxSpreadMicroPerKwh: 50_000, sellerBearsSpread: true });
    const trades = listOf(first, second);
    await world.goTo(world.startOf(slot) - 500);
    const clear = (list: string, tradesWh: number[]) =>
      world.clear(slot, words, congested, world.c, { trades: list, tradesWh });
    const { bilaterals } = world.c;
    for (const wrong of ["0x", first, listOf(second, first), listOf(first, second, second), `${trades}00`])
      await expect(clear(wrong, [60, 40])).to.be.revertedWithCustomError(bilaterals, "TradesMismatch");
    const { record } = await clear(trades, [60, 40]);
    expect(decodeExtras(record.extras).trades.map(({ filledWh }) => filledWh)).to.deep.equal([60n, 40n]);
    await world.goTo(world.startOf(slot + 1));
    // 0 uses 30 Wh more than it bought, 2 delivers 20 Wh too little.
    const { readings, root } = await world.report(slot, [
      reading(130, 0),
      reading(400, 0),
      reading(0, 80),
      reading(0, 400),
    ]);
    const before = await world.fixed();
    expect(await gains(() => world.c.settlement.settle([{ record, readings, root }]))).to.deep.equal([
      -60n * 170_000n - 40n * 120_000n - 30n * 300_000n,
      -400n * 170_000n - WORD_FEE,
      60n * 120_000n + 40n * 70_000n - 20n * 300_000n,
      400n * 80_000n - WORD_FEE,
    ]);
    const after = await world.fixed();
    expect(after.congestion - before.congestion).to.equal(500n * 50_000n);
    expect(after.members - before.members).to.equal(400n * 40_000n);
    expect(after.backup - before.backup).to.equal(50n * 300_000n);
  });

  it("count as not delivered and as used where meters are missing", async () => {
    const words = await orders();
    const word = await register(2, 0, 150);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words, congested, world.c, { trades: word, tradesWh: [100] });
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [missing, missing, missing, missing]);
    expect(await gains(() => world.c.settlement.settle([{ record, readings, root }]))).to.deep.equal([
      -100n * 170_000n,
      -400n * 170_000n - WORD_FEE,
      100n * 120_000n - 100n * 300_000n,
      400n * 80_000n - 400n * 300_000n - WORD_FEE,
    ]);
  });

  it("move nothing where the spread is more than they allow", async () => {
    const words = await orders();
    const first = await register(2, 0, 150);
    const second = await register(2, 0, 70, { maxSpreadMicroPerKwh: 40_000 });
    await world.goTo(world.startOf(slot) - 500);
    const apart = { trades: listOf(first, second), tradesWh: [100, 0] };
    const { record } = await world.clear(slot, words, congested, world.c, apart);
    await world.goTo(world.startOf(slot + 1));
    const metered = [reading(100, 0), reading(400, 0), reading(0, 100), reading(0, 400)];
    const { readings, root } = await world.report(slot, metered);
    expect(await gains(() => world.c.settlement.settle([{ record, readings, root }]))).to.deep.equal([
      -100n * 170_000n,
      -400n * 170_000n - WORD_FEE,
      100n * 120_000n,
      400n * 80_000n - WORD_FEE,
    ]);
  });

  it("trade nothing once they are cancelled before the gate, and leave the line to the others", async () => {
    const words = await orders();
    const first = await register(2, 0, 300);
    const { word: second, cancel } = await registered(2, 0, 60);
    await cancel();
    const trades = listOf(first, second, cancellingWord(second));
    await world.goTo(world.startOf(slot) - 500);
    const clear = (...tradesWh: number[]) => world.clear(slot, words, congested, world.c, { trades, tradesWh });
    for (const [at, tradesWh] of [
      [1, [40, 60, 0]],
      [2, [40, 0, 60]],
    ] as const)
      await expect(clear(...tradesWh))
        .to.be.revertedWithCustomError(world.c.auction, "TradeOverfilled")
        .withArgs(at, 60, 0);
    const { record } = await clear(100, 0, 0);
    expect(decodeExtras(record.extras).trades.map(({ filledWh }) => filledWh)).to.deep.equal([100n, 0n, 0n]);
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [
      reading(100, 0),
      reading(400, 0),
      reading(0, 100),
      reading(0, 400),
    ]);
    const paid = await gains(() => world.c.settlement.settle([{ record, readings, root }]));
    expect([paid[0], paid[2]]).to.deep.equal([-100n * 170_000n, 100n * 120_000n]);
  });

  it("clear without any order, and are paid in estimated slots", async () => {
    const word = await register(0, 1, 700, { priceMicroPerKwh: 200_000 });
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, [], [posting(160_000), posting(160_000)], world.c, {
      trades: word,
      tradesWh: [700],
    });
    await world.goTo(world.startOf(slot + 9));
    await world.c.settlement.estimate(slot);
    await world.goTo(world.startOf(slot + 9 + 96));
    expect(await gains(() => world.c.settlement.settleEstimated(record))).to.deep.equal([
      700n * 200_000n,
      -700n * 200_000n,
      0n,
      0n,
    ]);
  });

  it("settle as nothing in a void slot", async () => {
    await register(0, 1, 700);
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [reading(0, 0), reading(700, 0)]);
    expect(await gains(() => world.c.settlement.settle([{ record: emptyRecord(slot), readings, root }]))).to.deep.equal(
      [0n, -700n * 300_000n, 0n, 0n],
    );
  });

  it("never cost more than the margin that they bind beside the orders'", async () => {
    const { c } = world;
    const words = await orders();
    const word = await register(2, 0, 150, { priceMicroPerKwh: 900_000 });
    const bound = await Promise.all([0, 2].map(async (point) => (await c.bilaterals.boundOf(point))[0]));
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words, congested, c, { trades: word, tradesWh: [100] });
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, [reading(0, 0), missing, missing, missing]);
    const paid = await gains(() => c.settlement.settle([{ record, readings, root }]));
    // The buyer feeds what it bought at the export tariff; the seller gets more than its missing energy costs.
    expect(paid[0]).to.equal(-100n * 950_000n + 100n * 60_000n);
    expect(paid[2]).to.equal(100n * 900_000n - 100n * 300_000n);
    expect(-(paid[0] as bigint) <= (bound[0] as bigint)).to.equal(true);
    expect(bound[1]).to.equal(0n);
  });
});
