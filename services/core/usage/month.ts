import { isWeekend } from "../demand/baseline.ts";

/** A month of one metering point as contracts/consumption/Usage.sol keeps it, computed from readings alone. Energy Wh, carbon mg CO2. */
export interface MonthUsage {
  importWh: bigint;
  exportWh: bigint;
  peakImportWh: number;
  peakExportWh: number;
  slots: number;
  countedDays: number;
  periodWh: [bigint, bigint, bigint, bigint];
  importedMg: bigint;
}

/** One slot of a day; undefined where nothing was reported. Qualities 0 (measured) and 1 (interpolated) count. */
export type SlotReading = { importWh: number; exportWh: number; quality: number } | undefined;

export interface UsageTerms {
  /** Time-of-use period of each hour in UTC: 24 of weekdays, then 24 of weekends. */
  periods: readonly number[];
}

const SLOTS_PER_HOUR = 4;
const SLOTS_PER_INTENSITY = 6;
const MS_PER_DAY = 86_400_000;

export const emptyMonth = (): MonthUsage => ({
  importWh: 0n,
  exportWh: 0n,
  peakImportWh: 0,
  peakExportWh: 0,
  slots: 0,
  countedDays: 0,
  periodWh: [0n, 0n, 0n, 0n],
  importedMg: 0n,
});

/** The month (12 x year + month - 1) of a day since 1970-01-01 in UTC, and its index there. */
export const placeOf = (day: number): { month: number; dayOfMonth: number } => {
  const date = new Date(day * MS_PER_DAY);
  return { month: 12 * date.getUTCFullYear() + date.getUTCMonth(), dayOfMonth: date.getUTCDate() - 1 };
};

/** Period of slot `index` of a day. */
export const periodOf = (day: number, index: number, { periods }: UsageTerms): number =>
  periods[Math.floor(index / SLOTS_PER_HOUR) + (isWeekend(day) ? 24 : 0)] as number;

/**
 * The month with one more day.
 * @param readings of its 96 slots
 * @param gramsPerKwh sixteen values, 90 minutes each
 */
export const addDay = (
  usage: MonthUsage,
  day: number,
  readings: readonly SlotReading[],
  gramsPerKwh: readonly number[],
  terms: UsageTerms,
): MonthUsage => {
  const sum = { ...usage, periodWh: [...usage.periodWh] as MonthUsage["periodWh"] };
  for (const [index, reading] of readings.entries()) {
    if (!reading || reading.quality > 1) continue;
    const importWh = BigInt(reading.importWh);
    const period = periodOf(day, index, terms) as 0 | 1 | 2 | 3;
    sum.slots += 1;
    sum.importWh += importWh;
    sum.exportWh += BigInt(reading.exportWh);
    sum.peakImportWh = Math.max(sum.peakImportWh, reading.importWh);
    sum.peakExportWh = Math.max(sum.peakExportWh, reading.exportWh);
    sum.periodWh[period] += importWh;
    sum.importedMg += importWh * BigInt(gramsPerKwh[Math.floor(index / SLOTS_PER_INTENSITY)] as number);
  }
  sum.countedDays |= 2 ** placeOf(day).dayOfMonth;
  return sum;
};

/** Carbon that claimed certificates take off a day, mg: matched Wh of each of its slots at the slot's intensity. */
export const creditOf = (matchedWh: readonly bigint[], gramsPerKwh: readonly number[]): bigint =>
  matchedWh.reduce(
    (sum, wh, index) => sum + wh * BigInt(gramsPerKwh[Math.floor(index / SLOTS_PER_INTENSITY)] as number),
    0n,
  );
