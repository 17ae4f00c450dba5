import { addDay, creditOf, emptyMonth, placeOf, type MonthUsage } from "../../core/usage/month.ts";
import { SLOTS_PER_DAY } from "../archive.ts";
import type { MarketFacts } from "./facts.ts";
import type { Arguments, LogEvent, Report } from "./log-events.ts";

export interface RebuiltMonth extends MonthUsage {
  /** Carbon that claimed certificates take off, mg CO2. */
  creditedMg: bigint;
}

const HOURS = 48;
const INTENSITIES = 16;
const PERIOD_BITS = 40n;

const unpack = (word: bigint, count: number, bits: number): number[] =>
  Array.from({ length: count }, (_, index) => Number((word >> BigInt(bits * index)) & ((1n << BigInt(bits)) - 1n)));

/** A month as IUsage.MonthUsage has it. */
export const packedMonth = (month: RebuiltMonth): (bigint | number)[] => [
  ...[month.importWh, month.exportWh, month.peakImportWh, month.peakExportWh, month.slots, month.countedDays],
  month.periodWh.reduce((word, wh, period) => word | (wh << (PERIOD_BITS * BigInt(period))), 0n),
  ...[month.importedMg, month.creditedMg],
];

/** Consumption by point and month from the readings in events, compared with what the contract rolled up from proofs. */
export const createUsage = (facts: MarketFacts, matched: ReadonlyMap<string, bigint>, report: Report) => {
  /** By point, then by month (12 x year + month - 1). */
  const usage = new Map<number, Map<number, RebuiltMonth>>();
  const intensities = new Map<number, number[]>();
  const credited = new Map<string, bigint>();
  let periods: number[] = [];
  let defaultIntensity: number[] = [];

  const monthsOf = (point: number): Map<number, RebuiltMonth> => {
    const months = usage.get(point) ?? new Map<number, RebuiltMonth>();
    usage.set(point, months);
    return months;
  };
  const emptied = (): RebuiltMonth => ({ ...emptyMonth(), creditedMg: 0n });
  const intensityOf = (day: number): number[] => intensities.get(day) ?? defaultIntensity;
  const slotsOf = (day: number): number[] => Array.from({ length: SLOTS_PER_DAY }, (_, i) => day * SLOTS_PER_DAY + i);

  const count = (args: Arguments): void => {
    const [point, day, month] = [args.num("point"), args.num("day"), args.num("month")];
    if (placeOf(day).month !== month) report(`day ${day} lies in month ${placeOf(day).month}`);
    const readings = slotsOf(day).map((slot) => facts.archivedAt(slot)?.readings?.[point]);
    const before = monthsOf(point).get(month) ?? emptied();
    const after = { ...before, ...addDay(before, day, readings, intensityOf(day), { periods }) };
    monthsOf(point).set(month, after);
    const told = args.inner("usage");
    const names = ["importWh", "exportWh", "peakImportWh", "peakExportWh", "slots", "countedDays", "periodWh"];
    const held = [...names, "importedMg", "creditedMg"].map((name) => told.big(name));
    if (held.join() !== packedMonth(after).join())
      report(`point ${point}, day ${day}: the month holds ${held}, its readings give ${packedMonth(after)}`);
  };

  const credit = (args: Arguments): void => {
    const [point, day] = [args.num("point"), args.num("day")];
    const wh = slotsOf(day).map((slot) => matched.get(`${point}:${slot}`) ?? 0n);
    const dayMg = creditOf(wh, intensityOf(day));
    const more = dayMg - (credited.get(`${point}:${day}`) ?? 0n);
    const told = [args.big("creditedMg"), args.big("dayMg")];
    if (told.join() !== [more, dayMg].join())
      report(`point ${point}, day ${day}: credited ${told}, its claims give ${[more, dayMg]}`);
    credited.set(`${point}:${day}`, dayMg);
    const { month } = placeOf(day);
    const of = monthsOf(point).get(month) ?? emptied();
    monthsOf(point).set(month, { ...of, creditedMg: of.creditedMg + more });
  };

  const apply = ({ module }: LogEvent): void => {
    if (module?.contract !== "usage") return;
    const { name, args } = module;
    if (name === "PeriodsSet") {
      periods = unpack(args.big("periods"), HOURS, 2);
      defaultIntensity = unpack(args.big("gramsPerKwh"), INTENSITIES, 16);
    }
    if (name === "IntensityPublished")
      intensities.set(args.num("day"), unpack(args.big("gramsPerKwh"), INTENSITIES, 16));
    if (name === "DayCounted") count(args);
    if (name === "Credited") credit(args);
  };
  return { usage, apply };
};
