import type { Store } from "../platform/store.ts";
import type { ChainEvent } from "../protocol/events.ts";
import { balanceOf } from "../protocol/market-store.ts";

/** Ledger units per base unit of the token. */
export const NANO_PER_BASE_UNIT = 1_000n;

/** What a clearer earned or took out. */
export const addEarning = (
  store: Store,
  event: ChainEvent,
  clearer: string,
  kind: "withdrawal" | "settlement",
  deltaNano: bigint,
): void => {
  store.run(
    "INSERT INTO earnings VALUES (?, ?, ?, ?, ?)",
    ...[event.block, event.logIndex, clearer, kind, String(deltaNano)],
  );
};

/** Sums of a transfer by account, one movement each. */
export const foldTransfers = (
  store: Store,
  event: ChainEvent,
  { accounts, deltasNano }: { accounts: readonly number[]; deltasNano: readonly bigint[] },
): void => {
  const sums = new Map<number, bigint>();
  accounts.forEach((account, index) => sums.set(account, (sums.get(account) ?? 0n) + (deltasNano[index] ?? 0n)));
  for (const [account, delta] of sums) if (delta !== 0n) addMovement(store, event, account, "transfer", delta);
};

export const addMovement = (
  store: Store,
  event: ChainEvent,
  account: number,
  kind: "deposit" | "withdrawal" | "settlement" | "transfer",
  deltaNano: bigint,
): void => {
  store.run(
    "INSERT INTO movements VALUES (?, ?, ?, ?, ?, ?)",
    ...[event.block, event.logIndex, account, kind, String(deltaNano), String(balanceOf(store, account) + deltaNano)],
  );
};
