import { expect } from "chai";
import { id, type Wallet } from "ethers";
import { solveSlot, submissionOf } from "../../services/protocol/clearing.ts";
import { appendedWords, decodeLogs } from "../../services/protocol/day-events.ts";
import type { GridZone } from "../../services/protocol/events.ts";
import { packOrders } from "../../services/protocol/order.ts";
import { bookHash, bookStart, encodeBatches } from "../../services/protocol/words.ts";
import { appendDays, dayOrderOf, signedDay } from "./support/days.ts";
import { bid, createWorld, NANO, offer, reading, TERMS, TOKEN, type World } from "./support/world.ts";
import { expectRebuilt } from "./support/community.ts";

const MARGIN_TOO_LOW = 13;
const ZONE_VOIDED = 16;
/** The backup in zone 0; zone 2 hangs on zone 1, which hangs on zone 0 as zone 3 does. */
const zones = [
  { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
  { parent: 0, toParentWh: 5_000, fromParentWh: 5_000, backupCapacityWh: 0 },
  { parent: 1, toParentWh: 5_000, fromParentWh: 5_000, backupCapacityWh: 0 },
  { parent: 0, toParentWh: 5_000, fromParentWh: 5_000, backupCapacityWh: 0 },
];
/** Home 0 in zone 0, homes 1 and 2 in zone 1, home 3 in zone 2, home 4 in zone 3. */
const ZONE_OF = [0, 1, 1, 2, 3];
const ISLAND = 0b0110n;

describe("islanding", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ homes: 5, zones, zoneOf: (home) => ZONE_OF[home] as number, depositTokens: 50_000 });
    slot = world.genesisSlot + 2;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });

  /** The slot's book by events alone. */
  const bookOf = async (at: number) => {
    const logs = (await world.provider.send("eth_getLogs", [
      { address: world.addresses.orderBook, fromBlock: "0x0", toBlock: "latest" },
    ])) as Parameters<typeof decodeLogs>[0];
    const { words, batches } = appendedWords(decodeLogs(logs), at);
    const [book] = await world.c.orderBook.bookOf(at);
    const start = bookStart(world.addresses.chainId, world.addresses.orderBook, at);
    expect(bookHash(start, words, encodeBatches(batches)), "book by events").to.equal(book);
    return { words, batches };
  };
  const gridOf = async (at: number): Promise<GridZone[]> =>
    (await world.c.grid.gridOf(at)).map(({ parent, toParentWh, fromParentWh, backupCapacityWh }) => ({
      ...{ parent: Number(parent), toParentWh, fromParentWh, backupCapacityWh },
    }));
  const solved = async (at: number, batches: readonly (number | bigint)[], words: string) => {
    const market = { words, batches: encodeBatches(batches), trades: "0x" };
    const terms = { ...TERMS, reference: TERMS.reference_ };
    return submissionOf(at, market, await solveSlot({ ...market, grid: await gridOf(at), limits: "0x", terms }));
  };
  const clear = async (at: number) => {
    const { words, batches } = await bookOf(at);
    const receipt = await (await world.c.auction.clear(await solved(at, batches, words))).wait();
    const log = receipt?.logs.map((entry) => world.c.auction.interface.parseLog(entry)).find((entry) => entry !== null);
    return log?.args["record"].toObject(true);
  };
  const everybody = async (at: number, sequence = 1) => [
    await world.order(0, at, [offer(1_000, 100_000)], sequence),
    await world.order(1, at, [bid(500, 900_000)], sequence),
    await world.order(2, at, [offer(300, 120_000)], sequence),
    await world.order(3, at, [bid(200, 250_000)], sequence),
    await world.order(4, at, [bid(400, 250_000)], sequence),
  ];

  it("voids the zone's orders in every open book, and whoever clears cannot leave that out", async () => {
    const { c } = world;
    for (const at of [slot - 1, slot, slot + 3]) await world.append(at, await everybody(at));
    const [before] = await c.orderBook.bookOf(slot);
    const empty = await c.orderBook.bookOf(slot + 1);
    // Past the gate of slot - 1: it stays as it is.
    await world.goTo(world.startOf(slot - 1) - 590);
    const [kept] = await c.orderBook.bookOf(slot - 1);
    await expect(world.asOperator.grid.island(1))
      .to.emit(c.grid, "ZoneIslanded")
      .withArgs(1, slot, ISLAND)
      .and.to.emit(c.orderBook, "ZonesVoided")
      .withArgs(slot, slot - 2 + 120, ISLAND);
    expect((await c.orderBook.bookOf(slot - 1)).book).to.equal(kept);
    expect((await c.orderBook.bookOf(slot)).book).not.to.equal(before);
    expect((await c.orderBook.bookOf(slot)).wordCount).to.equal(5n);
    expect(await c.orderBook.bookOf(slot + 1)).to.deep.equal(empty);
    // The rest keeps its backup supplier; the island has none.
    expect(await c.grid.versionOf(slot - 1)).to.deep.equal([1n, BigInt(slot - 1), 4n, 0b1111n]);
    expect(await c.grid.versionOf(slot)).to.deep.equal([2n, 2n ** 32n - 1n, 4n, 0b1001n]);
    expect((await gridOf(slot)).map(({ parent }) => parent)).to.deep.equal([0, 1, 1, 0]);
    expect(await c.grid.unbackedZones()).to.equal(ISLAND);
    const earlier = await clear(slot - 1);

    // In the island only what comes now counts: a bid there may go beyond the tariffs.
    const { skipped } = await world.append(slot, [
      await world.order(2, slot, [offer(300, 500_000)], 2),
      await world.order(3, slot, [bid(200, 600_000)], 2),
    ]);
    expect(skipped).to.deep.equal([]);
    await world.goTo(world.startOf(slot) - 590);
    const { words, batches } = await bookOf(slot);
    expect(batches).to.deep.equal([5, ISLAND, 2]);
    const ignoring = await solved(slot, [5, 2], words);
    await expect(c.auction.clear(ignoring)).to.be.revertedWithCustomError(c.auction, "BookMismatch");
    const withVoid = await solved(slot, batches, words);
    await expect(c.auction.clear({ ...withVoid, postings: ignoring.postings })).to.be.revert(world.ethers);
    const record = await clear(slot);
    expect(record.positions).to.equal("0x01000190" + "01000000" + "020000c8" + "820000c8" + "81000190");
    expect(record.prices[2] > BigInt(TERMS.importTariff)).to.equal(true);

    await world.goTo(world.startOf(slot + 1));
    const meters = [reading(0, 400), reading(300, 0), reading(0, 200), reading(200, 0), reading(400, 0)];
    const given = [
      { record: earlier, ...(await world.report(slot - 1, meters)) },
      { record, ...(await world.report(slot, meters)) },
    ];
    await c.settlement.settle(given);
    expect((await c.settlement.statusOf(slot)).status).to.equal(2n);
  });

  it("counts margins of the zone anew, order by order, and never for what was checked before", async () => {
    const { c } = world;
    const poor = world.owners[1] as Wallet;
    await world.fund(poor.address);
    // Home 1 keeps what the tariffs bind for a few slots.
    const perSlot = await c.orderBook.marginPerSlot(1);
    await world.append(slot, [await world.order(1, slot, [bid(100, 200_000)])]);
    expect(await c.orderBook.marginedThrough(1)).to.be.greaterThanOrEqual(slot);
    await world.asOperator.grid.island(1);
    const unbacked = await c.orderBook.marginPerSlot(1);
    expect(unbacked > perSlot).to.equal(true);
    const rich = await world.append(slot, [await world.order(1, slot, [bid(100, 300_000)], 2)]);
    expect(rich.skipped).to.deep.equal([]);
    // The same in a world where it has money for the tariffs only.
    const other = await createWorld({
      ...{ homes: 5, zones, zoneOf: (home: number) => ZONE_OF[home] as number, depositTokens: 0 },
    });
    await other.c.token.mint(await other.relayer.getAddress(), 10n ** 15n);
    await other.c.token.approve(other.addresses.ledger, 2n ** 255n);
    await other.c.ledger.deposit(1, (12n * perSlot) / NANO);
    await other.c.ledger.deposit(4, (12n * perSlot) / NANO);
    const at = other.genesisSlot + 2;
    const orders = async (sequence: number) => [
      await other.order(1, at, [bid(100, 200_000)], sequence),
      await other.order(4, at, [bid(100, 200_000)], sequence),
    ];
    expect((await other.append(at, await orders(1))).skipped).to.deep.equal([]);
    const before = await other.networkHelpers.takeSnapshot();
    expect((await other.append(at, await orders(2))).skipped).to.deep.equal([]);
    await before.restore();
    await other.asOperator.grid.island(1);
    // Margined already, but not for an island; a cancellation costs no margin.
    expect((await other.append(at, await orders(2))).skipped).to.deep.equal([MARGIN_TOO_LOW]);
    expect((await other.append(at, [await other.order(1, at, [], 3)])).skipped).to.deep.equal([]);
    const day = await appendDays(other, [
      await signedDay(other, dayOrderOf(1, at, [[[-100, 200_000]], [[-100, 200_000]]], 4)),
    ]);
    expect(day.skippedDays).to.deep.equal([[1, MARGIN_TOO_LOW]]);
    await other.c.ledger.deposit(1, 5_000n * TOKEN);
    expect((await other.append(at, [await other.order(1, at, [bid(100, 200_000)], 5)])).skipped).to.deep.equal([]);
  });

  it("holds for day orders and for what was sealed before", async () => {
    const { c } = world;
    const relayer = await world.relayer.getAddress();
    const day = (point: number, sequence: number) =>
      signedDay(world, dayOrderOf(point, slot, [[[-100, 200_000]], [[-100, 200_000]]], sequence));
    await appendDays(world, [await day(0, 1), await day(1, 1)]);
    await c.token.mint(relayer, 10n * TOKEN);
    await c.token.approve(world.addresses.sealedBatches, 2n ** 255n);
    await c.sealedBatches.deposit(relayer, 10n * TOKEN);
    const sealed = packOrders([
      await world.order(0, slot, [offer(500, 90_000)], 2),
      await world.order(1, slot, [bid(400, 900_000)], 2),
    ]);
    await c.sealedBatches.seal(slot, await c.sealedBatches.commitmentOf(slot, relayer, sealed, id("salt")));
    await world.asOperator.grid.island(1);
    // The void order cannot come back; a new one can.
    expect((await appendDays(world, [await day(1, 1)])).skippedSlots).to.deep.equal([
      [slot, 6],
      [slot + 1, 6],
    ]);
    expect((await appendDays(world, [await day(2, 1)])).skippedSlots).to.deep.equal([]);
    await world.goTo(world.startOf(slot) - 599);
    await expect(c.sealedBatches.openSealed(slot, sealed, id("salt")))
      .to.emit(c.orderBook, "OrderSkipped")
      .withArgs(slot, 1, 2, ZONE_VOIDED);
    const { batches } = await bookOf(slot);
    expect(batches).to.deep.equal([2, ISLAND, 1, 1]);
    const record = await clear(slot);
    // Home 0 sold to the backup's side only; home 1 has nothing; home 2 is alone in its island.
    expect(record.positions.slice(10, 18)).to.equal("01000000");
    expect((await bookOf(slot + 1)).batches).to.deep.equal([2, ISLAND, 1]);
  });

  it("of the backup supplier's zone leaves the rest without it; reconnecting takes the usual notice", async () => {
    const own = [
      { ...zones[0], backupCapacityWh: 0 },
      { ...zones[1], backupCapacityWh: 1_000 },
      zones[2],
      zones[3],
    ] as typeof zones;
    const other = await createWorld({ homes: 2, zones: own });
    const { c } = other;
    const now = Math.floor((await other.networkHelpers.time.latest()) / 900);
    // A version that was planned never comes: it would connect the zone again.
    await other.asOperator.grid.setGrid(now + 130, own);
    await expect(other.asOperator.grid.island(1))
      .to.emit(c.grid, "ZoneIslanded")
      .withArgs(1, now + 1, 0b1111n);
    expect(await c.grid.versionOf(now)).to.deep.equal([1n, BigInt(now), 4n, 0b1111n]);
    expect(await c.grid.versionOf(now + 1)).to.deep.equal([3n, 2n ** 32n - 1n, 4n, ISLAND]);
    expect(await c.grid.versionOf(now + 140)).to.deep.equal([3n, 2n ** 32n - 1n, 4n, ISLAND]);
    // A second fault in the same slot: zone 2 alone.
    await other.asOperator.grid.island(2);
    expect((await c.grid.versionOf(now + 1)).backedZones).to.equal(0b0010n);
    await expect(other.asOperator.grid.island(2)).to.be.revertedWithCustomError(c.grid, "NothingToIsland").withArgs(2);
    await expect(other.asOperator.grid.island(4)).to.be.revertedWithCustomError(c.grid, "NothingToIsland").withArgs(4);
    await expect(c.grid.island(3)).to.be.revertedWithCustomError(c.grid, "AccessManagedUnauthorized");
    await expect(other.asOperator.grid.setGrid(now + 120, own)).to.be.revertedWithCustomError(c.grid, "SlotTooEarly");
    await other.asOperator.grid.setGrid(now + 121, own);
    expect((await c.grid.versionOf(now + 121)).backedZones).to.equal(0b1111n);
    expect((await c.grid.versionOf(now + 120)).backedZones).to.equal(0b0010n);
    await other.asOperator.grid.setMesh(now + 130, own, [{ minWh: -5, maxWh: 5, weights: [0, 1, 1, 1] }]);
    await other.goTo(other.startOf(now + 130));
    await expect(other.asOperator.grid.island(1)).to.be.revertedWithCustomError(c.grid, "MeshedNetwork").withArgs(6);
  });
});

