import type { Store } from "../platform/store.ts";
import type { GridZone, SlotTerms } from "./events.ts";

/**
 * Read-only questions to the indexer's store, for the api and for reports: the store is where processes meet. Money is
 * bigint nano-token, positive = earned by the account.
 */
export type ReadStore = Pick<Store, "get" | "all">;

/** Fixed accounts of the ledger (contracts/pricing/Ledger.sol). */
export const BACKUP = 2 ** 32 - 1;
export const OPERATOR = 2 ** 32 - 2;
export const MEMBERS = 2 ** 32 - 3;
export const CONGESTION = 2 ** 32 - 4;
export const DEFAULT_FUND = 2 ** 32 - 5;

export interface SlotRange {
  /** First and last slot, both included. */
  first: number;
  last: number;
}

export interface BillRow {
  point: number;
  slots: number;
  paymentNano: bigint;
  /** What the same metered energy earns at the tariffs. */
  tariffNano: bigint;
  /** Imbalance at the tariffs, part of the payment. */
  imbalanceNano: bigint;
  /** What deviating from the position cost, >= 0. */
  deviationCostNano: bigint;
  energyNano: bigint;
  feeNano: bigint;
  /** What the words of its orders paid to clearers, <= 0. */
  wordFeeNano: bigint;
  /** Bilateral trades at what their sides agreed. */
  tradeNano: bigint;
  importWh: bigint;
  exportWh: bigint;
}

/** The payment that counts for a slot and point is the newest one. */
const LATEST_PAYMENTS = `
  SELECT p.* FROM payments p
  JOIN (SELECT slot AS s, max(block * 1000000 + log) AS newest FROM payments WHERE slot BETWEEN ? AND ? GROUP BY slot) n
    ON p.slot = n.s AND p.block * 1000000 + p.log = n.newest`;

export interface PaymentRow {
  slot: number;
  version: number;
  point: number;
  positionWh: number;
  importWh: number;
  exportWh: number;
  quality: number;
  meteredWh: number;
  energyNano: string;
  feeNano: string;
  imbalanceNano: string;
  wordFeeNano: string;
  /** Sold minus bought in bilateral trades, beside the position. */
  tradedWh: number;
  tradeNano: string;
  paymentNano: string;
  tariffNano: string;
  deviationCostNano: string;
}

export const paymentsOf = (store: ReadStore, { first, last }: SlotRange): PaymentRow[] =>
  store.all<PaymentRow>(`${LATEST_PAYMENTS} ORDER BY p.slot, p.point`, first, last);

export const paymentsOfPoint = (store: ReadStore, point: number, { first, last }: SlotRange): PaymentRow[] =>
  store.all<PaymentRow>(
    `SELECT p.* FROM payments p WHERE p.point = ? AND p.slot BETWEEN ? AND ? AND (p.block, p.log) =
       (SELECT q.block, q.log FROM payments q WHERE q.slot = p.slot AND q.point = p.point ORDER BY q.block DESC, q.log DESC LIMIT 1)
     ORDER BY p.slot`,
    ...[point, first, last],
  );

/** Bills of all points over a range of slots, by point. */
export const bills = (store: ReadStore, range: SlotRange): BillRow[] => {
  const result = new Map<number, BillRow>();
  for (const row of paymentsOf(store, range)) {
    const bill = result.get(row.point) ?? emptyBill(row.point);
    bill.slots += 1;
    bill.importWh += BigInt(row.importWh);
    bill.exportWh += BigInt(row.exportWh);
    for (const part of BILL_PARTS) bill[part] += BigInt(row[part]);
    result.set(row.point, bill);
  }
  return [...result.values()].sort((a, b) => a.point - b.point);
};

const BILL_PARTS = [
  "paymentNano",
  "tariffNano",
  "imbalanceNano",
  "deviationCostNano",
  "energyNano",
  "feeNano",
  "wordFeeNano",
  "tradeNano",
] as const;

const emptyBill = (point: number): BillRow => ({
  point,
  slots: 0,
  paymentNano: 0n,
  tariffNano: 0n,
  imbalanceNano: 0n,
  deviationCostNano: 0n,
  energyNano: 0n,
  feeNano: 0n,
  wordFeeNano: 0n,
  tradeNano: 0n,
  importWh: 0n,
  exportWh: 0n,
});

export interface GasRow {
  kind: string;
  transactions: number;
  gasUsed: number;
  orders: number;
  words: number;
  meterSlots: number;
}

/** Gas per kind of transaction: append, clear, report, settle, estimate, final, terms, setup, money. */
export const gasByKind = (store: ReadStore): GasRow[] =>
  store.all<GasRow>(
    `SELECT kind, count(*) AS transactions, sum(gasUsed) AS gasUsed, sum(orders) AS orders, sum(words) AS words,
       sum(meterSlots) AS meterSlots FROM transactions GROUP BY kind ORDER BY kind`,
  );

export interface SlotCounts {
  cleared: number;
  settled: number;
  /** Flagged estimated and not settled on a report since. */
  estimated: number;
  reports: number;
  orders: number;
}

