import { clearBook } from "../core/market/clear.ts";
import type { Clearing, ZoneTerms } from "../core/market/types.ts";
import { decodeBook, liveOrders } from "../core/market/words.ts";
import { bandOf, zoneTermsOf } from "../protocol/clearing.ts";
import { clearingOf, gridAt, slotTermsOf, tradeWordsOf } from "../protocol/market-store.ts";
import { listedTrades } from "../protocol/trade.ts";
import { encodeBatches } from "../protocol/words.ts";
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
  /** 2 bytes per batch: its number of words. */
  batches: string;
  /** Bilateral trades as registered, 0x and 32 bytes each. */
  trades: string;
  zones: ZoneTerms[];
  live: Uint8Array;
  clearing: Clearing | undefined;
}

const NO_TERMS = { importTariff: 0, exportTariff: 0, fee: 0, bandMin: 0, bandMax: 0, reference: 0 };

export const zonesOf = ({ store }: ApiContext, slot: number): ZoneTerms[] =>
  zoneTermsOf(gridAt(store, slot), slotTermsOf(store, slot) ?? NO_TERMS);

/** @param always solve even when the chain has no clearing yet */
export const solvedSlot = (context: ApiContext, slot: number, always = false): Solved => {
  const { store } = context;
  const orders = store.all<OrderRow>("SELECT * FROM orders WHERE slot = ? ORDER BY at", slot);
  const words = `0x${orders.map(({ word }) => word).join("")}`;
  const columns = decodeBook(Buffer.from(words.slice(2), "hex"));
  const totals = store.all<{ wordCount: number }>(
    "SELECT wordCount FROM appends WHERE slot = ? ORDER BY block, log",
    slot,
  );
  const trades = tradeWordsOf(store, slot);
  const zones = zonesOf(context, slot);
  const terms = slotTermsOf(store, slot);
  const wanted = terms !== undefined && orders.length > 0 && (always || clearingOf(store, slot) !== undefined);
  return {
    orders,
    words,
    batches: encodeBatches(totals.map(({ wordCount }, at) => wordCount - (totals[at - 1]?.wordCount ?? 0))),
    trades,
    zones,
    live: liveOrders(columns),
    clearing: wanted ? clearBook(columns, zones, bandOf(terms), listedTrades(trades)) : undefined,
  };
};