describe("priority classes", () => {
  it("are the operator's to give, and share what an island has", async () => {
    const zones = [{ parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 }];
    const world = await createWorld({ homes: 4, zones, depositTokens: 50_000 });
    const { c } = world;
    const slot = world.genesisSlot + 1;
    const CRITICAL = 2;
    await expect(c.meteringPoints.setPriority(1, CRITICAL)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "AccessManagedUnauthorized",
    );
    const operator = world.asOperator.meteringPoints;
    await expect(operator.setPriority(1, 4)).to.be.revertedWithCustomError(c.meteringPoints, "UnknownPriority");
    await expect(operator.setPriority(9, 1)).to.be.revertedWithCustomError(c.meteringPoints, "UnknownPoint");
    await expect(operator.setPriority(1, CRITICAL)).to.emit(c.meteringPoints, "PrioritySet").withArgs(1, CRITICAL);
    expect((await c.meteringPoints.pointOf(1)).priority).to.equal(BigInt(CRITICAL));
    // 1,200 Wh for three bids of 1,200 at the emergency price: weights 4, 2 and 2, however they are sent.
    const { words } = await world.append(slot, [
      await world.order(0, slot, [offer(1_200, 100_000)]),
      await world.order(1, slot, [bid(1_200, TERMS.bandMax)]),
      await world.order(2, slot, [bid(1_200, TERMS.bandMax)]),
    ]);
    const day = await appendDays(world, [await signedDay(world, dayOrderOf(3, slot, [[[-1_200, TERMS.bandMax]]]))]);
    const raised = await appendDays(world, [await signedDay(world, dayOrderOf(1, slot + 1, [[[-60, 5]], [[-70, 5]]]))]);
    expect(raised.words.get(slot + 1)?.slice(14, 16)).to.equal("08");
    const [book] = await c.orderBook.bookOf(slot + 1);
    const start = bookStart(world.addresses.chainId, world.addresses.orderBook, slot + 1);
    expect(bookHash(start, raised.words.get(slot + 1) as string, encodeBatches([1]))).to.equal(book);
    await world.goTo(world.startOf(slot) - 500);
    const gross = TERMS.bandMax - TERMS.fee;
    const { record } = await world.clear(
      slot,
      [words as string, day.words.get(slot) as string],
      [{ price: gross, marginalBidWh: 1_200, marginalOfferWh: 0, backupSoldWh: 0, backupBoughtWh: 0 }],
    );
    expect(record.positions).to.equal("0x010004b0" + "81000258" + "8100012c" + "8100012c");
  });
});
