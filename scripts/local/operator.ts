import type { SlotSeries } from "../../services/core/community/slots.ts";
import { slotIndex } from "../../services/core/community/slots.ts";
import { slotAt } from "../../services/platform/clock.ts";
import type { Contracts } from "../../services/protocol/contracts.ts";

/** Limits of any price on the local market, micro-token per kWh: the band of every slot. */
export const BAND = { min: -1_000_000, max: 10_000_000 } as const;
/** What an island without backup supplier pays at most, band and fee; micro-token per kWh. */
export const EMERGENCY_PRICE = 12_000_000;

/** Terms are known at least a day ahead, so that agents can plan; the contract takes 120 slots at most. */
const AHEAD_SLOTS = 119;
/** The contract refuses terms further than this after the last final slot. */
const RING_SLOTS = 256;
const REFILL_BELOW = 100;
const CHUNK_SLOTS = 60;

/** The grid operator of a local run: publishes the community's tariffs day-ahead, before the books open. */
export const createOperator = ({
  contracts,
  series,
  feeMicroPerKwh,
  firstSlot,
}: {
  /** Connected to the operator's wallet. */
  contracts: Contracts;
  series: SlotSeries;
  feeMicroPerKwh: number;
  firstSlot: number;
}) => {
  let nextSlot = firstSlot;

  const termsOf = (slot: number) => {
    const at = slotIndex(series, slot);
    const importTariff = series.importPriceMicroPerKwh[at] as number;
    const exportTariff = series.exportPriceMicroPerKwh[at] as number;
    return {
      importTariff,
      exportTariff,
      fee: feeMicroPerKwh,
      bandMin: BAND.min,
      bandMax: BAND.max,
      reference_: Math.floor((exportTariff + importTariff - feeMicroPerKwh) / 2),
    };
  };

  return {
    /** Publishes what is missing up to the horizon; cheap when nothing is. */
    publish: async (now: number): Promise<void> => {
      if (nextSlot - slotAt(now) > REFILL_BELOW) return;
      const horizon = Math.min(
        slotAt(now) + AHEAD_SLOTS,
        Number(await contracts.settlement.finalThrough()) + RING_SLOTS,
      );
      while (nextSlot <= horizon) {
        const count = Math.min(CHUNK_SLOTS, horizon - nextSlot + 1);
        const terms = Array.from({ length: count }, (_, at) => termsOf(nextSlot + at));
        await (await contracts.tariffs.publish(nextSlot, terms)).wait();
        nextSlot += count;
      }
    },
  };
};
