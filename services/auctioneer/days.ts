import { id as hashText, isError, keccak256, type TransactionReceipt, type TypedDataDomain } from "ethers";
import { isRetryable, wrongInput } from "../platform/errors.ts";
import type { DayOrderBody, DayOrderState } from "../protocol/day-schema.ts";
import { gateOf } from "../protocol/clearing.ts";
import { dayKeyOf, expandDays, takenSlotsOf } from "../protocol/day-events.ts";
import { dayOrderDigest, dayOrderOfBody, slotsOf, stepsBySlot } from "../protocol/day-order.ts";
import { eventsOfReceipt, skipReasonOf } from "../protocol/events.ts";
import { encodeAppendDays } from "./calls.ts";
import { reasonOf, type Context } from "./context.ts";
import { AHEAD_SLOTS, MAX_SEQUENCE } from "./intake.ts";
import { createVerifier } from "./verify.ts";

/** Day orders of one point that wait. */
const MAX_WAITING = 4;

interface DayRow {
  id: string;
  point: number;
  firstSlot: number;
  slots: number;
  sequence: number;
  body: string;
  state: DayOrderState["state"];
  reason: string | null;
  tx: string | null;
  batch: string | null;
}

export interface DayOrders {
  /**
   * Checks a day order against the chain and keeps it; durable when it returns.
   * @throws DaegError exit 1 with the reason when no slot of it could be appended
   */
  accept(order: DayOrderBody, now: number): Promise<string>;
  stateOf(id: string): DayOrderState | undefined;
  /** Appends what waits, many accounts in one transaction. Batches formed before a crash are finished first. */
  run(now: number): Promise<void>;
  /** After a reorganisation: day orders that are no longer on the chain wait again. */
  reopen(now: number): void;
}

