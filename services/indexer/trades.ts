import type { Store } from "../platform/store.ts";
import type { ChainEvent } from "../protocol/events.ts";
import { cancellingWord, encodeTradeWord } from "../protocol/trade.ts";

/** Adds a bilateral trade to the list of each of its slots, or the words that undo it, as the registry does. */
export const foldTrade = (
  store: Store,
  event: ChainEvent & ({ name: "TradeRegistered" } | { name: "TradeCancelled" }),
): void => {
  const { block, logIndex, id } = event;
  const list = (first: number, through: number, word: string): void => {
    for (let slot = first; slot <= through; slot += 1) {
      const at = store.get<{ n: number }>("SELECT count(*) AS n FROM tradeWords WHERE slot = ?", slot)?.n ?? 0;
      store.run("INSERT INTO tradeWords VALUES (?, ?, ?, ?, ?)", slot, at, block, id, word);
    }
  };
  if (event.name === "TradeRegistered") {
    const { trade, sellerZone, buyerZone } = event;
    const { seller, buyer, firstSlot, slots } = trade;
    const word = encodeTradeWord({ ...trade, from: sellerZone, to: buyerZone, cancels: false });
    store.run(
      "INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[block, logIndex, id, seller, buyer, firstSlot, slots, word, event.txHash],
    );
    list(firstSlot, firstSlot + slots - 1, word);
    return;
  }
  const known = store.get<{ firstSlot: number; slots: number; word: string }>(
    "SELECT firstSlot, slots, word FROM trades WHERE id = ? ORDER BY block DESC, log DESC LIMIT 1",
    id,
  );
  if (known) list(event.fromSlot, known.firstSlot + known.slots - 1, cancellingWord(known.word));
};
