/**
 * The money of one slot, exactly as the Settlement contract counts it (design, sections 3 and 4): energy in Wh, prices in
 * micro-token per kWh, money in nano-token, so that price x energy needs no division. Positive = sold, exported, earned.
 */
export interface MeteredPosition {
  /** Index of the point's zone. */
  zone: number;
  /** What the point sold minus what it bought in the auction, Wh. */
  positionWh: bigint;
  /** The part of it in green orders that trade at the green price; 0 where none do. */
  greenWh: bigint;
  importWh: bigint;
  exportWh: bigint;
  /** No reading: what was sold counts as not delivered, what was bought as used. */
  missing: boolean;
  /** Words of the point in the slot's cleared book. */
  words: number;
  /** Metered Wh beyond the operating envelope (envelopes.ts); none without. */
  beyondWh?: bigint;
}

export interface ZoneMoney {
  /** Zone price; the slot's reference price where nothing was cleared. */
  priceMicroPerKwh: bigint;
  /** What green orders trade at; the zone price where they do not trade apart. */
  greenMicroPerKwh: bigint;
  /** True when a backup supplier is connected somewhere in the zone's island. */
  hasBackup: boolean;
}

export interface SlotTariffs {
  importMicroPerKwh: bigint;
  exportMicroPerKwh: bigint;
  feeMicroPerKwh: bigint;
  /** What each word pays to the clearer. */
  wordFeeNano: bigint;
  /** What each Wh beyond an operating envelope costs; nothing without. */
  penaltyMicroPerKwh?: bigint;
}

/** A bilateral trade as it was cleared; points and zones by number. */
export interface FilledTrade {
  seller: number;
  buyer: number;
  from: number;
  to: number;
  filledWh: bigint;
  priceMicroPerKwh: bigint;
  /** Who pays what the zone prices differ by: the seller, else the buyer. */
  sellerBearsSpread: boolean;
}

/** The sums of the clearing that settlement needs. */
export interface ClearingSums {
  backupSoldWh: bigint;
  backupNano: bigint;
  congestionNano: bigint;
}

export interface Payment {
  /** Metered net export that the payment counts, Wh. */
  meteredWh: bigint;
  /** Sold minus bought in bilateral trades, Wh. */
  tradedWh: bigint;
  /** Metered minus position and bilateral trades, Wh. */
  imbalanceWh: bigint;
  /** Position at the zone price, green energy at the green price. */
  energyNano: bigint;
  /** The part of `energyNano` that green energy moves beyond the zone price. */
  greenNano: bigint;
  /** Fee on what was bought, <= 0. */
  feeNano: bigint;
  /** Imbalance at the tariffs, and `unmetNano`. */
  imbalanceNano: bigint;
  /**
   * The part of `imbalanceNano` that unmet trades pay beyond the tariffs, to the members, <= 0: what was sold and not delivered costs at
   * least its price and the fee, what was bought and not used earns at most its price (decision 0012).
   */
  unmetNano: bigint;
  /** What metered energy beyond the operating envelope costs, to the congestion account, <= 0. */
  penaltyNano: bigint;
  /** Fee on the words of its orders, <= 0. */
  wordFeeNano: bigint;
  /** Bilateral trades at what their sides agreed. */
  tradeNano: bigint;
  /** energy + fee + imbalance + word fee + trades: what the ledger moves. */
  paymentNano: bigint;
  /** What the same net metered energy earns at the tariffs, without a market. */
  tariffNano: bigint;
  /** What deviating cost: payment of a position equal to the metered energy, less the payment. Never negative. */
  deviationCostNano: bigint;
}

export interface FixedAccounts {
  backupNano: bigint;
  operatorNano: bigint;
  membersNano: bigint;
  congestionNano: bigint;
}

export interface SlotMoney {
  payments: Payment[];
  fixed: FixedAccounts;
  /** What the clearer earns. */
  clearerNano: bigint;
}

/** Money of a slot settled on readings. The payments, the fixed accounts and the clearer sum to exactly zero. */
export const slotMoney = ({
  points,
  zones,
  tariffs,
  clearing,
  trades = [],
}: {
  points: readonly MeteredPosition[];
  zones: readonly ZoneMoney[];
  tariffs: SlotTariffs;
  clearing: ClearingSums;
  trades?: readonly FilledTrade[];
}): SlotMoney => {
  let surplusWh = 0n;
  let deficitWh = 0n;
  let boughtWh = 0n;
  let boughtWithoutBackupWh = 0n;
  let withoutBackupNano = 0n;
  let unmetNano = 0n;
  const traded = tradesByPoint(trades, zones);
  const payments = points.map((point, index) => {
    const zone = zones[point.zone] ?? { priceMicroPerKwh: 0n, greenMicroPerKwh: 0n, hasBackup: true };
    const payment = paymentOf(point, zone, tariffs, traded.get(index) ?? NOTHING);
    const bought = max(0n, -point.positionWh);
    if (zone.hasBackup) boughtWh += bought;
    else boughtWithoutBackupWh += bought;
    if (!zone.hasBackup) withoutBackupNano += payment.imbalanceNano;
    else {
      unmetNano += payment.unmetNano;
      if (payment.imbalanceWh >= 0n) surplusWh += payment.imbalanceWh;
      else deficitWh -= payment.imbalanceWh;
    }
    return payment;
  });
  const { importMicroPerKwh: importPrice, exportMicroPerKwh: exportPrice, feeMicroPerKwh: fee } = tariffs;
  const nettedWh = min(surplusWh, deficitWh);
  const backupFeeWh = min(clearing.backupSoldWh, boughtWh);
  const membersFeeWh = boughtWh - backupFeeWh + boughtWithoutBackupWh;
  return {
    payments,
    fixed: {
      backupNano: clearing.backupNano + (deficitWh - nettedWh) * importPrice - (surplusWh - nettedWh) * exportPrice,
      operatorNano: fee * backupFeeWh,
      membersNano: nettedWh * (importPrice - exportPrice) + fee * membersFeeWh - withoutBackupNano - unmetNano,
      congestionNano: payments.reduce((sum, { penaltyNano }) => sum - penaltyNano, clearing.congestionNano),
    },
    clearerNano: payments.reduce((sum, { wordFeeNano }) => sum - wordFeeNano, 0n),
  };
};

