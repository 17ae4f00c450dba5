import { expect } from "chai";
import fc from "fast-check";
import { slotMoney, type MeteredPosition } from "../../../../services/core/settlement/payments.ts";

const wh = (max: number) => fc.bigInt({ min: 0n, max: BigInt(max) });
const point: fc.Arbitrary<MeteredPosition> = fc.record({
  zone: fc.integer({ min: 0, max: 2 }),
  positionWh: fc.bigInt({ min: -5_000n, max: 5_000n }),
  importWh: wh(6_000),
  exportWh: wh(6_000),
  missing: fc.boolean(),
  words: fc.integer({ min: 0, max: 120 }),
});
const slot = fc.record({
  points: fc.array(point, { maxLength: 12 }),
  prices: fc.array(fc.bigInt({ min: 60_000n, max: 260_000n }), { minLength: 3, maxLength: 3 }),
  backed: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  backupSoldWh: wh(20_000),
});
const tariffs = {
  importMicroPerKwh: 300_000n,
  exportMicroPerKwh: 60_000n,
  feeMicroPerKwh: 40_000n,
  wordFeeNano: 1_000n,
};

const moneyOf = ({ points, prices, backed, backupSoldWh }: typeof slot extends fc.Arbitrary<infer T> ? T : never) => {
  const zones = prices.map((priceMicroPerKwh, zone) => ({ priceMicroPerKwh, hasBackup: backed[zone] as boolean }));
  // The other side of all positions at zone prices: the backup's trades, and rent where zones differ.
  const tradedNano = points.reduce((sum, { positionWh, zone }) => sum + positionWh * (prices[zone] as bigint), 0n);
  return {
    zones,
    money: slotMoney({
      points,
      zones,
      tariffs,
      clearing: { backupSoldWh, backupNano: -tradedNano, congestionNano: 0n },
    }),
  };
};

describe("money of a slot", () => {
  it("sums to exactly zero over points, fixed accounts and the clearer", () => {
    fc.assert(
      fc.property(slot, (given) => {
        const { payments, fixed, clearerNano } = moneyOf(given).money;
        const points = payments.reduce((sum, { paymentNano }) => sum + paymentNano, 0n);
        const sum = points + fixed.backupNano + fixed.operatorNano + fixed.membersNano + fixed.congestionNano;
        const words = given.points.reduce((all, { words: own }) => all + own, 0);
        return sum + clearerNano === 0n && clearerNano === 1_000n * BigInt(words);
      }),
    );
  });

  it("is never worse than the tariff by more than the imbalance times the spread of the tariffs and the fee of its words", () => {
    fc.assert(
      fc.property(slot, (given) => {
        const { payments } = moneyOf({ ...given, backed: [true, true, true] }).money;
        const spread = tariffs.importMicroPerKwh - tariffs.exportMicroPerKwh;
        return payments.every(({ paymentNano, tariffNano, imbalanceWh, deviationCostNano }, at) => {
          const wordsNano = 1_000n * BigInt((given.points[at] as MeteredPosition).words);
          const distance = imbalanceWh < 0n ? -imbalanceWh : imbalanceWh;
          return paymentNano >= tariffNano - distance * spread - wordsNano && deviationCostNano >= 0n;
        });
      }),
    );
  });

  it("counts a missing meter against its owner, and leaves who never trades at the tariff", () => {
    const zones = [{ priceMicroPerKwh: 150_000n, hasBackup: true }];
    const clearing = { backupSoldWh: 0n, backupNano: 0n, congestionNano: 0n };
    const { payments } = slotMoney({
      points: [
        { zone: 0, positionWh: 500n, importWh: 0n, exportWh: 900n, missing: true, words: 2 },
        { zone: 0, positionWh: -500n, importWh: 0n, exportWh: 0n, missing: true, words: 1 },
        { zone: 0, positionWh: 0n, importWh: 700n, exportWh: 0n, missing: false, words: 0 },
      ],
      zones,
      tariffs,
      clearing,
    });
    expect(payments.map(({ paymentNano }) => paymentNano)).to.deep.equal([
      500n * 150_000n - 500n * 300_000n - 2_000n,
      -500n * 190_000n - 1_000n,
      -700n * 300_000n,
    ]);
    expect(payments[2]?.tariffNano).to.equal(payments[2]?.paymentNano);
  });
});
