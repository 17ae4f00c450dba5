import type { ChainEvent } from "./events.ts";
import { cancellingWord, encodeTradeWord } from "./trade.ts";

export type TradeEvent = Extract<ChainEvent, { name: "TradeRegistered" | "TradeCancelled" }>;

export const isTradeEvent = (event: ChainEvent): event is TradeEvent =>
  event.name === "TradeRegistered" || event.name === "TradeCancelled";

/** The lists of bilateral trades of all slots, rebuilt from the registry's events in order. */
export interface TradeLists {
  add(event: TradeEvent): void;
  /** A slot's list, 0x and 32 bytes per word. */
  of(slot: number): string;
  /** Forgets slots before `slot`. */
  forget(slot: number): void;
  /** Slots with a list. */
  slots(): Iterable<number>;
}

export const createTradeLists = (): TradeLists => {
  const lists = new Map<number, string>();
  const known = new Map<string, { last: number; word: string }>();
  const append = (first: number, last: number, word: string): void => {
    for (let slot = first; slot <= last; slot += 1) lists.set(slot, (lists.get(slot) ?? "0x") + word.slice(2));
  };
  return {
    add: (event) => {
      if (event.name === "TradeCancelled") {
        const trade = known.get(event.id);
        if (trade) append(event.fromSlot, trade.last, cancellingWord(trade.word));
        return;
      }
      const { trade, sellerZone, buyerZone } = event;
      const word = encodeTradeWord({ ...trade, from: sellerZone, to: buyerZone, cancels: false });
      const last = trade.firstSlot + trade.slots - 1;
      known.set(event.id, { last, word });
      append(trade.firstSlot, last, word);
    },
    of: (slot) => lists.get(slot) ?? "0x",
    forget: (oldest) => {
      for (const slot of lists.keys()) if (slot < oldest) lists.delete(slot);
      for (const [id, { last }] of known) if (last < oldest) known.delete(id);
    },
    slots: () => lists.keys(),
  };
};
