import { piecesAbove, piecesBelow, type ValueCurve } from "../core/dispatch/value.ts";

/** One priced step, as the order book takes it. */
export interface OrderStep {
  readonly sell: boolean;
  readonly green: boolean;
  readonly energyWh: number;
  readonly priceMicroPerKwh: number;
}

export const MAX_STEPS = 8;
export const MIN_STEP_WH = 50;

/** Floating-point dust, micro-token per kWh: a value of 219,999.9999 is the tariff of 220,000, at which the backup serves. */
const ROUNDING = 0.01;

/** Everything an order of one slot depends on. Energies Wh in the slot, prices micro-token per kWh. */
export interface OrderInput {
  /** Expected load less PV without the battery. */
  readonly needWh: number;
  /** Expected stored energy at the start of the slot. */
  readonly storedWh: number;
  /** Worth of stored energy at the end of the slot, per stored Wh in micro-token per kWh. */
  readonly after: ValueCurve;
  readonly efficiency: number;
  readonly chargeWh: number;
  readonly dischargeWh: number;
  readonly importRatingWh: number;
  readonly exportRatingWh: number;
  readonly importTariff: number;
  readonly exportTariff: number;
  readonly bandMin: number;
  readonly bandMax: number;
}

interface Segment {
  energyWh: number;
  price: number;
}

/**
 * The home's whole supply curve of a slot as an order: what it would rather sell or buy than keep, at exact marginal values.
 * From the most buying to the most selling the price rises: charging at the value of the stored energy, own need at the tariff
 * or at the value of what the battery would give instead, surplus, then discharging. A bid's limit includes the fee.
 */
export const buildOrder = (input: OrderInput): OrderStep[] => {
  const { needWh, efficiency, importTariff, exportTariff } = input;
  // The curve over net export, starting at the most buying.
  const charges: Segment[] = [];
  let charged = 0;
  for (const piece of piecesAbove(input.after, input.storedWh)) {
    const energyWh = Math.min(piece.widthWh / efficiency, input.chargeWh - charged);
    if (energyWh <= 0) break;
    charged += energyWh;
    charges.unshift({ energyWh, price: piece.slope * efficiency });
  }
  const discharges: Segment[] = [];
  let discharged = 0;
  for (const piece of piecesBelow(input.after, input.storedWh)) {
    const energyWh = Math.min(piece.widthWh * efficiency, input.dischargeWh - discharged);
    if (energyWh <= 0) break;
    discharged += energyWh;
    discharges.push({ energyWh, price: piece.slope / efficiency });
  }
  const bids: Segment[] = [];
  const offers: Segment[] = [];
  let net = -needWh - charged;
  const place = (segment: Segment): void => {
    const buying = Math.min(segment.energyWh, Math.max(0, -net));
    if (buying > 0) bids.push({ energyWh: buying, price: Math.min(segment.price, importTariff) });
    const selling = segment.energyWh - buying;
    if (selling > 0) offers.push({ energyWh: selling, price: Math.max(segment.price, exportTariff) });
    net += segment.energyWh;
  };
  for (const segment of charges) place(segment);
  for (const segment of discharges) place(segment);
  // Need that the battery cannot cover is bought at any price up to the tariff; surplus that it cannot take is sold at any.
  if (net < 0) bids.push({ energyWh: -net, price: importTariff });
  const mostSurplus = -needWh - charged;
  if (mostSurplus > 0) offers.unshift({ energyWh: mostSurplus, price: exportTariff });
  return toSteps(input, bids, offers);
};

/** Integers, at least 50 Wh each, at most eight, within ratings and band, the highest bid strictly below the lowest offer. */
const toSteps = (input: OrderInput, bids: Segment[], offers: Segment[]): OrderStep[] => {
  const worthwhileBids = bids.filter(({ price }) => price > input.exportTariff).sort((a, b) => b.price - a.price);
  const worthwhileOffers = offers.filter(({ price }) => price < input.importTariff).sort((a, b) => a.price - b.price);
  const clamp = (price: number): number => Math.min(input.bandMax, Math.max(input.bandMin, price));
  const buy = merge(worthwhileBids, MAX_STEPS, input.importRatingWh).map((step) => ({
    ...step,
    price: clamp(Math.floor(step.price + ROUNDING)),
  }));
  const sell = merge(worthwhileOffers, MAX_STEPS, input.exportRatingWh).map((step) => ({
    ...step,
    price: clamp(Math.ceil(step.price - ROUNDING)),
  }));
  while (buy.length + sell.length > MAX_STEPS) (buy.length > sell.length ? buy : sell).pop();
  const highestBid = buy[0]?.price;
  const step =
    (sell_: boolean) =>
    ({ energyWh, price }: Segment): OrderStep => ({ sell: sell_, green: false, energyWh, priceMicroPerKwh: price });
  const offered = sell
    .map((offer) => (highestBid === undefined ? offer : { ...offer, price: Math.max(offer.price, highestBid + 1) }))
    .filter(({ price }) => price <= input.bandMax);
  return [...buy.map(step(false)), ...offered.map(step(true))];
};

/**
 * Whole Wh in steps of at least 50: neighbours that are too small join the next one at the mean of their prices, and the
 * closest neighbours join until no more than `most` are left. Segments come best first.
 */
const merge = (segments: readonly Segment[], most: number, ratingWh: number): Segment[] => {
  const steps: Segment[] = [];
  let left = ratingWh;
  for (const segment of segments) {
    const energyWh = Math.min(segment.energyWh, left);
    if (energyWh <= 0) break;
    left -= energyWh;
    const last = steps.at(-1);
    if (last && (last.energyWh < MIN_STEP_WH || Math.abs(last.price - segment.price) < 1))
      join(last, { ...segment, energyWh });
    else steps.push({ energyWh, price: segment.price });
  }
  const end = steps.at(-1);
  if (end && end.energyWh < MIN_STEP_WH && steps.length > 1) {
    steps.pop();
    join(steps.at(-1)!, end);
  }
  while (steps.length > most) {
    let closest = 1;
    for (let i = 2; i < steps.length; i++) {
      const gap = Math.abs(steps[i]!.price - steps[i - 1]!.price);
      if (gap < Math.abs(steps[closest]!.price - steps[closest - 1]!.price)) closest = i;
    }
    join(steps[closest - 1]!, steps[closest]!);
    steps.splice(closest, 1);
  }
  // Whole Wh by rounding the running sum, so that the total is right.
  let exact = 0;
  let given = 0;
  const whole: Segment[] = [];
  for (const step of steps) {
    exact += step.energyWh;
    const energyWh = Math.floor(exact + 1e-6) - given;
    given += energyWh;
    whole.push({ energyWh, price: step.price });
  }
  return whole.filter(({ energyWh }) => energyWh >= MIN_STEP_WH);
};

const join = (into: Segment, other: Segment): void => {
  const energyWh = into.energyWh + other.energyWh;
  into.price = (into.price * into.energyWh + other.price * other.energyWh) / energyWh;
  into.energyWh = energyWh;
};
