import { expect } from "chai";
import fc from "fast-check";
import { greedySelfConsumption, passive, storedValueNano } from "../../../../services/core/baselines/baselines.ts";
import { communityBound } from "../../../../services/core/dispatch/bound.ts";
import { createSolver, type Solver } from "../../../../services/core/dispatch/solver.ts";
import type { Home } from "../../../../services/core/community/community.ts";

const SLOTS = 12;
const energy = fc.array(fc.integer({ min: 0, max: 1200 }), { minLength: SLOTS, maxLength: SLOTS });
const homes = fc.array(fc.record({ loadWh: energy, pvWh: energy, battery: fc.boolean() }), {
  minLength: 1,
  maxLength: 4,
});
const tariffs = fc.array(fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 1, max: 400_000 })), {
  minLength: SLOTS,
  maxLength: SLOTS,
});

const homeOf = (battery: boolean, zone: string): Home => ({
  id: "h",
  zone,
  importRatingW: 50_000,
  exportRatingW: 50_000,
  pvW: 5000,
  battery: battery ? { capacityWh: 4000, powerW: 3000, efficiency: 0.9 } : undefined,
});

describe("the community's bound and its baselines", () => {
  let solver: Solver;
  before(async () => (solver = await createSolver()));

  it("is never above the selfish bill, and the selfish bill moves no more energy than there is", () => {
    fc.assert(
      fc.property(homes, tariffs, (given, prices) => {
        const importMicroPerKwh = prices.map(([low, spread]) => low + spread);
        const exportMicroPerKwh = prices.map(([low]) => low);
        const runs = given.map(({ loadWh, pvWh, battery }) => ({
          home: homeOf(battery, "a"),
          firstSlot: 1_800_000,
          loadWh,
          pvWh,
          importMicroPerKwh,
          exportMicroPerKwh,
        }));
        let selfish = 0n;
        for (const run of runs) {
          const own = greedySelfConsumption(run);
          selfish += own.costNano;
          if (run.home.battery) selfish -= storedValueNano(own.storedEndWh, importMicroPerKwh, run.home.battery);
          expect(own.storedEndWh).to.be.within(-1, 4001);
        }
        const bound = communityBound(solver, {
          zones: ["a"],
          lines: [],
          gridZone: "a",
          gridCapacityWh: 1e6,
          importMicroPerKwh,
          exportMicroPerKwh,
          homes: runs.map((run) => ({
            zone: "a",
            importRatingWh: 12_500,
            exportRatingWh: 12_500,
            needWh: passive(run).netImportWh,
            battery: run.home.battery,
          })),
        });
        // The rules of the simulator may leave a Wh outside empty and full.
        expect(Number(bound.costNano - bound.endValueNano)).to.be.at.most(Number(selfish) + 4 * 500_000);
        expect(bound.overloadWh).to.be.closeTo(0, 1e-6);
      }),
      { numRuns: 40, seed: 4 },
    );
  });

  it("keeps line limits, and tells what no dispatch can avoid", () => {
    const problem = {
      zones: ["a", "b"],
      lines: [{ from: "a", to: "b", capacityWh: 100 }],
      gridZone: "a",
      gridCapacityWh: 1000,
      importMicroPerKwh: [200_000],
      exportMicroPerKwh: [50_000],
    };
    const home = { importRatingWh: 5000, exportRatingWh: 5000 };
    const bound = communityBound(solver, {
      ...problem,
      homes: [
        { ...home, zone: "a", needWh: [-300] },
        { ...home, zone: "b", needWh: [150] },
      ],
    });
    expect(bound.overloadWh).to.be.closeTo(50, 1e-6);
    expect(bound.costNano).to.equal(-150n * 50_000n);
  });

  it("passive costs what the energy costs at the tariffs, exactly", () => {
    const run = {
      home: homeOf(true, "a"),
      firstSlot: 1_800_000,
      loadWh: [1000, 0],
      pvWh: [0, 400],
      importMicroPerKwh: [220_001, 220_001],
      exportMicroPerKwh: [60_003, 60_003],
    };
    expect(passive(run).costNano).to.equal(1000n * 220_001n - 400n * 60_003n);
    expect(passive(run).storedStartWh).to.equal(0);
    expect(greedySelfConsumption(run).storedStartWh).to.equal(2000);
    expect([...greedySelfConsumption(run).netImportWh]).to.deep.equal([250, 0]);
  });
});
