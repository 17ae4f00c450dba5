import { SLOT_SECONDS, slotAt, slotStart } from "../platform/clock.ts";
import type { Snapshot } from "./home-devices.ts";

/** What a home used and generated between two readings, Wh; load by difference. */
export interface Interval {
  readonly from: number;
  readonly to: number;
  readonly loadWh: number;
  readonly pvWh: number;
}

/** Energy at the battery's terminals between two stored energies, Wh, positive = discharged. */
const terminalWh = (beforeWh: number, afterWh: number, efficiency: number): number =>
  afterWh < beforeWh ? (beforeWh - afterWh) * efficiency : -(afterWh - beforeWh) / efficiency;

const counted = (before: number, after: number, wrapsAtWh: number): number =>
  after >= before ? after - before : after + wrapsAtWh - before;

/** @returns null when the readings do not follow each other */
export const intervalOf = (before: Snapshot, after: Snapshot, efficiency: number): Interval | null => {
  if (after.time <= before.time || after.pvWh < before.pvWh) return null;
  const pvWh = after.pvWh - before.pvWh;
  const net =
    counted(before.importWh, after.importWh, after.wrapsAtWh) -
    counted(before.exportWh, after.exportWh, after.wrapsAtWh);
  const loadWh = Math.max(0, net + pvWh + terminalWh(before.storedWh, after.storedWh, efficiency));
  return { from: before.time, to: after.time, loadWh, pvWh };
};

/** A slot's share of what was metered, and how many of its seconds that covers. */
export interface SlotPart {
  readonly slot: number;
  readonly loadWh: number;
  readonly pvWh: number;
  readonly seconds: number;
}

/** Spreads an interval evenly over the slots that it touches. */
export const partsOf = (interval: Interval): SlotPart[] => {
  const length = interval.to - interval.from;
  const parts: SlotPart[] = [];
  for (let slot = slotAt(interval.from); slotStart(slot) < interval.to; slot++) {
    const seconds = Math.min(interval.to, slotStart(slot + 1)) - Math.max(interval.from, slotStart(slot));
    parts.push({
      slot,
      loadWh: (interval.loadWh * seconds) / length,
      pvWh: (interval.pvWh * seconds) / length,
      seconds,
    });
  }
  return parts;
};

/**
 * Load and generation of the running slot, Wh per whole slot, if it goes on as now. The present power is exact where nothing
 * changed since the slot's start; where it differs from what was counted since then, the counted mean is the better guess.
 */
export const runningSlot = (
  start: Snapshot | null,
  now: Snapshot,
  efficiency: number,
): { loadWh: number; pvWh: number } => {
  const quarter = SLOT_SECONDS / 3600;
  const present =
    now.gridW === null ? null : { loadWh: (now.gridW + now.pvW + now.batteryW) * quarter, pvWh: now.pvW * quarter };
  const interval = start && intervalOf(start, now, efficiency);
  if (!interval) return present ? { loadWh: Math.max(0, present.loadWh), pvWh: present.pvWh } : { loadWh: 0, pvWh: 0 };
  const scale = SLOT_SECONDS / (interval.to - interval.from);
  const mean = { loadWh: interval.loadWh * scale, pvWh: interval.pvWh * scale };
  // Registers count whole Wh: up to four of them take part in the difference.
  const blur = 4 * scale + 1;
  const steady =
    present && Math.abs(present.loadWh - mean.loadWh) <= blur && Math.abs(present.pvWh - mean.pvWh) <= blur;
  return steady ? { loadWh: Math.max(0, present.loadWh), pvWh: present.pvWh } : mean;
};

/**
 * Set-point (W, positive = discharge) for the rest of a slot so that its whole energy becomes `targetWh` at the terminals.
 * The last Wh is rounded away from zero, so that the slot's whole Wh are the target.
 * @param doneJ energy already moved in this slot, J
 */
export const restPower = (targetWh: number, doneJ: number, elapsedSeconds: number): number => {
  const watts = (targetWh * 3600 - doneJ) / (SLOT_SECONDS - elapsedSeconds);
  const whole = targetWh > 0 ? Math.ceil(watts - 1e-9) : targetWh < 0 ? Math.floor(watts + 1e-9) : Math.trunc(watts);
  return whole === 0 ? 0 : whole;
};

/** Energy at the battery's terminals since the slot began, J: power x time where the stored energy agrees, else by that. */
export const doneSince = (start: Snapshot | null, now: Snapshot, efficiency: number): number => {
  const steady = now.batteryW * (now.time - slotStart(slotAt(now.time)));
  if (!start) return steady;
  const byStored = terminalWh(start.storedWh, now.storedWh, efficiency) * 3600;
  return Math.abs(byStored - steady) <= 2 * 3600 ? steady : byStored;
};
