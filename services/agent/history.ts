import { loadCommunity } from "../protocol/community-file.ts";
import { slotAt } from "../platform/clock.ts";
import { wrongInput } from "../platform/errors.ts";
import { toSlots } from "../core/community/slots.ts";
import type { PastSeries } from "../core/forecast/forecast.ts";

const KEEP_DAYS = 35;

/** A home's own past by slot, Wh; grows as slots are metered. NaN = unknown. */
export interface History {
  /** Puts one slot's metered energy in; earlier slots without any stay unknown. */
  put(slot: number, loadWh: number, pvWh: number): void;
  /** The past before `slot`, with what was measured of `slot` itself where it is given. */
  until(slot: number, running: { loadWh: number; pvWh: number } | null): { loadWh: PastSeries; pvWh: PastSeries };
}

const createHistory = (firstSlot: number): History => {
  const load: number[] = [];
  const pv: number[] = [];
  const cut = (values: readonly number[], slot: number, running: number | undefined): PastSeries => {
    const from = Math.max(0, slot - firstSlot - KEEP_DAYS * 96);
    const kept = values.slice(from, Math.max(from, slot - firstSlot));
    if (running !== undefined) {
      while (kept.length < slot - firstSlot - from) kept.push(NaN);
      kept.push(running);
    }
    return { firstSlot: firstSlot + from, values: kept };
  };
  return {
    put: (slot, loadWh, pvWh) => {
      const index = slot - firstSlot;
      if (index < 0) return;
      while (load.length < index) {
        load.push(NaN);
        pv.push(NaN);
      }
      load[index] = loadWh;
      pv[index] = pvWh;
    },
    until: (slot, running) => ({ loadWh: cut(load, slot, running?.loadWh), pvWh: cut(pv, slot, running?.pvWh) }),
  };
};

/** Reads each folder once, however many homes of a process share it. */
export const createPastLoader = () => {
  const folders = new Map<string, { ids: string[]; slots: ReturnType<typeof toSlots> }>();
  return (past: { dir: string; home: string; until: number } | undefined, now: number): History => {
    if (!past) return createHistory(slotAt(now) - KEEP_DAYS * 96);
    let folder = folders.get(past.dir);
    if (!folder) {
      const { community, series } = loadCommunity(past.dir);
      folder = { ids: community.homes.map(({ id }) => id), slots: toSlots(series) };
      folders.set(past.dir, folder);
    }
    const home = folder.ids.indexOf(past.home);
    if (home < 0) {
      throw wrongInput(`past.home is "${past.home}": ${past.dir} has ${folder.ids.join(", ")}`);
    }
    const { slots } = folder;
    // Only rows that are over: by `until`, and never beyond the present.
    const end = Math.min(slotAt(past.until), slotAt(Math.max(now, past.until)));
    const first = Math.max(slots.firstSlot, end - KEEP_DAYS * 96);
    const history = createHistory(first);
    for (let slot = first; slot < Math.min(end, slots.firstSlot + slots.slots); slot++) {
      const index = slot - slots.firstSlot;
      history.put(slot, slots.loadWh[home]![index]!, slots.pvWh[home]![index]!);
    }
    return history;
  };
};
