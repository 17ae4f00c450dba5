/**
 * The indexer's tables. Rows are only ever inserted, each with the block and log it comes from, so that a rollback is
 * "delete everything above the fork" and a rebuilt store equals the old one. Where a thing changes (owner, balance, a
 * replaced report) the newest row counts. Money and limits that may exceed 2^53 are decimal TEXT.
 */
export const INDEXER_MIGRATION = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE cursor (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL, hash TEXT NOT NULL, timestamp INTEGER NOT NULL);
  CREATE TABLE blocks (block INTEGER PRIMARY KEY, hash TEXT NOT NULL);
  CREATE TABLE transactions (
    tx TEXT PRIMARY KEY, block INTEGER NOT NULL, kind TEXT NOT NULL, gasUsed INTEGER NOT NULL,
    orders INTEGER NOT NULL, words INTEGER NOT NULL, meterSlots INTEGER NOT NULL
  );
  CREATE TABLE points (
    block INTEGER NOT NULL, log INTEGER NOT NULL, point INTEGER NOT NULL, owner TEXT NOT NULL, zone INTEGER NOT NULL,
    importLimitWh INTEGER NOT NULL, exportLimitWh INTEGER NOT NULL, tradeLimitWh INTEGER,
    PRIMARY KEY (point, block, log)
  );
  CREATE TABLE grids (
    block INTEGER NOT NULL, log INTEGER NOT NULL, fromSlot INTEGER NOT NULL, version INTEGER NOT NULL, zone INTEGER NOT NULL,
    parent INTEGER NOT NULL, toParentWh TEXT NOT NULL, fromParentWh TEXT NOT NULL, backupCapacityWh TEXT NOT NULL,
    PRIMARY KEY (fromSlot, version, zone)
  );
  CREATE TABLE gridLimits (
    block INTEGER NOT NULL, log INTEGER NOT NULL, fromSlot INTEGER NOT NULL, version INTEGER NOT NULL, limits TEXT NOT NULL,
    PRIMARY KEY (fromSlot, version)
  );
  CREATE TABLE terms (
    slot INTEGER PRIMARY KEY, block INTEGER NOT NULL, importTariff INTEGER NOT NULL, exportTariff INTEGER NOT NULL,
    fee INTEGER NOT NULL, bandMin INTEGER NOT NULL, bandMax INTEGER NOT NULL, reference INTEGER NOT NULL
  );
  CREATE TABLE wordFees (block INTEGER PRIMARY KEY, nano INTEGER NOT NULL);
  CREATE TABLE penalties (block INTEGER PRIMARY KEY, price INTEGER NOT NULL);
  CREATE TABLE envelopes (
    block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, list TEXT NOT NULL,
    PRIMARY KEY (slot, block, log)
  );
  CREATE TABLE appends (
    block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, tx TEXT NOT NULL, book TEXT NOT NULL, wordCount INTEGER NOT NULL,
    PRIMARY KEY (slot, block, log)
  );
  CREATE TABLE orders (
    slot INTEGER NOT NULL, at INTEGER NOT NULL, block INTEGER NOT NULL, tx TEXT NOT NULL, point INTEGER NOT NULL,
    sequence INTEGER NOT NULL, zone INTEGER NOT NULL, sell INTEGER NOT NULL, green INTEGER NOT NULL,
    energyWh INTEGER NOT NULL, price INTEGER NOT NULL, word TEXT NOT NULL,
    PRIMARY KEY (slot, at)
  );
  CREATE TABLE skipped (
    block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, tx TEXT NOT NULL, point INTEGER NOT NULL,
    sequence INTEGER NOT NULL, reason INTEGER NOT NULL,
    PRIMARY KEY (slot, block, log)
  );
  CREATE TABLE clearings (
    slot INTEGER PRIMARY KEY, block INTEGER NOT NULL, tx TEXT NOT NULL, clearer TEXT NOT NULL,
    prices TEXT NOT NULL, positions TEXT NOT NULL, words TEXT NOT NULL, backupSoldWh TEXT NOT NULL, backupBoughtWh TEXT NOT NULL, backupNano TEXT NOT NULL,
    congestionNano TEXT NOT NULL, extras TEXT NOT NULL, boughtWh TEXT NOT NULL, welfareNano TEXT NOT NULL
  );
  CREATE TABLE trades (
    block INTEGER NOT NULL, log INTEGER NOT NULL, id TEXT NOT NULL, seller INTEGER NOT NULL, buyer INTEGER NOT NULL,
    firstSlot INTEGER NOT NULL, slots INTEGER NOT NULL, word TEXT NOT NULL, tx TEXT NOT NULL,
    PRIMARY KEY (id, block, log)
  );
  CREATE TABLE tradeWords (
    slot INTEGER NOT NULL, at INTEGER NOT NULL, block INTEGER NOT NULL, id TEXT NOT NULL, word TEXT NOT NULL,
    PRIMARY KEY (slot, at)
  );
  CREATE TABLE reports (
    block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, version INTEGER NOT NULL, attempt INTEGER NOT NULL,
    readingsHash TEXT NOT NULL, root TEXT NOT NULL, signers INTEGER NOT NULL, tx TEXT NOT NULL,
    PRIMARY KEY (slot, version)
  );
  CREATE TABLE settlements (
    block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, version INTEGER NOT NULL, status TEXT NOT NULL, tx TEXT NOT NULL,
    readings TEXT NOT NULL, backupNano TEXT NOT NULL, operatorNano TEXT NOT NULL, membersNano TEXT NOT NULL, congestionNano TEXT NOT NULL,
    clearerNano TEXT NOT NULL,
    PRIMARY KEY (slot, block, log)
  );
  CREATE TABLE payments (
    block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, version INTEGER NOT NULL, point INTEGER NOT NULL,
    positionWh INTEGER NOT NULL, importWh INTEGER NOT NULL, exportWh INTEGER NOT NULL, quality INTEGER NOT NULL,
    meteredWh INTEGER NOT NULL, energyNano TEXT NOT NULL, feeNano TEXT NOT NULL, imbalanceNano TEXT NOT NULL,
    wordFeeNano TEXT NOT NULL, tradedWh INTEGER NOT NULL, tradeNano TEXT NOT NULL, paymentNano TEXT NOT NULL, tariffNano TEXT NOT NULL, deviationCostNano TEXT NOT NULL,
    penaltyNano TEXT NOT NULL,
    PRIMARY KEY (slot, point, block, log)
  );
  CREATE INDEX payments_by_point ON payments (point, slot);
  CREATE TABLE estimates (
    block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, tx TEXT NOT NULL, PRIMARY KEY (slot, block, log)
  );
  CREATE TABLE finals (block INTEGER NOT NULL, log INTEGER NOT NULL, slot INTEGER NOT NULL, PRIMARY KEY (block, log));
  CREATE TABLE movements (
    block INTEGER NOT NULL, log INTEGER NOT NULL, account INTEGER NOT NULL, kind TEXT NOT NULL,
    deltaNano TEXT NOT NULL, balanceNano TEXT NOT NULL,
    PRIMARY KEY (account, block, log)
  );
  CREATE TABLE earnings (
    block INTEGER NOT NULL, log INTEGER NOT NULL, clearer TEXT NOT NULL, kind TEXT NOT NULL, deltaNano TEXT NOT NULL,
    PRIMARY KEY (clearer, block, log)
  );
  CREATE TABLE standings (
    block INTEGER NOT NULL, log INTEGER NOT NULL, point INTEGER NOT NULL, creditNano TEXT NOT NULL, drawnNano TEXT NOT NULL,
    fundNano TEXT NOT NULL, suspended INTEGER NOT NULL,
    PRIMARY KEY (point, block, log)
  );
  CREATE TABLE voids (
    block INTEGER NOT NULL, log INTEGER NOT NULL, firstSlot INTEGER NOT NULL, throughSlot INTEGER NOT NULL, zones TEXT NOT NULL,
    PRIMARY KEY (block, log)
  );
  CREATE TABLE states (
    block INTEGER NOT NULL, log INTEGER NOT NULL, kind TEXT NOT NULL, zones TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (block, log)
  );
  CREATE TABLE problems (block INTEGER NOT NULL, tx TEXT NOT NULL, message TEXT NOT NULL);
`;

/** Every table with a block column, for rollbacks and dumps. */
export const TABLES = [
  "blocks",
  "transactions",
  "points",
  "grids",
  "gridLimits",
  "terms",
  "wordFees",
  "penalties",
  "envelopes",
  "appends",
  "orders",
  "skipped",
  "clearings",
  "trades",
  "tradeWords",
  "reports",
  "settlements",
  "payments",
  "estimates",
  "finals",
  "movements",
  "earnings",
  "standings",
  "voids",
  "states",
  "problems",
] as const;
