import { type BatteryRating, oneWayEfficiency } from "../core/battery/battery.ts";
import { bestAction, linearValue, type Stage, valueCurves, type ValueCurve } from "../core/dispatch/value.ts";
import { forecastLoad, forecastPv, type PastSeries, SLOTS_PER_DAY } from "../core/forecast/forecast.ts";
import { buildOrder, type OrderStep } from "./orders.ts";
import { expectedShares, type SlotTerms, sunShares } from "./prices.ts";

/** What does not change about a home, as its agent needs it. Energies Wh per slot. */
export interface HomeSettings {
  readonly battery: BatteryRating | null;
  readonly importRatingWh: number;
  readonly exportRatingWh: number;
  /** Installed solar power, W; 0 without. */
  readonly pvW: number;
}

export interface Terms extends SlotTerms {
  readonly bandMin: number;
  readonly bandMax: number;
}

/** Everything a decision depends on. Slots and energies up to `known` (exclusive) are metered, later ones are forecast. */
export interface Situation {
  /** The slot that has begun. */
  readonly slot: number;
  /** First slot without a metered value: `slot`, or `slot + 1` once the running slot was measured. */
  readonly known: number;
  readonly loadWh: PastSeries;
  readonly pvWh: PastSeries;
  /** Stored at the start of `slot`. */
  readonly storedWh: number;
  /** Sold less bought in `slot`. */
  readonly positionWh: number;
  /** Terms of a slot; the last published ones of the same time of day where it has none yet. */
  readonly termsOf: (slot: number) => Terms;
  /** Past prices of the own zone by slot, as shares of their range (prices.ts). */
  readonly shares: ReadonlyMap<number, number>;
}

export interface Decision {
  /** Terminal energy of the battery in `slot`, Wh, positive = discharge. */
  readonly batteryWh: number;
  /** Expected load less PV of `slot`. */
  readonly needWh: number;
  /** What is expected to be stored when `slot` ends. */
  readonly storedAfterWh: number;
  /** Value of one more stored kWh when `slot` ends, micro-token. */
  readonly storedValueMicroPerKwh: number;
  /** The order for `slot + 1`. */
  readonly steps: OrderStep[];
}

const HORIZON = SLOTS_PER_DAY;
/** A future trade counts for a little less than its expected price: a bird in the hand, and no waiting among equal slots. */
const CAUTION = 0.02;

/**
 * Decides what the battery does in the running slot and what the home bids for the next one. Pure: the same situation gives
 * the same decision.
 */
export const decide = (home: HomeSettings, situation: Situation): Decision => {
  const { slot, known, termsOf, storedWh } = situation;
  const load = forecastLoad(situation.loadWh, known, HORIZON + 2, { quantiles: false }).mean;
  const pv = forecastPv(situation.pvWh, known, HORIZON + 2).mean;
  const metered = (past: PastSeries, of: number): number => past.values[of - past.firstSlot] ?? 0;
  const pvOf = (of: number): number => (of < known ? metered(situation.pvWh, of) : pv[of - known]!);
  const needOf = (of: number): number => (of < known ? metered(situation.loadWh, of) : load[of - known]!) - pvOf(of);

  const next = slot + 1;
  const generation = Float64Array.from({ length: HORIZON }, (_, lead) => pvOf(next + lead));
  const shares = expectedShares(situation.shares, next, sunShares(generation, home.pvW / 4));
  const powerWh = (home.battery?.powerW ?? 0) / 4;
  const efficiency = home.battery ? oneWayEfficiency(home.battery) : 1;
  const capacityWh = home.battery?.capacityWh ?? 0;
  const stages = Array.from({ length: HORIZON }, (_, lead): Stage => {
    const { importTariff, exportTariff, fee } = termsOf(next + lead);
    const price = exportTariff + shares[lead]! * (importTariff - fee - exportTariff);
    const caution = CAUTION * (importTariff - exportTariff);
    return {
      needWh: needOf(next + lead),
      importPrice: Math.min(importTariff, price + fee + caution),
      exportPrice: Math.max(exportTariff, price - caution),
      ...limits(home, powerWh, needOf(next + lead)),
    };
  });
  const meanPrice = stages.reduce((sum, { importPrice }) => sum + importPrice, 0) / HORIZON;
  const curves = valueCurves(stages, { capacityWh, efficiency }, linearValue(capacityWh, meanPrice * efficiency));
  const after = curves[0]!;

  const terms = termsOf(slot);
  const needWh = needOf(slot);
  const stage: Stage = {
    needWh: needWh + situation.positionWh,
    importPrice: terms.importTariff,
    exportPrice: terms.exportTariff,
    ...limits(home, powerWh, needWh),
  };
  const batteryWh = wholeAction(bestAction(after, storedWh, stage, efficiency));
  const storedAfterWh = Math.min(
    capacityWh,
    Math.max(0, storedWh - (batteryWh > 0 ? batteryWh / efficiency : batteryWh * efficiency)),
  );
  const nextTerms = termsOf(next);
  const nextNeedWh = needOf(next);
  const steps = buildOrder({
    needWh: nextNeedWh,
    storedWh: storedAfterWh,
    after: curves[1]!,
    efficiency,
    ...limits(home, powerWh, nextNeedWh),
    importRatingWh: home.importRatingWh,
    exportRatingWh: home.exportRatingWh,
    importTariff: nextTerms.importTariff,
    exportTariff: nextTerms.exportTariff,
    bandMin: nextTerms.bandMin,
    bandMax: nextTerms.bandMax,
  });
  return { batteryWh, needWh, storedAfterWh, storedValueMicroPerKwh: slopeAt(after, storedAfterWh), steps };
};

/** The battery's power within what the connection leaves beside the need. */
const limits = (home: HomeSettings, powerWh: number, needWh: number): { chargeWh: number; dischargeWh: number } => ({
  chargeWh: Math.min(powerWh, Math.max(0, home.importRatingWh - needWh)),
  dischargeWh: Math.min(powerWh, Math.max(0, home.exportRatingWh + needWh)),
});

const wholeAction = (energyWh: number): number => {
  const whole = Math.round(energyWh);
  return whole === 0 ? 0 : whole;
};

const slopeAt = (curve: ValueCurve, storedWh: number): number => {
  let start = 0;
  for (let i = 0; i < curve.widths.length; i++) {
    start += curve.widths[i]!;
    if (storedWh < start) return Math.round(curve.slopes[i]!);
  }
  return Math.round(curve.slopes.at(-1) ?? 0);
};
