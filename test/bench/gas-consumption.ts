import type { ContractTransactionResponse } from "ethers";
import { SLOTS_PER_DAY } from "../../services/protocol/archive.ts";
import { gateOf } from "../../services/protocol/clearing.ts";
import { createStand } from "../contracts/consumption/stand.ts";
import { reading } from "../contracts/support/world.ts";
import type { GasRow } from "./gas-row.ts";

const HOMES = 100;
/** The others are in zone 1. */
const IN_ZONE = 90;
const MONDAY = Date.UTC(2030, 6, 8) / 1_000;
const HALF_HOUR = 1_800;
const SLOTS = 4;
const INDEX = 40;
const ENROLLED = 10;
const BASELINE = { days: 10, high: 5, minimum: 1 };
const GRAMS = BigInt(`0x${"01c2".repeat(16)}`);

/** Gas of demand response and usage with 100 metering points; windows of four slots. */
export const measureConsumptionGas = async (): Promise<GasRow[]> => {
  const s = await createStand({
    ...{ homes: HOMES, zoneOf: (home) => (home < IN_ZONE ? 0 : 1) },
    ...{ startAt: MONDAY - HALF_HOUR, consumption: { baseline: BASELINE } },
  });
  const { c, firstDay } = s;
  const { demandResponse } = c;
  const rows: GasRow[] = [];
  const row = (what: string, measured: number, unit = "gas"): void => {
    rows.push({ what, figure: 0, measured: Math.round(measured), unit });
  };
  const gasOf = async (sending: Promise<ContractTransactionResponse>): Promise<number> =>
    Number((await (await sending).wait())?.gasUsed);
  const usual = (index: number) => Array.from({ length: HOMES }, (_, home) => reading(500 + home + index, 0));
  const lower = () => Array.from({ length: HOMES }, () => reading(300, 0));
  const range = (from: number): number[] => Array.from({ length: ENROLLED }, (_, i) => from + i);

  const announce = (zones: bigint, firstSlot: number) =>
    gasOf(
      s.asOperator.demandResponse.announce({
        ...{ zones, firstSlot, slots: SLOTS, increase: false, targetWh: 100_000, price: 500_000, penaltyPpm: 200_000 },
        enrolUntil: gateOf(firstSlot),
      }),
    );
  const enrol = async (id: number, points: number[]): Promise<number[]> => {
    const gas: number[] = [];
    for (const home of points) gas.push(await gasOf(s.of(home).demandResponse.enrol(id, home, 1_000)));
    return gas;
  };
  const keep = async (id: number, firstSlot: number, points: number[]): Promise<number> => {
    const bought = Array.from({ length: HOMES }, () => 450);
    const records = await s.buy(firstSlot, SLOTS, bought);
    await s.goTo(s.startOf(firstSlot + SLOTS - 1));
    return gasOf(demandResponse.keepPositions(id, records, points));
  };
  const count = async (id: number, days: number): Promise<number[]> => {
    const gas: number[] = [];
    for (let day = 0; day <= days; day += 1) {
      const { slots, nodes } = s.reports(Number(await demandResponse.dayOf(id, day)), SLOTS);
      gas.push(await gasOf(demandResponse.countZones(id, slots, nodes)));
    }
    return gas;
  };
  const prove = async (id: number, point: number, days: number): Promise<number> => {
    const ranges = [];
    for (let day = 0; day <= days; day += 1)
      ranges.push(s.prove(point, Number(await demandResponse.dayOf(id, day)), SLOTS));
    return gasOf(demandResponse.prove(id, point, ranges));
  };

  // Zone 1 on Tuesday, with one day of history; zone 0 on Thursday, with three.
  const [tuesday, thursday] = [1, 3].map((day) => (firstDay + day) * SLOTS_PER_DAY + INDEX) as [number, number];
  await s.runDay(firstDay, usual);
  await announce(2n, tuesday);
  await enrol(0, range(IN_ZONE));
  await keep(0, tuesday, range(IN_ZONE));
  await s.runDay(firstDay + 1, usual);
  await s.archiveDay(firstDay);
  await s.runDay(firstDay + 2, usual);
  await s.archiveDay(firstDay + 1);
  row("demand response announced, one zone", await announce(1n, thursday));
  row("point enrolled", Math.max(...(await enrol(1, range(0)))));
  const kept = await keep(1, thursday, range(0));
  row(`positions kept of ${ENROLLED} points, four slots of ${HOMES} traders`, kept / ENROLLED, "gas per point");
  await s.runDay(firstDay + 3, lower, INDEX + SLOTS);
  await s.archiveDay(firstDay + 2);
  await s.archiveDay(firstDay + 3);

  const counted = await count(1, 3);
  const perReading = (gas = 0): number => gas / SLOTS / HOMES;
  row(`zones counted, the window, ${HOMES} meters`, perReading(counted[0]), "gas per meter-slot");
  row(`zones counted, a history day, ${HOMES} meters`, perReading(counted[2]), "gas per meter-slot");
  await count(0, 1);
  await prove(1, 0, 3);
  const [one, three] = [await prove(0, IN_ZONE + 1, 1), await prove(1, 1, 3)];
  row("point proved, four slots, three history days", three);
  row("the same, each history day", (three - one) / 2);
  for (let home = 2; home < ENROLLED; home += 1) await prove(1, home, 3);
  row("event closed, one zone", await gasOf(demandResponse.close(1)));
  row(
    `event settled, ${ENROLLED} points`,
    (await gasOf(demandResponse.settle(1, range(0)))) / ENROLLED,
    "gas per point",
  );

  await s.asOperator.usage.publishIntensity(firstDay, GRAMS);
  const day = [s.prove(0, firstDay * SLOTS_PER_DAY, SLOTS_PER_DAY)];
  row("usage, a point's day counted", await gasOf(c.usage.count(day)));
  return rows;
};

if (process.argv[1] === import.meta.filename) {
  for (const { what, measured, unit } of await measureConsumptionGas())
    process.stdout.write(`${String(measured).padStart(8)} ${unit}: ${what}\n`);
}
