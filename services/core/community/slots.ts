import type { Series } from "./community.ts";

/** Length of a slot of the market in seconds of chain time. */
export const SLOT_SECONDS = 900;

/** The same series in slots: entry i belongs to slot `firstSlot + i`. Homes are in the community's order. */
export interface SlotSeries {
  readonly firstSlot: number;
  readonly slots: number;
  readonly importPriceMicroPerKwh: Int32Array;
  readonly exportPriceMicroPerKwh: Int32Array;
  readonly co2KgPerKwh: Float64Array;
  /** [home][slot], Wh per slot. */
  readonly loadWh: readonly Int32Array[];
  readonly pvWh: readonly Int32Array[];
}

/**
 * Splits whole Wh evenly into `parts` whole numbers, the larger ones first: 851 in 4 is 213, 213, 213, 212.
 * Their sum is exactly `energyWh` (a safe integer, not negative).
 */
export function splitWh(energyWh: number, parts: number): number[] {
  const base = Math.floor(energyWh / parts);
  const larger = energyWh - base * parts;
  return Array.from({ length: parts }, (_, i) => (i < larger ? base + 1 : base));
}

/** Every step of the series cut into slots. `stepSeconds` is a multiple of 900 and rows start on a slot. */
export function toSlots(series: Series): SlotSeries {
  const parts = series.stepSeconds / SLOT_SECONDS;
  const slots = series.times.length * parts;
  const spread = (row: (i: number) => number) =>
    Float64Array.from({ length: slots }, (_, i) => row(Math.floor(i / parts)));
  const energy = (rows: Int32Array) => {
    const out = new Int32Array(slots);
    for (let i = 0; i < rows.length; i++) out.set(splitWh(rows[i]!, parts), i * parts);
    return out;
  };
  return {
    firstSlot: Math.floor((series.times[0] ?? 0) / SLOT_SECONDS),
    slots,
    importPriceMicroPerKwh: Int32Array.from(spread((i) => series.importPriceMicroPerKwh[i]!)),
    exportPriceMicroPerKwh: Int32Array.from(spread((i) => series.exportPriceMicroPerKwh[i]!)),
    co2KgPerKwh: spread((i) => series.co2KgPerKwh[i]!),
    loadWh: series.loadWh.map(energy),
    pvWh: series.pvWh.map(energy),
  };
}

/**
 * Index of a slot in the series. A run that outlives the series starts it again: the series repeats without end in both
 * directions, so every party that uses this function sees the same value.
 */
export function slotIndex(series: SlotSeries, slot: number): number {
  const offset = (slot - series.firstSlot) % series.slots;
  return offset < 0 ? offset + series.slots : offset;
}
