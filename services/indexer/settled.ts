import { beyondWh, type ConnectionLimits } from "../core/settlement/envelopes.ts";
import { slotMoney, type FilledTrade, type SlotMoney, type ZoneMoney } from "../core/settlement/payments.ts";
import type { Store } from "../platform/store.ts";
import { decodeEnvelopes, envelopeOf, type EnvelopeEntry } from "../protocol/envelopes.ts";
import type { ChainEvent } from "../protocol/events.ts";
import { decodeExtras } from "../protocol/extras.ts";
import { gridAt, slotTermsOf } from "../protocol/market-store.ts";
import { decodeReadings } from "../protocol/words.ts";

/** Sums by account of what a transaction's slots should move, or moved. */
export interface SlotDifference {
  points: Map<number, bigint>;
  backup: bigint;
  operator: bigint;
  members: bigint;
  congestion: bigint;
  /** By clearer. */
  earned: Map<string, bigint>;
}

export const emptyDifference = (): SlotDifference => ({
  points: new Map(),
  backup: 0n,
  operator: 0n,
  members: 0n,
  congestion: 0n,
  earned: new Map(),
});

const MISSING = 3;

/**
 * Recomputes the money of a settled slot, stores a payment per point and adds the difference to what the slot had been
 * paid before (a replaced report) to `expected`.
 * @returns number of meters settled
 */
export const foldSettled = (
  store: Store,
  event: ChainEvent & { name: "Settled" },
  expected: SlotDifference,
): number => {
  const { slot, block, logIndex } = event;
  const before = latestPayments(store, slot);
  const sumsBefore = latestSums(store, slot);
  const { money, points, clearer } = recompute(store, event);

  store.run(
    "INSERT INTO settlements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ...[block, logIndex, slot, event.version, event.status, event.txHash, event.readings],
    ...[event.backupNano, event.operatorNano, event.membersNano, event.congestionNano, money.clearerNano].map(String),
  );
  money.payments.forEach((payment, point) => {
    const metered = points[point] as CountedPoint;
    store.run(
      "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[block, logIndex, slot, event.version, point, Number(metered.positionWh), Number(metered.importWh)],
      ...[Number(metered.exportWh), metered.quality, Number(payment.meteredWh), String(payment.energyNano)],
      ...[String(payment.feeNano), String(payment.imbalanceNano)],
      ...[
        String(payment.wordFeeNano),
        Number(payment.tradedWh),
        String(payment.tradeNano),
        String(payment.paymentNano),
      ],
      ...[String(payment.tariffNano), String(payment.deviationCostNano), String(payment.penaltyNano)],
    );
    const difference = payment.paymentNano - (before.get(point) ?? 0n);
    expected.points.set(point, (expected.points.get(point) ?? 0n) + difference);
  });
  const { fixed } = money;
  expected.backup += fixed.backupNano - sumsBefore.backupNano;
  expected.operator += fixed.operatorNano - sumsBefore.operatorNano;
  expected.members += fixed.membersNano - sumsBefore.membersNano;
  expected.congestion += fixed.congestionNano - sumsBefore.congestionNano;
  if (clearer !== undefined) {
    const earnedNano = money.clearerNano - sumsBefore.clearerNano;
    expected.earned.set(clearer, (expected.earned.get(clearer) ?? 0n) + earnedNano);
  }
  for (const account of ["backupNano", "operatorNano", "membersNano", "congestionNano"] as const) {
    if (fixed[account] !== event[account]) {
      store.run(
        "INSERT INTO problems VALUES (?, ?, ?)",
        ...[block, event.txHash, `slot ${slot}: event says ${account} ${event[account]}, recomputed ${fixed[account]}`],
      );
    }
  }
  return money.payments.length;
};

interface CountedPoint {
  zone: number;
  positionWh: bigint;
  greenWh: bigint;
  importWh: bigint;
  exportWh: bigint;
  missing: boolean;
  words: number;
  quality: number;
  beyondWh: bigint;
}

