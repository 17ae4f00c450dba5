import type { ReadStore } from "./market-store.ts";

/** Credit and default of a point, nano-token. */
export interface StandingRow {
  /** What the backup supplier still stands for. */
  creditNano: bigint;
  /** Owed to the backup supplier and to the default fund. */
  drawnNano: bigint;
  fundNano: bigint;
  /** Its orders and trades are refused. */
  suspended: boolean;
}

export const standingOf = (store: ReadStore, point: number): StandingRow => {
  const row = store.get<Record<"creditNano" | "drawnNano" | "fundNano", string> & { suspended: number }>(
    "SELECT * FROM standings WHERE point = ? ORDER BY block DESC, log DESC LIMIT 1",
    point,
  );
  return {
    creditNano: BigInt(row?.creditNano ?? 0),
    drawnNano: BigInt(row?.drawnNano ?? 0),
    fundNano: BigInt(row?.fundNano ?? 0),
    suspended: row?.suspended === 1,
  };
};
