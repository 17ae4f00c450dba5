import { slotAt, slotStart } from "../platform/clock.ts";
import type { PointDetail, PointSlot, SlotPhase, SlotSummary } from "../protocol/api.ts";
import { gateOf } from "../protocol/clearing.ts";
import {
  BACKUP,
  balanceOf,
  clearingOf,
  finalThrough,
  paymentsOf,
  paymentsOfPoint,
  points,
  termsOf,
  type SlotRange,
} from "../protocol/market-store.ts";
import { qualities } from "../protocol/words.ts";
import { chainNow, greenByZone, homeName, pricesByZone, zoneName, type ApiContext } from "./context.ts";

interface TxRow {
  tx: string;
}

/** Newest row of a table for a slot. */
const newest = <T = TxRow>({ store }: ApiContext, table: string, slot: number): T | undefined =>
  store.get<T>(`SELECT * FROM ${table} WHERE slot = ? ORDER BY block DESC LIMIT 1`, slot);

export const settlementRow = (context: ApiContext, slot: number): (Record<string, string> & TxRow) | undefined =>
  newest(context, "settlements", slot);

export const reportRow = (
  context: ApiContext,
  slot: number,
):
  | {
      version: number;
      attempt: number;
      readingsHash: string;
      root: string;
      signers: number;
      tx: string;
    }
  | undefined => newest(context, "reports", slot);

export const phaseOf = (context: ApiContext, slot: number): SlotPhase => {
  const now = chainNow(context);
  const cleared = clearingOf(context.store, slot) !== undefined;
  if (now <= gateOf(slot)) return "open";
  if (now < slotStart(slot)) return cleared ? "cleared" : "closed";
  if (settlementRow(context, slot)) return finalThrough(context.store) >= slot ? "final" : "settled";
  if (reportRow(context, slot)) return "reported";
  if (newest(context, "estimates", slot)) return "estimated";
  if (now >= slotStart(slot + 1)) return "awaiting-report";
  return cleared ? "delivery" : "void";
};

/** The last `count` slots up to the next one, oldest first. */
export const slotSummaries = (context: ApiContext, count: number): SlotSummary[] => {
  const last = slotAt(chainNow(context)) + 1;
  const range: SlotRange = { first: last - count + 1, last };
  const { store } = context;
  const terms = new Map(termsOf(store, range).map((row) => [row.slot, row]));
  const orders = new Map(
    store
      .all<{ slot: number; n: number }>(
        "SELECT slot, count(DISTINCT point * 256 + sequence) AS n FROM orders WHERE slot BETWEEN ? AND ? GROUP BY slot",
        range.first,
        range.last,
      )
      .map(({ slot, n }) => [slot, n]),
  );
  const imbalance = new Map<number, number>();
  for (const { slot, meteredWh, positionWh, tradedWh } of paymentsOf(store, range)) {
    imbalance.set(slot, (imbalance.get(slot) ?? 0) + Math.abs(meteredWh - positionWh - tradedWh));
  }
  const known = Array.from({ length: count }, (_, at) => range.first + at).filter((slot) => terms.has(slot));
  return known.map((slot) => {
    const clearing = clearingOf(store, slot);
    const bought = Number(clearing?.boughtWh ?? 0);
    const backupSold = Number(clearing?.backupSoldWh ?? 0);
    return {
      slot,
      phase: phaseOf(context, slot),
      prices: clearing ? pricesByZone(context, clearing.prices) : {},
      greenPrices: clearing ? greenByZone(context, clearing.extras) : {},
      importTariff: terms.get(slot)?.importTariff ?? null,
      exportTariff: terms.get(slot)?.exportTariff ?? null,
      volumeWh: bought,
      localWh: Math.max(0, bought - backupSold),
      backupSoldWh: backupSold,
      backupBoughtWh: Number(clearing?.backupBoughtWh ?? 0),
      imbalanceWh: imbalance.get(slot) ?? null,
      orders: orders.get(slot) ?? 0,
    };
  });
};

const RECENT_SLOTS = 96;

/** A point with its recent slots, newest first; undefined when it does not exist. */
export const pointDetail = (context: ApiContext, point: number): PointDetail | undefined => {
  const { store } = context;
  const row = points(store).find((candidate) => candidate.point === point);
  if (!row || point >= BACKUP - 3) return undefined;
  const last = slotAt(chainNow(context)) + 1;
  const range: SlotRange = { first: last - RECENT_SLOTS + 1, last };
  const payments = new Map(paymentsOfPoint(store, point, range).map((payment) => [payment.slot, payment]));
  const orders = store.all<{
    slot: number;
    sequence: number;
    sell: number;
    energyWh: number;
    price: number;
    tx: string;
  }>("SELECT * FROM orders WHERE point = ? AND slot BETWEEN ? AND ? ORDER BY slot, at", point, range.first, range.last);
  const slots = Array.from({ length: RECENT_SLOTS }, (_, at) => last - at).filter(
    (slot) => payments.has(slot) || orders.some((order) => order.slot === slot) || clearingOf(store, slot),
  );
  return {
    point,
    home: homeName(context, point),
    zone: zoneName(context, row.zone),
    owner: row.owner,
    balanceNano: String(balanceOf(store, point)),
    slots: slots.map((slot): PointSlot => {
      const clearing = clearingOf(store, slot);
      const payment = payments.get(slot);
      const own = orders.filter((order) => order.slot === slot);
      return {
        slot,
        orders: own.map(({ sequence, sell, energyWh, price }) => ({
          sequence,
          sell: sell === 1,
          energyWh,
          priceMicroPerKwh: price,
        })),
        priceMicroPerKwh: clearing ? ((JSON.parse(clearing.prices) as number[])[row.zone] ?? null) : null,
        positionWh: clearing ? ((JSON.parse(clearing.positions) as number[])[point] ?? 0) : null,
        importWh: payment?.importWh ?? null,
        exportWh: payment?.exportWh ?? null,
        quality: payment ? (qualities[payment.quality] ?? null) : null,
        paymentNano: payment?.paymentNano ?? null,
        energyNano: payment?.energyNano ?? null,
        feeNano: payment?.feeNano ?? null,
        imbalanceNano: payment?.imbalanceNano ?? null,
        wordFeeNano: payment?.wordFeeNano ?? null,
        tariffNano: payment?.tariffNano ?? null,
        appendTx: own.at(-1)?.tx ?? null,
        clearTx: clearing?.tx ?? null,
        reportTx: reportRow(context, slot)?.tx ?? null,
        settleTx: settlementRow(context, slot)?.tx ?? null,
      };
    }),
  };
};
