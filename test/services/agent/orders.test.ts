import { expect } from "chai";
import fc from "fast-check";
import { buildOrder, MAX_STEPS, MIN_STEP_WH } from "../../../services/agent/orders.ts";

const HIGH = 300_000;
const LOW = 80_000;
const curve = fc
  .array(fc.tuple(fc.integer({ min: 10, max: 900 }), fc.integer({ min: 0, max: 450_000 })), {
    minLength: 1,
    maxLength: 24,
  })
  .map((pieces) => ({
    base: 0,
    widths: pieces.map(([width]) => width),
    slopes: pieces.map(([, slope]) => slope).sort((a, b) => b - a),
  }));
const terms = { importTariff: HIGH, exportTariff: LOW, bandMin: 0, bandMax: 1_000_000 };

describe("orders", () => {
  it("keep every rule of the book for any value of the stored energy", () => {
    fc.assert(
      fc.property(
        curve,
        fc.integer({ min: -3000, max: 3000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 1500 }),
        (after, needWh, share, powerWh) => {
          const capacity = after.widths.reduce((a, b) => a + b, 0);
          const steps = buildOrder({
            needWh,
            storedWh: capacity * share,
            after,
            efficiency: 0.95,
            chargeWh: powerWh,
            dischargeWh: powerWh,
            importRatingWh: 2500,
            exportRatingWh: 2000,
            ...terms,
          });
          expect(steps.length).to.be.at.most(MAX_STEPS);
          const bids = steps.filter(({ sell }) => !sell);
          const offers = steps.filter(({ sell }) => sell);
          for (const { energyWh, priceMicroPerKwh } of steps) {
            expect(Number.isInteger(energyWh) && energyWh >= MIN_STEP_WH).to.equal(true);
            expect(Number.isInteger(priceMicroPerKwh)).to.equal(true);
            expect(priceMicroPerKwh).to.be.within(LOW, 1_000_000);
          }
          const total = (side: typeof steps): number => side.reduce((sum, { energyWh }) => sum + energyWh, 0);
          expect(total(bids)).to.be.at.most(Math.max(0, Math.min(2500, needWh + powerWh + 1)));
          expect(total(offers)).to.be.at.most(Math.max(0, Math.min(2000, -needWh + powerWh + 1)));
          const highest = Math.max(...bids.map(({ priceMicroPerKwh }) => priceMicroPerKwh), -1);
          for (const { priceMicroPerKwh } of offers) expect(priceMicroPerKwh).to.be.greaterThan(highest);
        },
      ),
      { numRuns: 500, seed: 7 },
    );
  });

  it("bid the whole need at the tariff without a battery, and offer the whole surplus from the export tariff on", () => {
    const without = {
      storedWh: 0,
      after: { base: 0, widths: [], slopes: [] },
      efficiency: 1,
      chargeWh: 0,
      dischargeWh: 0,
      importRatingWh: 3000,
      exportRatingWh: 2000,
      ...terms,
    };
    const step = { green: false };
    expect(buildOrder({ ...without, needWh: 420.4 })).to.deep.equal([
      { ...step, sell: false, energyWh: 420, priceMicroPerKwh: HIGH },
    ]);
    expect(buildOrder({ ...without, needWh: -700 })).to.deep.equal([
      { ...step, sell: true, energyWh: 700, priceMicroPerKwh: LOW },
    ]);
    expect(buildOrder({ ...without, needWh: 30 })).to.deep.equal([]);
  });

  it("price what the battery gives and takes at its value, efficiency included", () => {
    const steps = buildOrder({
      needWh: 200,
      storedWh: 500,
      after: { base: 0, widths: [500, 500], slopes: [180_000, 100_000] },
      efficiency: 0.9,
      chargeWh: 300,
      dischargeWh: 400,
      importRatingWh: 3000,
      exportRatingWh: 2000,
      ...terms,
    });
    expect(steps.map(({ sell, energyWh, priceMicroPerKwh }) => [sell, energyWh, priceMicroPerKwh])).to.deep.equal([
      [false, 200, 200_000],
      [false, 300, 90_000],
      [true, 200, 200_001],
    ]);
  });
});
