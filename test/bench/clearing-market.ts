import { OFFER, type OrderColumns, type ZoneTerms } from "../../services/core/market/types.ts";
import { createRandom } from "../../services/simulator/random.ts";

export const BAND = { min: -1_000_000, max: 10_000_000, reference: 150_000 };
export const FEE = 40_000;
export const IMPORT = 300_000;
export const EXPORT = 60_000;

export interface Market {
  columns: OrderColumns;
  zones: ZoneTerms[];
}

/** Half bids, half offers with limits around the tariffs; a random tree of zones whose lines are often full. */
export const randomMarket = (orders: number, zoneCount: number, seed: number): Market => {
  const random = createRandom(seed, orders, zoneCount);
  const below = (count: number): number => Math.floor(random() * count);
  const columns = {
    count: orders,
    zone: new Uint16Array(orders),
    flags: new Uint8Array(orders),
    energyWh: new Uint32Array(orders),
    price: new Float64Array(orders),
  };
  for (let i = 0; i < orders; i += 1) {
    columns.zone[i] = below(zoneCount);
    columns.flags[i] = random() < 0.5 ? OFFER : 0;
    columns.energyWh[i] = 50 + below(5_000);
    columns.price[i] = 20_000 + below(330_000);
  }
  const meanWh = (orders / zoneCount) * 2_500;
  const zones = Array.from({ length: zoneCount }, (_, zone): ZoneTerms => {
    const limit = Math.round(meanWh * (0.05 + random() / 2));
    const hasBackup = zone === 0;
    return {
      parent: zone === 0 ? 0 : below(zone),
      toParentWh: limit,
      fromParentWh: limit,
      fee: FEE,
      hasBackup,
      backupSell: hasBackup ? IMPORT : 0,
      backupBuy: hasBackup ? EXPORT : 0,
      backupCapacityWh: hasBackup ? Math.round(meanWh) : 0,
    };
  });
  return { columns, zones };
};
