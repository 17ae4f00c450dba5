import { expect } from "chai";
import type { Wallet } from "ethers";
import type { ClearingRecord } from "../../services/protocol/events.ts";
import { bills, fixedSums } from "../../services/protocol/market-store.ts";
import { consentToTrade, encodeTradeWord, tradeDomain, type Trade } from "../../services/protocol/trade.ts";
import type { PackedReading } from "../../services/protocol/words.ts";
import { rebuild } from "./support/rebuild.ts";
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

/** Homes 0 and 1 where the grid is, 2 and 3 behind a line of 500 Wh. */
const zones = [
  { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
  { parent: 0, toParentWh: 500, fromParentWh: 500, backupCapacityWh: 0 },
];
const zoneOf = (home: number): number => (home < 2 ? 0 : 1);

describe("settling a slot anew on a higher version of its report", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ homes: 4, zones, zoneOf });
    slot = world.genesisSlot + 1;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    (await rebuild(world)).close();
  });

  /** 3 sells 400 Wh to 1 over the line, 2 sells 100 Wh to 0 by a bilateral trade; the slot is over. */
  const trade = async (): Promise<ClearingRecord> => {
    const { words } = await world.append(slot, [
      await world.order(1, slot, [bid(400, 250_000)]),
      await world.order(3, slot, [offer(900, 80_000)]),
    ]);
    const agreed: Trade = {
      ...{ seller: 2, buyer: 0, energyWh: 150, firstSlot: slot, slots: 1, priceMicroPerKwh: 120_000, nonce: 1n },
      ...{ maxSpreadMicroPerKwh: 50_000, sellerBearsSpread: false },
    };
    const consent = async (point: number) =>
      consentToTrade(world.owners[point] as Wallet, tradeDomain(world.addresses), agreed);
    await world.c.bilaterals.register(agreed, await consent(2), await consent(0));
    const word = encodeTradeWord({ ...agreed, from: 1, to: 0, cancels: false });
    await world.goTo(world.startOf(slot) - 500);
    const congested = [posting(130_000), posting(80_000, { marginalOfferWh: 400 })];
    const apart = { trades: word, tradesWh: [100] };
    const { record } = await world.clear(slot, words as string, congested, world.c, apart);
    await world.goTo(world.startOf(slot + 1));
    return record;
  };
  const versions: PackedReading[][] = [
    [reading(130, 0), reading(400, 0), reading(0, 80), reading(0, 400)],
    [reading(90, 0), missing, reading(0, 180), reading(20, 0)],
    [reading(0, 0), reading(410, 5), missing],
  ];
  const version = async (number: number) => {
    const { readings, root } = await world.report(slot, versions[number - 1] as PackedReading[], number);
    return { readings, root };
  };
  type Given = { readings: string; root: string };
  const settle = (record: ClearingRecord, given: Given) => world.c.settlement.settle([{ record, ...given }]);
  const resettle = (record: ClearingRecord, settled: Given, given: Given) =>
    world.c.settlement.resettle([{ record, settledReadings: settled.readings, settledRoot: settled.root, ...given }]);
  const money = async () => [await world.balances(), await world.fixed(), await world.earned()];

  it("moves the differences only: in the end everybody has what the last version pays", async () => {
    const record = await trade();
    const start = await world.networkHelpers.takeSnapshot();
    const first = await version(1);
    await version(2);
    await settle(record, await version(3));
    const wanted = await money();
    await start.restore();

    await version(1);
    await settle(record, first);
    const afterFirst = await money();
    const second = await version(2);
    const third = await version(3);
    // Both later versions came before anybody settled anew: only the last one counts.
    await expect(resettle(record, first, second)).to.be.revertedWithCustomError(world.c.settlement, "ReadingsMismatch");
    await expect(resettle(record, second, third)).to.be.revertedWithCustomError(world.c.settlement, "ReadingsMismatch");
    await expect(resettle({ ...record, backupSoldWh: 1n }, first, third)).to.be.revertedWithCustomError(
      world.c.settlement,
      "RecordMismatch",
    );
    const since = (await world.c.settlement.statusOf(slot))[1];
    await world.goTo(world.startOf(slot + 50));
    await expect(resettle(record, first, third)).to.emit(world.c.settlement, "Settled");
    expect(await money()).to.deep.equal(wanted);
    expect(await money()).to.not.deep.equal(afterFirst);
    // The window is not renewed.
    expect(await world.c.settlement.statusOf(slot)).to.deep.equal([2n, since, 3n]);
    await expect(resettle(record, third, third))
      .to.be.revertedWithCustomError(world.c.settlement, "NothingToResettle")
      .withArgs(slot, 3);

    const store = await rebuild(world);
    const range = { first: slot, last: slot };
    const paid = bills(store, range).map(({ paymentNano }) => paymentNano);
    expect(paid.length).to.equal(4);
    expect(bills(store, range).map(({ slots }) => slots)).to.deep.equal([1, 1, 1, 1]);
    const sums = fixedSums(store, range);
    expect(sums.clearerNano).to.equal(2n * WORD_FEE);
    expect(paid.reduce((a, b) => a + b, 0n) + Object.values(sums).reduce((a, b) => a + b, 0n)).to.equal(0n);
    store.close();
  });

  it("settles each version in turn, several slots at once, and refuses a slot twice", async () => {
    const record = await trade();
    const [first, empty] = [await version(1), emptyRecord(slot - 1)];
    const before = await world.report(slot - 1, [reading(100, 0)]);
    await world.c.settlement.settle([
      { record: empty, readings: before.readings, root: before.root },
      { record, ...first },
    ]);
    const second = await version(2);
    const later = await world.report(slot - 1, [reading(0, 300)], 7);
    const balance = await world.c.ledger.balanceOf(0);
    const slots = [
      { record, settledReadings: first.readings, settledRoot: first.root, ...second },
      {
        ...{ record: empty, settledReadings: before.readings, settledRoot: before.root },
        ...{ readings: later.readings, root: later.root },
      },
    ];
    await expect(world.c.settlement.resettle([...slots, slots[0] as (typeof slots)[0]])).to.be.revertedWithCustomError(
      world.c.settlement,
      "NothingToResettle",
    );
    await world.c.settlement.resettle(slots);
    // 40 Wh less of the deficit, and 300 Wh fed in instead of 100 used.
    expect((await world.c.ledger.balanceOf(0)) - balance).to.equal(
      30n * 300_000n + 10n * 60_000n + 100n * 300_000n + 300n * 60_000n,
    );
    await resettle(record, second, await version(3));
    expect((await world.c.settlement.statusOf(slot))[2]).to.equal(3n);
    expect((await world.c.settlement.statusOf(slot - 1))[2]).to.equal(7n);
  });

  it("ends: versions come until 8 slots before the slot is final, and are settled before that", async () => {
    const { settlement, meterOracle } = world.c;
    const record = await trade();
    const first = await version(1);
    await expect(world.c.settlement.resettle([])).to.be.revertedWithCustomError(settlement, "NothingToSettle");
    await expect(resettle(record, first, first))
      .to.be.revertedWithCustomError(settlement, "NotSettled")
      .withArgs(slot);
    await world.goTo(world.startOf(slot + 3));
    await settle(record, first);
    await world.goTo(world.startOf(slot + 3 + 88) - 10);
    const second = await version(2);
    await world.goTo(world.startOf(slot + 3 + 88));
    await expect(version(3)).to.be.revertedWithCustomError(meterOracle, "SlotIsFinal").withArgs(slot);
    expect((await meterOracle.replacedOf(slot))[0]).to.equal(1n);
    expect((await meterOracle.replacedOf(slot + 256))[0]).to.equal(0n);
    await world.goTo(world.startOf(slot + 3 + 96));
    await expect(resettle(record, first, second))
      .to.be.revertedWithCustomError(settlement, "WindowOver")
      .withArgs(slot, slot + 99);
  });
});
