import { isError, keccak256, type TransactionReceipt } from "ethers";
import { slotAt } from "../platform/clock.ts";
import { isRetryable } from "../platform/errors.ts";
import type { OrderBody } from "../protocol/api.ts";
import { gateOf } from "../protocol/clearing.ts";
import { encodeAppend } from "./calls.ts";
import { reasonOf, type Context } from "./context.ts";
import type { OrderRow } from "./intake.ts";
import { createOutcome } from "./outcome.ts";
import type { Sealing } from "./sealing.ts";
import { isVoidSealed, lookAt } from "./view.ts";

/** Close to the gate nothing waits any longer for company. */
const LAST_CALL_SECONDS = 30;

export interface Relay {
  /** Appends what is due. Batches formed before a crash are finished first. */
  run(now: number): Promise<void>;
  /** After a reorganisation: orders that are no longer in an open book wait again. */
  reopen(now: number): void;
}

/** Brings pending orders into the book: one batch per slot, in the order point, slot, sequence. */
export const createRelay = (context: Context, sealing: Pick<Sealing, "seal">): Relay => {
  const { store, config, addresses, failures, send, log } = context;
  const lastRelay = new Map<number, number>();
  const batchSize = new Map<number, number>();

  const { appendedTx, finish, close: closeRows } = createOutcome(context);

  const close = (key: string, slot: number, receipt: TransactionReceipt): void => {
    store.transaction(() => {
      closeRows(key, receipt);
      store.run("UPDATE batches SET open = 0 WHERE key = ?", key);
    });
    if (receipt.status === 1) failures.clear("append", slot);
    else failures.add("append", slot, `transaction ${receipt.hash} reverted`);
  };

  const release = (key: string, slot: number, message: string): void => {
    store.transaction(() => {
      store.run("UPDATE orders SET batch = NULL WHERE batch = ? AND state = 'pending'", key);
      store.run("UPDATE batches SET open = 0 WHERE key = ?", key);
    });
    batchSize.set(slot, Math.max(1, Math.floor((batchSize.get(slot) ?? config.maxOrdersPerTransaction) / 2)));
    failures.add("append", slot, message);
  };

  const sendBatch = async ({ key, slot, data }: { key: string; slot: number; data: string }): Promise<void> => {
    let receipt: TransactionReceipt;
    try {
      receipt = await send({ key, to: addresses.orderBook, data });
    } catch (error) {
      if (isRetryable(error)) throw error;
      // Refused before it was sent: the orders are free for another batch. Anything else is tried again as it is.
      if (isError(error, "CALL_EXCEPTION")) release(key, slot, reasonOf(error));
      else failures.add("append", slot, reasonOf(error));
      return;
    }
    close(key, slot, receipt);
  };

  const formBatch = (
    slot: number,
    takes: (row: OrderRow) => boolean,
  ): { key: string; slot: number; data: string } | undefined =>
    store.transaction(() => {
      const most = batchSize.get(slot) ?? config.maxOrdersPerTransaction;
      const waiting = store.all<OrderRow>(
        `SELECT * FROM orders WHERE state = 'pending' AND batch IS NULL AND slot = ?
         ORDER BY point, slot, sequence, id LIMIT ?`,
        slot,
        lookAt(context.view(), most),
      );
      const rows = waiting.filter(takes).slice(0, most);
      if (rows.length === 0) return undefined;
      const data = encodeAppend(
        slot,
        rows.map(({ body }) => JSON.parse(body) as OrderBody),
      );
      const name = `append:${slot}:${keccak256(data).slice(2, 18)}`;
      const earlier =
        store.get<{ n: number }>("SELECT count(*) AS n FROM batches WHERE key LIKE ?", `${name}%`)?.n ?? 0;
      const key = earlier === 0 ? name : `${name}/${earlier}`;
      store.run("INSERT INTO batches VALUES (?, ?, ?, 1)", key, slot, data);
      for (const row of rows) store.run("UPDATE orders SET batch = ? WHERE id = ?", key, row.id);
      return { key, slot, data };
    });

  /** Orders that somebody else appended, and orders whose gate has closed. */
  const tidy = (now: number): void => {
    for (const row of store.all<OrderRow>("SELECT * FROM orders WHERE state = 'pending' AND batch IS NULL")) {
      const tx = appendedTx(row);
      if (tx !== undefined) finish(row, "appended", null, tx);
      else if (now > gateOf(row.slot)) finish(row, "skipped", "the gate closed before it was relayed", null);
    }
  };

  const isDue = (slot: number, now: number, waiting: number): boolean => {
    const gate = gateOf(slot);
    if (now < gate - config.relayBeforeGateSeconds || now > gate) return false;
    const last = lastRelay.get(slot);
    return (
      last === undefined ||
      now - last >= config.relayEverySeconds ||
      gate - now <= LAST_CALL_SECONDS ||
      waiting >= config.maxOrdersPerTransaction
    );
  };

  const run = async (now: number): Promise<void> => {
    // Promised orders wait for the market to open again; their gate ends the waiting.
    if (context.view().marketState !== "open") return tidy(now);
    for (const batch of store.all<{ key: string; slot: number; data: string }>(
      "SELECT key, slot, data FROM batches WHERE open = 1 ORDER BY rowid",
    )) {
      await sendBatch(batch);
    }
    tidy(now);
    const waiting = store.all<{ slot: number; n: number }>(
      "SELECT slot, count(*) AS n FROM orders WHERE state = 'pending' GROUP BY slot ORDER BY slot",
    );
    for (const { slot, n } of waiting) {
      if (!isDue(slot, now, n)) continue;
      lastRelay.set(slot, now);
      // What cannot be sealed is appended openly at the last call: a promised order is not lost for a bond.
      const isSealed = config.sealed && ((await sealing.seal(slot)) || gateOf(slot) - now > LAST_CALL_SECONDS);
      const takes = (row: OrderRow): boolean => !isSealed || isVoidSealed(context.view(), row);
      for (let batch = formBatch(slot, takes); batch; batch = formBatch(slot, takes)) {
        await sendBatch(batch);
        if (failures.list().some((failure) => failure.stage === "append" && failure.slot === slot)) break;
      }
    }
    for (const bySlot of [lastRelay, batchSize])
      for (const slot of bySlot.keys()) if (now > gateOf(slot)) bySlot.delete(slot);
  };

  const reopen = (now: number): void => {
    store.transaction(() => {
      for (const row of store.all<OrderRow>(
        "SELECT * FROM orders WHERE state IN ('appended', 'skipped') AND slot >= ?",
        slotAt(now),
      )) {
        if (now > gateOf(row.slot) || appendedTx(row) !== undefined) continue;
        store.run("UPDATE orders SET state = 'pending', reason = NULL, tx = NULL, batch = NULL WHERE id = ?", row.id);
      }
    });
    lastRelay.clear();
    log.warn("the chain was reorganised: orders that left the book wait again");
  };

  return { run, reopen };
};
