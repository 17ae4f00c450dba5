import type { TransactionReceipt } from "ethers";
import { eventsOfReceipt, skipReasonOf } from "../protocol/events.ts";
import { decodeWords } from "../protocol/words.ts";
import type { Context } from "./context.ts";
import type { OrderRow } from "./intake.ts";

/** Writes down what became of orders. */
export interface Outcome {
  /** The transaction that put the order into its book, as the chain's events have it. */
  appendedTx(row: Pick<OrderRow, "slot" | "point" | "sequence">): string | undefined;
  finish(row: OrderRow, state: "appended" | "skipped", reason: string | null, tx: string | null): void;
  /** The orders of a batch, by the receipt of its transaction; what it does not name waits again. In a store transaction. */
  close(batch: string, receipt: TransactionReceipt): void;
}

export const createOutcome = ({ store, view, addresses }: Context): Outcome => {
  const appendedTx: Outcome["appendedTx"] = ({ slot, point, sequence }) =>
    view().slots.get(slot)?.appended.get(`${point}:${sequence}`);

  const finish: Outcome["finish"] = (row, state, reason, tx) => {
    store.run("UPDATE orders SET state = ?, reason = ?, tx = ? WHERE id = ?", state, reason, tx, row.id);
  };

  const close: Outcome["close"] = (batch, receipt) => {
    const skipped = new Map<string, number>();
    const appended = new Set<string>();
    for (const event of eventsOfReceipt(receipt, addresses.orderBook)) {
      if (event.name === "OrderSkipped") skipped.set(`${event.point}:${event.sequence}`, event.reason);
      if (event.name === "Appended") {
        for (const { point, sequence } of decodeWords(event.words)) appended.add(`${point}:${sequence}`);
      }
    }
    for (const row of store.all<OrderRow>("SELECT * FROM orders WHERE batch = ? AND state = 'pending'", batch)) {
      const name = `${row.point}:${row.sequence}`;
      const elsewhere = appendedTx(row);
      const reason = skipped.get(name);
      if (appended.has(name)) finish(row, "appended", null, receipt.hash);
      else if (elsewhere !== undefined) finish(row, "appended", null, elsewhere);
      else if (reason !== undefined) finish(row, "skipped", skipReasonOf(reason), receipt.hash);
      else store.run("UPDATE orders SET batch = NULL WHERE id = ?", row.id);
    }
  };
  return { appendedTx, finish, close };
};
