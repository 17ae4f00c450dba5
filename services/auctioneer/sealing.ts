import { isError, keccak256, toUtf8Bytes } from "ethers";
import { isRetryable } from "../platform/errors.ts";
import type { OrderBody } from "../protocol/api.ts";
import { gateOf } from "../protocol/clearing.ts";
import { orderOfBody, packOrders, sealedCommitment } from "../protocol/order.ts";
import { encodeOpenSealed, encodeSeal } from "./calls.ts";
import { contractErrorOf, reasonOf, type Context } from "./context.ts";
import type { OrderRow } from "./intake.ts";
import { createOutcome } from "./outcome.ts";
import { isVoidSealed, lookAt } from "./view.ts";

/** SealedBatches: batches of one relayer in a slot, and seconds after the gate in which they are opened. */
const MOST_BATCHES = 4;
export const OPENING_SECONDS = 150;

interface SealedRow {
  key: string;
  slot: number;
  orders: string;
  salt: string;
  state: "sealing" | "sealed" | "opened" | "lost";
}

/**
 * Keeps orders from sight until the gate: hashes of batches before it, the batches after it. A batch is on record with its salt before its
 * hash is sent, so whatever is killed when, what was sealed can be opened.
 */
export interface Sealing {
  /**
   * Seals all orders of a slot that wait; false when that is not possible (deposit, number of batches). Orders of zones that were islanded while
   * the slot's book was open are left: sealed, they would be void.
   */
  seal(slot: number): Promise<boolean>;
  /** Finishes what was begun: hashes not sent yet, batches whose gate has closed. True when one was opened. */
  run(now: number): Promise<boolean>;
}

