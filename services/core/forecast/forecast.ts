/**
 * Forecasts of one home from nothing but its own past: a weighted mean over similar slots of earlier days, pulled towards
 * what was seen in the last hours. Pure and deterministic; entries that are missing (NaN) are skipped.
 */

/** Slots of a day when a slot is 900 s. */
export const SLOTS_PER_DAY = 96;

/** A series of one value per slot, Wh; entry i belongs to slot `firstSlot + i`; NaN = unknown. */
export interface PastSeries {
  readonly firstSlot: number;
  readonly values: ArrayLike<number>;
}

/** Forecast of consecutive slots, Wh per slot: mean and the 10 % and 90 % quantiles. */
export interface Forecast {
  readonly firstSlot: number;
  readonly mean: Float64Array;
  readonly q10: Float64Array;
  readonly q90: Float64Array;
}

const DAYS_BACK = 28;
/** Weight of a day relative to the one after it. */
const DAY_DECAY = 0.93;
/** Weight of the same weekday relative to another day of the same age. */
const SAME_WEEKDAY = 1.6;
/** Weight of a day of the other kind (working day, weekend). */
const OTHER_KIND = 0.6;
/** Weights of the neighbouring slots of a similar day: load moves to and fro by a few slots. */
const NEIGHBOURS = [0.15, 0.25, 0.35, 0.45, 0.6, 0.8, 1, 0.8, 0.6, 0.45, 0.35, 0.25, 0.15];
/** The latest residual fades with the lead: quickly within an hour, and a slow rest. */
const FAST_SHARE = 0.62;
const FAST_SLOTS = 3.5;
const SLOW_SHARE = 0.2;
const SLOW_SLOTS = 20;
const RECENT_SLOTS = 12;
const LATEST_DECAY = 0.25;

const at = (past: PastSeries, slot: number): number => {
  const index = slot - past.firstSlot;
  return index >= 0 && index < past.values.length ? past.values[index]! : NaN;
};

const isWeekend = (slot: number): boolean => {
  const day = Math.floor(slot / SLOTS_PER_DAY) + 4;
  return day % 7 === 0 || day % 7 === 6;
};

/** Weighted mean of each past slot and its neighbours, for the slots from `from` to `now`; NaN where nothing is known. */
const smooth = (past: PastSeries, from: number, now: number): Float64Array => {
  const half = (NEIGHBOURS.length - 1) / 2;
  const length = now - from + half;
  const sums = new Float64Array(length);
  const weights = new Float64Array(length);
  for (let slot = from - half; slot < now; slot++) {
    const value = at(past, slot);
    if (Number.isNaN(value)) continue;
    for (let shift = -half; shift <= half; shift++) {
      const index = slot + shift - from;
      if (index < 0 || index >= length) continue;
      sums[index]! += value * NEIGHBOURS[shift + half]!;
      weights[index]! += NEIGHBOURS[shift + half]!;
    }
  }
  return sums.map((sum, i) => (weights[i]! > 0 ? sum / weights[i]! : NaN));
};

/** How much a day counts for a slot `days` later. */
const likeness = (slot: number, days: number): number =>
  DAY_DECAY ** days *
  (days % 7 === 0 ? SAME_WEEKDAY : isWeekend(slot - days * SLOTS_PER_DAY) === isWeekend(slot) ? 1 : OTHER_KIND);

