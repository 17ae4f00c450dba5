import type { Provider, TransactionReceipt } from "ethers";
import { isRetryable } from "../platform/errors.ts";
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
 * Broadcasts again what was signed and stored but perhaps never left this machine: no nonce may stay as a hole. What the
 * chain has already it refuses, and that is fine; each intent's own stage then asks for its receipt.
 * @throws retryable error when the chain does not answer
 */
export const rebroadcastSigned = async ({ provider, store }: { provider: Provider; store: Store }): Promise<void> => {
  for (const { raw } of store.all<{ raw: string }>("SELECT raw FROM outgoing WHERE state = 'signed' ORDER BY nonce")) {
    try {
      await provider.broadcastTransaction(raw);
    } catch (error) {
      if (isRetryable(error)) throw error;
    }
  }
};
