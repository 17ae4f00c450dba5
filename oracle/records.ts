import { SENDER_MIGRATION } from "../services/platform/sender.ts";
import { openStore, type Store } from "../services/platform/store.ts";
import type { Proposal, Registers, ReportRecord, SignedObservation } from "../services/protocol/committee.ts";
import type { Standing } from "./proposal.ts";
import type { Sample } from "./registers.ts";

const MIGRATIONS = [
  SENDER_MIGRATION,
  `
  CREATE TABLE meters (one INTEGER PRIMARY KEY CHECK (one = 1), samples TEXT NOT NULL, reads INTEGER NOT NULL);
  CREATE TABLE boundaries (slot INTEGER PRIMARY KEY, registers TEXT NOT NULL);
  CREATE TABLE observations (slot INTEGER, revision INTEGER, body TEXT NOT NULL, PRIMARY KEY (slot, revision));
  CREATE TABLE signed (
    slot INTEGER, version INTEGER, attempt INTEGER, digest TEXT NOT NULL, readingsHash TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (slot, version, attempt)
  );
  CREATE INDEX signedByReadings ON signed (readingsHash);
  CREATE TABLE reports (
    slot INTEGER PRIMARY KEY, readingsHash TEXT NOT NULL, standings TEXT NOT NULL, derivable INTEGER NOT NULL, body TEXT NOT NULL
  );
  CREATE INDEX reportsByReadings ON reports (readingsHash);
  `,
];

/** Observations and proposals older than this are not needed any more: their slots are final. */
const KEEP_SLOTS = 2 * 96 + 16;

/** What is stored of a meter or head by its key: "<point>" or "head<zone>". */
export type ByMeter<T> = Record<string, T>;

export interface SignedProposal {
  digest: string;
  proposal: Proposal;
}

/** Everything a node has to remember, in SQLite: each write is on disk before its caller acts on it. */
export interface Records {
  store: Store;
  /** Last good sample of each meter, and meter readings done so far. */
  meters(): { samples: ByMeter<Sample>; reads: number };
  /** Stores samples, count and the boundaries they resolve at once. A register once resolved is never changed. */
  saveMeters(samples: ByMeter<Sample>, reads: number, resolved: Map<number, ByMeter<Registers>>): void;
  boundary(slot: number): ByMeter<Registers>;
  /** The node's own observation of a slot, last revision. */
  observation(slot: number): SignedObservation | undefined;
  saveObservation(observation: SignedObservation): void;
  signed(slot: number, version: number, attempt: number): SignedProposal | undefined;
  /** @throws when another proposal was signed for the same slot, version and attempt: the caller must have looked */
  saveSigned(digest: string, readingsHash: string, proposal: Proposal): void;
  /** Every proposal of a slot that this node signed. */
  signedOf(slot: number): SignedProposal[];
  /** Proposals with these readings, whichever slot. */
  signedReadings(readingsHash: string): string | undefined;
  /** Accepted reports. */
  report(slot: number): ReportRecord | undefined;
  reportedReadings(readingsHash: string): string | undefined;
  /** @param derivable whether the standings follow from those before and the readings alone */
  saveReport(record: ReportRecord, standings: readonly Standing[], derivable: boolean): void;
  /** Standings right after an accepted slot. */
  standingsAfter(slot: number): Standing[] | undefined;
  reportCount(): number;
  /** First slot without an accepted report. */
  next(): number;
  /** Standings of the meters after the last accepted report. */
  standings(): readonly Standing[];
  close(): void;
}

