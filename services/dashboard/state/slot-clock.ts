import { SLOT_SECONDS } from "../format/time.ts";

/** The gate of a slot closes this many seconds of chain time before the slot starts (2/3 of a slot). */
export const GATE_BEFORE_START_SECONDS = 600;

export interface SlotClock {
  /** Slot that is delivered now, and how much of it is over, 0..1. */
  readonly slot: number;
  readonly progress: number;
  /** What happens to the next slot: its book is open, or closed and being cleared. */
  readonly nextPhase: "open" | "clearing";
  /** Chain seconds until the next slot's gate (open) or until it starts (clearing). */
  readonly secondsLeft: number;
  /** First slot whose book still takes orders. */
  readonly openSlot: number;
}

/** The market's clock at a chain time (unix seconds, fractions allowed). */
export const slotClock = (now: number): SlotClock => {
  const slot = Math.floor(now / SLOT_SECONDS);
  const next = (slot + 1) * SLOT_SECONDS;
  const gate = next - GATE_BEFORE_START_SECONDS;
  const open = now < gate;
  return {
    slot,
    progress: (now - slot * SLOT_SECONDS) / SLOT_SECONDS,
    nextPhase: open ? "open" : "clearing",
    secondsLeft: (open ? gate : next) - now,
    openSlot: open ? slot + 1 : slot + 2,
  };
};

/**
 * Chain time between two ticks of the local system: runs on at the slot's pace but never past the start of the next
 * slot, so that a clock that waits for slow parties stands still instead of lying.
 * @param slotSeconds wall seconds of a slot; 0 = no pace, the clock only jumps
 */
export const runningNow = (tickNow: number, sinceTickMs: number, slotSeconds: number): number => {
  if (slotSeconds <= 0) return tickNow;
  const end = (Math.floor(tickNow / SLOT_SECONDS) + 1) * SLOT_SECONDS;
  return Math.min(tickNow + ((sinceTickMs / 1000) * SLOT_SECONDS) / slotSeconds, end - 1);
};
