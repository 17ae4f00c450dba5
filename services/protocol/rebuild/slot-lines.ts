import { BACKUP, CONGESTION, MEMBERS, OPERATOR } from "../market-store.ts";
import { settledMoney, type SlotFacts } from "../slot-money.ts";
import type { SettlementStatus } from "../events.ts";

/** What a line of a bill is for. */
export type LineKind =
  /** Position at the zone price; and what green energy moves beyond it. */
  | "energy"
  | "green"
  | "fee"
  /** Imbalance at the tariffs; and what unmet trades pay beyond them (decision 0012). */
  | "imbalance"
  | "unmet"
  /** Bilateral trades at what their sides agreed. */
  | "trade"
  /** Energy beyond an operating envelope. */
  | "penalty"
  /** Words of its orders. */
  | "words"
  /** The congestion account's: where zone prices differ. */
  | "rent"
  | "deposit"
  | "withdrawal"
  /** Demand response: payment, deposit that came back, penalties to the members. */
  | "response"
  | "responseDeposit"
  | "responsePenalty"
  /** Bonds of sealed batches that nobody opened. */
  | "forfeit"
  | "losses"
  | "peak"
  | "refund"
  /** Default: what the fund and the backup put in for a point, and what it pays back. */
  | "cover"
  | "repay"
  /** By a module that is none of these. */
  | "transfer";

/** Sums of a slot by account and kind; what clearers earned by address. */
export interface SlotLines {
  accounts: Map<number, Map<LineKind, bigint>>;
  earned: Map<string, bigint>;
  fixed: { backupNano: bigint; operatorNano: bigint; membersNano: bigint; congestionNano: bigint };
}

/** Every line of a settled slot, computed from what was cleared and metered. */
export const slotLines = (
  event: { status: SettlementStatus; readings: string },
  facts: SlotFacts & { clearer: string | undefined },
): SlotLines => {
  const { money } = settledMoney(event, facts);
  const accounts = new Map<number, Map<LineKind, bigint>>();
  const add = (account: number, lines: Partial<Record<LineKind, bigint>>): void => {
    accounts.set(account, new Map(Object.entries(lines) as [LineKind, bigint][]));
  };
  money.payments.forEach((payment, point) =>
    add(point, {
      energy: payment.energyNano - payment.greenNano,
      green: payment.greenNano,
      fee: payment.feeNano,
      imbalance: payment.imbalanceNano - payment.unmetNano,
      unmet: payment.unmetNano,
      trade: payment.tradeNano,
      penalty: payment.penaltyNano,
      words: payment.wordFeeNano,
    }),
  );
  const { fixed } = money;
  const tradedNano = facts.clearing?.backupNano ?? 0n;
  const rentNano = facts.clearing?.congestionNano ?? 0n;
  const feesNano = money.payments.reduce((sum, { feeNano }) => sum - feeNano, 0n);
  const localFeesNano = feesNano - fixed.operatorNano;
  add(BACKUP, { energy: tradedNano, imbalance: fixed.backupNano - tradedNano });
  add(OPERATOR, { fee: fixed.operatorNano });
  add(MEMBERS, { fee: localFeesNano, imbalance: fixed.membersNano - localFeesNano });
  add(CONGESTION, { rent: rentNano, penalty: fixed.congestionNano - rentNano });
  const earned = new Map(facts.clearer === undefined ? [] : [[facts.clearer, money.clearerNano]]);
  return { accounts, earned, fixed };
};
