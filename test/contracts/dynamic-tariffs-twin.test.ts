import { expect } from "chai";
import fc from "fast-check";
import { tariffOf, type TariffInputs, type TariffParameters } from "../../services/core/tariffs/dynamic.ts";
import { encodeParameters } from "../../services/protocol/dynamic-tariffs.ts";
import { createWorld, type World } from "./support/world.ts";

const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };
const price = (min: number, max: number) => fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
const sensitivity = fc.oneof({ weight: 4, arbitrary: price(-200_000, 200_000) }, fc.integer(INT32));
const signal = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }) }, fc.integer(INT32));
const entry = fc.record({ importTariff: price(-300_000, 900_000), exportTariff: price(-300_000, 900_000) });
const table = fc
  .constantFrom(24, 96)
  .chain((length) => fc.tuple(...[0, 1].map(() => fc.array(entry, { minLength: length, maxLength: length }))));

/** Anything that the contract takes. */
const parameters: fc.Arbitrary<TariffParameters> = fc
  .record({ fee: price(0, 500_000), exportMin: price(-2_000_000, 4_000_000) })
  .chain(({ fee, exportMin }) =>
    fc.record({
      fee: fc.constant(fee),
      exportMin: fc.constant(exportMin),
      exportMore: price(0, 500_000),
      importMore: price(1, 300_000),
      importRoom: price(0, 800_000),
      maxChange: fc.oneof(price(0, 50_000), price(0, 2 ** 32 - 1)),
      bandMin: price(-1_000_000, 200_000),
      bandRoom: price(0, 3_000_000),
      sensitivities: fc.array(sensitivity, { minLength: 6, maxLength: 6 }),
      utcOffsetQuarters: fc.integer({ min: -128, max: 127 }),
      tables: table,
    }),
  )
  .map(({ fee, exportMin, exportMore, importMore, importRoom, bandRoom, sensitivities, tables, ...rest }) => {
    const [a, b, c, d, e, f] = sensitivities as [number, number, number, number, number, number];
    const importMin = exportMin + fee + importMore;
    return {
      ...rest,
      fee,
      exportMin,
      exportMax: exportMin + exportMore,
      importMin,
      importMax: importMin + importRoom,
      bandMax: rest.bandMin + bandRoom,
      importPerScarcity: a,
      exportPerScarcity: b,
      importPerCongestion: c,
      exportPerCongestion: d,
      importPerWeather: e,
      exportPerWeather: f,
      fullRent: 1,
      leadSlots: 1,
      stepSlots: 1,
      windowSlots: 1,
      weekday: tables[0] as TariffParameters["weekday"],
      weekend: tables[1] as TariffParameters["weekend"],
    };
  });
const inputs: fc.Arbitrary<TariffInputs> = fc.record({
  slot: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  scarcityPpm: signal,
  congestionPpm: signal,
  weatherPpm: signal,
  previous: fc.option(fc.record({ importTariff: price(-2e6, 5e6), exportTariff: price(-2e6, 5e6) })),
});

describe("the twin of dynamic tariffs", () => {
  let world: World;
  before(async () => {
    world = await createWorld({ homes: 0, publish: 0, depositTokens: 0 });
  });

  it("gives what the contract gives, to the last micro-token", async () => {
    await fc.assert(
      fc.asyncProperty(parameters, inputs, async (given, { previous, ...rest }) => {
        const chain = await world.c.dynamicTariffs.tariffOf(encodeParameters(given), {
          ...rest,
          hasPrevious: previous !== null,
          previousImport: previous?.importTariff ?? 0,
          previousExport: previous?.exportTariff ?? 0,
        });
        const twin = tariffOf(given, { ...rest, previous });
        expect([...chain]).to.deep.equal(
          [twin.importTariff, twin.exportTariff, twin.fee, twin.bandMin, twin.bandMax, twin.reference].map(BigInt),
        );
      }),
      { numRuns: process.env["DAEG_LONG"] ? 5_000 : 250 },
    );
  });

  it("keeps levels and rate over any run of slots", () => {
    fc.assert(
      fc.property(
        parameters,
        inputs,
        fc.array(fc.tuple(signal, signal, signal), { maxLength: 30 }),
        (p, first, run) => {
          let before = tariffOf(p, { ...first, previous: null });
          run.forEach(([scarcityPpm, congestionPpm, weatherPpm], i) => {
            const slot = (first.slot + i + 1) % 2 ** 32;
            const now = tariffOf(p, { slot, scarcityPpm, congestionPpm, weatherPpm, previous: before });
            expect(now.importTariff).to.be.within(p.importMin, p.importMax);
            expect(now.exportTariff).to.be.within(p.exportMin, p.exportMax);
            expect(Math.abs(now.importTariff - before.importTariff)).to.be.at.most(p.maxChange);
            expect(Math.abs(now.exportTariff - before.exportTariff)).to.be.at.most(p.maxChange);
            expect(now.exportTariff).to.be.below(now.importTariff - now.fee);
            before = now;
          });
        },
      ),
    );
  });
});
