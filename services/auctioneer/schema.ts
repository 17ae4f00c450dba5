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
