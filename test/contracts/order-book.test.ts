import { expect } from "chai";
import type { Wallet } from "ethers";
import { ZeroAddress, ZeroHash, concat, dataLength } from "ethers";
import { TestWallet__factory } from "../../types/contracts/factories/test/TestWallet__factory.ts";
import {
  compactSignature,
  orderDigest,
  orderDomain,
  packOrders,
  type SignedOrder,
} from "../../services/protocol/order.ts";
import { decodeWords } from "../../services/protocol/words.ts";
import { bookHash, bookStart, encodeBook } from "../../services/protocol/words.ts";
import {
  SLOT_SECONDS,
  TERMS,
  WORD_FEE,
  bid,
  createWorld,
  emptyRecord,
  offer,
  posting,
  submit,
  type World,
} from "./support/world.ts";

/** IOrderBook.Skip. */
const Skip = {
  WrongSlot: 1,
  GateClosed: 2,
  TooFarAhead: 3,
  NotPublished: 4,
  UnknownPoint: 5,
  Replayed: 6,
  TooManySteps: 7,
  StepTooSmall: 8,
  OutsideBand: 9,
  CrossedSides: 10,
  OverRating: 11,
  BadSignature: 12,
  MarginTooLow: 13,
} as const;

describe("the order book", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 1;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
  });

  it("folds every step into the running hash that the protocol computes", async () => {
    const steps = [bid(500, 120_000), bid(50, -3), { ...offer(700, 200_000), green: true }];
    const orders = [await world.order(0, slot, steps, 1), await world.order(2, slot, [offer(60, -500_000)], 15)];
    const { words } = await world.append(slot, orders);
    const expected = [
      ...steps.map((step) => ({
        point: 0,
        sequence: 1,
        zone: 0,
        sell: step.sell,
        green: step.green,
        energyWh: step.energyWh,
        price: step.priceMicroPerKwh,
      })),
      { point: 2, sequence: 15, zone: 0, sell: true, green: false, energyWh: 60, price: -500_000 },
    ];
    expect(words).to.equal(encodeBook(expected));
    expect(decodeWords(words as string).map(({ word: _word, ...fields }) => fields)).to.deep.equal(expected);
    const start = bookStart(world.addresses.chainId, world.addresses.orderBook, slot);
    expect(await world.c.orderBook.bookStart(slot)).to.equal(start);
    expect(await world.c.orderBook.bookOf(slot)).to.deep.equal([bookHash(start, words as string, "0x0004"), 4n]);
    expect(await world.c.orderBook.bookOf(slot + 1)).to.deep.equal([await world.c.orderBook.bookStart(slot + 1), 0n]);
  });

  it("takes packed batches exactly as unpacked ones", async () => {
    const delegate = world.wallet("agent");
    const owner = world.owners[3] as Wallet;
    await world.fund(owner.address);
    await world.as(owner).meteringPoints.setDelegate(3, delegate.address, 2 ** 39);
    await world.append(slot, [await world.order(1, slot, [bid(100, 7)])]);
    const orders = [
      await world.order(0, slot, [offer(500, -7), offer(90, 12)]),
      await world.order(1, slot, [], 2),
      await world.order(3, slot, [bid(500, 200_000)], 5, delegate, delegate.address),
    ];
    const id = await world.networkHelpers.takeSnapshot();
    const plain = await world.append(slot, orders);
    const [book] = await world.c.orderBook.bookOf(slot);
    await id.restore();
    const packed = await world.appendPacked(slot, orders);
    expect(packed.words).to.equal(plain.words);
    expect(packed.skipped).to.deep.equal([]);
    expect((await world.c.orderBook.bookOf(slot))[0]).to.equal(book);
    expect(await world.c.orderBook.sequencesOf(3, slot, 2)).to.deep.equal([5n, 0n]);
  });

  it("ignores bits of a packed step that mean nothing", async () => {
    const packed = packOrders([await world.order(0, slot, [offer(500, 7)])]);
    const dirty = `${packed.slice(0, 18)}fd${packed.slice(20)}`;
    await world.c.orderBook.appendPacked(slot, dirty);
    const [, count] = await world.c.orderBook.bookOf(slot);
    expect(count).to.equal(1n);
    const logs = await world.c.orderBook.queryFilter(world.c.orderBook.filters.Appended());
    expect(decodeWords(logs[0]?.args.words as string)[0]?.word.slice(12, 14)).to.equal("01");
  });

  it("refuses a packed batch that ends inside an order", async () => {
    const packed = packOrders([await world.order(0, slot, [offer(500, 7)])]);
    await expect(world.c.orderBook.appendPacked(slot, concat([packed, "0x0000"])))
      .to.be.revertedWithCustomError(world.c.orderBook, "MalformedBatch")
      .withArgs(dataLength(packed));
    await expect(world.c.orderBook.appendPacked(slot, packed.slice(0, -2))).to.be.revertedWithCustomError(
      world.c.orderBook,
      "MalformedBatch",
    );
  });

  it("skips an order for every reason there is, and appends the others", async () => {
    const good = await world.order(3, slot, [offer(100, 100_000)]);
    const bad: [SignedOrder, number][] = [
      [await world.order(0, slot + 1, [bid(100, 1)]), Skip.WrongSlot],
      [{ ...(await world.order(0, slot, [bid(100, 1)])), point: 99 }, Skip.UnknownPoint],
      [await world.order(0, slot, [bid(100, 1)], 0), Skip.Replayed],
      [await world.order(0, slot, [bid(100, 1)], 16), Skip.Replayed],
      [
        await world.order(
          0,
          slot,
          Array.from({ length: 9 }, () => bid(60, 1)),
        ),
        Skip.TooManySteps,
      ],
      [await world.order(0, slot, [bid(49, 1)]), Skip.StepTooSmall],
      [await world.order(0, slot, [bid(100, TERMS.bandMax + 1)]), Skip.OutsideBand],
      [await world.order(0, slot, [offer(100, TERMS.bandMin - 1)]), Skip.OutsideBand],
      [await world.order(0, slot, [bid(100, 7), offer(100, 7)]), Skip.CrossedSides],
      [await world.order(0, slot, [bid(3_000, 7), bid(2_001, 7)]), Skip.OverRating],
      [await world.order(0, slot, [offer(5_001, 7)]), Skip.OverRating],
      [await world.order(0, slot, [bid(100, 7)], 1, world.owners[1]), Skip.BadSignature],
      [
        await world.order(0, slot, [bid(100, 7)], 1, world.owners[1], (world.owners[1] as Wallet).address),
        Skip.BadSignature,
      ],
    ];
    const { skipped, words } = await world.append(slot, [...bad.map(([order]) => order), good]);
    expect(skipped).to.deep.equal(bad.map(([, reason]) => reason));
    expect(decodeWords(words as string).map(({ point }) => point)).to.deep.equal([3]);
    expect((await world.appendPacked(slot + 1, [{ ...bad[4]![0], slot: slot + 1 }])).skipped).to.deep.equal([
      Skip.TooManySteps,
    ]);
  });

  it("skips malformed signatures of any length", async () => {
    const order = await world.order(0, slot, [bid(100, 7)]);
    const s = BigInt(`0x${order.signature.slice(66, 130)}`);
    const order_ = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const high = `${order.signature.slice(0, 66)}${(order_ - s).toString(16).padStart(64, "0")}${order.signature.endsWith("1b") ? "1c" : "1b"}`;
    const signatures = [
      "0x",
      "0x00",
      `0x${"00".repeat(64)}`,
      `0x${"00".repeat(65)}`,
      `0x${"ff".repeat(65)}`,
      `${order.signature}00`,
      high,
      `0x${"ab".repeat(5_000)}`,
      `0x${"ab".repeat(70_000)}`,
    ];
    const { skipped, words } = await world.append(
      slot,
      signatures.map((signature) => ({ ...order, signature })),
    );
    expect(skipped).to.deep.equal(signatures.map(() => Skip.BadSignature));
    expect(words).to.equal(undefined);
    expect(
      (await world.append(slot, [{ ...order, signature: compactSignature(order.signature) }])).skipped,
    ).to.deep.equal([]);
  });

  it("survives hostile wallets and takes honest ones", async () => {
    const { relayer } = world;
    const factory = new TestWallet__factory(relayer);
    const owner = world.owners[0] as Wallet;
    await world.c.token.mint(await relayer.getAddress(), 10n ** 12n);
    const points: number[] = [];
    for (let mood = 0; mood < 6; mood += 1) {
      const wallet = await factory.deploy(owner.address, mood);
      const point = Number(await world.c.meteringPoints.count());
      await world.asOperator.meteringPoints.register(await wallet.getAddress(), 0, 5_000, 5_000);
      await world.c.ledger.deposit(point, 1_000_000_000n);
      points.push(point);
    }
    // A contract without EIP-1271 owns the last one.
    await world.asOperator.meteringPoints.register(world.addresses.grid, 0, 5_000, 5_000);
    points.push(points.length + 4);
    const orders = await Promise.all(points.map((point) => world.order(point, slot, [bid(100, 7)], 1, owner)));
    const { skipped, words } = await world.appendPacked(slot, [...orders, await world.order(1, slot, [bid(80, 9)])]);
    expect(skipped).to.deep.equal(points.slice(1).map(() => Skip.BadSignature));
    expect(decodeWords(words as string).map(({ point }) => point)).to.deep.equal([points[0], 1]);
    // The honest wallet may also append itself, without a signature.
    const own = await factory.deploy(owner.address, 1);
    await world.asOperator.meteringPoints.register(await own.getAddress(), 0, 5_000, 5_000);
    await world.c.ledger.deposit(11, 1_000_000_000n);
    const order = { ...(await world.order(11, slot, [bid(60, 1)], 1, owner)), signature: "0x" };
    await own.execute(
      world.addresses.orderBook,
      world.c.orderBook.interface.encodeFunctionData("append", [slot, [order]]),
    );
    expect((await world.c.orderBook.bookOf(slot))[1]).to.equal(3n);
  });

  it("lets the owner and a registered delegate append directly, until the delegate is revoked, expired or inherited", async () => {
    const owner = world.owners[0] as Wallet;
    const delegate = world.wallet("agent");
    await world.fund(owner.address);
    await world.fund(delegate.address);
    const mine = world.as(owner);
    const direct = { point: 0, slot, steps: [bid(100, 7)], delegate: ZeroAddress, signature: "0x" };
    expect((await world.append(slot, [{ ...direct, sequence: 1 }], mine)).skipped).to.deep.equal([]);
    expect((await world.append(slot, [{ ...direct, sequence: 2 }])).skipped).to.deep.equal([Skip.BadSignature]);
    const until = world.startOf(slot + 3);
    await expect(mine.meteringPoints.setDelegate(0, delegate.address, until)).to.emit(
      world.c.meteringPoints,
      "DelegateSet",
    );
    expect(await world.c.meteringPoints.isDelegate(0, delegate.address)).to.equal(true);
    const theirs = world.as(delegate);
    expect(
      (await world.append(slot, [{ ...direct, sequence: 2, delegate: delegate.address }], theirs)).skipped,
    ).to.deep.equal([]);
    const signed = (sequence: number, s = slot) =>
      world.order(0, s, [bid(100, 7)], sequence, delegate, delegate.address);
    expect((await world.append(slot, [await signed(3)])).skipped).to.deep.equal([]);
    await mine.meteringPoints.setDelegate(0, delegate.address, 0);
    expect((await world.append(slot, [await signed(4)])).skipped).to.deep.equal([Skip.BadSignature]);
    await mine.meteringPoints.setDelegate(0, delegate.address, until);
    await mine.meteringPoints.changeOwner(0, (world.owners[1] as Wallet).address);
    expect((await world.append(slot, [await signed(4)])).skipped).to.deep.equal([Skip.BadSignature]);
    await world.fund((world.owners[1] as Wallet).address);
    await world.as(world.owners[1] as Wallet).meteringPoints.setDelegate(0, delegate.address, until);
    await world.goTo(until + 1);
    expect((await world.append(slot + 5, [await signed(4, slot + 5)])).skipped).to.deep.equal([Skip.BadSignature]);
  });

  it("supersedes and cancels by a later sequence", async () => {
    const { words: first } = await world.append(slot, [
      await world.order(0, slot, [offer(1_000, 100_000)], 1),
      await world.order(1, slot, [bid(1_000, 250_000)], 1),
    ]);
    const { words: second } = await world.append(slot, [
      await world.order(0, slot, [offer(400, 90_000)], 2),
      await world.order(1, slot, [], 3),
    ]);
    expect(decodeWords(second as string)[1]).to.include({ point: 1, sequence: 3, energyWh: 0, price: 0 });
    await world.goTo(world.startOf(slot) - 500);
    const book = [first as string, second as string];
    await expect(
      world.c.auction.clear(submit(slot, first as string, [posting(155_000)])),
    ).to.be.revertedWithCustomError(world.c.auction, "BookMismatch");
    // Only 400 Wh at 90,000 are live; nobody but the backup buys, at 60,000.
    const { record } = await world.clear(slot, book, [posting(75_000)]);
    // Nothing traded; each point has two words in the book.
    expect(record.positions).to.equal("0x0200000002000000");
    expect(record.clearer).to.equal(await world.relayer.getAddress());
    await expect(world.c.auction.clear(submit(slot, book, [posting(75_000)]))).to.be.revertedWithCustomError(
      world.c.auction,
      "AlreadyCleared",
    );
    await expect(world.c.auction.clear(submit(slot + 1, [], [posting(75_000)]))).to.be.revertedWithCustomError(
      world.c.auction,
      "NotBetweenGateAndStart",
    );
    await world.goTo(world.startOf(slot + 1) - 500);
    await expect(world.c.auction.clear(submit(slot + 1, [], [posting(75_000)]))).to.be.revertedWithCustomError(
      world.c.auction,
      "EmptyBook",
    );
    const part = { submission: submit(slot + 1, [], [posting(75_000)]), claims: [], hashBefore: ZeroHash, state: "0x" };
    await expect(world.c.auction.clearPart(part)).to.be.revertedWithCustomError(world.c.auction, "EmptyBook");
    const unpublished = world.genesisSlot + 110;
    await world.goTo(world.startOf(unpublished) - 500);
    await expect(world.c.auction.clear(submit(unpublished, [], [posting(75_000)])))
      .to.be.revertedWithCustomError(world.c.tariffs, "NotPublished")
      .withArgs(unpublished);
  });

  it("closes at the gate, not a second before", async () => {
    const order = await world.order(0, slot, [bid(100, 7)]);
    await world.goTo(world.startOf(slot) - 650);
    await world.at(world.startOf(slot) - 600);
    expect((await world.append(slot, [order])).skipped).to.deep.equal([]);
    await world.at(world.startOf(slot) - 599);
    expect((await world.append(slot, [await world.order(1, slot, [bid(100, 7)])])).skipped).to.deep.equal([
      Skip.GateClosed,
    ]);
    const far = world.genesisSlot + 121;
    expect((await world.append(far, [await world.order(1, far, [bid(100, 7)])])).skipped).to.deep.equal([
      Skip.TooFarAhead,
    ]);
    const unpublished = world.genesisSlot + 110;
    expect(
      (await world.appendPacked(unpublished, [await world.order(1, unpublished, [bid(100, 7)])])).skipped,
    ).to.deep.equal([Skip.NotPublished]);
  });

  it("binds the margin, extends it ahead, and asks again after the trading limit was raised", async () => {
    const poor = await createWorld({ homes: 2, depositTokens: 0 });
    const s = poor.genesisSlot + 1;
    const { c } = poor;
    const perSlot = await c.orderBook.marginPerSlot(0);
    const wordsNano = 120n * WORD_FEE;
    expect(perSlot).to.equal(5_000n * 400_000n + 5_000n * 400_000n + wordsNano);
    await c.token.mint(await poor.relayer.getAddress(), 10n ** 12n);
    await c.token.approve(poor.addresses.ledger, 2n ** 255n);
    expect((await poor.append(s, [await poor.order(0, s, [bid(100, 7)])])).skipped).to.deep.equal([Skip.MarginTooLow]);
    await c.ledger.deposit(0, (2n * perSlot) / 1_000n);
    expect((await poor.append(s, [await poor.order(0, s, [bid(100, 7)])])).skipped).to.deep.equal([]);
    expect(await c.orderBook.marginedThrough(0)).to.equal(BigInt(s));
    expect(await c.orderBook.requiredMargin(0)).to.equal(2n * perSlot);
    expect((await poor.append(s + 1, [await poor.order(0, s + 1, [bid(100, 7)])])).skipped).to.deep.equal([
      Skip.MarginTooLow,
    ]);
    // A cancellation extends no margin: its word is paid for only where an order's margin is bound already.
    expect((await poor.append(s + 1, [await poor.order(0, s + 1, [])])).skipped).to.deep.equal([Skip.MarginTooLow]);
    expect((await poor.append(s, [await poor.order(0, s, [], 2)])).skipped).to.deep.equal([]);
    await c.ledger.deposit(0, (20n * perSlot) / 1_000n);
    await expect(poor.c.orderBook.append(s + 2, [await poor.order(0, s + 2, [bid(100, 7)])]))
      .to.emit(c.orderBook, "MarginExtended")
      .withArgs(0, s + 10);
    const owner = poor.owners[0] as Wallet;
    await poor.fund(owner.address);
    const other = poor.owners[1] as Wallet;
    await poor.fund(other.address);
    await c.ledger.deposit(1, (20n * perSlot) / 1_000n);
    await poor.as(other).meteringPoints.setTradeLimit(1, 100);
    expect(await c.orderBook.marginPerSlot(1)).to.equal(5_000n * 400_000n + 100n * 400_000n + wordsNano);
    await poor.append(s + 2, [await poor.order(1, s + 2, [bid(100, 7)])]);
    await poor.as(other).meteringPoints.setTradeLimit(1, 5_000);
    // A raise of the limit asks for more margin, but not of who cancels.
    expect((await poor.append(s + 2, [await poor.order(1, s + 2, [], 2)])).skipped).to.deep.equal([]);
    await expect(poor.c.orderBook.append(s + 3, [await poor.order(1, s + 3, [bid(100, 7)])])).to.emit(
      c.orderBook,
      "MarginExtended",
    );
    expect(await poor.discrepancyNano()).to.equal(0n);
  });

  it("refuses the same order in a later lap of the ring, which begins with sequence 1 again", async () => {
    const order = await world.order(0, slot, [bid(100, 7)], 10);
    expect((await world.append(slot, [order, order])).skipped).to.deep.equal([Skip.Replayed]);
    const later = slot + 256;
    await world.goTo(world.startOf(later - 2));
    for (const s of [world.genesisSlot, slot]) {
      await world.c.settlement.estimate(s);
      await world.c.settlement.settleEstimated(emptyRecord(s));
    }
    await world.c.settlement.advanceFinal(9);
    await world.publishTerms(later, 1);
    expect(await world.c.orderBook.sequencesOf(0, slot, 1)).to.deep.equal([10n]);
    expect(await world.c.orderBook.sequencesOf(0, later, 1)).to.deep.equal([0n]);
    expect(await world.c.orderBook.bookOf(later)).to.deep.equal([await world.c.orderBook.bookStart(later), 0n]);
    expect((await world.append(later, [order])).skipped).to.deep.equal([Skip.WrongSlot]);
    const again = async (sequence: number) =>
      (await world.append(later, [await world.order(0, later, [bid(100, 7)], sequence)])).skipped;
    expect(await again(1)).to.deep.equal([]);
    expect(await again(1)).to.deep.equal([Skip.Replayed]);
    expect(await again(3)).to.deep.equal([]);
    expect(await again(2)).to.deep.equal([Skip.Replayed]);
    expect(await world.c.auction.clearingOf(later)).to.equal(`0x${"0".repeat(56)}`);
    expect(SLOT_SECONDS).to.equal(900);
  });

  it("signs what the protocol says is signed", async () => {
    const order = await world.order(0, slot, [bid(100, -7), offer(90, 12)]);
    const digest = orderDigest(orderDomain(world.addresses), order);
    expect(order.signature).to.equal((world.owners[0] as Wallet).signingKey.sign(digest).serialized);
  });
});