export const createSealing = (
  context: Context,
  {
    relayer,
    secret,
  }: {
    relayer: string;
    /** A number that only this relayer knows for a text, the same each time: salts are not to be guessed. */
    secret: (text: string) => string;
  },
): Sealing => {
  const { store, config, addresses, failures, send, log } = context;
  const outcome = createOutcome(context);

  const setState = (key: string, state: SealedRow["state"]): void => {
    store.run("UPDATE sealed_batches SET state = ? WHERE key = ?", state, key);
  };

  const release = (row: SealedRow): void =>
    store.transaction(() => {
      store.run("UPDATE orders SET batch = NULL WHERE batch = ? AND state = 'pending'", row.key);
      setState(row.key, "lost");
    });

  const form = (slot: number): SealedRow | undefined =>
    store.transaction(() => {
      const waiting = store.all<OrderRow>(
        `SELECT * FROM orders WHERE state = 'pending' AND batch IS NULL AND slot = ? ORDER BY point, sequence, id LIMIT ?`,
        slot,
        lookAt(context.view(), config.maxOrdersPerTransaction),
      );
      const sealable = waiting.filter((row) => !isVoidSealed(context.view(), row));
      const rows = sealable.slice(0, config.maxOrdersPerTransaction);
      if (rows.length === 0) return undefined;
      const orders = packOrders(rows.map(({ body }) => orderOfBody(JSON.parse(body) as OrderBody)));
      const count = store.get<{ n: number }>("SELECT count(*) AS n FROM sealed_batches WHERE slot = ?", slot)?.n ?? 0;
      const salt = secret(`daeg:seal:${slot}:${count}:${keccak256(orders)}`);
      const row: SealedRow = { key: `seal:${slot}:${count}`, slot, orders, salt, state: "sealing" };
      store.run("INSERT INTO sealed_batches VALUES (?, ?, ?, ?, 'sealing')", row.key, slot, orders, salt);
      for (const { id } of rows) store.run("UPDATE orders SET batch = ? WHERE id = ?", row.key, id);
      return row;
    });

  /** Sends the hash of a batch; false when the chain does not take it, and its orders are free again. */
  const sendHash = async (row: SealedRow): Promise<boolean> => {
    try {
      const commitment = sealedCommitment({ slot: row.slot, relayer, orders: row.orders, salt: row.salt });
      const receipt = await send({
        key: row.key,
        to: addresses.sealedBatches,
        data: encodeSeal(row.slot, commitment),
      });
      if (receipt.status !== 1) {
        failures.add("seal", row.slot, `transaction ${receipt.hash} reverted`);
        release(row);
        return false;
      }
    } catch (error) {
      if (isRetryable(error)) throw error;
      failures.add("seal", row.slot, reasonOf(error));
      // Refused before it was sent. Anything else is tried again as it is.
      if (isError(error, "CALL_EXCEPTION")) release(row);
      return false;
    }
    setState(row.key, "sealed");
    failures.clear("seal", row.slot);
    return true;
  };

  const open = async (row: SealedRow): Promise<boolean> => {
    try {
      const receipt = await send({
        key: row.key.replace("seal", "open"),
        to: addresses.sealedBatches,
        data: encodeOpenSealed(row.slot, row.orders, row.salt),
      });
      if (receipt.status !== 1) throw new Error(`transaction ${receipt.hash} reverted`);
      store.transaction(() => {
        outcome.close(row.key, receipt);
        setState(row.key, "opened");
      });
      failures.clear("open", row.slot);
      return true;
    } catch (error) {
      if (isRetryable(error)) throw error;
      failures.add("open", row.slot, reasonOf(error));
      // Never sealed on this chain (a reorganisation), or opened already: nothing is left to open.
      if (isError(error, "CALL_EXCEPTION") && contractErrorOf(error)?.name === "UnknownCommitment") release(row);
      return false;
    }
  };

  const seal = async (slot: number): Promise<boolean> => {
    for (;;) {
      const used = store.get<{ n: number }>(
        "SELECT count(*) AS n FROM sealed_batches WHERE slot = ? AND state <> 'lost'",
        slot,
      );
      if ((used?.n ?? 0) >= MOST_BATCHES) {
        return !store.get("SELECT 1 FROM orders WHERE state = 'pending' AND batch IS NULL AND slot = ?", slot);
      }
      const row = form(slot);
      if (!row) return true;
      if (!(await sendHash(row))) return false;
    }
  };

  /**
   * What a branch of the chain took with it is sent again, as long as that is possible: the chain must show as many unopened batches of
   * this relayer as there are on record. Nothing happens where it has a transaction all the same.
   */
  const resend = (now: number): void =>
    store.transaction(() => {
      for (const row of store.all<SealedRow>("SELECT * FROM sealed_batches WHERE state IN ('sealed', 'opened')")) {
        const gate = gateOf(row.slot);
        const shown = context.view().slots.get(row.slot)?.unopened.get(relayer) ?? 0;
        const { n } = store.get<{ n: number }>(
          "SELECT count(*) AS n FROM sealed_batches WHERE slot = ? AND state = 'sealed'",
          row.slot,
        ) as { n: number };
        if (row.state === "sealed" && now <= gate && shown < n) setState(row.key, "sealing");
        if (row.state !== "opened" || now > gate + OPENING_SECONDS || shown <= n) continue;
        setState(row.key, "sealed");
        store.run("UPDATE orders SET state = 'pending', reason = NULL, tx = NULL WHERE batch = ?", row.key);
      }
    });

  const run = async (now: number): Promise<boolean> => {
    resend(now);
    let opened = false;
    for (const row of store.all<SealedRow>(
      "SELECT * FROM sealed_batches WHERE state IN ('sealing', 'sealed') ORDER BY rowid",
    )) {
      if (row.state === "sealing" && !(await sendHash(row))) continue;
      const gate = gateOf(row.slot);
      if (now <= gate) continue;
      if (now <= gate + OPENING_SECONDS) {
        opened = (await open(row)) || opened;
        continue;
      }
      log.error({ slot: row.slot }, "a sealed batch was not opened in time: its bond is forfeited");
      release(row);
    }
    return opened;
  };

  return { seal, run };
};

/** A relayer's secret: the hash of its own signature of a text, which is the same each time (RFC 6979). */
export const secretOf =
  (sign: (digest: string) => { serialized: string }): ((text: string) => string) =>
  (text) =>
    keccak256(sign(keccak256(toUtf8Bytes(text))).serialized);
