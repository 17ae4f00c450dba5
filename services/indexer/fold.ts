import type { Store } from "../platform/store.ts";
import type { ChainEvent } from "../protocol/events.ts";
import { decodePositions, decodeWordCounts, decodeWords } from "../protocol/words.ts";
import { emptyDifference, foldSettled, type SlotDifference } from "./settled.ts";
import { BACKUP, CONGESTION, MEMBERS, OPERATOR } from "../protocol/market-store.ts";
import { foldStanding } from "./standings.ts";
import { foldTrade } from "./trades.ts";
import { addEarning, addMovement, foldTransfers, NANO_PER_BASE_UNIT } from "./balances.ts";

/** What one transaction did, for gas per kind. */
export interface TransactionFacts {
  tx: string;
  block: number;
  kind: TransactionKind;
  orders: number;
  words: number;
  meterSlots: number;
}

export type TransactionKind =
  "append" | "clear" | "report" | "settle" | "estimate" | "final" | "terms" | "setup" | "money" | "trade";

const kindOf: Record<ChainEvent["name"], TransactionKind> = {
  PointRegistered: "setup",
  OwnerChanged: "setup",
  TradeLimitSet: "setup",
  DelegateSet: "setup",
  GridSet: "setup",
  LimitsSet: "setup",
  CommitteeSet: "setup",
  TermsPublished: "terms",
  WordFeeSet: "setup",
  PenaltySet: "setup",
  EnvelopesSet: "terms",
  Appended: "append",
  DayOrderAppended: "append",
  DaysAppended: "append",
  DaySkipped: "append",
  ZonesVoided: "setup",
  GridStateSet: "setup",
  MarketRaised: "setup",
  MarketLowered: "setup",
  OrderSkipped: "append",
  Cleared: "clear",
  Reported: "report",
  Settled: "settle",
  SlotsSettled: "settle",
  Moved: "settle",
  Estimated: "estimate",
  FinalThrough: "final",
  Deposited: "money",
  WithdrawalRequested: "money",
  Withdrawn: "money",
  EarnedWithdrawn: "money",
  TransferredBetween: "money",
  CreditSet: "money",
  Suspended: "money",
  Covered: "money",
  Repaid: "money",
  Reinstated: "money",
  TradeRegistered: "trade",
  TradeCancelled: "trade",
  TradeReleased: "trade",
};

/**
 * Folds the events of one transaction, in order, into the store. Money that the contract moved is checked against the
 * money recomputed from positions and readings; a difference becomes a row of `problems`.
 */
export const foldTransaction = (store: Store, events: readonly ChainEvent[]): TransactionFacts => {
  const first = events[0] as ChainEvent;
  const facts: TransactionFacts = {
    tx: first.txHash,
    block: first.block,
    kind: kindOf[first.name],
    orders: 0,
    words: 0,
    meterSlots: 0,
  };
  const expected = emptyDifference();
  const moved = emptyDifference();
  let settles = false;
  for (const event of events) {
    if (event.name === "Settled") {
      settles = true;
      facts.kind = "settle";
      facts.meterSlots += foldSettled(store, event, expected);
    } else if (event.name === "Moved") {
      settles = true;
      foldMoved(store, event, moved);
    } else foldPlain(store, event, facts);
  }
  if (settles) compare(store, first, expected, moved);
  return facts;
};

