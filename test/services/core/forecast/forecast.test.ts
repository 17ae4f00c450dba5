import { expect } from "chai";
import fc from "fast-check";
import { forecastLoad, forecastPv, SLOTS_PER_DAY } from "../../../../services/core/forecast/forecast.ts";

const FIRST = 1_980_000;
const daily = (days: number, value: (slotOfDay: number, day: number) => number): Float64Array =>
  Float64Array.from({ length: days * SLOTS_PER_DAY }, (_, i) =>
    value((FIRST + i) % SLOTS_PER_DAY, Math.floor(i / SLOTS_PER_DAY)),
  );

for (const [name, forecast] of [
  ["load", forecastLoad],
  ["solar", forecastPv],
] as const) {
  describe(`the forecast of ${name}`, () => {
    it("never looks ahead: later values change nothing", () => {
      const values = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 300, maxLength: 600 });
      fc.assert(
        fc.property(values, fc.integer({ min: 1, max: 250 }), (series, known) => {
          const now = FIRST + known;
          const whole = forecast({ firstSlot: FIRST, values: series }, now, 96);
          const cut = forecast({ firstSlot: FIRST, values: series.slice(0, known) }, now, 96);
          expect(whole).to.deep.equal(cut);
        }),
        { numRuns: 25, seed: 5 },
      );
    });

    it("stands between its quantiles, is finite and not negative, also with gaps and without any past", () => {
      const value = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.constant(NaN));
      fc.assert(
        fc.property(fc.array(value, { maxLength: 500 }), (series) => {
          const { mean, q10, q90 } = forecast({ firstSlot: FIRST, values: series }, FIRST + series.length, 96);
          mean.forEach((level, i) => {
            expect(level).to.be.within(q10[i]!, q90[i]!);
            expect(q10[i]!).to.be.at.least(0);
          });
        }),
        { numRuns: 25, seed: 6 },
      );
    });
  });
}

describe("what the forecasts learn", () => {
  it("finds the daily shape of a load and follows today's level", () => {
    const shape = (slot: number): number => 300 + 200 * Math.sin((slot / SLOTS_PER_DAY) * 2 * Math.PI);
    const values = daily(21, shape);
    const usual = forecastLoad({ firstSlot: FIRST, values }, FIRST + values.length, 96).mean;
    usual.forEach((level, i) => expect(level).to.be.closeTo(shape((FIRST + values.length + i) % SLOTS_PER_DAY), 15));
    const high = values.slice();
    for (let i = 1; i <= 4; i++) high[high.length - i]! += 400;
    const pulled = forecastLoad({ firstSlot: FIRST, values: high }, FIRST + values.length, 96).mean;
    expect(pulled[0]! - usual[0]!).to.be.greaterThan(200);
    expect(pulled[90]! - usual[90]!).to.be.within(-5, 60);
  });

  it("knows that nights are dark and that a cloudy morning dims the next hours", () => {
    const sun = (slot: number): number => Math.max(0, 800 * Math.sin(((slot - 24) / 48) * Math.PI));
    const past = daily(14, sun);
    const offset = (SLOTS_PER_DAY - (FIRST % SLOTS_PER_DAY)) % SLOTS_PER_DAY;
    const now = FIRST + 13 * SLOTS_PER_DAY + offset + 40 - (offset > 55 ? SLOTS_PER_DAY : 0);
    const clear = forecastPv({ firstSlot: FIRST, values: past }, now, 96).mean;
    expect(clear[60]).to.equal(0);
    expect(clear[4]).to.be.closeTo(sun(44), 20);
    const cloudy = past.map((value, i) => (i >= now - FIRST - 12 ? value * 0.3 : value));
    const dim = forecastPv({ firstSlot: FIRST, values: cloudy }, now, 96).mean;
    expect(dim[1]! / clear[1]!).to.be.lessThan(0.55);
  });
});
