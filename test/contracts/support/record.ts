import type { ClearingRecord } from "../../../services/protocol/events.ts";

export type { ClearingRecord };

/** A record as it came out of a log, as an object that can be handed in again. */
export const plainRecord = (record: ClearingRecord): ClearingRecord => ({
  slot: Number(record.slot),
  clearer: record.clearer,
  prices: [...record.prices],
  backupSoldWh: record.backupSoldWh,
  backupBoughtWh: record.backupBoughtWh,
  backupNano: record.backupNano,
  congestionNano: record.congestionNano,
  positions: record.positions,
  extras: record.extras,
});
