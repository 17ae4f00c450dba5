import { keccak256, toUtf8Bytes } from "ethers";
import { slotAt } from "../platform/clock.ts";
import { isRetryable, messageOf } from "../platform/errors.ts";
import type { SlotToSettle } from "../protocol/settling.ts";
import { emptyRecord, encodeResettle, encodeSettle } from "./calls.ts";
import { contractErrorOf, reasonOf, type Context } from "./context.ts";
import type { ReadingsSource } from "./readings.ts";

/** Meter-slots that fit one transaction at 6,000 gas each, with room below 16,777,216. */
const MAX_METER_SLOTS = 2_000;

interface Ready extends SlotToSettle {
  slot: number;
  version: number;
}

/** Settles what was reported: positions and readings become money, several slots in one transaction. */
export const createSettle = (context: Context, readings: ReadingsSource): { run(now: number): Promise<void> } => {
  const { config, addresses, failures, send, log } = context;

  /** Reported slots that are not settled, ascending. */
  const waiting = (): Array<{ slot: number; version: number }> => {
    const { slots, finalThrough } = context.view();
    return [...slots]
      .flatMap(([slot, { report, settledVersion, settledEstimated }]) =>
        report && slot > finalThrough && !settledEstimated && settledVersion === undefined
          ? [{ slot, version: report.version }]
          : [],
      )
      .sort((a, b) => a.slot - b.slot);
  };

  const prepare = async ({ slot, version }: { slot: number; version: number }): Promise<Ready | undefined> => {
    const known = context.view().slots.get(slot);
    if (!known?.report) return undefined;
    try {
      const packed = await readings.fetch(known.report.readingsHash);
      failures.clear("readings", slot);
      return { slot, version, record: known.record ?? emptyRecord(slot), readings: packed, root: known.report.root };
    } catch (error) {
      failures.add("readings", slot, messageOf(error));
      return undefined;
    }
  };

  const settle = async (batch: readonly Ready[]): Promise<void> => {
    const name = batch.map(({ slot, version }) => `${slot}.${version}`).join(",");
    const key = `settle:${batch[0]?.slot}:${keccak256(toUtf8Bytes(name)).slice(2, 18)}`;
    const data = encodeSettle(batch);
    try {
      const receipt = await send({ key, to: addresses.settlement, data });
      if (receipt.status !== 1) throw new Error(`transaction ${receipt.hash} reverted`);
      for (const { slot } of batch) failures.clear("settle", slot);
      log.info({ slots: batch.map(({ slot }) => slot), gasUsed: Number(receipt.gasUsed) }, "settled");
    } catch (error) {
      if (isRetryable(error)) throw error;
      // One slot must not hold up the others: when a batch is refused each slot goes alone.
      if (batch.length > 1) for (const slot of batch) await settle([slot]);
      else failures.add("settle", batch[0]?.slot ?? 0, reasonOf(error));
    }
  };

  /** Settled slots whose report was replaced by a higher version; each goes alone, they are few. */
  const correct = async (): Promise<void> => {
    const { slots, finalThrough } = context.view();
    for (const [slot, { report, reports, settledVersion, record }] of slots) {
      if (!report || slot <= finalThrough || settledVersion === undefined || report.version <= settledVersion) continue;
      const settled = reports.get(settledVersion);
      if (!settled) continue;
      try {
        const given = {
          record: record ?? emptyRecord(slot),
          settledReadings: await readings.fetch(settled.readingsHash),
          settledRoot: settled.root,
          readings: await readings.fetch(report.readingsHash),
          root: report.root,
        };
        const key = `resettle:${slot}:${report.version}`;
        const receipt = await send({ key, to: addresses.settlement, data: encodeResettle([given]) });
        if (receipt.status !== 1) throw new Error(`transaction ${receipt.hash} reverted`);
        failures.clear("resettle", slot);
        log.info({ slot, version: report.version, gasUsed: Number(receipt.gasUsed) }, "resettled");
      } catch (error) {
        if (contractErrorOf(error)?.name === "WindowOver") continue;
        failures.add("resettle", slot, reasonOf(error));
      }
    }
  };

  const run = async (now: number): Promise<void> => {
    await correct();
    const due = waiting();
    const [oldest] = due;
    if (!oldest) return;
    const { minSlotsPerTransaction, maxSlotsPerTransaction, maxWaitSlots } = config.settle;
    if (due.length < minSlotsPerTransaction && slotAt(now) - oldest.slot - 1 < maxWaitSlots) return;
    const meters = Math.max(1, context.view().points.size);
    const size = Math.max(1, Math.min(maxSlotsPerTransaction, Math.floor(MAX_METER_SLOTS / meters)));
    const ready = (await Promise.all(due.map(prepare))).filter((slot) => slot !== undefined);
    for (let at = 0; at < ready.length; at += size) await settle(ready.slice(at, at + size));
  };
  return { run };
};
