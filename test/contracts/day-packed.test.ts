import { expect } from "chai";
import { dataLength, hexlify, type Wallet } from "ethers";
import { packDayOrders } from "../../services/protocol/day-order.ts";
import { compactSignature, orderDomain } from "../../services/protocol/order.ts";
import { createRandom } from "../../services/simulator/random.ts";
import { appendDays, dayOrderOf, sendDays, signedDay, type DaySteps } from "./support/days.ts";
import { createWorld, type World } from "./support/world.ts";

/** IOrderBook.Skip. */
const Skip = { StepTooSmall: 8, BadSignature: 12 } as const;

const repeat = (slots: number, steps: DaySteps[number]): DaySteps => Array.from({ length: slots }, () => steps);

describe("day orders as bytes", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 1;
  });

  it("takes orders signed as bytes, and no byte or kind of signature for another", async () => {
    const [domain, owner] = [orderDomain(world.addresses), world.owners[0] as Wallet];
    const order = dayOrderOf(0, slot, [[[300, 70_000]], [[-400, 90_000]], [], [[49, 7]]], 4, true);
    const packed = packDayOrders([await signedDay(world, order, owner, false, true)]);
    // By hand: point, first slot, 4 slots of 1 step (green, as bytes), sequence, 3 bytes a price, no length; energy and price.
    const steps = ["00012c011170", "fffe70015f90", "000000000000", "000031000007"];
    const bytes = `0x00000000${slot.toString(16).padStart(8, "0")}0461040300${"00"}${steps.join("")}`;
    const types = { PackedDayOrder: [{ name: "order", type: "bytes" }] };
    expect(packed).to.equal(
      `${bytes.slice(0, 26)}0041${bytes.slice(30)}${(await owner.signTypedData(domain, types, { order: bytes })).slice(2)}`,
    );
    const length = dataLength(packed) - 65;
    const raw = [...Buffer.from(packed.slice(2), "hex")];
    for (let at = 0; at < length; at += 1) {
      // The length of the signature alone is not signed.
      if (at === 12 || at === 13) continue;
      const changed = raw.map((byte, index) => (index === at ? byte ^ 1 : byte));
      const { taken } = await sendDays(world, hexlify(Uint8Array.from(changed))).catch(() => ({ taken: 0 }));
      expect(taken, `byte ${at}`).to.equal(0);
    }
    const lists = await signedDay(world, order, owner);
    for (const swapped of [
      { ...lists, packed: true },
      { ...(await signedDay(world, order, owner, false, true)), packed: false },
    ])
      expect((await appendDays(world, [swapped])).skippedDays).to.deep.equal([[0, Skip.BadSignature]]);
    const { taken, skippedSlots, words } = await sendDays(world, packed);
    expect([taken, skippedSlots, [...words.keys()]]).to.deep.equal([
      1,
      [[slot + 3, Skip.StepTooSmall]],
      [slot, slot + 1],
    ]);
    // As a delegate, in 64 bytes, and by the owner who sends it himself.
    const delegate = world.wallet("agent");
    await world.fund(owner.address);
    await world.as(owner).meteringPoints.setDelegate(0, delegate.address, 2 ** 39);
    const byDelegate = await signedDay(world, { ...order, sequence: 5 }, delegate, true, true);
    const compact = { ...byDelegate, signature: compactSignature(byDelegate.signature) };
    expect((await appendDays(world, [compact])).taken).to.equal(1);
    const direct = { ...(await signedDay(world, { ...order, sequence: 6 }, owner, false, true)), signature: "0x" };
    expect((await appendDays(world, [direct], world.as(owner))).taken).to.equal(1);
  });

  it("does with orders signed as bytes what it does with lists", async () => {
    const random = createRandom(5);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    for (let round = 0; round < 6; round += 1) {
      const orders = Array.from({ length: 4 }, (_, point) => {
        const most = pick([1, 1, 2, 3]);
        const steps = Array.from({ length: 1 + Math.floor(random() * 24) }, (): DaySteps[number] =>
          Array.from({ length: Math.floor(random() * (most + 1)) }, (): [number, number] => [
            pick([1, -1]) * pick([49, 300, 900, 2_600]),
            pick([70_000, 80_000, -7, 12_000_000]),
          ]),
        );
        return dayOrderOf(point, slot + Math.floor(random() * 4), [...steps, [[300, 70_000]]], 1 + round);
      });
      const outcomes = [];
      for (const packed of [false, true]) {
        const fork = await world.networkHelpers.takeSnapshot();
        const signed = await Promise.all(orders.map((order) => signedDay(world, order, undefined, false, packed)));
        const { words, skippedSlots, skippedDays, taken } = await appendDays(world, signed);
        outcomes.push({ words: [...words], skippedSlots, skippedDays, taken });
        if (!packed) await fork.restore();
      }
      expect(outcomes[0]).to.deep.equal(outcomes[1]);
    }
  });

  it("tells how far it extended margins, with the order if it is taken, else by an event of its own", async () => {
    const { orderBook } = world.c;
    const receipt = async (orders: Parameters<typeof packDayOrders>[0]) => {
      const sent = await (await orderBook.appendDays(packDayOrders(orders))).wait();
      return (sent?.logs ?? []).flatMap((log) => orderBook.interface.parseLog(log) ?? []);
    };
    const [event, ...others] = await receipt([
      await signedDay(world, dayOrderOf(0, slot, repeat(3, [[100, 70_000]]))),
      await signedDay(world, dayOrderOf(2, slot, [[[100, 70_000]], []])),
    ]);
    expect(others).to.deep.equal([]);
    const [first, second] = [0, 2].map(async (point) =>
      Number(await orderBook.marginedThrough(point))
        .toString(16)
        .padStart(8, "0"),
    );
    const masks = `${"3".padStart(32, "0")}${"1".padStart(32, "0")}`;
    expect(event?.args["outcomes"]).to.equal(`0x0020${await first}0060${await second}${masks}`);
    // Margined already: two bytes are all.
    const [later] = await receipt([await signedDay(world, dayOrderOf(0, slot, repeat(3, [[100, 70_000]]), 2))]);
    expect(later?.args["outcomes"]).to.equal("0x0000");
    const names = (await receipt([await signedDay(world, dayOrderOf(1, slot, [[[49, 70_000]]]))])).map(
      ({ name, args }) => [name, ...args],
    );
    expect(names).to.deep.equal([
      ["OrderSkipped", BigInt(slot), 1n, 1n, BigInt(Skip.StepTooSmall)],
      ["MarginExtended", 1n, await orderBook.marginedThrough(1)],
    ]);
  });
});
