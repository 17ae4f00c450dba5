import { expect } from "chai";
import { id, ZeroHash, type Wallet } from "ethers";
import { eventsOfReceipt } from "../../services/protocol/events.ts";
import { packOrders } from "../../services/protocol/order.ts";
import { bookByEvents } from "./support/days.ts";
import { bid, createWorld, offer, posting, submit, TOKEN, type World } from "./support/world.ts";
import { expectRebuilt } from "./support/community.ts";

const BOND = 10n * TOKEN;
const SALT = id("salt");
const GATE_SECONDS = 600;
const OPENING_SECONDS = 150;

describe("sealed batches", () => {
  let world: World;
  let slot: number;
  let relayer: string;
  let gate: number;
  let orders: string;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 2;
    gate = world.startOf(slot) - GATE_SECONDS;
    relayer = await world.relayer.getAddress();
    const { token, sealedBatches } = world.c;
    await token.mint(relayer, 5n * BOND);
    await token.approve(world.addresses.sealedBatches, 2n ** 255n);
    await sealedBatches.deposit(relayer, 4n * BOND);
    orders = packOrders([
      await world.order(0, slot, [offer(500, 90_000)]),
      await world.order(1, slot, [bid(400, 200_000)]),
      await world.order(2, slot, [bid(49, 200_000)]),
    ]);
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });

  const commitment = (data = orders, salt = SALT, at = slot, by = relayer) =>
    world.c.sealedBatches.commitmentOf(at, by, data, salt);
  const members = async (): Promise<bigint> => world.c.ledger.balanceOf(await world.c.ledger.MEMBERS());

  it("opens after the gate what was sealed before it, and gives the bond back", async () => {
    const { sealedBatches, orderBook } = world.c;
    await sealedBatches.seal(slot, await commitment());
    expect(await sealedBatches.freeOf(relayer)).to.equal(3n * BOND);
    expect(await orderBook.bookOf(slot)).to.deep.equal([await orderBook.bookStart(slot), 0n]);
    // Single orders and the book go on meanwhile.
    await world.append(slot, [await world.order(3, slot, [bid(60, 70_000)])]);
    await world.goTo(gate + 1);
    const receipt = await (await sealedBatches.openSealed(slot, orders, SALT)).wait();
    if (!receipt) throw new Error("no receipt");
    const events = eventsOfReceipt(receipt, world.addresses.orderBook);
    expect(events.map(({ name }) => name)).to.include.members(["OrderSkipped", "Appended"]);
    expect(await sealedBatches.freeOf(relayer)).to.equal(4n * BOND);
    expect((await orderBook.bookOf(slot)).wordCount).to.equal(3n);
    const { words, matches } = await bookByEvents(world, slot);
    expect(matches).to.equal(true);
    const { record } = await world.clear(slot, words, [posting(90_000, { marginalOfferWh: 400 })]);
    expect(record.prices).to.deep.equal([90_000n]);
    await sealedBatches.withdraw(4n * BOND);
    expect(await world.c.token.balanceOf(world.addresses.sealedBatches)).to.equal(0n);
  });

  it("blocks the clearing until all is opened, or the window is over", async () => {
    const { sealedBatches, orderBook, auction } = world.c;
    const other = packOrders([await world.order(3, slot, [bid(60, 70_000)])]);
    await world.append(slot, [await world.order(3, slot, [bid(70, 70_000)], 1)]);
    await sealedBatches.seal(slot, await commitment());
    await sealedBatches.seal(slot, await commitment(other));
    expect((await orderBook.clearableFrom(slot))[0]).to.equal(BigInt(gate + OPENING_SECONDS));
    expect((await orderBook.clearableFrom(slot + 1))[0]).to.equal(BigInt(gate + 900));
    await world.goTo(gate + 1);
    await sealedBatches.openSealed(slot, orders, SALT);
    const book = await bookByEvents(world, slot);
    const submission = submit(slot, book.words, [posting(90_000, { marginalOfferWh: 400 })]);
    await world.at(gate + OPENING_SECONDS);
    await expect(auction.clear(submission))
      .to.be.revertedWithCustomError(auction, "NotBetweenGateAndStart")
      .withArgs(slot, gate + OPENING_SECONDS, gate + OPENING_SECONDS, world.startOf(slot));
    const id_ = await world.networkHelpers.takeSnapshot();
    await world.at(gate + OPENING_SECONDS + 1);
    await auction.clear(submission);
    await id_.restore();
    // Opened in the last second, though its order comes too late to count: the book can be cleared at once.
    await world.at(gate + OPENING_SECONDS);
    await sealedBatches.openSealed(slot, other, SALT);
    expect((await orderBook.clearableFrom(slot))[0]).to.equal(BigInt(gate));
    await world.at(gate + OPENING_SECONDS);
    await auction.clear(submission);
  });

  it("takes the bond of who does not open in time, for the members", async () => {
    const { sealedBatches } = world.c;
    const stranger = world.as(world.owners[0] as Wallet);
    await world.fund((world.owners[0] as Wallet).address);
    const before = await members();
    await sealedBatches.seal(slot, await commitment());
    await sealedBatches.seal(slot, await commitment(orders, id("another")));
    await sealedBatches.seal(slot, await commitment(orders, id("third")));
    await world.goTo(gate + 1);
    await sealedBatches.openSealed(slot, orders, id("another"));
    await world.at(gate + OPENING_SECONDS);
    await expect(stranger.sealedBatches.forfeit(slot, relayer)).to.be.revertedWithCustomError(
      sealedBatches,
      "NothingForfeited",
    );
    await world.at(gate + OPENING_SECONDS + 1);
    await expect(sealedBatches.openSealed(slot, orders, SALT))
      .to.be.revertedWithCustomError(sealedBatches, "NotInWindow")
      .withArgs(slot, gate + OPENING_SECONDS + 1, gate, gate + OPENING_SECONDS);
    await expect(stranger.sealedBatches.forfeit(slot, relayer))
      .to.emit(sealedBatches, "Forfeited")
      .withArgs(slot, relayer, 2n * BOND);
    expect((await members()) - before).to.equal(2n * BOND * 1_000n);
    expect(await sealedBatches.freeOf(relayer)).to.equal(2n * BOND);
    await expect(stranger.sealedBatches.forfeit(slot, relayer)).to.be.revertedWithCustomError(
      sealedBatches,
      "NothingForfeited",
    );
  });

  it("opens nothing but what was sealed: salt, orders, slot, relayer, once, in the window", async () => {
    const { sealedBatches } = world.c;
    await sealedBatches.seal(slot, await commitment());
    await sealedBatches.seal(slot + 1, await commitment());
    await expect(sealedBatches.openSealed(slot, orders, SALT)).to.be.revertedWithCustomError(
      sealedBatches,
      "NotInWindow",
    );
    await world.at(gate);
    await expect(sealedBatches.openSealed(slot, orders, SALT)).to.be.revertedWithCustomError(
      sealedBatches,
      "NotInWindow",
    );
    await world.goTo(gate + 1);
    const fails = (sending: Promise<unknown>) =>
      expect(sending).to.be.revertedWithCustomError(sealedBatches, "UnknownCommitment");
    await fails(sealedBatches.openSealed(slot, orders, id("wrong")));
    await fails(sealedBatches.openSealed(slot, `${orders.slice(0, -2)}00`, SALT));
    const thief = world.owners[3] as Wallet;
    await world.fund(thief.address);
    await fails(world.as(thief).sealedBatches.openSealed(slot, orders, SALT));
    await sealedBatches.openSealed(slot, orders, SALT);
    await fails(sealedBatches.openSealed(slot, orders, SALT));
    await world.goTo(gate + 901);
    // Sealed for the next slot with this slot's commitment: nothing opens it.
    await fails(sealedBatches.openSealed(slot + 1, orders, SALT));
  });

  it("bounds what a relayer seals: deposit, number, time", async () => {
    const { sealedBatches, orderBook } = world.c;
    await expect(sealedBatches.seal(slot, ZeroHash)).to.be.revertedWithCustomError(sealedBatches, "EmptyCommitment");
    for (const name of ["a", "b", "c", "d"]) await sealedBatches.seal(slot, id(name));
    await expect(sealedBatches.seal(slot, id("e"))).to.be.revertedWithCustomError(sealedBatches, "DepositTooLow");
    await sealedBatches.deposit(relayer, BOND);
    await expect(sealedBatches.seal(slot, id("e")))
      .to.be.revertedWithCustomError(sealedBatches, "TooManySealed")
      .withArgs(slot, relayer, 4);
    await expect(sealedBatches.withdraw(BOND + 1n)).to.be.revertedWithCustomError(sealedBatches, "DepositTooLow");
    await expect(sealedBatches.withdraw(0)).to.be.revertedWithCustomError(sealedBatches, "ZeroAmount");
    await expect(sealedBatches.deposit(relayer, 0)).to.be.revertedWithCustomError(sealedBatches, "ZeroAmount");
    const far = Math.floor((await world.networkHelpers.time.latest()) / 900) + 122;
    await expect(sealedBatches.seal(far, id("e"))).to.be.revertedWithCustomError(sealedBatches, "NotSealable");
    await world.at(gate + 1);
    await expect(sealedBatches.seal(slot, id("e"))).to.be.revertedWithCustomError(sealedBatches, "NotSealable");
    await expect(orderBook.noteSealed(slot + 1)).to.be.revertedWithCustomError(orderBook, "NotSealedBatches");
    await expect(orderBook.appendSealed(slot, orders)).to.be.revertedWithCustomError(orderBook, "NotSealedBatches");
  });

  it("reuses its words in the next lap, and loses no bond with them", async () => {
    const { sealedBatches } = world.c;
    const before = await members();
    await sealedBatches.seal(slot, await commitment());
    const later = slot + 256;
    await world.goTo(world.startOf(later - 2));
    expect((await world.c.orderBook.clearableFrom(later))[0]).to.equal(BigInt(world.startOf(later) - GATE_SECONDS));
    await sealedBatches.seal(later, id("later"));
    expect((await members()) - before).to.equal(BOND * 1_000n);
    expect(await sealedBatches.freeOf(relayer)).to.equal(2n * BOND);
    expect((await sealedBatches.sealedOf(later, relayer))[0]).to.equal(id("later").slice(0, 58));
    expect((await sealedBatches.sealedOf(slot, relayer))[0]).to.equal(ZeroHash.slice(0, 58));
    await expect(sealedBatches.forfeit(slot, relayer)).to.be.revertedWithCustomError(sealedBatches, "NothingForfeited");
  });
});
