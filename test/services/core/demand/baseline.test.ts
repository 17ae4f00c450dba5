import { expect } from "chai";
import fc from "fast-check";
import {
  baselineDays,
  HIGH_5_OF_10,
  highMean,
  isWeekend,
  paymentsOf,
  type PointResponse,
} from "../../../../services/core/demand/baseline.ts";

const wh = fc.integer({ min: 0, max: 40_000 });
const history = fc.array(wh, { minLength: 4, maxLength: 4 });
const point = fc.record({
  point: fc.constant(0),
  zone: fc.integer({ min: 0, max: 2 }),
  capacityWh: fc.integer({ min: 1, max: 20_000 }),
  boughtWh: fc.option(wh, { nil: undefined }),
  surplusPrice: fc.integer({ min: 0, max: 600_000 }),
  ratingWh: fc.constant(40_000),
  proof: fc.option(fc.record({ meteredWh: fc.option(wh, { nil: undefined }), historyWh: history }), { nil: undefined }),
});

describe("demand response", () => {
  it("takes the mean of the highest five of ten days, and the same share of fewer", () => {
    const days = [7, 3, 9, 1, 5, 8, 2, 10, 4, 6];
    expect(highMean(days, HIGH_5_OF_10, false)).to.equal(8);
    expect(highMean([10, 9, 7], HIGH_5_OF_10, false)).to.equal(9);
    expect(highMean([10, 9, 7], HIGH_5_OF_10, true)).to.equal(10);
    expect(highMean([4], HIGH_5_OF_10, false)).to.equal(4);
  });

  it("looks for days of the same kind before the announcement, sixty days back at most", () => {
    const monday = 22_103;
    expect([monday - 2, monday - 1, monday].map(isWeekend)).to.deep.equal([true, true, false]);
    const at = { firstSlot: monday * 96 + 40, announcedInSlot: (monday - 1) * 96, genesisSlot: 0 };
    const back = baselineDays(at, () => false, HIGH_5_OF_10);
    expect(back).to.deep.equal([3, 4, 5, 6, 7, 10, 11, 12, 13, 14]);
    expect(baselineDays(at, (day) => day === monday - 3, HIGH_5_OF_10)[0]).to.equal(4);
    expect(baselineDays({ ...at, genesisSlot: (monday - 6) * 96 + 41 }, () => false, HIGH_5_OF_10)).to.deep.equal([
      3, 4, 5,
    ]);
    expect(baselineDays(at, () => true, HIGH_5_OF_10)).to.deep.equal([]);
  });

  it("never pays more than the fund, nor a zone more than it saved, nor a penalty beyond the deposit", () => {
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 8 }),
        fc.array(fc.option(fc.record({ windowWh: wh, historyWh: history }), { nil: undefined }), {
          minLength: 3,
          maxLength: 3,
        }),
        fc.record({
          increase: fc.boolean(),
          price: fc.integer({ min: 1, max: 1_000_000 }),
          penaltyPpm: fc.integer({ min: 0, max: 500_000 }),
        }),
        (points, zones, terms) => {
          const targetWh = points.reduce((sum, { capacityWh }) => sum + capacityWh, 1);
          const offer = { ...terms, targetWh, method: { days: 4, high: 2, minimum: 1 } };
          const told = paymentsOf(points as PointResponse[], new Map(zones.entries()), offer);
          expect(told.rest >= 0n).to.equal(true);
          const paid = told.payments.reduce((sum, { payment }) => sum + payment, 0n);
          expect(paid + told.rest).to.equal(told.fund);
          for (const [i, { payment, deposit, penalty, verifiedWh }] of told.payments.entries()) {
            expect(penalty <= deposit && penalty >= 0n, "penalty").to.equal(true);
            expect(verifiedWh).to.be.at.most(points[i]?.capacityWh ?? 0);
            expect(payment * 1_000n <= BigInt(verifiedWh) * BigInt(offer.price), "price").to.equal(true);
          }
          for (const [zone, imports] of zones.entries()) {
            const mine = told.payments.filter((_, i) => points[i]?.zone === zone);
            const all = mine.reduce((sum, { payment }) => sum + payment, 0n);
            const saved = imports
              ? (terms.increase ? -1 : 1) *
                (highMean(imports.historyWh, offer.method, terms.increase) - imports.windowWh)
              : 0;
            expect(all * 1_000n <= BigInt(Math.max(0, saved)) * BigInt(offer.price), "zone").to.equal(true);
          }
        },
      ),
    );
  });
});
