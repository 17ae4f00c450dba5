import { tryAgain } from "../../platform/errors.ts";
import { gateOf } from "../../protocol/clearing.ts";
import { eventsOfReceipt, skipReasonOf } from "../../protocol/events.ts";
import { chainNow } from "../context.ts";
import type { Cheat } from "./bench.ts";

const POLL_MS = 50;
/** Chain time that must be left before the gate, so that the transaction still lands in time. */
const GATE_RESERVE_SECONDS = 30;

/** Appends homes' signed orders again, to make them trade twice. A batch never reverts: the book skips each copy and says why. */
export const replayedOrder: Cheat = async ({ context, local, send }) => {
  const { store, provider, addresses } = context;
  // While the gate is open only the used sequence number stands against the copy: wait for such a moment, if it comes soon.
  const openAppend = (): { slot: number; tx: string } | undefined => {
    const last = store.get<{ slot: number; tx: string }>(
      "SELECT slot, tx FROM appends ORDER BY block DESC, log DESC LIMIT 1",
    );
    return last && gateOf(last.slot) > chainNow(context) + GATE_RESERVE_SECONDS ? last : undefined;
  };
  const deadline = Date.now() + local.cheatWaitMs;
  let chosen = openAppend();
  while (!chosen && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    chosen = openAppend();
  }
  chosen ??= store.get("SELECT slot, tx FROM appends ORDER BY block DESC, log DESC LIMIT 1");
  const original = chosen && (await provider.getTransaction(chosen.tx));
  if (!original) throw tryAgain("no order is in a book yet: try again in a moment");
  // The very bytes of the honest batch: every order in it with its owner's valid signature.
  const { txHash } = await send({ to: addresses.orderBook, data: original.data });
  const receipt = await provider.getTransactionReceipt(txHash);
  const events = receipt ? eventsOfReceipt(receipt, addresses.orderBook) : [];
  const skipped = events.find((event) => event.name === "OrderSkipped");
  return {
    sent: `The batch of orders for slot ${chosen?.slot} a second time, each with its owner's valid signature.`,
    txHash,
    refused: skipped !== undefined && !events.some(({ name }) => name === "Appended"),
    error: skipped
      ? {
          name: "OrderSkipped",
          values: {
            slot: String(skipped.slot),
            point: String(skipped.point),
            sequence: String(skipped.sequence),
            reason: String(skipped.reason),
          },
        }
      : null,
    words: skipped
      ? `The book skipped every copy: ${skipReasonOf(skipped.reason)}.`
      : "The contract took it: this must not happen.",
  };
};
