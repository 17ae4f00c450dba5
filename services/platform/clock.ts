/** The only clock of record is chain time: unix seconds, UTC. Time-outs of external calls stay wall-clock. */
export interface Clock {
  /** Chain time, unix seconds. */
  now(): number;
}

/** Length of a slot of chain time. */
export const SLOT_SECONDS = 900;

/** Slot that contains a chain time. */
export const slotAt = (unixSeconds: number): number => Math.floor(unixSeconds / SLOT_SECONDS);

/** Chain time at which a slot starts. */
export const slotStart = (slot: number): number => slot * SLOT_SECONDS;

/** UTC of the machine: the clock of real deployments. */
export const createSystemClock = (): Clock => ({ now: () => Math.floor(Date.now() / 1000) });

/** A clock that somebody sets: the local system's parent (through ticks), or a test. It never runs backwards. */
export const createDrivenClock = (start = 0): Clock & { set(now: number): void } => {
  let current = start;
  return {
    now: () => current,
    set: (now) => {
      current = Math.max(current, now);
    },
  };
};
