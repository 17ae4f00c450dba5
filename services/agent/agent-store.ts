import { join } from "node:path";
import type { OrderBody } from "../protocol/order.ts";
import { openStore } from "../platform/store.ts";
import type { Snapshot } from "./home-devices.ts";
import type { SlotPart } from "./metering.ts";

const MIGRATIONS = [
  `CREATE TABLE metered (point INTEGER NOT NULL, slot INTEGER NOT NULL, load_wh REAL NOT NULL, pv_wh REAL NOT NULL,
     seconds REAL NOT NULL, PRIMARY KEY (point, slot)) WITHOUT ROWID;
   CREATE TABLE homes (point INTEGER PRIMARY KEY, last_reading TEXT, boundary TEXT, set_slot INTEGER NOT NULL,
     trim_slot INTEGER NOT NULL, plan TEXT);
   CREATE TABLE orders (point INTEGER NOT NULL, slot INTEGER NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
     PRIMARY KEY (point, slot)) WITHOUT ROWID;
   CREATE TABLE prices (zone TEXT NOT NULL, slot INTEGER NOT NULL, share REAL NOT NULL, PRIMARY KEY (zone, slot)) WITHOUT ROWID;`,
];

/** What an agent knows of one home between ticks. */
export interface HomeMemory {
  /** Last reading of any tick. */
  readonly lastReading: Snapshot | null;
  /** Last reading right at a slot's start. */
  readonly boundary: Snapshot | null;
  /** Last slot whose first set-point, and whose trim and order, are done; -1 = none. */
  readonly setSlot: number;
  readonly trimSlot: number;
}

/** `signed`: durable, not yet known to be accepted; `posted`: the market has it; `refused`: it never will. */
export type OrderProgress = "signed" | "posted" | "refused";

export interface AgentStore {
  transaction<T>(work: () => T): T;
  memory(point: number): HomeMemory;
  remember(point: number, memory: HomeMemory, plan: unknown): void;
  /** The last plan that was carried out, as given to `remember`. */
  plan(point: number): unknown;
  addMetered(point: number, part: SlotPart): void;
  /** Complete enough slots from `from` on, oldest first, scaled to whole slots. */
  metered(point: number, from: number): { slot: number; loadWh: number; pvWh: number }[];
  order(point: number, slot: number): { body: OrderBody; state: OrderProgress } | null;
  putOrder(body: OrderBody): void;
  setOrder(point: number, slot: number, state: OrderProgress, reason?: string): void;
  putPrice(zone: string, slot: number, share: number): void;
  prices(zone: string, from: number): { slot: number; share: number }[];
  /** Drops what is older than `slot` and no longer used. */
  prune(slot: number): void;
  close(): void;
}

export const openAgentStore = (stateDir: string): AgentStore => {
  const store = openStore(join(stateDir, "agent.sqlite"), MIGRATIONS);
  const parse = <T>(text: string | null | undefined): T | null => (text ? (JSON.parse(text) as T) : null);
  return {
    transaction: store.transaction,
    memory: (point) => {
      const row = store.get<{ last_reading: string; boundary: string; set_slot: number; trim_slot: number }>(
        "SELECT * FROM homes WHERE point = ?",
        point,
      );
      return {
        lastReading: parse<Snapshot>(row?.last_reading),
        boundary: parse<Snapshot>(row?.boundary),
        setSlot: row?.set_slot ?? -1,
        trimSlot: row?.trim_slot ?? -1,
      };
    },
    remember: (point, memory, plan) =>
      void store.run(
        "INSERT OR REPLACE INTO homes (point, last_reading, boundary, set_slot, trim_slot, plan) VALUES (?, ?, ?, ?, ?, ?)",
        point,
        JSON.stringify(memory.lastReading),
        JSON.stringify(memory.boundary),
        memory.setSlot,
        memory.trimSlot,
        JSON.stringify(plan),
      ),
    plan: (point) => parse(store.get<{ plan: string }>("SELECT plan FROM homes WHERE point = ?", point)?.plan),
    addMetered: (point, part) =>
      void store.run(
        `INSERT INTO metered (point, slot, load_wh, pv_wh, seconds) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (point, slot) DO UPDATE SET load_wh = load_wh + excluded.load_wh, pv_wh = pv_wh + excluded.pv_wh,
           seconds = seconds + excluded.seconds`,
        point,
        part.slot,
        part.loadWh,
        part.pvWh,
        part.seconds,
      ),
    metered: (point, from) =>
      store.all<{ slot: number; loadWh: number; pvWh: number }>(
        `SELECT slot, load_wh * 900 / seconds AS loadWh, pv_wh * 900 / seconds AS pvWh FROM metered
         WHERE point = ? AND slot >= ? AND seconds >= 450 ORDER BY slot`,
        point,
        from,
      ),
    order: (point, slot) => {
      const row = store.get<{ body: string; state: OrderProgress }>(
        "SELECT body, state FROM orders WHERE point = ? AND slot = ?",
        point,
        slot,
      );
      return row ? { body: JSON.parse(row.body) as OrderBody, state: row.state } : null;
    },
    putOrder: (body) =>
      void store.run(
        "INSERT INTO orders (point, slot, body, state) VALUES (?, ?, ?, 'signed')",
        body.point,
        body.slot,
        JSON.stringify(body),
      ),
    setOrder: (point, slot, state, reason) =>
      void store.run(
        "UPDATE orders SET state = ?, reason = ? WHERE point = ? AND slot = ?",
        state,
        reason ?? null,
        point,
        slot,
      ),
    putPrice: (zone, slot, share) =>
      void store.run("INSERT OR REPLACE INTO prices (zone, slot, share) VALUES (?, ?, ?)", zone, slot, share),
    prices: (zone, from) =>
      store.all<{ slot: number; share: number }>(
        "SELECT slot, share FROM prices WHERE zone = ? AND slot >= ? ORDER BY slot",
        zone,
        from,
      ),
    prune: (slot) => {
      for (const table of ["metered", "orders", "prices"]) store.run(`DELETE FROM ${table} WHERE slot < ?`, slot);
    },
    close: store.close,
  };
};
