import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { tryAgain } from "./errors.ts";
import type { Store } from "./store.ts";

/** Somebody else's store, read only. */
export type ReadOnlyStore = Pick<Store, "get" | "all" | "close">;

/**
 * Opens another process's SQLite store for reading; each query sees a committed state.
 * @throws DaegError exit 75 when the file is not there yet
 */
export const openReadOnly = (path: string): ReadOnlyStore => {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { readOnly: true });
  } catch (error) {
    throw tryAgain(`store ${path} cannot be opened: start the process that writes it first`, { cause: error });
  }
  database.exec("PRAGMA busy_timeout = 5000");
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (!statement) {
      statement = database.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  return {
    get: <T>(sql: string, ...values: SQLInputValue[]) => prepared(sql).get(...values) as T | undefined,
    all: <T>(sql: string, ...values: SQLInputValue[]) => prepared(sql).all(...values) as T[],
    close: () => database.close(),
  };
};
