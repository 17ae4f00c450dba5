import type { SlotSummary } from "../../protocol/api.ts";

/** Geometry of the chart of recent slots; CSS pixels. */
export interface SlotChart {
  readonly bars: readonly {
    readonly slot: number;
    readonly x: number;
    readonly width: number;
    readonly localY: number;
    readonly gridY: number;
  }[];
  /** Corridor between the tariffs as a closed path; empty without tariffs. */
  readonly corridor: string;
  /** The tariffs themselves as steps. */
  readonly importLine: string;
  readonly exportLine: string;
  readonly lines: readonly { readonly zone: string; readonly path: string; readonly lastY: number | null }[];
  readonly priceTicks: readonly { readonly micro: number; readonly y: number }[];
  readonly energyTop: number;
  readonly timeTicks: readonly { readonly slot: number; readonly x: number }[];
}

export interface ChartBox {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  /** Bottom of the price part. */
  readonly middle: number;
  /** Top and bottom of the energy part. */
  readonly barTop: number;
  readonly bottom: number;
}

/** The first slots stand at the left and leave room for those that come. */
const FEWEST_COLUMNS = 16;

/** A step of 1, 2 or 5 times a power of ten that cuts `span` into about `parts`. */
export const niceStep = (span: number, parts: number): number => {
  const raw = Math.max(span, 1) / parts;
  const base = 10 ** Math.floor(Math.log10(raw));
  return base * ([1, 2, 5, 10].find((factor) => factor * base >= raw) ?? 10);
};

/** Prices as steps over the corridor of the tariffs, local trade and the grid's part as bars below. */
export const slotChart = (slots: readonly SlotSummary[], zones: readonly string[], box: ChartBox): SlotChart => {
  const n = Math.max(FEWEST_COLUMNS, slots.length);
  const step = (box.right - box.left) / n;
  const x = (at: number): number => box.left + at * step;
  const prices = slots.flatMap((slot) => [
    ...Object.values(slot.prices),
    ...(slot.importTariff === null ? [] : [slot.importTariff]),
    ...(slot.exportTariff === null ? [] : [slot.exportTariff]),
  ]);
  const low = Math.min(0, ...prices);
  const high = Math.max(1, ...prices);
  const tick = niceStep(high - low, 3);
  const top = Math.ceil(high / tick) * tick;
  const floor = Math.floor(low / tick) * tick;
  const y = (micro: number): number => box.middle - ((micro - floor) / (top - floor)) * (box.middle - box.top);
  const energyTop = Math.max(1, ...slots.map((slot) => slot.localWh + slot.backupSoldWh + slot.backupBoughtWh));
  const bar = (wh: number): number => box.bottom - (wh / energyTop) * (box.bottom - box.barTop);
  const round = (value: number): number => Math.round(value * 10) / 10;

  const stepPath = (value: (slot: SlotSummary) => number | null): { path: string; last: number | null } => {
    let path = "";
    let open = false;
    let last: number | null = null;
    slots.forEach((slot, at) => {
      const micro = value(slot);
      if (micro === null) {
        open = false;
        return;
      }
      last = y(micro);
      path += `${open ? "L" : "M"}${round(x(at))} ${round(last)}H${round(x(at + 1))}`;
      open = true;
    });
    return { path, last };
  };
  const withTariffs = slots
    .map((slot, at) => ({ slot, at }))
    .filter(({ slot }) => slot.importTariff !== null && slot.exportTariff !== null);
  const upper = withTariffs.map(
    ({ slot, at }) => `L${round(x(at))} ${round(y(slot.importTariff!))}H${round(x(at + 1))}`,
  );
  const lower = withTariffs
    .toReversed()
    .map(({ slot, at }) => `L${round(x(at + 1))} ${round(y(slot.exportTariff!))}H${round(x(at))}`);

  const every = [1, 2, 4, 8, 12, 16, 24].find((count) => (n / count) * 52 <= box.right - box.left) ?? 48;
  return {
    bars: slots.map((slot, at) => ({
      slot: slot.slot,
      x: round(x(at) + step * 0.14),
      width: round(step * 0.72),
      localY: round(bar(slot.localWh)),
      gridY: round(bar(slot.localWh + slot.backupSoldWh + slot.backupBoughtWh)),
    })),
    corridor: upper.length === 0 ? "" : `M${[...upper, ...lower].join("").slice(1)}Z`,
    importLine: stepPath((slot) => slot.importTariff).path,
    exportLine: stepPath((slot) => slot.exportTariff).path,
    lines: zones.map((zone) => {
      const { path, last } = stepPath((slot) => slot.prices[zone] ?? null);
      return { zone, path, lastY: last };
    }),
    priceTicks: Array.from({ length: Math.round((top - floor) / tick) + 1 }, (_, i) => ({
      micro: floor + i * tick,
      y: round(y(floor + i * tick)),
    })),
    energyTop,
    timeTicks: slots.map((slot, at) => ({ slot: slot.slot, x: round(x(at)) })).filter(({ slot }) => slot % every === 0),
  };
};
