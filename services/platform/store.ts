import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { wrongInput } from "./errors.ts";

export type Row = Record<string, string | number | bigint | null | Uint8Array>;

/** A durable embedded store: SQLite in WAL mode, every commit synced, so that what is written survives `kill -9` and power loss. */
export interface Store {
  run(sql: string, ...values: SQLInputValue[]): { changes: number };
  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined;
  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[];
  /** Runs `work` atomically; nested calls join the outer transaction. `work` must be synchronous. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/**
 * Opens (or creates) a store and brings its schema up to date.
 * @param migrations SQL scripts; script i moves user_version i to i + 1, once, atomically. Only ever append to the list.
 * @throws DaegError exit 1 when the file is newer than this program
 */
export const openStore = (path: string, migrations: readonly string[]): Store => {
  if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;",
  );
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (!statement) {
      statement = database.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  let depth = 0;
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    database.exec("BEGIN IMMEDIATE");
    depth += 1;
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    } finally {
      depth -= 1;
    }
  };

  transaction(() => {
    const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version > migrations.length) {
      throw wrongInput(`store ${path} was written by a newer version: update DAEG or choose another --state folder`);
    }
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });

  return {
    run: (sql, ...values) => ({ changes: Number(prepared(sql).run(...values).changes) }),
    get: <T>(sql: string, ...values: SQLInputValue[]) => prepared(sql).get(...values) as T | undefined,
    all: <T>(sql: string, ...values: SQLInputValue[]) => prepared(sql).all(...values) as T[],
    transaction,
    close: () => database.close(),
  };
};