/** Mean of the last day's known values; 0 without any past. */
const recentMean = (past: PastSeries, now: number): number => {
  let sum = 0;
  let count = 0;
  for (let slot = now - SLOTS_PER_DAY; slot < now; slot++) {
    const value = at(past, slot);
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return count > 0 ? sum / count : 0;
};

/** Weighted 10 % and 90 % quantiles of the same slot and its neighbours on earlier days; null without any past. */
const quantilesAt = (past: PastSeries, slot: number, now: number): [number, number] | null => {
  const samples: { value: number; weight: number }[] = [];
  let total = 0;
  for (let days = 1; days <= DAYS_BACK; days++) {
    for (let shift = -4; shift <= 4; shift += 2) {
      const from = slot - days * SLOTS_PER_DAY + shift;
      const value = from < now ? at(past, from) : NaN;
      if (Number.isNaN(value)) continue;
      const weight = likeness(slot, days);
      total += weight;
      samples.push({ value, weight });
    }
  }
  if (samples.length === 0) return null;
  samples.sort((a, b) => a.value - b.value);
  const quantile = (share: number): number => {
    let seen = 0;
    for (const { value, weight } of samples) {
      seen += weight;
      if (seen >= total * share) return value;
    }
    return samples.at(-1)!.value;
  };
  return [quantile(0.1), quantile(0.9)];
};

/**
 * Forecasts a load: similar slots of earlier days plus what is left of the latest residual.
 * @param now first slot that is not known; entries from `now` on are never read
 * @param options quantiles: false leaves q10 and q90 at the mean, which is several times faster
 */
export const forecastLoad = (
  past: PastSeries,
  now: number,
  horizon: number,
  { quantiles = true }: { quantiles?: boolean } = {},
): Forecast => {
  const fallback = recentMean(past, now);
  const from = Math.max(past.firstSlot, now - (DAYS_BACK + 1) * SLOTS_PER_DAY);
  const smoothed = smooth(past, from, now);
  const base = (slot: number): number => {
    let sum = 0;
    let weights = 0;
    for (let days = 1; days <= DAYS_BACK; days++) {
      const value = smoothed[slot - days * SLOTS_PER_DAY - from];
      if (value === undefined || Number.isNaN(value)) continue;
      const weight = likeness(slot, days);
      sum += value * weight;
      weights += weight;
    }
    return weights > 0 ? sum / weights : fallback;
  };
  // The residual of the last slots: of the very last ones, and of the last three hours.
  let latest = 0;
  let latestWeights = 0;
  let recent = 0;
  let recentWeights = 0;
  for (let back = 1; back <= RECENT_SLOTS; back++) {
    const value = at(past, now - back);
    if (Number.isNaN(value)) continue;
    const residual = value - base(now - back);
    const weight = LATEST_DECAY ** (back - 1);
    latest += residual * weight;
    latestWeights += weight;
    recent += residual;
    recentWeights += 1;
  }
  latest = latestWeights > 0 ? latest / latestWeights : 0;
  recent = recentWeights > 0 ? recent / recentWeights : 0;
  const mean = new Float64Array(horizon);
  const q10 = new Float64Array(horizon);
  const q90 = new Float64Array(horizon);
  for (let lead = 0; lead < horizon; lead++) {
    const level = base(now + lead);
    const fast = FAST_SHARE * Math.exp(-lead / FAST_SLOTS);
    mean[lead] = Math.max(0, level + fast * latest + SLOW_SHARE * Math.exp(-lead / SLOW_SLOTS) * recent);
    const range = quantiles ? quantilesAt(past, now + lead, now) : null;
    q10[lead] = Math.max(0, mean[lead]! - (range ? Math.max(0, level - range[0]) * (1 - fast) : 0));
    q90[lead] = mean[lead]! + (range ? Math.max(0, range[1] - level) * (1 - fast) : 0);
  }
  return { firstSlot: now, mean, q10, q90 };
};

const ENVELOPE_DAYS = 10;
const CLEARNESS_DAYS = 7;
const CLEARNESS_DECAY = 0.75;
const TODAY_SLOTS = 8;
/** How long today's clearness is worth more than the usual one, slots. */
const TODAY_FADE_SLOTS = 14;

/**
 * Forecasts solar generation: the best of the last days per slot of day, times a clearness that blends today's last hours
 * with the usual one of that time of day.
 * @param now first slot that is not known; entries from `now` on are never read
 */
export const forecastPv = (past: PastSeries, now: number, horizon: number): Forecast => {
  const envelope = new Float64Array(SLOTS_PER_DAY);
  const usual = new Float64Array(SLOTS_PER_DAY);
  const low = new Float64Array(SLOTS_PER_DAY);
  for (let ofDay = 0; ofDay < SLOTS_PER_DAY; ofDay++) {
    const last = now - 1 - ((((now - 1 - ofDay) % SLOTS_PER_DAY) + SLOTS_PER_DAY) % SLOTS_PER_DAY);
    let best = 0;
    let sum = 0;
    let weights = 0;
    let worst = Infinity;
    for (let days = 0; days < ENVELOPE_DAYS; days++) {
      const value = at(past, last - days * SLOTS_PER_DAY);
      if (Number.isNaN(value)) continue;
      best = Math.max(best, value);
      if (days < CLEARNESS_DAYS) {
        sum += value * CLEARNESS_DECAY ** days;
        weights += CLEARNESS_DECAY ** days;
        worst = Math.min(worst, value);
      }
    }
    envelope[ofDay] = best;
    usual[ofDay] = weights > 0 ? sum / weights : 0;
    low[ofDay] = worst === Infinity ? 0 : worst;
  }
  const peak = envelope.reduce((a, b) => Math.max(a, b), 0);
  const ofDay = (slot: number): number => ((slot % SLOTS_PER_DAY) + SLOTS_PER_DAY) % SLOTS_PER_DAY;
  // Today so far against the usual, in the last daylight slots.
  let seen = 0;
  let expected = 0;
  for (let back = 1; back <= TODAY_SLOTS; back++) {
    const value = at(past, now - back);
    const normal = usual[ofDay(now - back)]!;
    if (Number.isNaN(value) || envelope[ofDay(now - back)]! < 0.08 * peak) continue;
    const weight = 0.75 ** (back - 1);
    seen += value * weight;
    expected += normal * weight;
  }
  const ratio = expected > 0 ? seen / expected : 1;
  const mean = new Float64Array(horizon);
  const q10 = new Float64Array(horizon);
  const q90 = new Float64Array(horizon);
  for (let lead = 0; lead < horizon; lead++) {
    const slot = ofDay(now + lead);
    const pull = 0.9 * Math.exp(-lead / TODAY_FADE_SLOTS);
    const top = envelope[slot]!;
    mean[lead] = Math.min(top * 1.05, usual[slot]! * (1 + pull * (ratio - 1)));
    q10[lead] = Math.min(mean[lead]!, mean[lead]! * pull * 0.8 + low[slot]! * (1 - pull * 0.8));
    q90[lead] = Math.max(mean[lead]!, top);
  }
  return { firstSlot: now, mean, q10, q90 };
};
