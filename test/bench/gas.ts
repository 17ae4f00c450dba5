import { AbiCoder, keccak256, ZeroAddress, type Wallet } from "ethers";
import type { ClearingRecord } from "../../services/protocol/events.ts";
import type { SignedOrder } from "../../services/protocol/order.ts";
import { packSlots } from "../../services/protocol/settling.ts";
import type { PackedReading } from "../../services/protocol/words.ts";
import {
  bid,
  createWorld,
  emptyRecord,
  offer,
  posting,
  reading,
  type SlotToSettle,
  type World,
} from "../contracts/support/world.ts";
import { measureConsumptionGas } from "./gas-consumption.ts";
import { measureDailyGas } from "./gas-daily.ts";
import { measureDayGas } from "./day-gas.ts";
import { measureNetworkGas } from "./gas-network.ts";
import { measureProductionGas } from "./gas-production.ts";
import type { GasRow } from "./gas-row.ts";

const HOMES = 100;
const DAY = 96;
const RING = 256;
const PRICE_STEP = 1_000;

/** Gas of the real transactions (base, calldata and execution), 100 homes in one zone. First lap: storage is fresh. */
export const measureGas = async (): Promise<GasRow[]> => {
  const world = await createWorld({ homes: HOMES, publish: 0, depositTokens: 20_000 });
  const rows: GasRow[] = [];
  const row = (what: string, figure: number, measured: number, unit: string): void => {
    rows.push({ what, figure, measured: Math.round(measured), unit });
  };
  const delegate = world.wallet("agent");
  for (const [home, owner] of world.owners.entries()) {
    await world.fund(owner.address);
    await world.as(owner).meteringPoints.setDelegate(home, delegate.address, 2 ** 40 - 1);
  }

  const laps = [
    { name: "first lap", first: world.genesisSlot, sequence: 1 },
    { name: "steady state", first: world.genesisSlot + RING, sequence: 2 },
  ];
  for (const { name, first, sequence } of laps) {
    if (sequence > 1) await finalThrough(world, world.genesisSlot + 115);
    await world.goTo(world.startOf(first - 2));
    await world.publishTerms(first, 115);

    const orders = await batch(world, first, sequence);
    const fresh = await world.appendPacked(first, orders);
    row(`relayed order, batches of ${HOMES}, extending the margin, ${name}`, 0, Number(fresh.gasUsed) / HOMES, "gas");
    const later = await world.appendPacked(first + 1, await batch(world, first + 1, sequence));
    row(`relayed order, batches of ${HOMES}, ${name}`, 11_500, Number(later.gasUsed) / HOMES, "gas");
    for (const size of [10, 1]) {
      const few = (await batch(world, first + 104 + size, sequence)).slice(0, size);
      row(
        `relayed order, batches of ${size}, ${name}`,
        0,
        Number((await world.appendPacked(first + 104 + size, few)).gasUsed) / size,
        "gas",
      );
    }
    const delegated = await world.appendPacked(first + 3, await batch(world, first + 3, sequence, delegate));
    row(`relayed order of a delegate, batches of ${HOMES}, ${name}`, 13_500, Number(delegated.gasUsed) / HOMES, "gas");
    const direct = await world.append(first + 4, await batch(world, first + 4, sequence));
    row(`order appended without packing, batches of ${HOMES}, ${name}`, 0, Number(direct.gasUsed) / HOMES, "gas");

    // One slot on its own, then a day at once.
    const trade = await tradedSlot(world, first + 5, sequence);
    const one = { ...trade, ...(await reportedSlot(world, trade.record)) };
    row(`report, 3 signatures, ${name}`, 45_000 + 6_500, Number(one.reportGas), "gas");
    row(`report, batch of 8, 3 signatures, ${name}`, 0, await reportedTogether(world, first - 8, 8), "gas");
    row(`clearing, ${HOMES} words, ${name}`, 700, Number(one.clearGas) / HOMES, "gas per order word");
    const alone = await (await world.c.settlement.settle([one.given])).wait();
    row(
      `settlement of one slot, ${HOMES} meters, ${name}`,
      6_000,
      Number(alone?.gasUsed) / HOMES,
      "gas per meter-slot",
    );

    const records: ClearingRecord[] = [];
    for (let slot = first + 7; slot < first + 7 + DAY; slot += 1)
      records.push((await tradedSlot(world, slot, sequence)).record);
    const day: SlotToSettle[] = [];
    for (const record of records) day.push((await reportedSlot(world, record)).given);
    const whole = await (await world.c.settlement.settlePacked(packSlots(day))).wait();
    row(
      `settlement of a day at once, ${HOMES} meters, ${name}`,
      450,
      Number(whole?.gasUsed) / HOMES / day.length,
      "gas per meter-slot",
    );
    const all =
      Number(later.gasUsed + one.clearGas + one.reportGas) / HOMES + Number(whole?.gasUsed) / HOMES / day.length;
    row(
      `signed, cleared, reported, settled, an order per slot, ${HOMES} meters, ${name}`,
      0,
      all,
      "gas per meter-slot",
    );
  }
  if ((await world.discrepancyNano()) !== 0n) throw new Error("the ledger does not sum to its tokens");
  rows.push(...(await measureNetworkGas()));
  rows.push(...(await measureDayGas()));
  rows.push(...(await measureDailyGas()));
  rows.push(...(await measureProductionGas()));
  rows.push(...(await measureConsumptionGas()));
  return rows;
};

