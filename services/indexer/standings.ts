import type { Store } from "../platform/store.ts";
import type { ChainEvent } from "../protocol/events.ts";
import type { LedgerEvent } from "../protocol/ledger-events.ts";
import { BACKUP, DEFAULT_FUND } from "../protocol/market-store.ts";
import { standingOf } from "../protocol/standings.ts";
import { foldTransfers } from "./balances.ts";

type StandingEvent = ChainEvent &
  Extract<LedgerEvent, { name: "CreditSet" | "Suspended" | "Covered" | "Repaid" | "Reinstated" }>;

/** What credit, default and repayment move, and how the point stands after it. */
export const foldStanding = (store: Store, event: StandingEvent): void => {
  const { point } = event;
  const now = standingOf(store, point);
  const transfer = (fundNano: bigint, backupNano: bigint): void => {
    const deltasNano = [-fundNano - backupNano, fundNano, backupNano];
    foldTransfers(store, event, { accounts: [point, DEFAULT_FUND, BACKUP], deltasNano });
    now.fundNano -= fundNano;
    now.drawnNano -= backupNano;
    now.creditNano += backupNano;
  };
  if (event.name === "CreditSet") now.creditNano = event.creditNano;
  else if (event.name === "Suspended") now.suspended = true;
  else if (event.name === "Reinstated") now.suspended = false;
  else if (event.name === "Covered") transfer(-event.fromFundNano, -event.fromCreditNano);
  else transfer(event.toFundNano, event.toBackupNano);
  store.run(
    "INSERT INTO standings VALUES (?, ?, ?, ?, ?, ?, ?)",
    ...[event.block, event.logIndex, point, String(now.creditNano), String(now.drawnNano), String(now.fundNano)],
    Number(now.suspended),
  );
};
