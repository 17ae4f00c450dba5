import { expect } from "chai";
import fc from "fast-check";
import { addDay, creditOf, emptyMonth, periodOf, placeOf } from "../../../../services/core/usage/month.ts";

const GRAMS = fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 16, maxLength: 16 });
const PERIODS = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 48, maxLength: 48 });
const DAY = fc.array(
  fc.option(
    fc.record({
      importWh: fc.integer({ min: 0, max: 30_000 }),
      exportWh: fc.integer({ min: 0, max: 30_000 }),
      quality: fc.integer({ min: 0, max: 3 }),
    }),
    { nil: undefined },
  ),
  { minLength: 96, maxLength: 96 },
);

describe("usage of a month", () => {
  it("knows where a day lies", () => {
    expect(placeOf(0)).to.deep.equal({ month: 12 * 1970, dayOfMonth: 0 });
    expect(placeOf(22_103)).to.deep.equal({ month: 12 * 2030 + 6, dayOfMonth: 7 });
    const periods = Array.from({ length: 48 }, (_, hour) => (hour < 24 ? 1 : 2));
    expect([22_102, 22_103].map((day) => periodOf(day, 95, { periods }))).to.deep.equal([2, 1]);
  });

  it("adds up, whatever the order of days", () => {
    fc.assert(
      fc.property(DAY, DAY, GRAMS, PERIODS, (first, second, grams, periods) => {
        const add = (month: ReturnType<typeof emptyMonth>, day: number, readings: typeof first) =>
          addDay(month, day, readings, grams, { periods });
        const month = add(add(emptyMonth(), 22_103, first), 22_104, second);
        expect(add(add(emptyMonth(), 22_104, second), 22_103, first)).to.deep.equal(month);
        const counted = [...first, ...second].filter((reading) => reading !== undefined && reading.quality < 2);
        expect(month.slots).to.equal(counted.length);
        expect(month.periodWh.reduce((a, b) => a + b, 0n)).to.equal(month.importWh);
        expect(month.peakImportWh).to.equal(Math.max(0, ...counted.map((reading) => reading?.importWh ?? 0)));
        expect(month.countedDays).to.equal(2 ** 7 + 2 ** 8);
        // All of it matched by certificates: nothing is left.
        const imports = first.map((r) => (r === undefined || r.quality > 1 ? 0n : BigInt(r.importWh)));
        expect(add(emptyMonth(), 22_103, first).importedMg).to.equal(creditOf(imports, grams));
      }),
    );
  });
});
