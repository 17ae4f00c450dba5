import { expect } from "chai";
import { concat, dataLength, hexlify, type Wallet } from "ethers";
import { TestWallet__factory } from "../../types/contracts/factories/test/TestWallet__factory.ts";
import { dayOrderDigest, packDayOrders, unpackDayOrder } from "../../services/protocol/day-order.ts";
import { compactSignature, orderDomain } from "../../services/protocol/order.ts";
import { decodeWords } from "../../services/protocol/words.ts";
import { appendDays, bookByEvents, dayOrderOf, sendDays, signedDay, type DaySteps } from "./support/days.ts";
import { SLOT_SECONDS, TERMS, bid, createWorld, offer, posting, type World } from "./support/world.ts";

/** IOrderBook.Skip. */
const Skip = {
  GateClosed: 2,
  TooFarAhead: 3,
  NotPublished: 4,
  UnknownPoint: 5,
  Replayed: 6,
  StepTooSmall: 8,
  OutsideBand: 9,
  CrossedSides: 10,
  OverRating: 11,
  BadSignature: 12,
  MarginTooLow: 13,
  Malformed: 14,
} as const;

const repeat = (slots: number, steps: DaySteps[number]): DaySteps => Array.from({ length: slots }, () => steps);

describe("day orders", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 1;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
  });

  const plain = (words: string | undefined) =>
    decodeWords(words ?? "0x").map(({ point, sequence, sell, green, energyWh, price }) => ({
      ...{ point, sequence, sell, green, energyWh, price },
    }));

  it("adds every step to the book of its slot, one batch each, as the events tell", async () => {
    const day: DaySteps = [
      [
        [500, -7],
        [90, 12],
      ],
      [[-400, 120_000]],
      [
        [-60, 90_000],
        [70, 100_000],
      ],
      [],
      [
        [0, 999],
        [5_000, 1_000_000],
      ],
    ];
    const orders = [
      await signedDay(world, dayOrderOf(0, slot, day, 3)),
      await signedDay(world, dayOrderOf(2, slot + 1, repeat(2, [[800, 55_555]]), 1, true)),
    ];
    const { words, taken, skippedSlots, skippedDays } = await appendDays(world, orders);
    expect([taken, skippedSlots, skippedDays]).to.deep.equal([2, [], []]);
    const of = (point: number, sequence: number, energyWh: number, price: number, green = false) => ({
      ...{ point, sequence, sell: energyWh > 0, green, energyWh: Math.abs(energyWh), price },
    });
    expect(plain(words.get(slot))).to.deep.equal([of(0, 3, 500, -7), of(0, 3, 90, 12)]);
    expect(plain(words.get(slot + 1))).to.deep.equal([of(0, 3, -400, 120_000), of(2, 1, 800, 55_555, true)]);
    expect(plain(words.get(slot + 2))).to.deep.equal([
      of(0, 3, -60, 90_000),
      of(0, 3, 70, 100_000),
      of(2, 1, 800, 55_555, true),
    ]);
    expect(words.has(slot + 3)).to.equal(false);
    expect(plain(words.get(slot + 4))).to.deep.equal([of(0, 3, 5_000, 1_000_000)]);
    expect(await world.c.orderBook.sequencesOf(0, slot - 1, 7)).to.deep.equal([0n, 3n, 3n, 3n, 3n, 3n, 0n]);
    expect(await world.c.orderBook.sequencesOf(2, slot, 4)).to.deep.equal([0n, 1n, 1n, 0n]);
    for (let at = slot - 1; at < slot + 6; at += 1) expect((await bookByEvents(world, at)).matches).to.equal(true);
  });

  it("hashes as EIP-712 wallets do, whatever widths the relayer packs, 65 or 64 bytes of signature", async () => {
    const order = dayOrderOf(0, slot, [[[8_388_607, -549_755_813_888]], [[-8_388_608, 549_755_813_887]]], 15, true);
    const signed = await signedDay(world, order);
    const packed = packDayOrders([signed]);
    expect(unpackDayOrder(`0x${packed.slice(2, -2 * 65)}`)).to.deep.equal(order);
    // Nothing of it is within the band or the rating; the signature is looked at first.
    expect((await sendDays(world, packed)).skippedSlots).to.deep.equal([
      [slot, Skip.OutsideBand],
      [slot + 1, Skip.OutsideBand],
    ]);
    const compact = { ...signed, signature: compactSignature(signed.signature) };
    expect((await appendDays(world, [compact])).skippedDays).to.deep.equal([]);
    const narrow = await signedDay(world, dayOrderOf(1, slot, repeat(3, [[-100, 7]])));
    const wide = packDayOrders([narrow]);
    const five = `${wide.slice(0, 24)}05${wide.slice(26, 30)}${"ffff9c0000000007".repeat(3)}${wide.slice(-130)}`;
    expect((await sendDays(world, five)).words.size).to.equal(3);
  });

  it("skips single slots for every reason there is, and takes the others", async () => {
    await world.append(slot + 6, [await world.order(0, slot + 6, [bid(100, 70_000)], 2)]);
    const day: DaySteps = [
      [[100, 70_000]],
      [[49, 70_000]],
      [[-49, 70_000]],
      [[-100, TERMS.bandMax + 1]],
      [
        [100, TERMS.bandMin - 1],
        [100, 70_000],
      ],
      [
        [-100, 7],
        [100, 7],
      ],
      [[100, 70_000]],
      [
        [-3_000, 7],
        [-2_001, 7],
      ],
      [[5_001, 7]],
      [
        [2_500, 7],
        [2_500, 8],
      ],
    ];
    const { skippedSlots, words, taken } = await appendDays(world, [
      await signedDay(world, dayOrderOf(0, slot, day, 2)),
    ]);
    expect(skippedSlots).to.deep.equal([
      [slot + 1, Skip.StepTooSmall],
      [slot + 2, Skip.StepTooSmall],
      [slot + 3, Skip.OutsideBand],
      [slot + 4, Skip.OutsideBand],
      [slot + 5, Skip.CrossedSides],
      [slot + 6, Skip.Replayed],
      [slot + 7, Skip.OverRating],
      [slot + 8, Skip.OverRating],
    ]);
    expect(taken).to.equal(1);
    expect([...words.keys()]).to.deep.equal([slot, slot + 9]);
    expect(await world.c.orderBook.sequencesOf(0, slot, 10)).to.deep.equal([2n, 0n, 0n, 0n, 0n, 0n, 2n, 0n, 0n, 2n]);
    for (let at = slot; at < slot + 10; at += 1) expect((await bookByEvents(world, at)).matches).to.equal(true);
  });

  it("takes the slots that are within reach: gate, terms, 120 slots", async () => {
    const now = world.genesisSlot - 1;
    const order = await signedDay(world, dayOrderOf(0, now - 1, repeat(5, [[100, 70_000]])));
    // In slot `now`, before the gate of the next one; that one has no terms.
    const first = await appendDays(world, [order]);
    expect(first.skippedSlots).to.deep.equal([
      [now - 1, Skip.GateClosed],
      [now, Skip.GateClosed],
    ]);
    expect([...first.words.keys()]).to.deep.equal([now + 1, now + 2, now + 3]);

    const far = await signedDay(world, dayOrderOf(1, now + 97, repeat(30, [[-100, 70_000]])));
    const { skippedSlots, words } = await appendDays(world, [far]);
    expect([...words.keys()]).to.deep.equal([now + 97, now + 98, now + 99, now + 100]);
    const unpublished = Array.from({ length: 20 }, (_, i) => [now + 101 + i, Skip.NotPublished]);
    const late = Array.from({ length: 6 }, (_, i) => [now + 121 + i, Skip.TooFarAhead]);
    expect(skippedSlots).to.deep.equal([...unpublished, ...late]);

    await world.goTo(world.startOf(now + 2) - 599);
    const late_ = await appendDays(world, [await signedDay(world, dayOrderOf(2, now + 2, repeat(2, [[100, 70_000]])))]);
    expect(late_.skippedSlots).to.deep.equal([[now + 2, Skip.GateClosed]]);
    expect([...late_.words.keys()]).to.deep.equal([now + 3]);
  });

  it("skips whole day orders, and takes the others of the transaction", async () => {
    const good = await signedDay(world, dayOrderOf(3, slot, repeat(2, [[100, 70_000]])));
    const steps = repeat(2, [[100, 70_000]] as DaySteps[number]);
    const stranger = world.wallet("stranger");
    const bad: [string, [number, number]][] = [
      [packDayOrders([await signedDay(world, dayOrderOf(99, slot, steps), stranger)]), [99, Skip.UnknownPoint]],
      [packDayOrders([await signedDay(world, dayOrderOf(0, slot, steps, 0))]), [0, Skip.Replayed]],
      [packDayOrders([await signedDay(world, dayOrderOf(0, slot, steps, 16))]), [0, Skip.Replayed]],
      [packDayOrders([await signedDay(world, dayOrderOf(0, slot, steps), stranger)]), [0, Skip.BadSignature]],
      [packDayOrders([await signedDay(world, dayOrderOf(0, slot, steps), stranger, true)]), [0, Skip.BadSignature]],
      [packDayOrders([await signedDay(world, dayOrderOf(0, slot - 9, steps))]), [0, Skip.GateClosed]],
      [packDayOrders([await signedDay(world, dayOrderOf(0, slot + 130, steps))]), [0, Skip.TooFarAhead]],
    ];
    const packed = packDayOrders([{ ...good, point: 0 }]);
    const head = (at: number, byte: string): string =>
      `${packed.slice(0, 2 + 2 * at)}${byte}${packed.slice(4 + 2 * at)}`;
    // 0 slots, 121 slots, 0 steps, 9 steps, prices of 0 and 6 bytes: no entries, or as many as there are bytes.
    const filled = (text: string, entries: number, width: number): string =>
      `${text.slice(0, 30)}${"00".repeat(entries * width)}`.replace(/^(0x.{24}).{4}/, "$10000");
    const malformed: string[] = [
      filled(head(8, "00"), 0, 0),
      filled(head(8, "79"), 121, 6),
      filled(head(9, "00"), 0, 0),
      filled(head(9, "09"), 18, 6),
      filled(head(11, "00"), 2, 3),
      filled(head(11, "06"), 2, 9),
    ];
    const all = concat([...bad.map(([data]) => data), ...malformed, packDayOrders([good])]);
    const { skippedDays, taken, words } = await sendDays(world, all);
    expect(skippedDays).to.deep.equal([
      ...bad.map(([, reason]) => reason),
      ...malformed.map(() => [0, Skip.Malformed]),
    ]);
    expect([taken, words.size]).to.deep.equal([1, 2]);
    expect(plain(words.get(slot)).map(({ point }) => point)).to.deep.equal([3]);
  });

  it("refuses a batch that ends inside an order", async () => {
    const packed = packDayOrders([await signedDay(world, dayOrderOf(0, slot, repeat(2, [[100, 70_000]])))]);
    for (const [data, offset] of [
      [packed.slice(0, -2), 0],
      [concat([packed, "0x00"]), dataLength(packed)],
    ] as const)
      await expect(world.c.orderBook.appendDays(data))
        .to.be.revertedWithCustomError(world.c.orderBook, "MalformedBatch")
        .withArgs(offset);
    expect((await sendDays(world, "0x")).taken).to.equal(0);
  });

  it("refuses every changed byte of what was signed", async () => {
    const order = dayOrderOf(
      0,
      slot,
      [
        [
          [300, 70_000],
          [90, 80_000],
        ],
        [[-400, 90_000]],
      ],
      4,
    );
    const packed = packDayOrders([await signedDay(world, order)]);
    const bytes = [...Buffer.from(packed.slice(2), "hex")];
    for (let at = 0; at < bytes.length - 65; at += 1) {
      // The width of a price and the signature's length say how to read, not what was signed.
      if (at === 11 || at === 12 || at === 13) continue;
      const changed = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
      const { taken } = await sendDays(world, hexlify(Uint8Array.from(changed))).catch(() => ({ taken: 0 }));
      expect(taken, `byte ${at}`).to.equal(0);
    }
    expect((await sendDays(world, packed)).taken).to.equal(1);
  });

  it("supersedes single orders and is superseded by them, slot by slot", async () => {
    await world.append(slot, [await world.order(0, slot, [offer(900, 70_000)], 1)]);
    const second = await signedDay(world, dayOrderOf(0, slot, repeat(3, [[500, 90_000]]), 2));
    expect((await appendDays(world, [second])).words.size).to.equal(3);
    // Again: nothing is ahead any more.
    expect((await appendDays(world, [second])).skippedSlots.map(([, reason]) => reason)).to.deep.equal([6, 6, 6]);
    await world.append(slot + 1, [await world.order(0, slot + 1, [offer(600, 65_000)], 3)]);
    // A day order without steps cancels what is there: the middle slot by sequence 4, the last by the same.
    const empty = await signedDay(world, dayOrderOf(0, slot + 1, repeat(3, []), 4));
    const cancelled = await appendDays(world, [empty]);
    expect([...cancelled.words.keys()]).to.deep.equal([slot + 1, slot + 2]);
    expect(plain(cancelled.words.get(slot + 2))).to.deep.equal([
      { point: 0, sequence: 4, sell: false, green: false, energyWh: 0, price: 0 },
    ]);
    for (const at of [slot + 1, slot + 2]) expect((await bookByEvents(world, at)).matches).to.equal(true);
    // The slot without an order has the sequence, but no word: the day order is not for a later replay.
    expect(await world.c.orderBook.sequencesOf(0, slot, 5)).to.deep.equal([2n, 4n, 4n, 4n, 0n]);
    const refused = await world.append(slot + 3, [await world.order(0, slot + 3, [offer(100, 70_000)], 3)]);
    expect(refused.skipped).to.deep.equal([Skip.Replayed]);

    await world.append(slot, [await world.order(1, slot, [bid(450, 200_000)], 1)]);
    const { words, matches } = await bookByEvents(world, slot);
    expect(matches).to.equal(true);
    await world.goTo(world.startOf(slot) - 500);
    // 500 Wh at 90,000 live of point 0; 450 Wh wanted at 200,000 less the fee.
    const { record } = await world.clear(slot, words, [posting(90_000, { marginalOfferWh: 450 })]);
    expect(record.prices).to.deep.equal([90_000n]);
  });

  it("cancels nothing where no margin pays for the word", async () => {
    const poor = await createWorld({ depositTokens: 0 });
    const at = poor.genesisSlot + 1;
    const first = await appendDays(poor, [await signedDay(poor, dayOrderOf(0, at, repeat(2, []), 1))]);
    const second = await appendDays(poor, [await signedDay(poor, dayOrderOf(0, at, repeat(2, []), 2))]);
    expect([first.taken, second.taken, first.words.size, second.words.size]).to.deep.equal([1, 1, 0, 0]);
    expect(await poor.c.orderBook.sequencesOf(0, at, 2)).to.deep.equal([2n, 2n]);
    const rich = await appendDays(poor, [await signedDay(poor, dayOrderOf(0, at, repeat(2, [[100, 70_000]]), 3))]);
    expect(rich.skippedDays).to.deep.equal([[0, Skip.MarginTooLow]]);
  });

  it("checks the margin once, for the last slot with a step", async () => {
    const perSlot = await world.c.orderBook.marginPerSlot(0);
    const finalThrough = Number(await world.c.settlement.finalThrough());
    const lean = await createWorld({ depositTokens: 0 });
    const slots = 20;
    const last = lean.genesisSlot + slots - 1;
    const nano = perSlot * BigInt(last - finalThrough - world.genesisSlot + lean.genesisSlot);
    await lean.c.token.mint(await lean.relayer.getAddress(), nano);
    await lean.c.token.approve(lean.addresses.ledger, 2n ** 255n);
    await lean.c.ledger.deposit(0, nano / 1_000n - 1n);
    const order = await signedDay(lean, dayOrderOf(0, lean.genesisSlot, [...repeat(slots, [[100, 70_000]]), []]));
    expect((await appendDays(lean, [order])).skippedDays).to.deep.equal([[0, Skip.MarginTooLow]]);
    expect(await lean.c.orderBook.sequencesOf(0, lean.genesisSlot, 2)).to.deep.equal([0n, 0n]);
    await lean.c.ledger.deposit(0, 2n);
    expect((await appendDays(lean, [order])).words.size).to.equal(slots);
    expect(await lean.c.orderBook.marginedThrough(0)).to.equal(BigInt(last));
  });

  it("takes delegates until they are revoked, EIP-1271 wallets, and owners who send for themselves", async () => {
    const delegate = world.wallet("agent");
    const owner = world.owners[0] as Wallet;
    await world.fund(owner.address);
    await world.as(owner).meteringPoints.setDelegate(0, delegate.address, 2 ** 39);
    const steps = repeat(2, [[100, 70_000]] as DaySteps[number]);
    const byDelegate = (sequence: number) =>
      signedDay(world, dayOrderOf(0, slot, steps, sequence), delegate, true).then((order) =>
        appendDays(world, [order]),
      );
    expect((await byDelegate(1)).taken).to.equal(1);
    await world.as(owner).meteringPoints.setDelegate(0, delegate.address, 0);
    expect((await byDelegate(2)).skippedDays).to.deep.equal([[0, Skip.BadSignature]]);

    const direct = { ...(await signedDay(world, dayOrderOf(0, slot, steps, 3))), signature: "0x" };
    expect((await appendDays(world, [direct])).skippedDays).to.deep.equal([[0, Skip.BadSignature]]);
    expect((await appendDays(world, [direct], world.as(owner))).taken).to.equal(1);

    const signer = world.owners[1] as Wallet;
    await world.fund(signer.address);
    const wallet = await new TestWallet__factory(world.deployer).deploy(signer.address, 0);
    await world.as(signer).meteringPoints.changeOwner(1, await wallet.getAddress());
    const byWallet = await signedDay(world, dayOrderOf(1, slot, steps), signer);
    expect(dayOrderDigest(orderDomain(world.addresses), byWallet)).to.have.length(66);
    expect((await appendDays(world, [byWallet])).taken).to.equal(1);
    const wrong = await signedDay(world, dayOrderOf(1, slot, steps, 2), owner);
    expect((await appendDays(world, [wrong])).skippedDays).to.deep.equal([[1, Skip.BadSignature]]);
  });

  it("keeps sequences of neighbouring points, groups and slots apart, in any order of points", async () => {
    const many = await createWorld({ homes: 64 });
    const at = many.genesisSlot + 1;
    const points = [63, 0, 31, 30, 62, 1, 32];
    const orders = await Promise.all(
      points.map((point, i) =>
        signedDay(many, dayOrderOf(point, at + (i % 3), repeat(1 + i, [[100 + i, 70_000 + i]]), 1 + i)),
      ),
    );
    const { taken, skippedSlots } = await appendDays(many, orders);
    expect([taken, skippedSlots]).to.deep.equal([7, []]);
    for (const [i, point] of points.entries()) {
      const expected = Array.from({ length: 12 }, (_, k) => (k >= i % 3 && k < (i % 3) + 1 + i ? BigInt(1 + i) : 0n));
      expect(await many.c.orderBook.sequencesOf(point, at, 12), `point ${point}`).to.deep.equal(expected);
    }
    expect(await many.c.orderBook.sequencesOf(2, at, 12)).to.deep.equal(Array(12).fill(0n));
    for (let k = at; k < at + 10; k += 1) expect((await bookByEvents(many, k)).matches).to.equal(true);
  });

  it("is no replay in another lap of the ring", async () => {
    const steps = repeat(4, [[100, 70_000]] as DaySteps[number]);
    const order = await signedDay(world, dayOrderOf(0, slot, steps));
    await appendDays(world, [order]);
    const { c } = world;
    const last = world.genesisSlot + 20;
    for (let at = world.genesisSlot; at <= last; at += 1) {
      await world.goTo(world.startOf(at + 9));
      await c.settlement.estimate(at);
    }
    const [, since] = await c.settlement.statusOf(last);
    await world.goTo(world.startOf(Number(since) + 96));
    const later = slot + 256;
    await world.goTo(world.startOf(later - 2));
    expect((await appendDays(world, [order])).skippedDays).to.deep.equal([[0, Skip.GateClosed]]);
    expect(await c.orderBook.sequencesOf(0, later, 4)).to.deep.equal([0n, 0n, 0n, 0n]);
    expect(SLOT_SECONDS).to.equal(900);
  });
});
