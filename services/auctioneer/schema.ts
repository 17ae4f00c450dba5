/**
 * The auctioneer's own record: the orders it promised to relay and the batches it formed. What the chain knows is never
 * stored here; it is read again after a start.
 */
export const AUCTIONEER_MIGRATION = `
  CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    point INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    verified INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'appended', 'skipped', 'superseded')),
    reason TEXT,
    tx TEXT,
    batch TEXT
  );
  CREATE INDEX orders_pending ON orders (state, slot, point, sequence);
  CREATE TABLE batches (
    key TEXT PRIMARY KEY,
    slot INTEGER NOT NULL,
    data TEXT NOT NULL,
    open INTEGER NOT NULL
  );
  CREATE INDEX batches_open ON batches (open);
`;

/** Day orders that it promised to relay, and the transactions it formed of them. */
export const DAYS_MIGRATION = `
  CREATE TABLE day_orders (
    id TEXT PRIMARY KEY,
    point INTEGER NOT NULL,
    firstSlot INTEGER NOT NULL,
    slots INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'appended', 'skipped')),
    reason TEXT,
    tx TEXT,
    batch TEXT
  );
  CREATE INDEX day_orders_pending ON day_orders (state, point, sequence);
  CREATE TABLE day_batches (key TEXT PRIMARY KEY, data TEXT NOT NULL, open INTEGER NOT NULL);
  CREATE INDEX day_batches_open ON day_batches (open);
`;

/** Batches that are hidden until the gate, with what opens them. */
export const SEALED_MIGRATION = `
  CREATE TABLE sealed_batches (
    key TEXT PRIMARY KEY,
    slot INTEGER NOT NULL,
    orders TEXT NOT NULL,
    salt TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sealing', 'sealed', 'opened', 'lost'))
  );
  CREATE INDEX sealed_batches_open ON sealed_batches (state, slot);
`;
