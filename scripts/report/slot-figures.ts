import { slotIndex, type SlotSeries } from "../../services/core/community/slots.ts";
import { slotStart } from "../../services/platform/clock.ts";
import type { Store } from "../../services/platform/store.ts";
import { clearingOf, marketSums } from "../../services/protocol/market-store.ts";
import type { TreeZone } from "../local/grid.ts";
import { iso } from "../local/plan.ts";
import { meteredNetImport } from "./compose.ts";
import type { SlotFigures } from "./html.ts";

/** What the report page draws of each slot of a run. */
export const slotFigures = ({
  store,
  series,
  tree,
  firstSlot,
  slots,
  points,
}: {
  store: Store;
  series: SlotSeries;
  tree: readonly TreeZone[];
  firstSlot: number;
  slots: number;
  points: readonly number[];
}): SlotFigures[] => {
  const net = meteredNetImport(store, { first: firstSlot, last: firstSlot + slots - 1 }, points, slots);
  return Array.from({ length: slots }, (_, at) => {
    const slot = firstSlot + at;
    const row = slotIndex(series, slot);
    const clearing = clearingOf(store, slot);
    const prices = clearing ? (JSON.parse(clearing.prices) as number[]) : [];
    const exchangeWh = net.reduce((sum, home) => sum + (home[at] ?? 0), 0);
    return {
      time: iso(slotStart(slot)),
      importTariff: (series.importPriceMicroPerKwh[row] as number) / 1e6,
      exportTariff: (series.exportPriceMicroPerKwh[row] as number) / 1e6,
      prices: tree.map((_zone, zone) => (prices[zone] === undefined ? null : prices[zone] / 1e6)),
      localWh: Number(marketSums(store, { first: slot, last: slot }).localTradeWh),
      gridImportWh: Math.max(exchangeWh, 0),
      gridExportWh: Math.max(-exchangeWh, 0),
    };
  });
};