export const slotCounts = (store: ReadStore, { first, last }: SlotRange): SlotCounts => {
  const count = (sql: string): number => store.get<{ n: number }>(sql, first, last)?.n ?? 0;
  const settled = "SELECT slot FROM settlements WHERE status = 'settled'";
  return {
    cleared: count("SELECT count(*) AS n FROM clearings WHERE slot BETWEEN ? AND ?"),
    settled: count(
      "SELECT count(DISTINCT slot) AS n FROM settlements WHERE status = 'settled' AND slot BETWEEN ? AND ?",
    ),
    estimated: count(
      `SELECT count(DISTINCT slot) AS n FROM estimates WHERE slot BETWEEN ? AND ? AND slot NOT IN (${settled})`,
    ),
    reports: count("SELECT count(*) AS n FROM reports WHERE slot BETWEEN ? AND ?"),
    orders: count(
      "SELECT count(DISTINCT slot * 4294967296 + point * 256 + sequence) AS n FROM orders WHERE slot BETWEEN ? AND ?",
    ),
  };
};

export interface MarketSums {
  /** Bought in the auction by points, Wh. */
  boughtWh: bigint;
  /** Sold in the auction by points, Wh. */
  soldWh: bigint;
  backupSoldWh: bigint;
  backupBoughtWh: bigint;
  /** Part of what points bought that points sold: bought less what the backup sold, never below zero. */
  localTradeWh: bigint;
}

export const marketSums = (store: ReadStore, { first, last }: SlotRange): MarketSums => {
  const sums = { boughtWh: 0n, soldWh: 0n, backupSoldWh: 0n, backupBoughtWh: 0n, localTradeWh: 0n };
  for (const row of store.all<ClearingRow>("SELECT * FROM clearings WHERE slot BETWEEN ? AND ?", first, last)) {
    const [bought, backupSold] = [BigInt(row.boughtWh), BigInt(row.backupSoldWh)];
    sums.boughtWh += bought;
    sums.backupSoldWh += backupSold;
    sums.backupBoughtWh += BigInt(row.backupBoughtWh);
    sums.localTradeWh += bought > backupSold ? bought - backupSold : 0n;
    for (const position of JSON.parse(row.positions) as number[]) if (position > 0) sums.soldWh += BigInt(position);
  }
  return sums;
};

export interface ClearingRow {
  slot: number;
  block: number;
  tx: string;
  clearer: string;
  /** JSON array of micro-token per kWh by zone. */
  prices: string;
  /** JSON array of signed Wh by point. */
  positions: string;
  /** JSON array of words in the book by point. */
  words: string;
  backupSoldWh: string;
  backupBoughtWh: string;
  backupNano: string;
  congestionNano: string;
  /** 0x, or what `decodeExtras` reads. */
  extras: string;
  boughtWh: string;
  welfareNano: string;
}

export const clearingOf = (store: ReadStore, slot: number): ClearingRow | undefined =>
  store.get<ClearingRow>("SELECT * FROM clearings WHERE slot = ?", slot);

/** A slot's bilateral trades as the registry lists them, 0x and 32 bytes each (TradeWord). */
export const tradeWordsOf = (store: ReadStore, slot: number): string =>
  `0x${store
    .all<{ word: string }>("SELECT word FROM tradeWords WHERE slot = ? ORDER BY at", slot)
    .map(({ word }) => word.slice(2))
    .join("")}`;

export interface FixedSums {
  backupNano: bigint;
  operatorNano: bigint;
  membersNano: bigint;
  congestionNano: bigint;
  /** What clearers earned by words. */
  clearerNano: bigint;
}

/** What settlement moved into the fixed accounts and to clearers in a range of slots. */
export const fixedSums = (store: ReadStore, { first, last }: SlotRange): FixedSums => {
  const rows = store.all<Record<keyof FixedSums, string> & { slot: number }>(
    "SELECT * FROM settlements WHERE slot BETWEEN ? AND ? ORDER BY block, log",
    first,
    last,
  );
  const newest = new Map(rows.map((row) => [row.slot, row]));
  const sums: FixedSums = { backupNano: 0n, operatorNano: 0n, membersNano: 0n, congestionNano: 0n, clearerNano: 0n };
  for (const row of newest.values()) {
    for (const key of ["backupNano", "operatorNano", "membersNano", "congestionNano", "clearerNano"] as const) {
      sums[key] += BigInt(row[key]);
    }
  }
  return sums;
};

/** Sum of every change that a contract ever made to any account or clearer: exactly zero, or money was made or lost. */
export const conservationNano = (store: ReadStore): bigint =>
  store
    .all<{ deltaNano: string }>(
      `SELECT deltaNano FROM movements WHERE kind IN ('settlement', 'transfer') UNION ALL
       SELECT deltaNano FROM earnings WHERE kind = 'settlement'`,
    )
    .reduce((sum, { deltaNano }) => sum + BigInt(deltaNano), 0n);

