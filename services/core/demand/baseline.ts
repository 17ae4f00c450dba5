/**
 * Demand response as the contract computes it (contracts/consumption/DemandResponse.sol), from what everybody can read: which days serve as baseline, what
 * counts as response, and what is paid. Energy Wh, price micro-token per kWh, money token base units.
 *
 * Method: the mean of the highest `high` of the last `days` eligible days in the same slots ("high 5 of 10": NYISO customer baseline load; NAESB baseline
 * type I), weekdays and weekends apart, days with an event and the day of the announcement left out.
 */
export interface BaselineMethod {
  days: number;
  high: number;
  minimum: number;
}

export const HIGH_5_OF_10: BaselineMethod = { days: 10, high: 5, minimum: 5 };
const LOOKBACK_DAYS = 60;
const SLOTS_PER_DAY = 96;
const NANO_PER_BASE_UNIT = 1_000n;
const PPM = 1_000_000n;

/** Saturdays and Sundays in UTC; `day` counts from 1970-01-01. */
export const isWeekend = (day: number): boolean => (day + 3) % 7 > 4;

/**
 * Days that serve as baseline, in days before the window's, the latest first.
 * @param hasEvent whether a day has an event in one of the zones
 */
export const baselineDays = (
  { firstSlot, announcedInSlot, genesisSlot }: { firstSlot: number; announcedInSlot: number; genesisSlot: number },
  hasEvent: (day: number) => boolean,
  { days }: BaselineMethod,
): number[] => {
  const windowDay = Math.floor(firstSlot / SLOTS_PER_DAY);
  const today = Math.floor(announcedInSlot / SLOTS_PER_DAY);
  const found: number[] = [];
  for (let back = windowDay - today + 1; back <= LOOKBACK_DAYS && found.length < days; back += 1) {
    if (firstSlot - back * SLOTS_PER_DAY < genesisSlot) break;
    const day = windowDay - back;
    if (isWeekend(day) === isWeekend(windowDay) && !hasEvent(day)) found.push(back);
  }
  return found;
};

/** Mean of the highest of these days, rounded against the account: down where it uses less, up where it uses more. */
export const highMean = (history: readonly number[], { days, high }: BaselineMethod, increase: boolean): number => {
  const count = Math.ceil((history.length * high) / days);
  const highest = [...history].sort((a, b) => b - a).slice(0, count);
  const sum = highest.reduce((a, b) => a + b, 0);
  return increase ? Math.ceil(sum / count) : Math.floor(sum / count);
};

export const responseWh = (baselineWh: number, meteredWh: number, increase: boolean): number =>
  Math.max(0, increase ? meteredWh - baselineWh : baselineWh - meteredWh);

/** What one enrolled point did over the window; imports undefined where a slot was not measured. */
export interface PointResponse {
  point: number;
  zone: number;
  capacityWh: number;
  /** Wh that it bought in the auction over the window; undefined when nobody kept its position. */
  boughtWh: number | undefined;
  /** Highest export tariff of the window in its zone, not below zero. */
  surplusPrice: number;
  /** Its connection's import rating over the window. */
  ratingWh: number;
  /** Undefined as a whole when nobody proved it. */
  proof: { meteredWh: number | undefined; historyWh: readonly (number | undefined)[] } | undefined;
}

export interface ResponseOffer {
  increase: boolean;
  price: number;
  penaltyPpm: number;
  targetWh: number;
  method: BaselineMethod;
}

/** Imports of a zone in the window and on the days of its baseline; undefined when they were not all counted. */
export interface ZoneImports {
  windowWh: number;
  historyWh: readonly number[];
}

export interface PointPayment {
  point: number;
  baselineWh: number;
  verifiedWh: number;
  deposit: bigint;
  payment: bigint;
  penalty: bigint;
}

/** Wh that count for one point, and the baseline they were measured from. */
export const verifiedOf = (
  { capacityWh, boughtWh, ratingWh, proof }: PointResponse,
  { increase, method }: ResponseOffer,
): { baselineWh: number; verifiedWh: number } => {
  if (!proof) return { baselineWh: 0, verifiedWh: 0 };
  const history = proof.historyWh.map((wh) => wh ?? (increase ? ratingWh : 0));
  const mean = highMean(history, method, increase);
  const baselineWh = increase ? Math.max(mean, boughtWh ?? 0) : Math.min(mean, boughtWh ?? 0);
  if (boughtWh === undefined || proof.meteredWh === undefined) return { baselineWh, verifiedWh: 0 };
  return { baselineWh, verifiedWh: Math.min(capacityWh, responseWh(baselineWh, proof.meteredWh, increase)) };
};

/** Everything that a closed event pays. `rest` goes back to the sponsor. */
export const paymentsOf = (
  points: readonly PointResponse[],
  zones: ReadonlyMap<number, ZoneImports | undefined>,
  offer: ResponseOffer,
): { payments: PointPayment[]; fund: bigint; rest: bigint } => {
  const { increase, penaltyPpm, method } = offer;
  const price = BigInt(offer.price);
  const verified = points.map((point) => verifiedOf(point, offer));
  const verifiedIn = (zone: number): bigint =>
    points.reduce((sum, point, i) => sum + (point.zone === zone ? BigInt(verified[i]?.verifiedWh ?? 0) : 0n), 0n);
  const payableIn = (zone: number): bigint => {
    const imports = zones.get(zone);
    if (!imports) return 0n;
    const wh = BigInt(responseWh(highMean(imports.historyWh, method, increase), imports.windowWh, increase));
    return wh < verifiedIn(zone) ? wh : verifiedIn(zone);
  };
  const payments = points.map((point, i): PointPayment => {
    const { baselineWh, verifiedWh } = verified[i] as { baselineWh: number; verifiedWh: number };
    const wh = BigInt(verifiedWh);
    const capacity = BigInt(point.capacityWh);
    const surplusPrice = increase ? 0n : BigInt(point.surplusPrice);
    const earning = price > surplusPrice ? price - surplusPrice : 0n;
    const penaltyOf = (missedWh: bigint): bigint => (missedWh * price * BigInt(penaltyPpm)) / PPM;
    return {
      point: point.point,
      baselineWh,
      verifiedWh,
      deposit: roundUp(penaltyOf(capacity)),
      payment: wh === 0n ? 0n : (wh * earning * payableIn(point.zone)) / verifiedIn(point.zone) / NANO_PER_BASE_UNIT,
      penalty: penaltyOf(capacity - wh) / NANO_PER_BASE_UNIT,
    };
  });
  const fund = roundUp(BigInt(offer.targetWh) * price);
  return { payments, fund, rest: payments.reduce((left, { payment }) => left - payment, fund) };
};

const roundUp = (nano: bigint): bigint => (nano + NANO_PER_BASE_UNIT - 1n) / NANO_PER_BASE_UNIT;
