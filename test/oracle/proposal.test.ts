import { expect } from "chai";
import fc from "fast-check";
import {
  buildReadings,
  deviants,
  lowerMedian,
  pointCount,
  standingsAfter,
  type ProposalInput,
  type SlotReading,
  type Standing,
} from "../../oracle/proposal.ts";
import {
  ESTIMATED,
  INTERPOLATED,
  MEASURED,
  MISSING,
  type MeterObservation,
  type RegisterQuality,
} from "../../services/protocol/committee.ts";

const at = (importWh: number, exportWh = 0, quality: RegisterQuality = MEASURED) => ({ importWh, exportWh, quality });
const seen = (startWh: number, endWh: number, quality: RegisterQuality = MEASURED): MeterObservation => ({
  start: at(startWh, 0, quality),
  end: at(endWh, 0, quality),
});
const unseen: MeterObservation = { start: null, end: null };
const limits = Array.from({ length: 8 }, () => ({ importLimitWh: 1_000, exportLimitWh: 1_000 }));

const build = (
  observations: MeterObservation[][],
  rest: Partial<ProposalInput> = {},
): { readings: SlotReading[]; standings: Standing[] } => {
  const built = buildReadings({ observations, quorum: 3, standings: [], limits, boughtWh: [], late: false, ...rest });
  if ("waitingFor" in built) throw new Error(`waits for ${built.waitingFor.join(",")}`);
  return built;
};

