import { appendDays, signedDay } from "../contracts/support/days.ts";
import { createWorld, emptyRecord, type World } from "../contracts/support/world.ts";
import type { GasRow } from "./gas-row.ts";

const HOMES = 100;
const RING = 256;

/**
 * Gas per order word of day orders: whole transactions with base and calldata, prices and energies of every slot differing,
 * even homes selling and odd ones buying; storage as in any later lap of the ring.
 */
export const measureDayGas = async (): Promise<GasRow[]> => {
  const world = await createWorld({ homes: HOMES, publish: 0, depositTokens: 20_000 });
  const first = world.genesisSlot;
  await world.goTo(world.startOf(first - 2));
  await world.publishTerms(first, 115);
  // Some homes at a time: fresh storage is dearer than a transaction's gas for all of them.
  for (let from = 0; from < HOMES; from += 25)
    await appendDays(world, await dayOrders(world, first, 25, 96, 1, { from }));
  await finalThrough(world, first + 115);

  const later = first + RING;
  await world.goTo(world.startOf(later - 2));
  await world.publishTerms(later, 115);
  const rows: GasRow[] = [];
  for (const [homes, slots, stepsPerSlot, figure, packed] of [
    [100, 96, 2, 700, false],
    [100, 96, 1, 0, false],
    [100, 96, 2, 0, true],
    [100, 96, 1, 0, true],
    [10, 96, 2, 0, true],
    [1, 96, 2, 0, true],
  ] as const) {
    const fork = await world.networkHelpers.takeSnapshot();
    const { gasUsed, taken, skippedSlots } = await appendDays(
      world,
      await dayOrders(world, later, homes, slots, stepsPerSlot, { packed }),
    );
    if (taken !== homes || skippedSlots.length > 0) throw new Error(`${taken} of ${homes} day orders were taken`);
    await fork.restore();
    rows.push({
      what: `day order, ${packed ? "signed as bytes, " : ""}${homes} accounts, ${slots} slots x ${stepsPerSlot} words, steady state`,
      figure,
      measured: Math.round(Number(gasUsed) / (homes * slots * stepsPerSlot)),
      unit: "gas per order word",
    });
  }
  return rows;
};

const dayOrders = (
  world: World,
  firstSlot: number,
  homes: number,
  slots: number,
  stepsPerSlot: number,
  { from = 0, packed = false }: { from?: number; packed?: boolean },
) =>
  Promise.all(
    Array.from({ length: homes }, (_, i) => {
      const point = from + i;
      const side = point % 2 === 0 ? 1 : -1;
      const steps = Array.from({ length: slots * stepsPerSlot }, (_unused, at) => at);
      const order = {
        ...{ point, firstSlot, stepsPerSlot, sequence: 1, green: false },
        energyWh: steps.map((at) => side * (400 + 3 * point + at)),
        priceMicroPerKwh: steps.map((at) => 80_000 + 137 * at + 1_000 * point),
      };
      return signedDay(world, order, undefined, false, packed);
    }),
  );

/** Makes everything up to `last` final, as payments by position: at most 256 slots may be open. */
export const finalThrough = async ({ c, goTo, startOf }: World, last: number): Promise<void> => {
  const firstOpen = Number(await c.settlement.finalThrough()) + 1;
  for (let slot = firstOpen; slot <= last; slot += 1) {
    if ((await c.settlement.statusOf(slot))[0] !== 0n) continue;
    await goTo(startOf(slot + 9));
    await c.settlement.estimate(slot);
  }
  for (let slot = firstOpen; slot <= last; slot += 1) {
    const [status, since] = await c.settlement.statusOf(slot);
    await goTo(startOf(Number(since) + 96));
    if (status === 1n) await c.settlement.settleEstimated(emptyRecord(slot));
    await c.settlement.advanceFinal(10);
  }
};