interface Traded {
  wh: bigint;
  nano: bigint;
}

const NOTHING: Traded = { wh: 0n, nano: 0n };

/**
 * What bilateral trades move by point: energy, and money at the agreed price with the difference of the zone prices for whoever
 * bears it.
 */
const tradesByPoint = (trades: readonly FilledTrade[], zones: readonly ZoneMoney[]): Map<number, Traded> => {
  const result = new Map<number, Traded>();
  const add = (point: number, wh: bigint, nano: bigint): void => {
    const before = result.get(point) ?? NOTHING;
    result.set(point, { wh: before.wh + wh, nano: before.nano + nano });
  };
  const priceOf = (zone: number): bigint => zones[zone]?.priceMicroPerKwh ?? 0n;
  for (const { seller, buyer, from, to, filledWh, priceMicroPerKwh, sellerBearsSpread } of trades) {
    const spread = priceOf(to) - priceOf(from);
    const received = priceMicroPerKwh - (sellerBearsSpread ? spread : 0n);
    add(seller, filledWh, filledWh * received);
    add(buyer, -filledWh, -filledWh * (received + spread));
  }
  return result;
};

const paymentOf = (point: MeteredPosition, zone: ZoneMoney, tariffs: SlotTariffs, traded: Traded): Payment => {
  const { positionWh } = point;
  const wholeWh = positionWh + traded.wh;
  const price = zone.priceMicroPerKwh;
  const fee = tariffs.feeMicroPerKwh;
  const deficitPrice = zone.hasBackup ? tariffs.importMicroPerKwh : max(price + fee, 0n);
  const surplusPrice = zone.hasBackup ? tariffs.exportMicroPerKwh : min(price, 0n);
  const meteredWh = point.missing ? min(wholeWh, 0n) : point.exportWh - point.importWh;
  const imbalanceWh = meteredWh - wholeWh;
  const premium = zone.greenMicroPerKwh - price;
  const greenNano = point.greenWh * premium;
  const energyNano = positionWh * price + greenNano;
  const feeNano = fee * min(0n, positionWh);
  const unmetNano =
    wholeWh > 0n
      ? -unmet(wholeWh - max(meteredWh, 0n), point.greenWh, price + fee - deficitPrice, premium)
      : -unmet(min(meteredWh, 0n) - wholeWh, -point.greenWh, surplusPrice - price, -premium);
  const imbalanceNano = imbalanceWh * (imbalanceWh >= 0n ? surplusPrice : deficitPrice) + unmetNano;
  const wordFeeNano = -tariffs.wordFeeNano * BigInt(point.words);
  const penaltyNano = -(tariffs.penaltyMicroPerKwh ?? 0n) * (point.beyondWh ?? 0n);
  // What a position in the auction that meets the metered energy would have paid.
  const exactWh = meteredWh - traded.wh;
  const exactNano = exactWh * price + fee * min(0n, exactWh) + greenNano;
  return {
    meteredWh,
    tradedWh: traded.wh,
    imbalanceWh,
    energyNano,
    greenNano,
    feeNano,
    imbalanceNano,
    unmetNano,
    penaltyNano,
    wordFeeNano,
    tradeNano: traded.nano,
    paymentNano: energyNano + feeNano + imbalanceNano + penaltyNano + wordFeeNano + traded.nano,
    tariffNano: meteredWh * (meteredWh >= 0n ? tariffs.exportMicroPerKwh : tariffs.importMicroPerKwh),
    deviationCostNano:
      imbalanceWh === 0n || wholeWh === 0n ? 0n : max(0n, exactNano - energyNano - feeNano - imbalanceNano),
  };
};

/** What unmet energy pays beyond the tariffs, its green part first (UnmetTrades). */
const unmet = (unmetWh: bigint, greenWh: bigint, each: bigint, premium: bigint): bigint => {
  if (unmetWh <= 0n) return 0n;
  const green = min(max(greenWh, 0n), unmetWh);
  return (unmetWh - green) * max(each, 0n) + green * max(each + premium, 0n);
};

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
