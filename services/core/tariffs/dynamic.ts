/** Dynamic tariffs as the chain computes them (contracts/libraries/DynamicPricing.sol); prices in micro-token per kWh, signals in millionths. */

/** Tariffs by time of use before any signal. */
export interface TableEntry {
  importTariff: number;
  exportTariff: number;
}

export interface TariffParameters {
  importMin: number;
  importMax: number;
  exportMin: number;
  exportMax: number;
  /** Most that either tariff rises or falls from one slot to the next. */
  maxChange: number;
  fee: number;
  bandMin: number;
  bandMax: number;
  /** What a full signal adds to a tariff. */
  importPerScarcity: number;
  exportPerScarcity: number;
  importPerCongestion: number;
  exportPerCongestion: number;
  importPerWeather: number;
  exportPerWeather: number;
  /** Congestion rent per traded kWh that counts as full; 0 = congestion does not count. */
  fullRent: number;
  /** Local time less UTC. */
  utcOffsetQuarters: number;
  leadSlots: number;
  stepSlots: number;
  windowSlots: number;
  /** 24 hours or 96 quarter-hours of a weekday, in local time. */
  weekday: readonly TableEntry[];
  /** As many of a day of the weekend. */
  weekend: readonly TableEntry[];
}

export interface TariffInputs {
  slot: number;
  scarcityPpm: number;
  congestionPpm: number;
  weatherPpm: number;
  /** Tariffs of the slot before; without them the rate of change has no bound. */
  previous: TableEntry | null;
}

export interface DynamicTerms extends TableEntry {
  fee: number;
  bandMin: number;
  bandMax: number;
  reference: number;
}

/** One clearing of the window. */
export interface WindowSlot {
  /** Net energy sold by each point in the auction, Wh; bought is negative. */
  positionsWh: readonly number[];
  /** Congestion rent, nano-token. */
  congestionNano: bigint;
}

const FULL = 1_000_000;
const SLOTS_PER_DAY = 96;

/** Terms of a slot; the signals' sum and the reference price are rounded down. Never fails for parameters that the chain took. */
export const tariffOf = (parameters: TariffParameters, inputs: TariffInputs): DynamicTerms => {
  const base = baseOf(parameters, inputs.slot);
  const scarcity = clamp(inputs.scarcityPpm, -FULL, FULL);
  const congestion = clamp(inputs.congestionPpm, 0, FULL);
  const weather = clamp(inputs.weatherPpm, -FULL, FULL);
  // Products of 31 and 20 bits: three of them are exact.
  const shifted = (tariff: number, perScarcity: number, perCongestion: number, perWeather: number): number =>
    tariff + Math.floor((perScarcity * scarcity + perCongestion * congestion + perWeather * weather) / FULL);

  const p = parameters;
  let importTariff = shifted(base.importTariff, p.importPerScarcity, p.importPerCongestion, p.importPerWeather);
  let exportTariff = shifted(base.exportTariff, p.exportPerScarcity, p.exportPerCongestion, p.exportPerWeather);
  importTariff = clamp(importTariff, p.importMin, p.importMax);
  exportTariff = clamp(exportTariff, p.exportMin, p.exportMax);
  if (inputs.previous) {
    const { importTariff: i, exportTariff: e } = inputs.previous;
    importTariff = clamp(importTariff, i - p.maxChange, i + p.maxChange);
    exportTariff = clamp(exportTariff, e - p.maxChange, e + p.maxChange);
  }
  importTariff = Math.max(importTariff, p.exportMin + p.fee + 1);
  exportTariff = Math.min(exportTariff, importTariff - p.fee - 1);
  return {
    importTariff,
    exportTariff,
    fee: p.fee,
    bandMin: p.bandMin,
    bandMax: p.bandMax,
    reference: clamp(Math.floor((exportTariff + importTariff - p.fee) / 2), p.bandMin, p.bandMax),
  };
};

/** Tariffs of the table at a slot's local time. */
export const baseOf = ({ weekday, weekend, utcOffsetQuarters }: TariffParameters, slot: number): TableEntry => {
  const local = slot + 7 * SLOTS_PER_DAY + utcOffsetQuarters;
  // Day 0 was a Thursday; Monday counts as 0.
  const table = (Math.floor(local / SLOTS_PER_DAY) + 3) % 7 >= 5 ? weekend : weekday;
  return table[Math.floor(((local % SLOTS_PER_DAY) * table.length) / SLOTS_PER_DAY)] as TableEntry;
};

/** What the clearings of a window say: demand against supply of traded energy, rounded towards zero, and rent against `fullRent`, rounded down. */
export const signalsOf = (
  window: readonly WindowSlot[],
  fullRent: number,
): { scarcityPpm: number; congestionPpm: number } => {
  let boughtWh = 0n;
  let soldWh = 0n;
  let rentNano = 0n;
  for (const { positionsWh, congestionNano } of window) {
    for (const wh of positionsWh) {
      if (wh < 0) boughtWh -= BigInt(wh);
      else soldWh += BigInt(wh);
    }
    rentNano += congestionNano;
  }
  const both = boughtWh + soldWh;
  const tradedWh = boughtWh > soldWh ? boughtWh : soldWh;
  const full = BigInt(FULL);
  const part =
    rentNano <= 0n || tradedWh === 0n || fullRent === 0 ? 0n : (rentNano * full) / (tradedWh * BigInt(fullRent));
  return {
    scarcityPpm: both === 0n ? 0 : Number(((boughtWh - soldWh) * full) / both),
    congestionPpm: Number(part < full ? part : full),
  };
};

const clamp = (value: number, lowest: number, highest: number): number =>
  value < lowest ? lowest : value > highest ? highest : value;