describe("readings from observations", () => {
  it("takes lower medians of the registers", () => {
    expect(lowerMedian([4, 1, 3, 2])).to.equal(2);
    const { readings, standings } = build([[seen(0, 50)], [seen(0, 51)], [seen(0, 52)], [seen(0, 510)]]);
    expect(readings).to.deep.equal([{ importWh: 51, exportWh: 0, quality: MEASURED }]);
    expect(standings).to.deep.equal([{ importWh: 51, exportWh: 0, gap: 0 }]);
  });

  it("continues from the accepted standing, not from the observed start", () => {
    const standings = [{ importWh: 40, exportWh: 0, gap: 0 }];
    expect(build([[seen(0, 50)], [seen(0, 50)], [seen(0, 50)]], { standings }).readings[0]?.importWh).to.equal(10);
  });

  it("never counts backwards; the standing waits for the meter", () => {
    const standings = [{ importWh: 90, exportWh: 0, gap: 1 }];
    const built = build([[seen(0, 50)], [seen(0, 50)], [seen(0, 50)]], { standings });
    expect(built.readings[0]?.importWh).to.equal(0);
    expect(built.standings[0]).to.deep.equal({ importWh: 90, exportWh: 0, gap: 0 });
  });

  it("is interpolated unless a node read the median exactly", () => {
    const late = seen(0, 50, INTERPOLATED);
    expect(build([[late], [late], [seen(0, 60)]]).readings[0]?.quality).to.equal(INTERPOLATED);
    expect(build([[late], [seen(0, 50)], [seen(0, 60)]]).readings[0]?.quality).to.equal(MEASURED);
  });

  it("waits for a meter that too few nodes read, then takes it as estimated within its bounds, else as missing", () => {
    const standings = [{ importWh: 0, exportWh: 5, gap: 0 }];
    const few = [[seen(0, 2_000)], [unseen], [unseen]];
    expect(buildReadings({ observations: few, quorum: 3, standings, limits, boughtWh: [], late: false })).to.deep.equal(
      {
        waitingFor: [0],
      },
    );
    expect(build(few, { standings, late: true }).readings[0]).to.deep.equal({
      importWh: 2_000,
      exportWh: 0,
      quality: ESTIMATED,
    });
    const wild = [[seen(0, 20_000)], [unseen], [unseen]];
    const built = build(wild, { standings, late: true, boughtWh: [300] });
    expect(built.readings[0]).to.deep.equal({ importWh: 300, exportWh: 0, quality: MISSING });
    expect(built.standings[0]).to.deep.equal({ importWh: 300, exportWh: 5, gap: 1 });
  });

  it("corrects the sum over a gap once the meter is back", () => {
    const missing = build([[unseen], [unseen], [unseen]], {
      standings: [{ importWh: 1_000, exportWh: 0, gap: 0 }],
      boughtWh: [300],
      late: true,
    });
    const back = [[seen(0, 1_700)], [seen(0, 1_700)], [seen(0, 1_700)]];
    expect(build(back, { standings: missing.standings }).readings[0]?.importWh).to.equal(400);
  });

  it("has no reading for a meter whose first boundary nobody knows, and one from then on", () => {
    const joined: MeterObservation = { start: null, end: at(500) };
    const first = build([[joined], [joined], [joined]]);
    expect(first.readings[0]).to.deep.equal({ importWh: 0, exportWh: 0, quality: MISSING });
    const second = build([[seen(500, 620)], [seen(500, 620)], [seen(500, 620)]], { standings: first.standings });
    expect(second.readings[0]).to.deep.equal({ importWh: 120, exportWh: 0, quality: MEASURED });
  });

  it("covers the points that a quorum knows, never fewer than before", () => {
    const lengths = (...counts: number[]) => counts.map((length) => Array.from({ length }, () => unseen));
    expect(pointCount({ observations: lengths(3, 3, 4, 9), quorum: 3, standings: [] })).to.equal(3);
    expect(pointCount({ observations: lengths(1, 1, 1), quorum: 3, standings: [null, null] })).to.equal(2);
  });

  it("one liar of four moves no reading outside what honest nodes saw", () => {
    const wh = fc.integer({ min: 0, max: 3_000 });
    const anything = fc.integer({ min: 0, max: 2 ** 47 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(wh, wh), { minLength: 3, maxLength: 3 }),
        fc.tuple(anything, anything, anything, anything),
        fc.integer({ min: 0, max: 3 }),
        (honest, [s1, s2, e1, e2], place) => {
          const observations = honest.map(([importWh, exportWh]) => [
            { start: at(1_000, 1_000), end: at(1_000 + importWh, 1_000 + exportWh) },
          ]);
          observations.splice(place, 0, [{ start: at(s1, s2), end: at(e1, e2) }]);
          const reading = build(observations).readings[0] as SlotReading;
          const imports = honest.map(([importWh]) => importWh);
          const exports = honest.map(([, exportWh]) => exportWh);
          expect(reading.importWh).to.be.within(Math.min(...imports), Math.max(...imports));
          expect(reading.exportWh).to.be.within(Math.min(...exports), Math.max(...exports));
        },
      ),
    );
  });

  it("three of four that agree are taken to the Wh, whoever is missing or lies", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999 }), fc.integer({ min: 0, max: 2 ** 47 }), (endWh, lieWh) => {
        const honest = [seen(0, endWh)];
        for (const others of [[honest], [[seen(lieWh, lieWh)]], []]) {
          expect(build([honest, honest, honest, ...others]).readings[0]?.importWh).to.equal(endWh);
        }
        // One dead and one lying: the two that are left still frame the median.
        expect(build([honest, [seen(0, lieWh)], honest]).readings[0]?.importWh).to.equal(endWh);
      }),
    );
  });

  it("does not depend on the order of observations", () => {
    const meter = fc
      .tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 }), fc.constantFrom(0 as const, 1 as const))
      .map(([startWh, deltaWh, quality]) => seen(startWh, startWh + deltaWh, quality));
    const row = fc.array(fc.option(meter, { nil: unseen }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 3, maxLength: 7 }), (rows) => {
        const forward = build(rows, { late: true });
        expect(build([...rows].reverse(), { late: true })).to.deep.equal(forward);
      }),
    );
  });

  it("telescopes over any run of slots: the readings sum to what the standing moved", () => {
    const slot = fc.array(fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined }), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(slot, { minLength: 1, maxLength: 20 }), fc.nat(500), (slots, boughtWh) => {
        let standings: Standing[] = [{ importWh: 0, exportWh: 0, gap: 0 }];
        let sumWh = 0;
        for (const ends of slots) {
          const observations = ends.map((endWh) => [endWh === undefined ? unseen : seen(0, endWh)]);
          const built = build(observations, { standings, late: true, boughtWh: [boughtWh] });
          expect(standingsAfter(standings, built.readings)).to.deep.equal(built.standings);
          standings = built.standings;
          sumWh += built.readings[0]?.importWh ?? 0;
        }
        expect(standings[0]?.importWh).to.equal(sumWh);
      }),
    );
  });

  it("names who left the median", () => {
    const honest = [seen(0, 5_000), seen(0, 7_000)];
    expect(deviants([honest, [seen(0, 5_000), seen(0, 70_000)], honest, honest], 3)).to.deep.equal([
      { observation: 1, point: 1 },
    ]);
    expect(deviants([honest, honest, honest], 3)).to.deep.equal([]);
  });
});
