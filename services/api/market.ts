import { clearBook } from "../core/market/clear.ts";
import type { Clearing, ZoneTerms } from "../core/market/types.ts";
import { decodeBook, liveOrders } from "../core/market/words.ts";
import { clearingOf } from "../protocol/market-store.ts";
import type { ApiContext } from "./context.ts";

export interface OrderRow {
  at: number;
  point: number;
  sequence: number;
  zone: number;
  sell: number;
  energyWh: number;
  price: number;
  word: string;
  tx: string;
}

/** A slot's book from the store, solved again: the same fills that the contract derived. */
export interface Solved {
  orders: OrderRow[];
  /** 0x and 16 bytes per word. */
  words: string;
  zones: ZoneTerms[];
  live: Uint8Array;
  clearing: Clearing | undefined;
}

const MOST_WH = 2n ** 48n;
const limited = (wh: string): number => Number(BigInt(wh) < MOST_WH ? BigInt(wh) : MOST_WH);

export const zonesOf = ({ store }: ApiContext, slot: number): ZoneTerms[] => {
  const terms = store.get<Record<"fee" | "importTariff" | "exportTariff", number>>(
    "SELECT * FROM terms WHERE slot = ?",
    slot,
  );
  return store
    .all<{ parent: number; toParentWh: string; fromParentWh: string; backupCapacityWh: string }>(
      `SELECT * FROM grids WHERE (fromSlot, version) =
         (SELECT fromSlot, version FROM grids WHERE fromSlot <= ? ORDER BY fromSlot DESC, version DESC LIMIT 1)
       ORDER BY zone`,
      slot,
    )
    .map((zone) => {
      const hasBackup = zone.backupCapacityWh !== "0";
      return {
        parent: zone.parent,
        toParentWh: limited(zone.toParentWh),
        fromParentWh: limited(zone.fromParentWh),
        fee: terms?.fee ?? 0,
        hasBackup,
        backupSell: hasBackup ? (terms?.importTariff ?? 0) : 0,
        backupBuy: hasBackup ? (terms?.exportTariff ?? 0) : 0,
        backupCapacityWh: limited(zone.backupCapacityWh),
      };
    });
};

/** @param always solve even when the chain has no clearing yet */
export const solvedSlot = (context: ApiContext, slot: number, always = false): Solved => {
  const { store } = context;
  const orders = store.all<OrderRow>("SELECT * FROM orders WHERE slot = ? ORDER BY at", slot);
  const words = `0x${orders.map(({ word }) => word).join("")}`;
  const columns = decodeBook(Buffer.from(words.slice(2), "hex"));
  const zones = zonesOf(context, slot);
  const terms = store.get<Record<"bandMin" | "bandMax" | "reference", number>>(
    "SELECT * FROM terms WHERE slot = ?",
    slot,
  );
  const wanted = terms !== undefined && orders.length > 0 && (always || clearingOf(store, slot) !== undefined);
  return {
    orders,
    words,
    zones,
    live: liveOrders(columns),
    clearing: wanted
      ? clearBook(columns, zones, { min: terms.bandMin, max: terms.bandMax, reference: terms.reference })
      : undefined,
  };
};
