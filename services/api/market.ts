import type { NetworkLimit, ZoneTerms } from "../core/market/types.ts";
import { decodeBook, liveOrders } from "../core/market/words.ts";
import { solveSlot, zoneTermsOf, type SlotClearing } from "../protocol/clearing.ts";
import { unpackLimits } from "../protocol/limits.ts";
import { clearingOf, gridAt, limitsAt, slotTermsOf, tradeWordsOf, type ClearingRow } from "../protocol/market-store.ts";
import { batchesOf } from "../protocol/emergency-store.ts";
import { encodeBatches, withoutVoided } from "../protocol/words.ts";
import type { ApiContext } from "./context.ts";

export interface OrderRow {
  at: number;
  point: number;
  sequence: number;
  zone: number;
  sell: number;
  green: number;
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
  /** `encodeBatches`. */
  batches: string;
  /** Bilateral trades as registered, 0x and 32 bytes each. */
  trades: string;
  zones: ZoneTerms[];
  live: Uint8Array;
  /** Of a meshed network. */
  limits: NetworkLimit[];
  /** Undefined too where the chain has another one, which only a meshed network allows. */
  clearing: SlotClearing | undefined;
}

const NO_TERMS = { importTariff: 0, exportTariff: 0, fee: 0, bandMin: 0, bandMax: 0, reference: 0 };

export const zonesOf = ({ store }: ApiContext, slot: number): ZoneTerms[] =>
  zoneTermsOf(gridAt(store, slot), slotTermsOf(store, slot) ?? NO_TERMS);

/** @param always solve even when the chain has no clearing yet */
export const solvedSlot = async (context: ApiContext, slot: number, always = false): Promise<Solved> => {
  const { store } = context;
  const orders = store.all<OrderRow>("SELECT * FROM orders WHERE slot = ? ORDER BY at", slot);
  const words = `0x${orders.map(({ word }) => word).join("")}`;
  const batches = encodeBatches(batchesOf(store, slot));
  const columns = decodeBook(Buffer.from(withoutVoided(words, batches).slice(2), "hex"));
  const trades = tradeWordsOf(store, slot);
  const zones = zonesOf(context, slot);
  const terms = slotTermsOf(store, slot);
  const grid = gridAt(store, slot);
  const limits = limitsAt(store, slot);
  const posted = clearingOf(store, slot);
  const isEmpty = orders.length === 0 && trades === "0x";
  const clearing =
    terms === undefined || isEmpty || (!always && !posted)
      ? undefined
      : await solveSlot({ words, batches, trades, grid, limits, terms });
  return {
    orders,
    words,
    batches,
    trades,
    zones,
    live: liveOrders(columns),
    limits: unpackLimits(limits, zones.length),
    clearing: clearing && (always || isPosted(posted, orders, clearing)) ? clearing : undefined,
  };
};

/**
 * Whether the chain's clearing is this one. On a radial network there is no other; on a meshed network another solver may
 * have posted other fills within the proof's tolerance.
 */
const isPosted = (
  posted: ClearingRow | undefined,
  orders: readonly OrderRow[],
  { postings, fillsWh }: SlotClearing,
): boolean => {
  if (!posted) return false;
  const prices = JSON.parse(posted.prices) as number[];
  const restWh = JSON.parse(posted.positions) as number[];
  orders.forEach(({ point, sell }, at) => {
    restWh[point] = (restWh[point] ?? 0) - (fillsWh[at] ?? 0) * (sell === 1 ? 1 : -1);
  });
  return postings.every(({ price }, zone) => price === prices[zone]) && restWh.every((wh) => !wh);
};
