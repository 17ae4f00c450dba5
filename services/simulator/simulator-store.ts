import { wrongInput } from "../platform/errors.ts";
import { openStore } from "../platform/store.ts";
import type { SimulationState } from "./simulation.ts";

/** Registers of every meter at a slot's start; homes and zones in the community's order. */
export interface Boundary {
  readonly slot: number;
  readonly time: number;
  /** `storedMicroJ`: energy in the home's battery, 0 without one. `servedWh`: what its load got so far. */
  readonly homes: readonly { importWh: number; exportWh: number; storedMicroJ: number; servedWh: number }[];
  readonly heads: readonly { importWh: number; exportWh: number }[];
}

export interface SimulatorStore {
  /** The live state; `commit` writes it. */
  readonly state: SimulationState;
  /** Remembers the registers at a slot's start, written with the next commit. */
  keepBoundary(slot: number, time: number): void;
  commit(): void;
  /** Commits once for all changes of this turn of the event loop; resolves when they are on disk. */
  commitSoon(): Promise<void>;
  firstBoundary(): Boundary | undefined;
  boundary(slot: number): Boundary | undefined;
  close(): void;
}

const BOUNDARIES_KEPT = 3_000;

const migrations = [
  `CREATE TABLE state (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), fingerprint TEXT NOT NULL, json TEXT NOT NULL);
   CREATE TABLE boundaries (slot INTEGER PRIMARY KEY, json TEXT NOT NULL);`,
];

/**
 * Opens the durable state, or begins with a fresh one.
 * @throws DaegError exit 1 when the file holds another community
 */
export function openSimulatorStore(
  path: string,
  { fingerprint, fresh }: { fingerprint: string; fresh: () => SimulationState },
): SimulatorStore {
  const store = openStore(path, migrations);
  const row = store.get<{ fingerprint: string; json: string }>("SELECT fingerprint, json FROM state");
  if (row && row.fingerprint !== fingerprint) {
    store.close();
    throw wrongInput(`${path} holds the state of another community: choose another state folder or remove that file`);
  }
  const state = row ? (JSON.parse(row.json) as SimulationState) : fresh();
  let kept: Boundary[] = [];
  let soon: Promise<void> | undefined;

  const commit = (): void => {
    const boundaries = kept;
    store.transaction(() => {
      store.run("INSERT OR REPLACE INTO state VALUES (1, ?, ?)", fingerprint, JSON.stringify(state));
      for (const boundary of boundaries) {
        store.run("INSERT OR REPLACE INTO boundaries VALUES (?, ?)", boundary.slot, JSON.stringify(boundary));
      }
      // The first one stays for the conservation report; the older of the rest serve nobody.
      const last = boundaries.at(-1);
      if (last) {
        const oldest = last.slot - BOUNDARIES_KEPT;
        store.run("DELETE FROM boundaries WHERE slot < ? AND slot > (SELECT min(slot) FROM boundaries)", oldest);
      }
    });
    kept = [];
  };
  const parse = (found: { json: string } | undefined): Boundary | undefined =>
    found && (JSON.parse(found.json) as Boundary);

  const keepBoundary = (slot: number, time: number): void => {
    const registers = ({ importWh, exportWh }: { importWh: number; exportWh: number }) => ({ importWh, exportWh });
    const homes = state.homes.map(({ meter, battery, servedWh }) => ({
      ...registers(meter),
      storedMicroJ: battery?.storedMicroJ ?? 0,
      servedWh,
    }));
    kept.push({ slot, time, homes, heads: state.heads.map(registers) });
  };

  if (!row) {
    keepBoundary(state.time / 900, state.time);
    commit();
  }
  return {
    state,
    keepBoundary,
    commit,
    commitSoon: () => {
      soon ??= new Promise((resolve, reject) => {
        setImmediate(() => {
          soon = undefined;
          try {
            commit();
            resolve();
          } catch (error) {
            reject(error as Error);
          }
        });
      });
      return soon;
    },
    firstBoundary: () => parse(store.get("SELECT json FROM boundaries ORDER BY slot LIMIT 1")),
    boundary: (slot) => parse(store.get("SELECT json FROM boundaries WHERE slot = ?", slot)),
    close: () => store.close(),
  };
}
