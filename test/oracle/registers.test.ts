import { expect } from "chai";
import fc from "fast-check";
import { boundariesBetween, implausible, plausibleWh, type Sample } from "../../oracle/registers.ts";
import { SLOT_SECONDS } from "../../services/platform/clock.ts";
import { INTERPOLATED, MEASURED } from "../../services/protocol/committee.ts";

const sample = (time: number, importWh: number, exportWh = 0): Sample => ({ time, importWh, exportWh });

describe("registers at slot boundaries", () => {
  it("takes the sample where it was read exactly then", () => {
    const found = boundariesBetween(sample(900, 10), sample(1_800, 70, 3), 0);
    expect([...found]).to.deep.equal([[2, { importWh: 70, exportWh: 3, quality: MEASURED }]]);
  });

  it("interpolates over a gap of several slots", () => {
    const found = boundariesBetween(sample(900, 100, 10), sample(900 * 4 + 450, 170, 24), 0);
    expect([...found]).to.deep.equal([
      [2, { importWh: 120, exportWh: 14, quality: INTERPOLATED }],
      [3, { importWh: 140, exportWh: 18, quality: INTERPOLATED }],
      [4, { importWh: 160, exportWh: 22, quality: INTERPOLATED }],
    ]);
  });

  it("knows nothing before the first sample", () => {
    expect(boundariesBetween(undefined, sample(1_000, 5), 0).size).to.equal(0);
    expect(boundariesBetween(undefined, sample(1_800, 5), 0).get(2)?.quality).to.equal(MEASURED);
  });

  it("leaves out slots before the first that matters", () => {
    expect([...boundariesBetween(sample(0, 0), sample(9_000, 100), 9).keys()]).to.deep.equal([9, 10]);
  });

  it("is monotone, stays between the samples and telescopes for any two samples", () => {
    const wh = fc.integer({ min: 0, max: 2 ** 45 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 200 * SLOT_SECONDS }),
        wh,
        fc.integer({ min: 0, max: 2 ** 40 }),
        (time, seconds, importWh, deltaWh) => {
          const before = sample(time, importWh, importWh);
          const after = sample(time + seconds, importWh + deltaWh, importWh + deltaWh);
          let last = importWh;
          for (const [slot, registers] of boundariesBetween(before, after, 0)) {
            expect(slot * SLOT_SECONDS).to.be.within(time + 1, time + seconds);
            expect(Number.isSafeInteger(registers.importWh)).to.equal(true);
            expect(registers.importWh).to.be.within(last, importWh + deltaWh);
            expect(registers.exportWh).to.equal(registers.importWh);
            last = registers.importWh;
          }
        },
      ),
    );
  });
});

describe("plausibility of a sample", () => {
  const limits = { importLimitWh: 1_000, exportLimitWh: 0 };

  it("refuses registers that fall, that are no count, or that rise beyond what the connection carries", () => {
    expect(implausible(sample(0, 10), sample(900, 9), undefined)).to.contain("fell");
    expect(implausible(undefined, sample(0, -1), undefined)).to.contain("not a count");
    expect(implausible(undefined, sample(0, 0.5), undefined)).to.contain("not a count");
    expect(implausible(sample(0, 0), sample(900, 2_101), limits)).to.contain("at most 2100");
  });

  it("lets a breach of the rating pass: it is paid for, not denied", () => {
    expect(implausible(sample(0, 0), sample(900, 2_000), limits)).to.equal(undefined);
  });

  it("counts the whole gap", () => {
    expect(implausible(sample(0, 0), sample(9_000, 10_000), limits)).to.equal(undefined);
    expect(plausibleWh(1_000, 9_000)).to.equal(20_100);
  });
});