/** Day orders: taken in, kept, and relayed at once, since they are public from the start anyway. */
export const createDayOrders = (context: Context, domain: TypedDataDomain): DayOrders => {
  const { store, config, addresses, failures, send, provider } = context;
  const verify = createVerifier(provider);
  let most = config.maxDayOrdersPerTransaction;

  const accept = async (order: DayOrderBody, now: number): Promise<string> => {
    const digest = dayOrderDigest(domain, dayOrderOfBody(order));
    const id = hashText(JSON.stringify([digest, order.delegate, order.signature.toLowerCase()]));
    if (store.get("SELECT 1 FROM day_orders WHERE id = ?", id)) return id;
    const { points, terms, slots } = context.view();
    const point = points.get(order.point);
    if (!point) throw wrongInput(`point: ${order.point} is not registered: there are points 0 to ${points.size - 1}`);
    if (order.sequence < 1 || order.sequence > MAX_SEQUENCE)
      throw wrongInput(`sequence: must be from 1 to ${MAX_SEQUENCE}`);
    let open = 0;
    stepsBySlot(order).forEach((steps, at) => {
      const slot = order.firstSlot + at;
      const slotTerms = terms.get(slot);
      if (now > gateOf(slot) || slot * 900 > now + AHEAD_SLOTS * 900 || !slotTerms) return;
      if ((slots.get(slot)?.sequences.get(order.point) ?? 0) >= order.sequence) return;
      open += 1;
      for (const { energyWh, priceMicroPerKwh: price } of steps) {
        if (energyWh < 50) throw wrongInput(`energyWh: a step of slot ${slot} is below 50 Wh`);
        if (price < slotTerms.bandMin || price > slotTerms.bandMax)
          throw wrongInput(
            `priceMicroPerKwh: ${price} in slot ${slot} must be from ${slotTerms.bandMin} to ${slotTerms.bandMax}, its band`,
          );
      }
    });
    if (open === 0)
      throw wrongInput(
        `firstSlot: no slot from ${order.firstSlot} on takes it: gates closed, terms not published, more than ${AHEAD_SLOTS} slots ahead, or sequence ${order.sequence} is used there`,
      );
    await verify(order, digest, point, now);
    store.transaction(() => keep(id, order));
    return id;
  };

  const keep = (id: string, order: DayOrderBody): void => {
    if (store.get("SELECT 1 FROM day_orders WHERE id = ?", id)) return;
    const { n } = store.get<{ n: number }>(
      "SELECT count(*) AS n FROM day_orders WHERE state = 'pending' AND point = ?",
      order.point,
    ) as { n: number };
    if (n >= MAX_WAITING)
      throw wrongInput(`point: ${n} day orders of point ${order.point} wait already: try again later`);
    store.run(
      "INSERT INTO day_orders VALUES (?, ?, ?, ?, ?, ?, 'pending', NULL, NULL, NULL)",
      ...[id, order.point, order.firstSlot, slotsOf(order), order.sequence, JSON.stringify(order)],
    );
  };

  const finish = (row: DayRow, state: DayRow["state"], reason: string | null, tx: string | null): void => {
    store.run("UPDATE day_orders SET state = ?, reason = ?, tx = ? WHERE id = ?", state, reason, tx, row.id);
  };

  /** Writes down what became of a batch's day orders. */
  const close = (key: string, receipt: TransactionReceipt): void => {
    const appended = new Set<string>();
    const skipped = new Map<string, number>();
    const slotsSkipped = new Map<string, number>();
    for (const event of expandDays(eventsOfReceipt(receipt, addresses.orderBook))) {
      if (event.name === "DayOrderAppended") appended.add(dayKeyOf(takenSlotsOf(event)));
      if (event.name === "DaySkipped") skipped.set(dayKeyOf(event), event.reason);
      if (event.name === "OrderSkipped") slotsSkipped.set(`${event.point}:${event.sequence}`, event.reason);
    }
    store.transaction(() => {
      for (const row of store.all<DayRow>("SELECT * FROM day_orders WHERE batch = ? AND state = 'pending'", key)) {
        const reason = skipped.get(dayKeyOf(row)) ?? slotsSkipped.get(`${row.point}:${row.sequence}`);
        const elsewhere = context.view().days.get(dayKeyOf(row));
        if (appended.has(dayKeyOf(row))) finish(row, "appended", null, receipt.hash);
        else if (elsewhere !== undefined) finish(row, "appended", null, elsewhere);
        else if (reason !== undefined) finish(row, "skipped", skipReasonOf(reason), receipt.hash);
        else store.run("UPDATE day_orders SET batch = NULL WHERE id = ?", row.id);
      }
      store.run("UPDATE day_batches SET open = 0 WHERE key = ?", key);
    });
    if (receipt.status === 1) failures.clear("appendDays", 0);
    else failures.add("appendDays", 0, `transaction ${receipt.hash} reverted`);
  };

  const sendBatch = async ({ key, data }: { key: string; data: string }): Promise<boolean> => {
    try {
      close(key, await send({ key, to: addresses.orderBook, data }));
      return true;
    } catch (error) {
      if (isRetryable(error)) throw error;
      failures.add("appendDays", 0, reasonOf(error));
      if (!isError(error, "CALL_EXCEPTION")) return false;
      // Refused before it was sent: the orders are free for a smaller batch.
      store.transaction(() => {
        store.run("UPDATE day_orders SET batch = NULL WHERE batch = ? AND state = 'pending'", key);
        store.run("UPDATE day_batches SET open = 0 WHERE key = ?", key);
      });
      most = Math.max(1, Math.floor(most / 2));
      return false;
    }
  };

  const formBatch = (): { key: string; data: string } | undefined =>
    store.transaction(() => {
      const rows = store.all<DayRow>(
        `SELECT * FROM day_orders WHERE state = 'pending' AND batch IS NULL ORDER BY point, sequence, id LIMIT ?`,
        most,
      );
      if (rows.length === 0) return undefined;
      const data = encodeAppendDays(rows.map(({ body }) => JSON.parse(body) as DayOrderBody));
      const name = `days:${keccak256(data).slice(2, 18)}`;
      const earlier =
        store.get<{ n: number }>("SELECT count(*) AS n FROM day_batches WHERE key LIKE ?", `${name}%`)?.n ?? 0;
      const key = earlier === 0 ? name : `${name}/${earlier}`;
      store.run("INSERT INTO day_batches VALUES (?, ?, 1)", key, data);
      for (const row of rows) store.run("UPDATE day_orders SET batch = ? WHERE id = ?", key, row.id);
      return { key, data };
    });

  const halted = (): boolean => context.view().marketState !== "open";

  const run = async (now: number): Promise<void> => {
    for (const batch of store.all<{ key: string; data: string }>(
      "SELECT key, data FROM day_batches WHERE open = 1 ORDER BY rowid",
    ))
      if (halted() || !(await sendBatch(batch))) return;
    for (const row of store.all<DayRow>("SELECT * FROM day_orders WHERE state = 'pending' AND batch IS NULL")) {
      const tx = context.view().days.get(dayKeyOf(row));
      if (tx !== undefined) finish(row, "appended", null, tx);
      else if (now > gateOf(row.firstSlot + row.slots - 1))
        finish(row, "skipped", "the gates closed before it was relayed", null);
    }
    if (halted()) return;
    for (let batch = formBatch(); batch; batch = formBatch()) if (!(await sendBatch(batch))) return;
    most = config.maxDayOrdersPerTransaction;
  };

  return {
    accept,
    run,
    stateOf: (id) => {
      const row = store.get<DayRow>("SELECT * FROM day_orders WHERE id = ?", id);
      if (!row) return undefined;
      const { point, firstSlot, slots, sequence, state, reason, tx } = row;
      return { id, point, firstSlot, slots, sequence, state, reason, txHash: tx };
    },
    reopen: (now) => {
      store.transaction(() => {
        for (const row of store.all<DayRow>("SELECT * FROM day_orders WHERE state IN ('appended', 'skipped')")) {
          if (now > gateOf(row.firstSlot + row.slots - 1) || context.view().days.has(dayKeyOf(row))) continue;
          store.run(
            "UPDATE day_orders SET state = 'pending', reason = NULL, tx = NULL, batch = NULL WHERE id = ?",
            row.id,
          );
        }
      });
    },
  };
};
