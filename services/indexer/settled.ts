import type { ConnectionLimits } from "../core/settlement/envelopes.ts";
import type { SlotMoney } from "../core/settlement/payments.ts";
import type { Store } from "../platform/store.ts";
import type { ChainEvent } from "../protocol/events.ts";
import { gridAt, slotTermsOf } from "../protocol/market-store.ts";
import { settledMoney, type CountedPoint } from "../protocol/slot-money.ts";

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

const recompute = (
  store: Store,
  event: ChainEvent & { name: "Settled" },
): { money: SlotMoney; points: CountedPoint[]; clearer: string | undefined } => {
  const { slot } = event;
  const clearing = store.get<
    { prices: string; positions: string; words: string; extras: string } & Record<string, string>
  >("SELECT * FROM clearings WHERE slot = ?", slot);
  const { money, points } = settledMoney(event, {
    clearing: clearing && {
      prices: JSON.parse(clearing.prices) as number[],
      positions: JSON.parse(clearing.positions) as number[],
      words: JSON.parse(clearing.words) as number[],
      backupSoldWh: BigInt(clearing["backupSoldWh"] ?? 0),
      backupNano: BigInt(clearing["backupNano"] ?? 0),
      congestionNano: BigInt(clearing["congestionNano"] ?? 0),
      extras: clearing.extras,
    },
    terms: slotTermsOf(store, slot),
    grid: gridAt(store, slot),
    connections: connectionsOf(store),
    envelopes: store.get<{ list: string }>(
      "SELECT list FROM envelopes WHERE slot = ? ORDER BY block DESC, log DESC LIMIT 1",
      slot,
    )?.list,
    wordFeeNano: BigInt(store.get<{ nano: number }>("SELECT nano FROM wordFees")?.nano ?? 0),
    penaltyMicroPerKwh: BigInt(store.get<{ price: number }>("SELECT price FROM penalties")?.price ?? 0),
  });
  return { money, points, clearer: clearing?.["clearer"] };
};

const connectionsOf = (store: Store): (ConnectionLimits & { zone: number })[] =>
  store
    .all<{ zone: number; importLimitWh: number; exportLimitWh: number }>(
      "SELECT zone, importLimitWh, exportLimitWh FROM points GROUP BY point ORDER BY point",
    )
    .map(({ zone, importLimitWh, exportLimitWh }) => ({
      ...{ zone, importLimitWh: BigInt(importLimitWh), exportLimitWh: BigInt(exportLimitWh) },
    }));

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
