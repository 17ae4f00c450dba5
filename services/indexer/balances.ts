import type { Store } from "../platform/store.ts";
import type { ChainEvent } from "../protocol/events.ts";

/** Ledger units per base unit of the token. */
export const NANO_PER_BASE_UNIT = 1_000n;

/** The newest balance of an account, nano-token. */
export const balanceOf = (store: Store, account: number): bigint =>
  BigInt(
    store.get<{ balanceNano: string }>(
      "SELECT balanceNano FROM movements WHERE account = ? ORDER BY block DESC, log DESC LIMIT 1",
      account,
    )?.balanceNano ?? "0",
  );

export const addMovement = (
  store: Store,
  event: ChainEvent,
  account: number,
  kind: "deposit" | "withdrawal" | "settlement",
  deltaNano: bigint,
): void => {
  store.run(
    "INSERT INTO movements VALUES (?, ?, ?, ?, ?, ?)",
    ...[event.block, event.logIndex, account, kind, String(deltaNano), String(balanceOf(store, account) + deltaNano)],
  );
};
