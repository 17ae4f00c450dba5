import type { Addresses } from "../addresses.ts";
import type { ChainEvent } from "../events.ts";
import { BACKUP, CONGESTION, DEFAULT_FUND, MEMBERS, OPERATOR } from "../market-store.ts";
import type { MarketFacts } from "./facts.ts";
import type { LogEvent, ModuleEvent, Report } from "./log-events.ts";
import { slotLines, type LineKind, type SlotLines } from "./slot-lines.ts";

export interface BillLine {
  kind: LineKind;
  /** Slot that was settled; undefined for what is not of one slot. */
  slot: number | undefined;
  /** Version of the slot's report; above the first one the line is the difference to the version before. */
  version: number | undefined;
  /** Positive: paid to the account. */
  nano: bigint;
  block: number;
  txHash: string;
}

const NANO_PER_BASE_UNIT = 1_000n;
const POOLS = [
  [BACKUP, "backup"],
  [OPERATOR, "operatorFees"],
  [MEMBERS, "members"],
  [CONGESTION, "congestion"],
] as const;

/**
 * Balances from what the ledger says it moved, and bills from what was cleared, metered and agreed: two ways to the same sums, compared
 * transaction by transaction.
 */
export const createBills = (addresses: Addresses, facts: MarketFacts, report: Report) => {
  const balancesNano = new Map<number, bigint>();
  const earnedNano = new Map<string, bigint>();
  const bills = new Map<number, BillLine[]>();
  const slots = new Map<number, SlotLines>();
  /** What this transaction's slots should move, less what the ledger said it moved. */
  const owed = new Map<number | string, bigint>();
  /** Demand response pays next: to the point its payment and its deposit, at last to the members the penalties. */
  const paid = { point: -1, returnedNano: 0n, penaltiesNano: 0n };
  let wordFeeNano = 0n;
  let penaltyMicroPerKwh = 0n;
  const moduleKinds = new Map<string, LineKind>([
    [addresses.losses.toLowerCase(), "losses"],
    [addresses.peakCharge.toLowerCase(), "peak"],
    [addresses.refunds.toLowerCase(), "refund"],
  ]);

  const addTo = <Key>(sums: Map<Key, bigint>, key: Key, nano: bigint): void => {
    sums.set(key, (sums.get(key) ?? 0n) + nano);
  };
  const addLine = (event: ChainEvent, account: number, kind: LineKind, nano: bigint, of?: [number, number]): void => {
    if (nano === 0n) return;
    const line = { kind, slot: of?.[0], version: of?.[1], nano, block: event.block, txHash: event.txHash };
    const lines = bills.get(account);
    if (lines) lines.push(line);
    else bills.set(account, [line]);
  };
  const move = (event: ChainEvent, account: number, kind: LineKind, nano: bigint): void => {
    addTo(balancesNano, account, nano);
    addLine(event, account, kind, nano);
  };

  const settle = (event: ChainEvent & { name: "Settled" }): void => {
    const { slot, version } = event;
    const clearing = facts.clearingAt(slot);
    const now = slotLines(event, {
      ...{ clearing, clearer: clearing?.clearer, terms: facts.termsAt(slot), grid: facts.gridAt(slot) },
      ...{ connections: facts.points, envelopes: facts.envelopesAt(slot), wordFeeNano, penaltyMicroPerKwh },
    });
    for (const name of ["backupNano", "operatorNano", "membersNano", "congestionNano"] as const)
      if (now.fixed[name] !== event[name])
        report(`slot ${slot}: Settled says ${name} ${event[name]}, computed ${now.fixed[name]}`);
    const before = slots.get(slot);
    for (const [account, lines] of now.accounts) {
      for (const [kind, nano] of lines) {
        const more = nano - (before?.accounts.get(account)?.get(kind) ?? 0n);
        addLine(event, account, kind, more, [slot, version]);
        addTo(owed, account, more);
      }
    }
    for (const [clearer, nano] of now.earned) addTo(owed, clearer, nano - (before?.earned.get(clearer) ?? 0n));
    slots.set(slot, now);
  };

  const compare = (): void => {
    for (const [who, nano] of owed)
      if (nano !== 0n) report(`account ${who}: the ledger moved ${nano} nano less than settlement should have`);
    owed.clear();
  };

  const moved = (event: ChainEvent & { name: "Moved" }): void => {
    event.deltasNano.forEach((nano, index) => {
      addTo(balancesNano, event.firstPoint + index, nano);
      addTo(owed, event.firstPoint + index, -nano);
    });
    for (const [account, name] of POOLS) {
      addTo(balancesNano, account, event[name]);
      addTo(owed, account, -event[name]);
    }
    for (const { clearer, nano } of event.earnings) {
      addTo(earnedNano, clearer, nano);
      addTo(owed, clearer, -nano);
    }
    compare();
  };

  const deposit = (event: ChainEvent & { name: "Deposited" }): void => {
    const { account } = event;
    const nano = event.amount * NANO_PER_BASE_UNIT;
    const from = event.from.toLowerCase();
    if (from === addresses.sealedBatches.toLowerCase()) return move(event, account, "forfeit", nano);
    if (from !== addresses.demandResponse.toLowerCase()) return move(event, account, "deposit", nano);
    if (account === MEMBERS) {
      if (nano !== paid.penaltiesNano) report(`demand response paid penalties of ${nano}, told ${paid.penaltiesNano}`);
      paid.penaltiesNano = 0n;
      return move(event, account, "responsePenalty", nano);
    }
    if (account !== paid.point) report(`demand response paid point ${account} without telling what for`);
    const returnedNano = account === paid.point ? paid.returnedNano : 0n;
    paid.point = -1;
    move(event, account, "responseDeposit", returnedNano);
    move(event, account, "response", nano - returnedNano);
  };

  const transfer = (event: ChainEvent & { name: "TransferredBetween" }): void => {
    const sums = new Map<number, bigint>();
    event.accounts.forEach((account, index) => addTo(sums, account, event.deltasNano[index] ?? 0n));
    const kind = moduleKinds.get(event.module.toLowerCase()) ?? "transfer";
    for (const [account, nano] of sums) move(event, account, kind, nano);
  };

  /** Between a point, the default fund and the backup. */
  const stand = (event: ChainEvent & { point: number }, kind: LineKind, fundNano: bigint, backupNano: bigint): void => {
    move(event, event.point, kind, -fundNano - backupNano);
    move(event, DEFAULT_FUND, kind, fundNano);
    move(event, BACKUP, kind, backupNano);
  };

  const applyCore = (event: ChainEvent): void => {
    switch (event.name) {
      case "WordFeeSet":
        wordFeeNano = BigInt(event.wordFeeNano);
        return;
      case "PenaltySet":
        penaltyMicroPerKwh = BigInt(event.penaltyPrice);
        return;
      case "Settled":
        return settle(event);
      case "Moved":
        return moved(event);
      case "Deposited":
        return deposit(event);
      case "Withdrawn":
        return move(event, event.account, "withdrawal", -event.amount * NANO_PER_BASE_UNIT);
      case "EarnedWithdrawn":
        return addTo(earnedNano, event.clearer, -event.amount * NANO_PER_BASE_UNIT);
      case "TransferredBetween":
        return transfer(event);
      case "Covered":
        return stand(event, "cover", -event.fromFundNano, -event.fromCreditNano);
      case "Repaid":
        return stand(event, "repay", event.toFundNano, event.toBackupNano);
      default:
        return;
    }
  };

  const applyModule = ({ contract, name, args }: ModuleEvent): void => {
    if (contract !== "demandResponse" || name !== "Paid") return;
    const returned = args.big("returned");
    paid.penaltiesNano += args.big("penalty") * NANO_PER_BASE_UNIT;
    // Nothing is deposited when there is nothing.
    paid.point = args.big("payment") + returned === 0n ? -1 : args.num("point");
    paid.returnedNano = returned * NANO_PER_BASE_UNIT;
  };

  /** What can be said only at the end. */
  const finish = (): void => {
    compare();
    if (paid.point !== -1 || paid.penaltiesNano !== 0n) report("demand response told of money that it did not pay");
    for (const account of new Set([...bills.keys(), ...balancesNano.keys()])) {
      const billed = (bills.get(account) ?? []).reduce((sum, { nano }) => sum + nano, 0n);
      const balance = balancesNano.get(account) ?? 0n;
      if (billed !== balance) report(`account ${account}: its lines sum to ${billed}, its balance is ${balance} nano`);
    }
  };

  const apply = ({ core, module }: LogEvent): void => (core ? applyCore(core) : applyModule(module));
  return { balancesNano, earnedNano, bills, apply, finish };
};
