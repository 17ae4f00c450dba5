import { getBytes, keccak256, toBeHex } from "ethers";
import { packSlots } from "../../services/protocol/settling.ts";
import { appendDays, signedDay } from "../contracts/support/days.ts";
import { createWorld, reading, type SlotToSettle, type World } from "../contracts/support/world.ts";
import { clearSolved } from "../contracts/support/solve.ts";
import { finalThrough } from "./day-gas.ts";
import type { GasRow } from "./gas-row.ts";

const DAY = 96;
const RING = 256;
/** Day orders that fit into one transaction while storage is fresh. */
const PER_BATCH = 25;
/** Later: accounts of one transaction. */
const PER_BATCH_LATER = 200;
/** Slots whose reports land in one transaction: as many as an oracle node gathers at most. */
const REPORTED_AT_ONCE = 6;

interface Daily {
  homes: number;
  /** Slots of the day that are cleared, reported and settled; all have orders. */
  slots: number;
  figure: number;
}

/**
 * Daily mode from end to end (design section 8), gas per meter and slot: a day order with a step for each slot from every account,
 * even homes selling and odd ones buying, a clearing and a report of each slot, the reports landed in batches of 6 slots, and the
 * settlement of the slots at once. Whole transactions in a later lap of the ring.
 */
export const measureDailyGas = async (): Promise<GasRow[]> => [
  ...(await measureDay({ homes: 100, slots: DAY, figure: 3_000 })),
  ...(await measureDay({ homes: 1_000, slots: 24, figure: 2_000 })),
];

const measureDay = async ({ homes, slots, figure }: Daily): Promise<GasRow[]> => {
  const world = await createWorld({ homes, publish: 0, depositTokens: 20_000 });
  const first = world.genesisSlot;
  await runDay(world, first, slots, PER_BATCH);
  await finalThrough(world, first + 115);
  const gas = await runDay(world, first + RING, slots, PER_BATCH_LATER);
  const name = `daily mode, ${homes.toLocaleString("en")} meters${slots === DAY ? "" : `, ${slots} of ${DAY} slots`}`;
  const unit = "gas per meter-slot";
  const each = {
    signed: gas.orders / homes / DAY,
    cleared: gas.clearings / homes / slots,
    [`reported in batches of ${REPORTED_AT_ONCE}`]: gas.reports / homes / slots,
    settled: gas.settlement / homes / slots,
  };
  const all = Object.values(each).reduce((sum, part) => sum + part, 0);
  return [
    { what: `signed, cleared, reported, settled, ${name}`, figure, measured: Math.round(all), unit },
    ...Object.entries(each).map(([part, measured]) => ({
      what: `${part}, ${name}`,
      figure: 0,
      measured: Math.round(measured),
      unit,
    })),
  ];
};

const runDay = async (world: World, first: number, slots: number, perBatch: number) => {
  const gas = { orders: 0, clearings: 0, reports: 0, settlement: 0 };
  await world.goTo(world.startOf(first - 2));
  await world.publishTerms(first, 115);
  const words = new Map<number, string[]>();
  for (let from = 0; from < world.owners.length; from += perBatch) {
    const count = Math.min(perBatch, world.owners.length - from);
    const orders = Array.from({ length: count }, (_, i) => dayOrder(world, first, from + i));
    const appended = await appendDays(world, await Promise.all(orders));
    if (appended.taken !== count || appended.skippedSlots.length > 0)
      throw new Error(`${appended.taken} of ${count} day orders were taken`);
    gas.orders += Number(appended.gasUsed);
    for (const [slot, added] of appended.words) words.set(slot, [...(words.get(slot) ?? []), added]);
  }
  const settled: SlotToSettle[] = [];
  for (let slot = first; slot < first + slots; slot += 1) {
    await world.goTo(world.startOf(slot) - 500);
    const cleared = await clearSolved(world, slot, words.get(slot) ?? []);
    gas.clearings += cleared.gasUsed;
    settled.push({ record: cleared.record, readings: "0x", root: "0x" });
  }
  for (let from = 0; from < settled.length; from += REPORTED_AT_ONCE) {
    const batch = settled.slice(from, from + REPORTED_AT_ONCE);
    const given = batch.map(({ record: { slot } }) => ({ slot, meters: meters(world, slot) }));
    await world.goTo(world.startOf(first + from + batch.length));
    const { reports, gasUsed } = await world.reportMany(given);
    gas.reports += Number(gasUsed);
    batch.forEach((entry, at) => Object.assign(entry, reports[at]));
  }
  const receipt = await (await world.c.settlement.settlePacked(packSlots(settled))).wait();
  gas.settlement = Number(receipt?.gasUsed);
  return gas;
};

const dayOrder = (world: World, firstSlot: number, point: number) => {
  const side = point % 2 === 0 ? 1 : -1;
  const steps = Array.from({ length: DAY }, (_, at) => at);
  const order = {
    ...{ point, firstSlot, stepsPerSlot: 1, sequence: 1, green: false },
    energyWh: steps.map((at) => side * (400 + (point % 100) * 3 + at)),
    priceMicroPerKwh: steps.map((at) => (side > 0 ? 80_000 : 250_000) + 137 * at + 100 * point),
  };
  // By machines, which need no lists to be shown: signed as bytes.
  return signedDay(world, order, undefined, false, true);
};

/** Readings as homes have them: some hundred Wh, near what was ordered. */
const meters = (world: World, slot: number) => {
  const noise = getBytes(keccak256(toBeHex(slot, 32)));
  return world.owners.map((_, home) => {
    const wh = 400 + (home % 100) * 3 + ((noise[home % 32] as number) % 80);
    return home % 2 === 0 ? reading(0, wh) : reading(wh, 0);
  });
};

if (process.argv[1] === import.meta.filename) {
  for (const { what, figure, measured, unit } of await measureDailyGas())
    process.stdout.write(
      `${String(measured).padStart(8)} ${figure ? `<= ${figure}` : "(no figure)"} ${unit}  ${what}\n`,
    );
}
