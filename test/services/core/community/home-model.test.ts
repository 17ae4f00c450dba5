import { expect } from "chai";
import fc from "fast-check";
import type { Home } from "../../../../services/core/community/community.ts";
import {
  closeHomeSlot,
  createHomeModel,
  createHomeState,
  presentPower,
  runHome,
  runOwnSlot,
} from "../../../../services/core/community/home-model.ts";
import { shownExportWh, shownImportWh } from "../../../../services/core/community/meter-model.ts";

const home: Home = {
  id: "h",
  zone: "a",
  importRatingW: 22_000,
  exportRatingW: 10_000,
  pvW: 5_000,
  battery: { capacityWh: 6_400, powerW: 5_000, efficiency: 0.9 },
  vehicle: {
    id: "car",
    capacityWh: 50_000,
    maxChargeW: 11_000,
    chargeEfficiency: 0.92,
    arrivalSecond: 1_800,
    departureSecond: 9_000,
    arrivalSoc: 0.5,
    targetSoc: 0.55,
  },
};
const { vehicle: _, ...plain } = home;

describe("a home's physics", () => {
  it("net energy of every slot is load - pv - battery + car in whole Wh, registers never run back", () => {
    const step = fc.record({
      seconds: fc.integer({ min: 1, max: 700 }),
      setW: fc.option(fc.integer({ min: -7_000, max: 7_000 })),
      carW: fc.option(fc.integer({ min: 0, max: 12_000 })),
      revertSeconds: fc.option(fc.integer({ min: 1, max: 2_000 })),
    });
    const slots = fc.array(fc.tuple(fc.nat(3_000), fc.nat(2_000)), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(slots, fc.array(step, { minLength: 1, maxLength: 60 }), (powers, steps) => {
        const model = createHomeModel(home);
        const state = createHomeState(model, 0, { importWh: 7, exportWh: 3 });
        let netJ = 0;
        let last = { importWh: 7, exportWh: 3 };
        const stored = (): number => state.battery!.storedMicroJ;
        for (const { seconds, setW, carW, revertSeconds } of steps) {
          const revertAt = revertSeconds === null ? null : state.time + revertSeconds;
          state.battery!.control = { lowerW: setW, upperW: setW, revertAt };
          if (state.vehicle!.connected) state.vehicle!.control = { powerW: carW, revertAt };
          for (let left = seconds; left > 0;) {
            const slot = Math.floor(state.time / 900);
            const [loadWh, pvWh] = powers[slot % powers.length]!;
            const end = Math.min(state.time + left, (slot + 1) * 900);
            left -= end - state.time;
            netJ += runHome(model, state, { loadW: loadWh * 4, pvW: pvWh * 4 }, end);
            if (end % 900 === 0) {
              netJ += closeHomeSlot(model, state);
              expect(netJ % 3600).to.equal(0);
              expect(state.meter.importWh - 7 - (state.meter.exportWh - 3)).to.equal(netJ / 3600);
            }
            const now = { importWh: shownImportWh(state.meter), exportWh: shownExportWh(state.meter) };
            expect(now.importWh).to.be.at.least(last.importWh);
            expect(now.exportWh).to.be.at.least(last.exportWh);
            last = now;
            // Rounding to whole Wh at a slot's end may leave it a Wh outside of empty and full, never more.
            expect(stored()).to.be.within(-1.1 * 3.6e9, model.battery!.capacityMicroJ + 1.1 * 3.6e9);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("covers its own need first and keeps the rest of the sun", () => {
    const model = createHomeModel(plain);
    const state = createHomeState(model, 0);
    expect(presentPower(model, state, { loadW: 1_000, pvW: 400 })).to.include({ batteryW: 600, gridW: 0 });
    expect(presentPower(model, state, { loadW: 400, pvW: 2_400 })).to.include({ batteryW: -2_000, gridW: 0 });
    expect(runOwnSlot(model, state, { loadW: 1_000, pvW: 400 })).to.equal(0);
    // 600 W for 900 s are 150 Wh at the terminals, 150 / sqrt(0.9) Wh out of the battery.
    // (Compared in mWh: Hardhat's matchers, which other tests load, take integers only.)
    expect(Math.round(state.battery!.storedMicroJ / 3.6e6)).to.equal(
      Math.round((3_200 - 150 / Math.sqrt(0.9)) * 1_000),
    );
  });

  it("stops at empty within the second, and at its power rating", () => {
    const model = createHomeModel(plain);
    const state = createHomeState(model, 0);
    state.battery!.control = { lowerW: 9_000, upperW: 9_000, revertAt: null };
    expect(presentPower(model, state, { loadW: 0, pvW: 0 }).batteryW).to.equal(5_000);
    for (const end of [900, 1_800, 2_700, 3_600]) {
      runHome(model, state, { loadW: 0, pvW: 0 }, end);
      closeHomeSlot(model, state);
    }
    expect(state.meter.exportWh).to.equal(Math.floor(3_200 * Math.sqrt(0.9)));
    expect(presentPower(model, state, { loadW: 0, pvW: 0 }).batteryW).to.be.at.most(1.1 * 3_600);
  });

  it("reverts to its own rule when the set-point's time is over", () => {
    const model = createHomeModel(plain);
    const state = createHomeState(model, 0);
    state.battery!.control = { lowerW: -3_600, upperW: -3_600, revertAt: 300 };
    runHome(model, state, { loadW: 400, pvW: 0 }, 900);
    closeHomeSlot(model, state);
    // 300 s at 4000 W from the grid, then the battery carries the load.
    expect([state.meter.importWh, state.meter.exportWh]).to.deep.equal([333, 0]);
    expect(state.battery!.control).to.deep.equal({ lowerW: null, upperW: null, revertAt: null });
  });

  it("a car arrives with its charge, charges to its target and leaves", () => {
    const model = createHomeModel({ ...plain, battery: undefined, vehicle: home.vehicle });
    const state = createHomeState(model, 0);
    const nets = Array.from({ length: 12 }, () => runOwnSlot(model, state, { loadW: 0, pvW: 0 }));
    expect(nets.slice(0, 3)).to.deep.equal([0, 0, 2_717]);
    expect(nets.reduce((sum, net) => sum + net)).to.equal(Math.floor((50_000 * 0.05) / 0.92));
    expect(state.vehicle!.connected).to.equal(false);
  });
});
