import { slotAt, slotStart } from "../platform/clock.ts";
import { isRetryable } from "../platform/errors.ts";
import { emptyRecord, encodeAdvanceFinal, encodeEstimate, encodeSettleEstimated } from "./calls.ts";
import { contractErrorOf, reasonOf, type Context } from "./context.ts";

/** SlotTime.REPORT_SLOTS and FINAL_SLOTS. */
const REPORT_SLOTS = 8;
const FINAL_SLOTS = 96;
/** A long outage is worked off over several ticks. */
const MAX_PER_TICK = 16;
const FINAL_LIMIT = 64;

/** What closes a slot's life without a report, and finality: estimate, settle estimated slots, advance what is final. */
export const createFinish = (context: Context, genesisSlot: number): { run(now: number): Promise<void> } => {
  const { config, provider, addresses, failures, send, log } = context;
  let lastFinalSlot = 0;

  const attempt = async (stage: string, slot: number, key: string, data: string): Promise<void> => {
    try {
      const receipt = await send({ key, to: addresses.settlement, data });
      if (receipt.status !== 1) throw new Error(`transaction ${receipt.hash} reverted`);
      failures.clear(stage, slot);
      log.info({ slot }, stage);
    } catch (error) {
      if (isRetryable(error)) throw error;
      const refusal = contractErrorOf(error)?.name;
      if (refusal === "TooEarly") return;
      // Settled since the view was read, by the stage before or by somebody else: nothing is left to do.
      if (refusal === "AlreadySettled" || refusal === "AlreadyEstimated") {
        failures.clear(stage, slot);
        return;
      }
      failures.add(stage, slot, reasonOf(error));
    }
  };

  const estimate = async (now: number): Promise<void> => {
    const { slots, finalThrough } = context.view();
    let left = MAX_PER_TICK;
    for (let slot = Math.max(genesisSlot, finalThrough + 1); left > 0; slot += 1) {
      if (now < slotStart(slot + 1 + REPORT_SLOTS)) return;
      const known = slots.get(slot);
      if (known && (known.estimated || known.settledEstimated || known.settledVersion !== undefined)) continue;
      left -= 1;
      await attempt("estimate", slot, `estimate:${slot}`, encodeEstimate(slot));
    }
  };

  const settleEstimated = async (now: number): Promise<void> => {
    let left = MAX_PER_TICK;
    for (const [slot, known] of context.view().slots) {
      if (left === 0) return;
      if (!known.estimated || known.settledEstimated || known.settledVersion !== undefined) continue;
      if (slotAt(now) < slot + 1 + REPORT_SLOTS + FINAL_SLOTS) continue;
      left -= 1;
      const data = encodeSettleEstimated(known.record ?? emptyRecord(slot));
      await attempt("settle estimated", slot, `settle-estimated:${slot}`, data);
    }
  };

  const advanceFinal = async (now: number): Promise<void> => {
    const { finalThrough } = context.view();
    const slot = slotAt(now);
    if (slot - lastFinalSlot < config.finalEverySlots || slot <= Math.max(finalThrough, genesisSlot) + FINAL_SLOTS)
      return;
    lastFinalSlot = slot;
    const data = encodeAdvanceFinal(FINAL_LIMIT);
    const reachable = Number(await provider.call({ to: addresses.settlement, data }));
    if (reachable > finalThrough) await attempt("advance final", reachable, `final:${reachable}`, data);
  };

  return {
    run: async (now) => {
      await estimate(now);
      await settleEstimated(now);
      await advanceFinal(now);
    },
  };
};
