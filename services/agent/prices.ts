import { SLOTS_PER_DAY } from "../core/forecast/forecast.ts";

/** What is published about a slot, micro-token per kWh. */
export interface SlotTerms {
  readonly importTariff: number;
  readonly exportTariff: number;
  readonly fee: number;
}

/** A price of one's own zone as a share of its range: 0 = export tariff, 1 = import tariff less the fee. */
export const shareOfRange = (priceMicroPerKwh: number, terms: SlotTerms): number => {
  const range = terms.importTariff - terms.fee - terms.exportTariff;
  return range <= 0 ? 1 : Math.min(1, Math.max(0, (priceMicroPerKwh - terms.exportTariff) / range));
};

const DAYS = 7;
const DECAY = 0.6;
const NEIGHBOURS = [0.3, 0.6, 1, 0.6, 0.3];
/** What is assumed before anything was seen counts as much as this many days of the past. */
const PRIOR_WEIGHT = 0.35;
const TODAY_PULL = 0.9;
const TODAY_FADE_SLOTS = 12;
/** Share of the rated solar power at which neighbours begin to have a surplus, and the range over which it takes the price down. */
const SUN_LOW = 0.15;
const SUN_RANGE = 0.3;

/**
 * Expected share of the price range for consecutive slots, learnt from past clearings of the same time of day, pulled
 * towards today's latest prices.
 * @param prior share assumed per slot before anything was seen
 */
export const expectedShares = (
  past: ReadonlyMap<number, number>,
  now: number,
  prior: ArrayLike<number>,
): Float64Array => {
  const half = (NEIGHBOURS.length - 1) / 2;
  const usual = (slot: number, assumed: number): number => {
    let sum = assumed * PRIOR_WEIGHT;
    let weights = PRIOR_WEIGHT;
    for (let days = 1; days <= DAYS; days++) {
      for (let shift = -half; shift <= half; shift++) {
        const seen = past.get(slot - days * SLOTS_PER_DAY + shift);
        if (seen === undefined) continue;
        const weight = DECAY ** (days - 1) * NEIGHBOURS[shift + half]!;
        sum += seen * weight;
        weights += weight;
      }
    }
    return sum / weights;
  };
  let difference = 0;
  let weights = 0;
  for (let back = 0; back < 4; back++) {
    const seen = past.get(now - 1 - back);
    if (seen === undefined) continue;
    difference += (seen - usual(now - 1 - back, prior[0] ?? 1)) * 0.6 ** back;
    weights += 0.6 ** back;
  }
  const pull = weights > 0 ? (TODAY_PULL * difference) / weights : 0;
  return Float64Array.from({ length: prior.length }, (_, lead) =>
    Math.min(1, Math.max(0, usual(now + lead, prior[lead]!) + pull * Math.exp(-lead / TODAY_FADE_SLOTS))),
  );
};

/**
 * Share assumed before any clearing was seen: with much sun on the own roof there is much on the neighbours', and the price
 * falls to the export tariff; without, it stands at the import tariff.
 * @param pvWh expected generation per slot; ratedWh what the own panels give at their rating in a slot (0 = no panels)
 */
export const sunShares = (pvWh: ArrayLike<number>, ratedWh: number): Float64Array =>
  Float64Array.from({ length: pvWh.length }, (_, t) =>
    ratedWh > 0 ? 1 - Math.min(1, Math.max(0, (pvWh[t]! / ratedWh - SUN_LOW) / SUN_RANGE)) : 1,
  );
