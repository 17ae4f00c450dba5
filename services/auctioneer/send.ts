import type { TransactionReceipt } from "ethers";
import type { Sender } from "../platform/sender.ts";
import type { Store } from "../platform/store.ts";

/** Sends one intent to the chain; a transaction that was mined but reverted gives its key up to the next attempt. */
export type Send = (intent: { key: string; to: string; data: string }) => Promise<TransactionReceipt>;

export const createSend = ({ sender, store }: { sender: Sender; store: Store }): Send => {
  const isSpent = (key: string): boolean =>
    store.get("SELECT 1 FROM outgoing WHERE key = ? AND state = 'mined' AND status = 0", key) !== undefined;
  return ({ key, to, data }) => {
    let attempt = 0;
    let name = key;
    while (isSpent(name)) name = `${key}#${++attempt}`;
    return sender.send({ key: name, to, data });
  };
};

/**
 * Transactions that were signed and stored but perhaps never broadcast: their nonces must not stay as holes.
 * Rebroadcasts each and waits for its receipt.
 */
export const resumeSigned = async ({ sender, store }: { sender: Sender; store: Store }): Promise<void> => {
  for (const { key } of store.all<{ key: string }>("SELECT key FROM outgoing WHERE state = 'signed' ORDER BY nonce")) {
    await sender.send({ key, to: "", data: "" });
  }
};