const foldPlain = (store: Store, event: ChainEvent, facts: TransactionFacts): void => {
  const { block, logIndex: log, txHash: tx } = event;
  switch (event.name) {
    case "PointRegistered":
      store.run(
        "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        ...[block, log, event.point, event.owner, event.zone, event.importLimitWh, event.exportLimitWh],
      );
      return;
    case "OwnerChanged":
      changePoint(store, event, "?, zone, importLimitWh, exportLimitWh, tradeLimitWh", event.owner);
      return;
    case "TradeLimitSet":
      changePoint(store, event, "owner, zone, importLimitWh, exportLimitWh, ?", event.tradeLimitWh);
      return;
    case "GridSet":
      event.zones.forEach((zone, index) =>
        store.run(
          "INSERT INTO grids VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
          ...[block, log, event.fromSlot, event.version, index, zone.parent],
          ...[String(zone.toParentWh), String(zone.fromParentWh), String(zone.backupCapacityWh)],
        ),
      );
      return;
    case "LimitsSet":
      store.run(
        "INSERT INTO gridLimits VALUES (?, ?, ?, ?, ?)",
        ...[block, log, event.fromSlot, event.version, event.limits],
      );
      return;
    case "TermsPublished":
      event.terms.forEach((terms, index) =>
        store.run(
          "INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          ...[event.firstSlot + index, block, terms.importTariff, terms.exportTariff, terms.fee],
          ...[terms.bandMin, terms.bandMax, terms.reference],
        ),
      );
      return;
    case "WordFeeSet":
      store.run("INSERT INTO wordFees VALUES (?, ?)", block, event.wordFeeNano);
      return;
    case "PenaltySet":
      store.run("INSERT INTO penalties VALUES (?, ?)", block, event.penaltyPrice);
      return;
    case "EnvelopesSet":
      event.lists.forEach((list, index) =>
        store.run("INSERT INTO envelopes VALUES (?, ?, ?, ?)", block, log, event.firstSlot + index, list),
      );
      return;
    case "Appended":
      foldAppended(store, event, facts);
      return;
    case "ZonesVoided":
      store.run(
        "INSERT INTO voids VALUES (?, ?, ?, ?, ?)",
        ...[block, log, event.firstSlot, event.throughSlot, String(event.zones)],
      );
      return;
    case "GridStateSet":
      store.run("INSERT INTO states VALUES (?, ?, 'grid', ?, ?)", block, log, String(event.zones), event.state);
      return;
    case "MarketRaised":
    case "MarketLowered":
      store.run("INSERT INTO states VALUES (?, ?, 'market', '0', ?)", block, log, event.state);
      return;
    case "OrderSkipped":
      store.run(
        "INSERT INTO skipped VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...[block, log, event.slot, tx, event.point, event.sequence, event.reason],
      );
      return;
    case "Cleared": {
      const { record } = event;
      store.run(
        "INSERT INTO clearings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[event.slot, block, tx, event.clearer, JSON.stringify(record.prices.map(Number))],
        ...[
          JSON.stringify(decodePositions(record.positions)),
          JSON.stringify(decodeWordCounts(record.positions)),
          String(record.backupSoldWh),
          String(record.backupBoughtWh),
        ],
        ...[
          String(record.backupNano),
          String(record.congestionNano),
          record.extras,
          String(event.boughtWh),
          String(event.welfareNano),
        ],
      );
      facts.words = store.get<{ n: number }>("SELECT count(*) AS n FROM orders WHERE slot = ?", event.slot)?.n ?? 0;
      return;
    }
    case "Reported":
      store.run(
        "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[block, log, event.slot, event.version, event.attempt, event.readingsHash, event.root, event.signers, tx],
      );
      return;
    case "Estimated":
      store.run("INSERT INTO estimates VALUES (?, ?, ?, ?)", block, log, event.slot, tx);
      return;
    case "FinalThrough":
      store.run("INSERT INTO finals VALUES (?, ?, ?)", block, log, event.slot);
      return;
    case "Deposited":
      addMovement(store, event, event.account, "deposit", event.amount * NANO_PER_BASE_UNIT);
      return;
    case "Withdrawn":
      addMovement(store, event, event.account, "withdrawal", -event.amount * NANO_PER_BASE_UNIT);
      return;
    case "TradeRegistered":
    case "TradeCancelled":
      foldTrade(store, event);
      return;
    case "CreditSet":
    case "Suspended":
    case "Covered":
    case "Repaid":
    case "Reinstated":
      foldStanding(store, event);
      return;
    case "TransferredBetween":
      foldTransfers(store, event, event);
      return;
    case "EarnedWithdrawn":
      addEarning(store, event, event.clearer, "withdrawal", -event.amount * NANO_PER_BASE_UNIT);
      return;
    default:
      return;
  }
};

const changePoint = (
  store: Store,
  event: ChainEvent & { point: number },
  columns: string,
  value: string | number,
): void => {
  store.run(
    `INSERT INTO points SELECT ?, ?, point, ${columns} FROM points WHERE point = ? ORDER BY block DESC, log DESC LIMIT 1`,
    ...[event.block, event.logIndex, value, event.point],
  );
};

const foldAppended = (store: Store, event: ChainEvent & { name: "Appended" }, facts: TransactionFacts): void => {
  const { block, logIndex, txHash, slot } = event;
  store.run(
    "INSERT INTO appends VALUES (?, ?, ?, ?, ?, ?)",
    block,
    logIndex,
    slot,
    txHash,
    event.book,
    event.wordCount,
  );
  const words = decodeWords(event.words);
  const firstAt = event.wordCount - words.length;
  words.forEach((word, index) =>
    store.run(
      "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[slot, firstAt + index, block, txHash, word.point, word.sequence, word.zone, Number(word.sell)],
      ...[Number(word.green), word.energyWh, word.price, word.word],
    ),
  );
  facts.words += words.length;
  facts.orders += new Set(words.map((word) => `${word.point}:${word.sequence}`)).size;
};

const foldMoved = (store: Store, event: ChainEvent & { name: "Moved" }, moved: SlotDifference): void => {
  event.deltasNano.forEach((delta, index) => {
    const point = event.firstPoint + index;
    moved.points.set(point, (moved.points.get(point) ?? 0n) + delta);
    if (delta !== 0n) addMovement(store, event, point, "settlement", delta);
  });
  moved.backup += event.backup;
  moved.operator += event.operatorFees;
  moved.members += event.members;
  moved.congestion += event.congestion;
  const fixed: Array<[number, bigint]> = [
    [BACKUP, event.backup],
    [OPERATOR, event.operatorFees],
    [MEMBERS, event.members],
    [CONGESTION, event.congestion],
  ];
  for (const [account, delta] of fixed) if (delta !== 0n) addMovement(store, event, account, "settlement", delta);
  for (const { clearer, nano } of event.earnings) {
    moved.earned.set(clearer, (moved.earned.get(clearer) ?? 0n) + nano);
    addEarning(store, event, clearer, "settlement", nano);
  }
};

const compare = (store: Store, at: ChainEvent, expected: SlotDifference, moved: SlotDifference): void => {
  const wrong: string[] = [];
  const check = <Key>(name: string, want: Map<Key, bigint>, got: Map<Key, bigint>): void => {
    for (const key of new Set([...want.keys(), ...got.keys()])) {
      const [a, b] = [want.get(key) ?? 0n, got.get(key) ?? 0n];
      if (a !== b) wrong.push(`${name} ${key} moved ${b}, recomputed ${a}`);
    }
  };
  check("point", expected.points, moved.points);
  check("clearer", expected.earned, moved.earned);
  for (const account of ["backup", "operator", "members", "congestion"] as const) {
    if (expected[account] !== moved[account]) {
      wrong.push(`${account} moved ${moved[account]}, recomputed ${expected[account]}`);
    }
  }
  for (const message of wrong) {
    store.run("INSERT INTO problems VALUES (?, ?, ?)", at.block, at.txHash, `settlement differs (nano): ${message}`);
  }
};