/** What an address earned by clearing and did not take out yet, nano-token. */
export const earnedOf = (store: ReadStore, clearer: string): bigint =>
  store
    .all<{ deltaNano: string }>("SELECT deltaNano FROM earnings WHERE clearer = ?", clearer)
    .reduce((sum, { deltaNano }) => sum + BigInt(deltaNano), 0n);

export interface BalanceRow {
  account: number;
  /** backup, operator, members, congestion, defaultFund, or null for a metering point. */
  fixed: string | null;
  balanceNano: bigint;
}

/** The newest balance of an account, nano-token; zero before anything moved. */
export const balanceOf = (store: ReadStore, account: number): bigint =>
  BigInt(
    store.get<{ balanceNano: string }>(
      "SELECT balanceNano FROM movements WHERE account = ? ORDER BY block DESC, log DESC LIMIT 1",
      account,
    )?.balanceNano ?? "0",
  );

const fixedNames = new Map([
  [BACKUP, "backup"],
  [OPERATOR, "operator"],
  [MEMBERS, "members"],
  [CONGESTION, "congestion"],
  [DEFAULT_FUND, "defaultFund"],
]);

export const balances = (store: ReadStore): BalanceRow[] =>
  store
    .all<{ account: number; balanceNano: string }>(
      `SELECT m.account, m.balanceNano FROM movements m
       JOIN (SELECT account AS a, max(block * 1000000 + log) AS newest FROM movements GROUP BY account) n
         ON m.account = n.a AND m.block * 1000000 + m.log = n.newest ORDER BY m.account`,
    )
    .map(({ account, balanceNano }) => ({
      account,
      fixed: fixedNames.get(account) ?? null,
      balanceNano: BigInt(balanceNano),
    }));

export interface IndexedHead {
  number: number;
  hash: string;
  /** Chain time of the block, unix seconds. */
  timestamp: number;
}

export const headOf = (store: ReadStore): IndexedHead | undefined => store.get<IndexedHead>("SELECT * FROM cursor");

/** Differences between what the contract paid and what the indexer recomputed; must be empty. */
export const problems = (store: ReadStore): Array<{ block: number; tx: string; message: string }> =>
  store.all("SELECT * FROM problems ORDER BY block, tx, message");

export interface PointRow {
  point: number;
  owner: string;
  zone: number;
  importLimitWh: number;
  exportLimitWh: number;
  tradeLimitWh: number | null;
}

/** All metering points as they stand now, by number. */
export const points = (store: ReadStore): PointRow[] => {
  const newest = new Map<number, PointRow>();
  for (const row of store.all<PointRow>(
    "SELECT point, owner, zone, importLimitWh, exportLimitWh, tradeLimitWh FROM points ORDER BY block, log",
  )) {
    newest.set(row.point, row);
  }
  return [...newest.values()].sort((a, b) => a.point - b.point);
};

export interface TermsRow {
  slot: number;
  importTariff: number;
  exportTariff: number;
  fee: number;
  bandMin: number;
  bandMax: number;
}

/** A slot's terms with the reference price; undefined before they are published. */
export const slotTermsOf = (store: ReadStore, slot: number): SlotTerms | undefined =>
  store.get<SlotTerms>(
    "SELECT importTariff, exportTariff, fee, bandMin, bandMax, reference FROM terms WHERE slot = ?",
    slot,
  );

export const termsOf = (store: ReadStore, { first, last }: SlotRange): TermsRow[] =>
  store.all<TermsRow>(
    "SELECT slot, importTariff, exportTariff, fee, bandMin, bandMax FROM terms WHERE slot BETWEEN ? AND ? ORDER BY slot",
    first,
    last,
  );

/** Zones of the network in force in a slot, the newest that starts at or before it, as the chain numbers them. */
export const gridAt = (store: ReadStore, slot: number): GridZone[] =>
  store
    .all<{ parent: number; toParentWh: string; fromParentWh: string; backupCapacityWh: string }>(
      `SELECT * FROM grids WHERE (fromSlot, version) =
         (SELECT fromSlot, version FROM grids WHERE fromSlot <= ? ORDER BY version DESC LIMIT 1)
       ORDER BY zone`,
      slot,
    )
    .map(({ parent, toParentWh, fromParentWh, backupCapacityWh }) => ({
      parent,
      toParentWh: BigInt(toParentWh),
      fromParentWh: BigInt(fromParentWh),
      backupCapacityWh: BigInt(backupCapacityWh),
    }));

/** Limits of the network in force in a slot (`packLimits`); 0x where it is radial. */
export const limitsAt = (store: ReadStore, slot: number): string =>
  store.get<{ limits: string }>(
    `SELECT limits FROM gridLimits WHERE (fromSlot, version) =
       (SELECT fromSlot, version FROM grids WHERE fromSlot <= ? ORDER BY version DESC LIMIT 1)`,
    slot,
  )?.limits ?? "0x";

/** Last slot up to which everything is final; 0 before any. */
export const finalThrough = (store: ReadStore): number =>
  store.get<{ slot: number | null }>("SELECT max(slot) AS slot FROM finals")?.slot ?? 0;