export const openRecords = (path: string, firstSlot: number): Records => {
  const store = openStore(path, MIGRATIONS);
  const last = store.get<{ slot: number; standings: string }>(
    "SELECT slot, standings FROM reports ORDER BY slot DESC LIMIT 1",
  );
  let next = last ? last.slot + 1 : firstSlot;
  let standings = last ? (JSON.parse(last.standings) as Standing[]) : [];
  const boundaries = new Map<number, ByMeter<Registers>>();

  const parse = <T>(row: { body: string } | undefined): T | undefined =>
    row ? (JSON.parse(row.body) as T) : undefined;

  const boundary = (slot: number): ByMeter<Registers> => {
    let found = boundaries.get(slot);
    if (!found) {
      const row = store.get<{ registers: string }>("SELECT registers FROM boundaries WHERE slot = ?", slot);
      found = row ? (JSON.parse(row.registers) as ByMeter<Registers>) : {};
      boundaries.set(slot, found);
    }
    return found;
  };

  const prune = (slot: number): void => {
    const before = slot - KEEP_SLOTS;
    for (const table of ["boundaries", "observations", "signed"])
      store.run(`DELETE FROM ${table} WHERE slot < ?`, before);
    // A report stays for good; what it was computed from is needed while it can be disputed, and where a node that joins
    // later could not tell the standings after it from its readings alone.
    store.run(
      "UPDATE reports SET body = json_set(body, '$.observations', json('[]')) WHERE slot = ? AND derivable = 1",
      before,
    );
    for (const known of boundaries.keys()) if (known < slot - 2) boundaries.delete(known);
  };

  return {
    store,
    meters: () => {
      const row = store.get<{ samples: string; reads: number }>("SELECT samples, reads FROM meters");
      return row
        ? { samples: JSON.parse(row.samples) as ByMeter<Sample>, reads: row.reads }
        : { samples: {}, reads: 0 };
    },
    saveMeters: (samples, reads, resolved) => {
      const merged = new Map<number, ByMeter<Registers>>();
      for (const [slot, registers] of resolved) merged.set(slot, { ...registers, ...boundary(slot) });
      store.transaction(() => {
        store.run(
          "INSERT OR REPLACE INTO meters (one, samples, reads) VALUES (1, ?, ?)",
          JSON.stringify(samples),
          reads,
        );
        for (const [slot, registers] of merged) {
          store.run(
            "INSERT OR REPLACE INTO boundaries (slot, registers) VALUES (?, ?)",
            slot,
            JSON.stringify(registers),
          );
        }
      });
      for (const [slot, registers] of merged) boundaries.set(slot, registers);
    },
    boundary,
    observation: (slot) =>
      parse(store.get("SELECT body FROM observations WHERE slot = ? ORDER BY revision DESC LIMIT 1", slot)),
    saveObservation: (observation) => {
      store.run(
        "INSERT INTO observations (slot, revision, body) VALUES (?, ?, ?)",
        observation.slot,
        observation.revision,
        JSON.stringify(observation),
      );
    },
    signed: (slot, version, attempt) => {
      const row = store.get<{ digest: string; body: string }>(
        "SELECT digest, body FROM signed WHERE slot = ? AND version = ? AND attempt = ?",
        slot,
        version,
        attempt,
      );
      return row && { digest: row.digest, proposal: JSON.parse(row.body) as Proposal };
    },
    saveSigned: (digest, readingsHash, proposal) => {
      store.run(
        "INSERT INTO signed (slot, version, attempt, digest, readingsHash, body) VALUES (?, ?, ?, ?, ?, ?)",
        proposal.slot,
        proposal.version,
        proposal.attempt,
        digest,
        readingsHash,
        JSON.stringify(proposal),
      );
    },
    signedOf: (slot) =>
      store
        .all<{ digest: string; body: string }>("SELECT digest, body FROM signed WHERE slot = ? ORDER BY attempt", slot)
        .map(({ digest, body }) => ({ digest, proposal: JSON.parse(body) as Proposal })),
    signedReadings: (readingsHash) =>
      parse<Proposal>(store.get("SELECT body FROM signed WHERE readingsHash = ? LIMIT 1", readingsHash))?.readings,
    report: (slot) => parse(store.get("SELECT body FROM reports WHERE slot = ?", slot)),
    reportedReadings: (readingsHash) =>
      parse<ReportRecord>(store.get("SELECT body FROM reports WHERE readingsHash = ? LIMIT 1", readingsHash))?.readings,
    saveReport: (record, after, derivable) => {
      store.transaction(() => {
        store.run(
          "INSERT INTO reports (slot, readingsHash, standings, derivable, body) VALUES (?, ?, ?, ?, ?)",
          record.slot,
          record.readingsHash,
          JSON.stringify(after),
          derivable ? 1 : 0,
          JSON.stringify(record),
        );
        prune(record.slot);
      });
      next = record.slot + 1;
      standings = [...after];
    },
    standingsAfter: (slot) => {
      const row = store.get<{ standings: string }>("SELECT standings FROM reports WHERE slot = ?", slot);
      return row && (JSON.parse(row.standings) as Standing[]);
    },
    reportCount: () => store.get<{ n: number }>("SELECT count(*) AS n FROM reports")?.n ?? 0,
    next: () => next,
    standings: () => standings,
    close: () => store.close(),
  };
};
