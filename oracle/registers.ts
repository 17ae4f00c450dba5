/** Pure arithmetic on cumulative registers: from samples at odd times to values at slot boundaries. */
import { slotStart, SLOT_SECONDS } from "../services/platform/clock.ts";
import { INTERPOLATED, MEASURED, type Registers } from "../services/protocol/committee.ts";

/** What a meter showed at one instant: chain time, cumulative import and export, Wh. */
export interface Sample {
  time: number;
  importWh: number;
  exportWh: number;
}

/** Highest energy of a connection per slot, Wh. */
export interface ConnectionLimits {
  importLimitWh: number;
  exportLimitWh: number;
}

/**
 * Beyond what a connection could ever carry: fuses and cables stand well above its rating for minutes, never at twice of it
 * for a slot. Taking more than the rating is a breach that is paid for, not an implausible reading.
 */
const PLAUSIBLE_FACTOR = 2;
const PLAUSIBLE_SLACK_WH = 100;

/** Most energy that a plausible meter counts in `seconds`, Wh. */
export const plausibleWh = (limitWh: number, seconds: number): number =>
  Math.floor((PLAUSIBLE_FACTOR * limitWh * seconds) / SLOT_SECONDS) + PLAUSIBLE_SLACK_WH;

/** Why a sample cannot follow the one before, or undefined when it can. Without limits only monotony is checked. */
export const implausible = (
  before: Sample | undefined,
  sample: Sample,
  limits: ConnectionLimits | undefined,
): string | undefined => {
  for (const field of ["importWh", "exportWh"] as const) {
    if (!Number.isSafeInteger(sample[field]) || sample[field] < 0)
      return `${field} ${sample[field]} is not a count of Wh`;
    if (!before) continue;
    const deltaWh = sample[field] - before[field];
    if (deltaWh < 0) return `${field} fell from ${before[field]} to ${sample[field]}`;
    if (!limits) continue;
    const most = plausibleWh(
      field === "importWh" ? limits.importLimitWh : limits.exportLimitWh,
      sample.time - before.time,
    );
    if (deltaWh > most) return `${field} rose by ${deltaWh} in ${sample.time - before.time} s, at most ${most} can be`;
  }
  return undefined;
};

/** Floor of the straight line between two samples at `time`; exact integers, monotone in time. */
const between = (before: Sample, after: Sample, time: number, field: "importWh" | "exportWh"): number =>
  before[field] +
  Number((BigInt(after[field] - before[field]) * BigInt(time - before.time)) / BigInt(after.time - before.time));

/**
 * Registers at every slot boundary in (before, after]: the sample where it was read exactly then, else on the straight line
 * between the two. Without an earlier sample only an exact one counts.
 * @returns by slot that starts at the boundary
 */
export const boundariesBetween = (
  before: Sample | undefined,
  after: Sample,
  firstSlot: number,
): Map<number, Registers> => {
  const found = new Map<number, Registers>();
  const last = Math.floor(after.time / SLOT_SECONDS);
  const exact = slotStart(last) === after.time;
  if (before) {
    for (let slot = Math.max(firstSlot, Math.floor(before.time / SLOT_SECONDS) + 1); slot <= last; slot += 1) {
      if (exact && slot === last) continue;
      const time = slotStart(slot);
      found.set(slot, {
        importWh: between(before, after, time, "importWh"),
        exportWh: between(before, after, time, "exportWh"),
        quality: INTERPOLATED,
      });
    }
  }
  if (exact && last >= firstSlot) {
    found.set(last, { importWh: after.importWh, exportWh: after.exportWh, quality: MEASURED });
  }
  return found;
};
