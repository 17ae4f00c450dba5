import { expect } from "chai";
import fc from "fast-check";
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

/** Two islands: zone 0 with the backup supplier, zone 1 on its own. */
const zones = [
  { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
  { parent: 1, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 },
];

describe("islands", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ homes: 4, zones, zoneOf: (home) => (home < 2 ? 0 : 1) });
    slot = world.genesisSlot + 1;
  });

  it("without backup settle imbalance at the zone price with the members' pool", async () => {
    const { words } = await world.append(slot, [
      await world.order(2, slot, [offer(1_000, 100_000)]),
      await world.order(3, slot, [bid(1_000, 250_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [posting(160_000), posting(155_000)]);
    const before = await world.balances();
    const pools = await world.fixed();
    await world.goTo(world.startOf(slot + 1));
    const report = await world.report(slot, [reading(0, 0), reading(0, 0), reading(0, 1_050), reading(1_200, 0)]);
    await world.c.settlement.settle([{ record, readings: report.readings, root: report.root }]);
    const after = await world.balances();
    expect((after[2] as bigint) - (before[2] as bigint)).to.equal(1_000n * 155_000n - WORD_FEE);
    expect((after[3] as bigint) - (before[3] as bigint)).to.equal(-1_200n * 195_000n - WORD_FEE);
    const later = await world.fixed();
    expect(later.members - pools.members).to.equal(1_000n * 40_000n + 200n * 195_000n);
    expect(later.backup).to.equal(pools.backup);
    expect(await world.discrepancyNano()).to.equal(0n);
  });

  it("settle any readings, several slots at once, without a wei too much", async () => {
    const readingOf = fc.record({
      importWh: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      exportWh: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      quality: fc.integer({ min: 0, max: 3 }),
    });
    let next = slot;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(readingOf, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        async (slots) => {
          const given = [];
          for (const meters of slots) {
            await world.goTo(world.startOf(next + 1));
            given.push({
              record: emptyRecord(next),
              ...(await world.report(next, meters)),
            });
            next += 1;
          }
          await world.c.settlement.settle(given);
          expect(await world.discrepancyNano()).to.equal(0n);
          for (const { record } of given) expect((await world.c.settlement.statusOf(record.slot))[0]).to.equal(2n);
        },
      ),
      { numRuns: process.env["DAEG_LONG"] ? 60 : 12, seed: 7 },
    );
    expect(missing.quality).to.equal(3);
  });
});
