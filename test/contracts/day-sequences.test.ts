import { expect } from "chai";
import { createRandom } from "../../services/simulator/random.ts";
import { appendDays, bookByEvents, dayOrderOf, signedDay, type DaySteps } from "./support/days.ts";
import { bid, createWorld, type World } from "./support/world.ts";

const REPLAYED = 6;

/** Storage words that the newest transaction wrote. */
const written = async (world: World): Promise<number> => {
  const block = await world.provider.getBlock("latest");
  const { structLogs } = (await world.provider.send("debug_traceTransaction", [
    block?.transactions.at(-1),
    { disableMemory: true, disableStorage: true, disableStack: true },
  ])) as { structLogs: { op: string }[] };
  return structLogs.filter(({ op }) => op === "SSTORE").length;
};

describe("sequences of day orders", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ publish: 90 });
    slot = world.genesisSlot + 1;
  });

  const day = (first: number, slots: number, sequence: number, point = 0) =>
    signedDay(world, dayOrderOf(point, first, Array(slots).fill([[100, 70_000]]) as DaySteps, sequence));
  const held = async (first: number, count: number, point = 0): Promise<number[]> =>
    (await world.c.orderBook.sequencesOf(point, first, count)).map(Number);

  it("keeps two days of an account in one word, and any more slot by slot", async () => {
    // The margin is checked once, for all that follows.
    await appendDays(world, [await day(slot + 40, 1, 1)]);
    await world.goTo(world.startOf(slot - 1));
    /** Words beside those of the slots' books. */
    const beside = async (first: number, slots: number, sequence: number): Promise<number> => {
      const { words } = await appendDays(world, [await day(first, slots, sequence)]);
      expect(words.size).to.equal(slots);
      return (await written(world)) - slots;
    };
    expect(await beside(slot, 8, 1)).to.equal(1);
    // What lies within a new one is replaced.
    expect(await beside(slot + 40, 1, 2)).to.equal(1);
    expect(await beside(slot + 40, 8, 3)).to.equal(1);
    expect(await held(slot, 9)).to.deep.equal([...Array<number>(8).fill(1), 0]);
    expect(await held(slot + 39, 10)).to.deep.equal([0, ...Array<number>(8).fill(3), 0]);
    // Neither lies within the new one: six sequences, one written for each.
    expect(await beside(slot + 6, 6, 2)).to.equal(6);
    expect(await held(slot, 13)).to.deep.equal([...Array<number>(6).fill(1), ...Array<number>(6).fill(2), 0]);
    const { skippedSlots } = await appendDays(world, [await day(slot, 14, 2)]);
    expect(skippedSlots).to.deep.equal(Array.from({ length: 6 }, (_, i) => [slot + 6 + i, REPLAYED]));
    expect(await held(slot, 15)).to.deep.equal([...Array<number>(14).fill(2), 0]);
  });

  it("makes room when a day has passed", async () => {
    await appendDays(world, [await day(slot, 4, 1), await day(slot + 8, 4, 1)]);
    await world.goTo(world.startOf(slot + 3));
    await appendDays(world, [await day(slot + 20, 4, 1)]);
    expect(await written(world)).to.equal(6);
    expect(await held(slot + 8, 16)).to.deep.equal([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it("lets no single order pass below a span, whether its slot got a word or not", async () => {
    const steps = Array.from({ length: 4 }, (_, i): DaySteps[number] => (i === 1 ? [] : [[100, 70_000]]));
    await appendDays(world, [await signedDay(world, dayOrderOf(0, slot, steps, 2))]);
    for (const at of [slot, slot + 1]) {
      const single = async (sequence: number) =>
        world.append(at, [await world.order(0, at, [bid(100, 70_000)], sequence)]);
      expect((await single(1)).skipped).to.deep.equal([REPLAYED]);
      expect((await single(2)).skipped).to.deep.equal([REPLAYED]);
      expect((await single(3)).skipped).to.deep.equal([]);
      expect((await single(3)).skipped).to.deep.equal([REPLAYED]);
    }
    // Another account has nothing there.
    expect((await world.append(slot, [await world.order(1, slot, [bid(100, 70_000)], 1)])).skipped).to.deep.equal([]);
    expect(await held(slot, 5)).to.deep.equal([3, 3, 2, 2, 0]);
  });

  it("holds what a plain table holds, whatever comes in which order", async () => {
    const random = createRandom(31);
    const below = (most: number): number => Math.floor(random() * most);
    const points = 4;
    const slots = 48;
    const table = Array.from({ length: points }, () => Array<number>(slots).fill(0));
    world = await createWorld({ homes: points, publish: slots });
    slot = world.genesisSlot;
    let firstOpen = 0;
    for (let round = 0; round < 32; round += 1) {
      if (round % 8 === 7) {
        firstOpen += 4;
        await world.goTo(world.startOf(slot + firstOpen) - 650);
      }
      if (round % 3 === 2) {
        const [point, at, sequence] = [below(points), firstOpen + below(12), 1 + below(8)];
        const row = table[point] as number[];
        const { skipped } = await world.append(slot + at, [
          await world.order(point, slot + at, [bid(100, 70_000)], sequence),
        ]);
        expect(skipped).to.deep.equal((row[at] as number) >= sequence ? [REPLAYED] : []);
        row[at] = Math.max(row[at] as number, sequence);
      } else {
        const orders = [];
        const expected: [number, number][] = [];
        for (let i = 0; i < 5; i += 1) {
          const [point, first, length, sequence] = [below(points), firstOpen + below(14), 1 + below(14), 1 + below(8)];
          const steps = Array.from({ length }, (): DaySteps[number] => {
            const kind = below(12);
            // Too small, none, as it should be.
            return kind === 0 && i > 2 ? [[49, 70_000]] : kind === 1 ? [] : [[100, 70_000]];
          });
          orders.push(await signedDay(world, dayOrderOf(point, slot + first, steps, sequence)));
          const row = table[point] as number[];
          steps.forEach(([step], k) => {
            if ((row[first + k] as number) >= sequence) expected.push([slot + first + k, REPLAYED]);
            else if (step?.[0] === 49) expected.push([slot + first + k, 8]);
            else row[first + k] = sequence;
          });
        }
        const { skippedSlots, skippedDays } = await appendDays(world, orders);
        expect([skippedSlots, skippedDays]).to.deep.equal([expected, []]);
      }
      for (let point = 0; point < points; point += 1)
        expect(await held(slot + firstOpen, 28, point)).to.deep.equal(table[point]?.slice(firstOpen, firstOpen + 28));
    }
    for (let at = 0; at < slots; at += 5) expect((await bookByEvents(world, slot + at)).matches).to.equal(true);
  });
});
