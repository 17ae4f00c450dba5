import { expect } from "chai";
import fc from "fast-check";
import { checkPlan, type HomeProblem, planHome } from "../../../../services/core/dispatch/home.ts";
import { createSolver, type Solver } from "../../../../services/core/dispatch/solver.ts";
import {
  bestAction,
  linearValue,
  piecesAbove,
  piecesBelow,
  type Stage,
  valueAt,
  valueCurves,
} from "../../../../services/core/dispatch/value.ts";

const price = fc.integer({ min: 0, max: 60 }).map((value) => value / 100);
const slot = fc.record({
  load: fc.integer({ min: 0, max: 1500 }),
  pv: fc.integer({ min: 0, max: 1500 }),
  low: price,
  spread: price,
});
const problem = fc.record({
  slots: fc.array(slot, { minLength: 1, maxLength: 24 }),
  capacity: fc.integer({ min: 500, max: 8000 }),
  power: fc.integer({ min: 200, max: 5000 }),
  efficiency: fc.constantFrom(1, 0.95, 0.9, 0.8),
  start: fc.integer({ min: 0, max: 100 }),
  final: price,
});
type Case = typeof problem extends fc.Arbitrary<infer T> ? T : never;

const homeOf = ({ slots, capacity, power, efficiency, start, final }: Case): HomeProblem => ({
  stepSeconds: 900,
  loadW: slots.map(({ load }) => load * 4),
  pvW: slots.map(({ pv }) => pv * 4),
  importPrice: slots.map(({ low, spread }) => low + spread),
  exportPrice: slots.map(({ low }) => low),
  maxImportW: 50_000,
  maxExportW: 50_000,
  battery: {
    capacityWh: capacity,
    maxChargeW: power,
    maxDischargeW: power,
    chargeEfficiency: efficiency,
    dischargeEfficiency: efficiency,
    initialWh: (capacity * start) / 100,
    minWh: 0,
    maxWh: capacity,
    finalValuePerKwh: final,
  },
});

const stagesOf = ({ slots, power }: Case): Stage[] =>
  slots.map(({ load, pv, low, spread }) => ({
    needWh: load - pv,
    importPrice: low + spread,
    exportPrice: low,
    chargeWh: power / 4,
    dischargeWh: power / 4,
  }));

/** The usual greedy rule on the same home. */
const greedyCost = (home: HomeProblem): number => {
  const { battery } = home;
  let stored = battery.initialWh;
  let cost = 0;
  home.loadW.forEach((load, t) => {
    const need = (load - home.pvW[t]!) / 4;
    const power = battery.maxChargeW / 4;
    const out = Math.min(Math.max(0, need), power, stored * battery.dischargeEfficiency);
    const into = Math.min(Math.max(0, -need), power, (battery.maxWh - stored) / battery.chargeEfficiency);
    stored += into * battery.chargeEfficiency - out / battery.dischargeEfficiency;
    const net = need - out + into;
    cost += (net * (net > 0 ? home.importPrice[t]! : home.exportPrice[t]!)) / 1000;
  });
  return cost - (stored * battery.finalValuePerKwh) / 1000;
};

describe("dispatch of one home", () => {
  let solver: Solver;
  before(async () => (solver = await createSolver()));

  it("gives plans that keep every constraint and never cost more than the greedy rule", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const home = homeOf(given);
        const plan = planHome(solver, home);
        checkPlan(home, plan);
        expect(plan.cost).to.be.at.most(greedyCost(home) + 1e-6);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it("knows the value of stored energy exactly: the curve is the optimum of the program at every state of charge", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const home = homeOf(given);
        const battery = { capacityWh: given.capacity, efficiency: given.efficiency };
        const curves = valueCurves(stagesOf(given), battery, linearValue(given.capacity, given.final));
        const plan = planHome(solver, home);
        expect(valueAt(curves[0]!, home.battery.initialWh) / 1000).to.be.closeTo(-plan.cost, 1e-6);
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it("takes actions along the curves that cost what the program says", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const home = homeOf(given);
        const stages = stagesOf(given);
        const { capacity, efficiency } = given;
        const curves = valueCurves(stages, { capacityWh: capacity, efficiency }, linearValue(capacity, given.final));
        let stored = home.battery.initialWh;
        let cost = 0;
        stages.forEach((stage, t) => {
          const action = bestAction(curves[t + 1]!, stored, stage, efficiency);
          stored -= action > 0 ? action / efficiency : action * efficiency;
          expect(stored).to.be.within(-1e-6, capacity + 1e-6);
          const net = stage.needWh - action;
          cost += net * (net > 0 ? stage.importPrice : stage.exportPrice);
        });
        expect((cost - stored * given.final) / 1000).to.be.closeTo(planHome(solver, home).cost, 1e-6);
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  it("splits what is stored into pieces below and above a state of charge", () => {
    const curve = { base: 0, widths: [100, 200, 300], slopes: [3, 2, 1] };
    expect(piecesBelow(curve, 150)).to.deep.equal([
      { widthWh: 50, slope: 2 },
      { widthWh: 100, slope: 3 },
    ]);
    expect(piecesAbove(curve, 150)).to.deep.equal([
      { widthWh: 150, slope: 2 },
      { widthWh: 300, slope: 1 },
    ]);
  });

  it("gives the value of stored energy as the dual of the battery's balance", () => {
    const home: HomeProblem = {
      stepSeconds: 900,
      loadW: [1000, 1000],
      pvW: [0, 0],
      importPrice: [0.2, 0.5],
      exportPrice: [0.05, 0.05],
      maxImportW: 9000,
      maxExportW: 9000,
      battery: {
        capacityWh: 1000,
        maxChargeW: 400,
        maxDischargeW: 4000,
        chargeEfficiency: 0.9,
        dischargeEfficiency: 0.9,
        initialWh: 0,
        minWh: 0,
        maxWh: 1000,
        finalValuePerKwh: 0,
      },
    };
    expect(planHome(solver, home).storedValuePerKwh[0]).to.be.closeTo(0.45, 1e-9);
  });

  it("refuses what is not finite and lists of unequal length, naming the field", () => {
    const home = homeOf({
      slots: [{ load: 1, pv: 0, low: 0.1, spread: 0.1 }],
      capacity: 1000,
      power: 500,
      efficiency: 0.9,
      start: 50,
      final: 0.1,
    });
    expect(() => planHome(solver, { ...home, pvW: [NaN] })).to.throw("pvW[0] is not a finite number");
    expect(() => planHome(solver, { ...home, importPrice: [] })).to.throw("importPrice has 0 entries");
    expect(() => planHome(solver, { ...home, maxImportW: Infinity })).to.throw("maxImportW is not a finite number");
  });

  it("names what had to give where the connection is too small", () => {
    const home = homeOf({
      slots: [{ load: 1000, pv: 0, low: 0.1, spread: 0.1 }],
      capacity: 500,
      power: 200,
      efficiency: 1,
      start: 0,
      final: 0,
    });
    expect(planHome(solver, { ...home, maxImportW: 3000 }).shedW[0]).to.be.closeTo(1000, 1e-6);
  });
});