/** One order per home: the even ones sell, the odd ones buy. */
const batch = async (world: World, slot: number, sequence: number, delegate?: Wallet): Promise<SignedOrder[]> =>
  Promise.all(
    world.owners.map((owner, home) => {
      const steps =
        home % 2 === 0
          ? [offer(400 + home, 80_000 + home * PRICE_STEP)]
          : [bid(350 + home, 250_000 + home * PRICE_STEP)];
      return world.order(home, slot, steps, sequence, delegate ?? owner, delegate?.address ?? ZeroAddress);
    }),
  );

/** Orders and clearing of a slot. */
const tradedSlot = async (world: World, slot: number, sequence: number) => {
  await world.goTo(world.startOf(slot - 1));
  const { words, skipped } = await world.appendPacked(slot, await batch(world, slot, sequence));
  if (words === undefined || skipped.length > 0)
    throw new Error(`slot ${slot}: orders skipped for ${skipped.join(", ")}`);
  await world.goTo(world.startOf(slot) - 500);
  const { record, gasUsed: clearGas } = await clearByAsking(world, slot, words as string);
  return { record, clearGas };
};

/** Readings as homes have them: some hundred Wh, near what was traded. */
const metersOf = (slot: number): PackedReading[] =>
  Array.from({ length: HOMES }, (_, home) => {
    const jitter = Number(
      BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [slot, home]))) % 80n,
    );
    return home % 2 === 0 ? reading(0, 370 + home + jitter) : reading(320 + home + jitter, 0);
  });

/** Gas of a report of slots that are reported in one transaction; nobody trades or settles them. */
const reportedTogether = async (world: World, firstSlot: number, slots: number): Promise<number> => {
  const given = Array.from({ length: slots }, (_, at) => ({ slot: firstSlot + at, meters: metersOf(firstSlot + at) }));
  return Number((await world.reportMany(given)).gasUsed) / slots;
};

const reportedSlot = async (world: World, record: ClearingRecord) => {
  const { slot } = record;
  await world.goTo(world.startOf(slot + 1));
  const { readings, root, gasUsed: reportGas } = await world.report(slot, metersOf(slot));
  return { given: { record, readings, root }, reportGas };
};

/** All bids and offers of `batch` are inside the money; the backup takes the difference. */
const clearByAsking = async (world: World, slot: number, words: string) => {
  const offered = world.owners.reduce((sum, _, home) => sum + (home % 2 === 0 ? 400 + home : 0), 0);
  const wanted = world.owners.reduce((sum, _, home) => sum + (home % 2 === 1 ? 350 + home : 0), 0);
  const surplus = offered - wanted;
  if (surplus <= 0) throw new Error(`the bench expects a surplus, not ${surplus} Wh`);
  // The dearest offers that nobody takes set the price: the last home's is partly filled.
  let left = surplus;
  let marginal = 98;
  while (left >= 400 + marginal) {
    left -= 400 + marginal;
    marginal -= 2;
  }
  return world.clear(slot, words, [
    posting(80_000 + marginal * PRICE_STEP, { marginalOfferWh: 400 + marginal - left }),
  ]);
};

/** Makes everything up to `last` final: at most 256 slots may be open. */
const finalThrough = async (world: World, last: number): Promise<void> => {
  const { c } = world;
  for (let slot = Number(await c.settlement.finalThrough()) + 1; slot <= last; slot += 1) {
    const [status] = await c.settlement.statusOf(slot);
    if (status !== 0n) continue;
    await world.goTo(world.startOf(slot + 9));
    await c.settlement.estimate(slot);
  }
  for (let slot = Number(await c.settlement.finalThrough()) + 1; slot <= last; slot += 1) {
    const [status, since] = await c.settlement.statusOf(slot);
    await world.goTo(world.startOf(Number(since) + 96));
    if (status === 1n) await c.settlement.settleEstimated(emptyRecord(slot));
    await c.settlement.advanceFinal(10);
  }
};

if (process.argv[1] === import.meta.filename) {
  for (const { what, figure, measured, unit } of await measureGas()) {
    process.stdout.write(
      `${String(measured).padStart(8)} ${figure ? `<= ${figure}` : "(no figure)"} ${unit}  ${what}\n`,
    );
  }
}
