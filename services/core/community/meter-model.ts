import { JOULE_PER_WH } from "./store-model.ts";

/** Cumulative registers of one meter: whole Wh up to the slot's start, joules within the slot. */
export interface MeterState {
  importWh: number;
  exportWh: number;
  importJ: number;
  exportJ: number;
}

/** Counts energy within a slot; positive = import. */
export function countEnergy(meter: MeterState, energyJ: number): void {
  if (energyJ > 0) meter.importJ += energyJ;
  else meter.exportJ -= energyJ;
}

/** What the registers show: floors of what was counted; they never run back, also not when the slot is closed. */
export const shownImportWh = (meter: MeterState): number => meter.importWh + Math.floor(meter.importJ / JOULE_PER_WH);
export const shownExportWh = (meter: MeterState): number => meter.exportWh + Math.floor(meter.exportJ / JOULE_PER_WH);

/**
 * Ends a slot whose net is a whole number of Wh: import and export then have the same part of a Wh, which cancels.
 * @returns the slot's net import in Wh
 */
export function closeMeterSlot(meter: MeterState): number {
  const importWh = Math.floor(meter.importJ / JOULE_PER_WH);
  const exportWh = Math.floor(meter.exportJ / JOULE_PER_WH);
  if (meter.importJ - importWh * JOULE_PER_WH !== meter.exportJ - exportWh * JOULE_PER_WH) {
    throw new Error(`net energy of a slot is not whole Wh: ${meter.importJ} J in, ${meter.exportJ} J out`);
  }
  meter.importWh += importWh;
  meter.exportWh += exportWh;
  meter.importJ = 0;
  meter.exportJ = 0;
  return importWh - exportWh;
}