const recompute = (
  store: Store,
  { slot, status, readings: packed }: ChainEvent & { name: "Settled" },
): { money: SlotMoney; points: CountedPoint[]; clearer: string | undefined } => {
  const clearing = store.get<{ prices: string; positions: string; words: string } & Record<string, string>>(
    "SELECT * FROM clearings WHERE slot = ?",
    slot,
  );
  const positions = clearing ? (JSON.parse(clearing.positions) as number[]) : [];
  const words = clearing ? (JSON.parse(clearing.words) as number[]) : [];
  const prices = clearing ? (JSON.parse(clearing.prices) as number[]) : [];
  const extras = decodeExtras(clearing?.["extras"] ?? "0x");
  const terms = slotTermsOf(store, slot);
  const readings = decodeReadings(packed);
  const connections = connectionsOf(store);
  // Without terms nobody pays, penalties neither.
  const envelopes = terms ? envelopesAt(store, slot) : undefined;
  // An estimated slot counts every position as metered; its event carries no readings.
  const estimated = status === "estimated";
  const points: CountedPoint[] = connections.map(({ zone, ...rating }, point) => {
    const positionWh = BigInt(positions[point] ?? 0);
    const own = { zone, positionWh, greenWh: BigInt(extras.greenWh[point] ?? 0), words: words[point] ?? 0 };
    const reading = readings[point];
    if (estimated) {
      const wholeWh = positionWh + tradedWh(extras.trades, point);
      const energy = { importWh: wholeWh < 0n ? -wholeWh : 0n, exportWh: wholeWh > 0n ? wholeWh : 0n };
      return { ...own, ...energy, missing: false, quality: 2, beyondWh: 0n };
    }
    const quality = reading?.quality ?? MISSING;
    const energy = {
      importWh: BigInt(reading?.importWh ?? 0),
      exportWh: BigInt(reading?.exportWh ?? 0),
      missing: quality === MISSING,
    };
    const beyond = envelopes ? beyondWh(energy, rating, envelopeOf(envelopes, point, zone)) : 0n;
    return { ...own, ...energy, quality, beyondWh: beyond };
  });
  // Without terms the slot took no orders and nobody pays; an estimated slot without a clearing pays nobody either.
  const money = slotMoney({
    points,
    zones: zonesOf(store, slot, prices, extras.greenPrices, terms?.reference ?? 0),
    tariffs: {
      importMicroPerKwh: BigInt(terms?.importTariff ?? 0),
      exportMicroPerKwh: BigInt(terms?.exportTariff ?? 0),
      feeMicroPerKwh: BigInt(terms?.fee ?? 0),
      wordFeeNano: wordFeeOf(store),
      penaltyMicroPerKwh: BigInt(store.get<{ price: number }>("SELECT price FROM penalties")?.price ?? 0),
    },
    clearing: {
      backupSoldWh: BigInt(clearing?.["backupSoldWh"] ?? 0),
      backupNano: BigInt(clearing?.["backupNano"] ?? 0),
      congestionNano: BigInt(clearing?.["congestionNano"] ?? 0),
    },
    trades: extras.trades,
  });
  return { money, points, clearer: clearing?.["clearer"] };
};

const wordFeeOf = (store: Store): bigint => BigInt(store.get<{ nano: number }>("SELECT nano FROM wordFees")?.nano ?? 0);

/** What a point sold minus what it bought in bilateral trades, Wh. */
const tradedWh = (trades: readonly FilledTrade[], point: number): bigint =>
  trades.reduce(
    (sum, { seller, buyer, filledWh }) => sum + (seller === point ? filledWh : 0n) - (buyer === point ? filledWh : 0n),
    0n,
  );

const connectionsOf = (store: Store): (ConnectionLimits & { zone: number })[] =>
  store
    .all<{ zone: number; importLimitWh: number; exportLimitWh: number }>(
      "SELECT zone, importLimitWh, exportLimitWh FROM points GROUP BY point ORDER BY point",
    )
    .map(({ zone, importLimitWh, exportLimitWh }) => ({
      ...{ zone, importLimitWh: BigInt(importLimitWh), exportLimitWh: BigInt(exportLimitWh) },
    }));

/** The operating envelopes of a slot as they were set last; undefined where none were. */
const envelopesAt = (store: Store, slot: number): EnvelopeEntry[] | undefined => {
  const row = store.get<{ list: string }>(
    "SELECT list FROM envelopes WHERE slot = ? ORDER BY block DESC, log DESC LIMIT 1",
    slot,
  );
  return row && decodeEnvelopes(row.list);
};

/** Zone prices, green prices, and whether a backup supplier is connected somewhere in each zone's island. */
const zonesOf = (
  store: Store,
  slot: number,
  prices: readonly number[],
  greenPrices: readonly bigint[],
  referencePrice: number,
): ZoneMoney[] => {
  const rows = gridAt(store, slot);
  const roots: number[] = [];
  rows.forEach(({ parent }, zone) => roots.push(parent === zone ? zone : (roots[parent] as number)));
  const backed = new Set(rows.flatMap((row, zone) => (row.backupCapacityWh === 0n ? [] : [roots[zone] as number])));
  return rows.map((_, zone) => ({
    priceMicroPerKwh: BigInt(prices[zone] ?? referencePrice),
    greenMicroPerKwh: greenPrices[zone] ?? BigInt(prices[zone] ?? referencePrice),
    hasBackup: backed.has(roots[zone] as number),
  }));
};

const latestPayments = (store: Store, slot: number): Map<number, bigint> =>
  new Map(
    store
      .all<{ point: number; paymentNano: string }>(
        "SELECT point, paymentNano FROM payments WHERE slot = ? ORDER BY block, log",
        slot,
      )
      .map(({ point, paymentNano }) => [point, BigInt(paymentNano)]),
  );

const latestSums = (
  store: Store,
  slot: number,
): Record<"backupNano" | "operatorNano" | "membersNano" | "congestionNano" | "clearerNano", bigint> => {
  const row = store.get<Record<string, string>>(
    "SELECT * FROM settlements WHERE slot = ? ORDER BY block DESC, log DESC LIMIT 1",
    slot,
  );
  const of = (key: string): bigint => BigInt(row?.[key] ?? 0);
  return {
    backupNano: of("backupNano"),
    operatorNano: of("operatorNano"),
    membersNano: of("membersNano"),
    congestionNano: of("congestionNano"),
    clearerNano: of("clearerNano"),
  };
};
