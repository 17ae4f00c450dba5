import { expect } from "chai";
import { concat } from "ethers";
import { packDayOrders, type SignedDayOrder } from "../../services/protocol/day-order.ts";
import { createRandom } from "../../services/simulator/random.ts";
import { appendDays, bookByEvents, dayOrderOf, sendDays, signedDay, type DaySteps } from "./support/days.ts";
import { TERMS, bid, createWorld, type World } from "./support/world.ts";

/** The order as a relayer may pack it as well: every price in five bytes, which the contract takes slot by slot. */
const packWide = (order: SignedDayOrder): string => {
  const hex = packDayOrders([order]).slice(2);
  const entries = order.energyWh.map((wh, at) => {
    const bytes = (value: number, count: number): string =>
      BigInt.asUintN(8 * count, BigInt(value))
        .toString(16)
        .padStart(2 * count, "0");
    return bytes(wh, 3) + bytes(order.priceMicroPerKwh[at] as number, 5);
  });
  return `0x${hex.slice(0, 22)}05${hex.slice(24, 28)}${entries.join("")}${order.signature.slice(2)}`;
};

describe("day orders, four steps at a time", () => {
  let world: World;
  before(async () => {
    world = await createWorld();
  });

  /** What both ways of packing the orders lead to. */
  const bothWays = async (orders: readonly SignedDayOrder[]) => {
    const outcomes = [];
    for (const packed of [packDayOrders(orders), concat(orders.map(packWide))]) {
      const fork = await world.networkHelpers.takeSnapshot();
      const { words, skippedSlots, skippedDays, gasUsed } = await sendDays(world, packed);
      for (const slot of words.keys()) expect((await bookByEvents(world, slot)).matches).to.equal(true);
      outcomes.push({ words: [...words], skippedSlots, skippedDays, gasUsed });
      await fork.restore();
    }
    const [narrow, wide] = outcomes.map(({ gasUsed: _gas, ...outcome }) => outcome);
    expect(narrow).to.deep.equal(wide);
    return outcomes[0] as (typeof outcomes)[number];
  };

  /** Slots that pass around one that has `steps` in every place of a pair, as the first, in between and as the last. */
  const around = (steps: DaySteps[number]): DaySteps[] => {
    const usual: DaySteps[number] = [
      [400, 90_000],
      [500, 100_000],
    ];
    return [0, 1, 2, 3, 4].map((at) => Array.from({ length: 5 }, (_, slot) => (slot === at ? steps : usual)));
  };

  it("takes prices up to the highest of a lane under a band that is wider", async () => {
    const fork = await world.networkHelpers.takeSnapshot();
    const first = world.genesisSlot + 101;
    await world.goTo(world.startOf(first - 50));
    await world.publishTerms(world.genesisSlot + 100, 6, { bandMax: 9_000_000 });
    const orders = [];
    for (const [point, price] of [8_388_607, 8_388_608, 9_000_000, 9_000_001].entries())
      orders.push(
        await signedDay(
          world,
          dayOrderOf(
            point,
            first,
            Array.from({ length: 4 }, () => [[50, price]]),
          ),
        ),
      );
    const { words, skippedSlots } = await bothWays(orders);
    expect(words.map(([, added]) => (added.length - 2) / 32)).to.deep.equal([3, 3, 3, 3]);
    expect(skippedSlots.length).to.equal(4);
    await fork.restore();
  });

  it("refuses and takes at every bound what is refused and taken slot by slot", async () => {
    const slot = world.genesisSlot + 1;
    const { bandMax } = TERMS;
    // [steps, whether taken]; ratings of the world's homes: 5,000 Wh.
    const cases: [DaySteps[number], boolean][] = [
      [
        [
          [50, 0],
          [50, bandMax],
        ],
        true,
      ],
      [
        [
          [49, 0],
          [50, 70_000],
        ],
        false,
      ],
      [
        [
          [50, 70_000],
          [49, 0],
        ],
        false,
      ],
      [
        [
          [-50, 0],
          [-50, bandMax],
        ],
        true,
      ],
      [
        [
          [-49, 0],
          [-50, 70_000],
        ],
        false,
      ],
      [
        [
          [-50, 0],
          [-49, 70_000],
        ],
        false,
      ],
      [
        [
          [2_500, 7],
          [2_500, 7],
        ],
        true,
      ],
      [
        [
          [2_501, 7],
          [2_500, 7],
        ],
        false,
      ],
      [
        [
          [-2_500, 7],
          [-2_500, 7],
        ],
        true,
      ],
      [
        [
          [-2_500, 7],
          [-2_501, 7],
        ],
        false,
      ],
      [
        [
          [100, bandMax + 1],
          [100, 7],
        ],
        false,
      ],
      [
        [
          [100, 7],
          [100, bandMax + 1],
        ],
        false,
      ],
      [
        [
          [-100, -1],
          [-100, 7],
        ],
        true,
      ],
      [
        [
          [100, 7],
          [100, TERMS.bandMin],
        ],
        true,
      ],
      [
        [
          [100, 7],
          [100, TERMS.bandMin - 1],
        ],
        false,
      ],
      [
        [
          [100, 8],
          [-100, 7],
        ],
        true,
      ],
      [
        [
          [-100, 7],
          [100, 8],
        ],
        true,
      ],
      [
        [
          [100, 7],
          [-100, 8],
        ],
        false,
      ],
      [
        [
          [8_388_607, 7],
          [8_388_607, 7],
        ],
        false,
      ],
      [
        [
          [-8_388_608, 7],
          [-8_388_608, 7],
        ],
        false,
      ],
      [
        [
          [100, 8_388_607],
          [100, -8_388_608],
        ],
        false,
      ],
      [
        [
          [0, 7],
          [100, 8],
        ],
        true,
      ],
      [
        [
          [100, 7],
          [0, 8],
        ],
        true,
      ],
    ];
    for (const [steps, taken] of cases) {
      for (const [at, day] of around(steps).entries()) {
        const { skippedSlots } = await bothWays([await signedDay(world, dayOrderOf(0, slot, day))]);
        const expected = taken ? [] : [slot + at];
        expect(
          skippedSlots.map(([skipped]) => skipped),
          JSON.stringify(steps),
        ).to.deep.equal(expected);
      }
    }
  });

  it("refuses and takes the same with one step a slot, in every place of four", async () => {
    const slot = world.genesisSlot + 1;
    const { bandMax, bandMin } = TERMS;
    const cases: [DaySteps[number][number], boolean][] = [
      [[50, 0], true],
      [[49, 0], false],
      [[-50, bandMax], true],
      [[-49, 7], false],
      [[5_000, 7], true],
      [[5_001, 7], false],
      [[-5_000, 7], true],
      [[-5_001, 7], false],
      [[100, bandMax + 1], false],
      [[-100, -1], true],
      [[100, bandMin], true],
      [[100, bandMin - 1], false],
      [[8_388_607, 7], false],
      [[-8_388_608, 7], false],
      [[100, -8_388_608], false],
      [[0, 7], true],
    ];
    for (const [step, taken] of cases) {
      for (let at = 0; at < 6; at += 1) {
        const day = Array.from({ length: 10 }, (_, i): DaySteps[number] => [
          i === at ? step : [i % 3 ? 400 : -300, 70_000 + i],
        ]);
        const { skippedSlots } = await bothWays([await signedDay(world, dayOrderOf(0, slot, day))]);
        const skipped = skippedSlots.map(([number]) => number);
        expect(skipped, `${JSON.stringify(step)} at ${at}`).to.deep.equal(taken ? [] : [slot + at]);
      }
    }
  });

  it("sees what each of four slots holds already", async () => {
    const slot = world.genesisSlot + 1;
    const day = (sequence: number) =>
      signedDay(world, dayOrderOf(0, slot, Array(10).fill([[400, 70_000]]) as DaySteps, sequence));
    for (let at = 0; at < 6; at += 1) {
      const fork = await world.networkHelpers.takeSnapshot();
      await world.append(slot + at, [await world.order(0, slot + at, [bid(100, 70_000)], 2)]);
      const { skippedSlots } = await bothWays([await day(2)]);
      expect(skippedSlots.map(([number]) => number)).to.deep.equal([slot + at]);
      expect((await bothWays([await day(3)])).skippedSlots).to.deep.equal([]);
      await fork.restore();
    }
  });

  it("does the same for random orders, one after the other, over what slots hold already", async () => {
    const random = createRandom(11);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const slot = world.genesisSlot;
    await world.append(slot + 5, [await world.order(1, slot + 5, [bid(100, 70_000)], 2)]);
    await appendDays(world, [await signedDay(world, dayOrderOf(2, slot, around([[60, 9_000_000]])[4] as DaySteps))]);
    for (let round = 0; round < 12; round += 1) {
      const orders = await Promise.all(
        [0, 1, 1, 2, 3].map((point, i) => {
          const slots = 1 + Math.floor(random() * 30);
          const day = Array.from({ length: slots }, (): DaySteps[number] => {
            const side = pick([1, -1]);
            const step = (): [number, number] => [
              (random() < 0.03 ? -side : side) * pick([50, 400, 1_700, 2_500, random() < 0.1 ? 49 : 51]),
              pick([0, 70_000, 99_999, 1_000_000, random() < 0.1 ? -5 : 33]),
            ];
            return round % 2 === 0 ? [step(), step()] : [step()];
          });
          // One price needs three bytes.
          day.push(Array.from(day[0] as DaySteps[number], (): [number, number] => [300, 80_000]));
          return signedDay(world, dayOrderOf(point, slot + Math.floor(random() * 3), day, 1 + i, random() < 0.3));
        }),
      );
      const { words } = await bothWays(orders);
      expect(words.length).to.be.greaterThan(0);
    }
  });

  it("leaves bands below zero to the slots one by one", async () => {
    world = await createWorld({ publish: 0 });
    const slot = world.genesisSlot + 1;
    await world.publishTerms(slot, 8, { bandMin: -500_000, bandMax: -100_000, reference_: -200_000 });
    for (const [price, taken] of [
      [-500_000, true],
      [-100_000, true],
      [-99_999, false],
      [7, false],
      [-500_001, false],
    ] as const)
      for (const steps of [1, 2]) {
        const day = Array.from({ length: 8 }, (): DaySteps[number] => Array(steps).fill([400, price]));
        const { skippedSlots } = await bothWays([await signedDay(world, dayOrderOf(0, slot, day))]);
        expect(skippedSlots.length, `${price}, ${steps}`).to.equal(taken ? 0 : 8);
      }
  });
});
