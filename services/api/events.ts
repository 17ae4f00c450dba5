import { slotAt } from "../platform/clock.ts";
import type { ApiEvent, LiveView } from "../protocol/api.ts";
import { skipReasonOf } from "../protocol/events.ts";
import { headOf } from "../protocol/market-store.ts";
import { pricesByZone, type ApiContext } from "./context.ts";

export interface EventFeed {
  /** @returns a function that ends the subscription */
  subscribe(listener: (event: ApiEvent) => void): () => void;
  /** Tells what is new in the store since the last call, then the tick itself. */
  tick(now: number): void;
  live(view: LiveView): void;
  readonly listeners: number;
}

interface EventRow {
  slot: number;
  tx: string;
}

/** What happened, as it happens: the indexer's new rows as events. */
export const createEventFeed = (context: ApiContext): EventFeed => {
  const { store } = context;
  const listeners = new Set<(event: ApiEvent) => void>();
  let seenBlock = headOf(store)?.number ?? -1;

  const tell = (event: ApiEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const since = <T extends EventRow>(table: string, block: number): T[] =>
    store.all<T>(`SELECT * FROM ${table} WHERE block > ? ORDER BY block`, block);

  return {
    get listeners() {
      return listeners.size;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    live: (view) => tell({ type: "live", live: view }),
    tick: (now) => {
      const head = headOf(store)?.number ?? -1;
      // After a reorganisation the head may be lower; what the new branch has above it is told again.
      const from = Math.min(seenBlock, head);
      seenBlock = head;
      if (listeners.size > 0 && head > from) {
        for (const { slot, tx, wordCount } of since<EventRow & { wordCount: number }>("appends", from))
          tell({ type: "appended", slot, words: wordCount, txHash: tx });
        for (const { slot, point, reason } of since<EventRow & { point: number; reason: number }>("skipped", from))
          tell({ type: "skipped", slot, point, reason: skipReasonOf(reason) });
        for (const { slot, tx, prices } of since<EventRow & { prices: string }>("clearings", from))
          tell({ type: "cleared", slot, prices: pricesByZone(context, prices), txHash: tx });
        for (const { slot, tx, version } of since<EventRow & { version: number }>("reports", from))
          tell({ type: "reported", slot, version, txHash: tx });
        for (const { slot, tx, status } of since<EventRow & { status: string }>("settlements", from))
          tell({ type: "settled", slot, status: status === "estimated" ? "estimated" : "settled", txHash: tx });
        for (const { slot, tx } of since("estimates", from))
          tell({ type: "settled", slot, status: "estimated", txHash: tx });
      }
      tell({ type: "tick", now, slot: slotAt(now) });
    },
  };
};
