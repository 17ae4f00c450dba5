import type { Solver } from "./solver.ts";

/** One home over a horizon. Every list has one entry per slot; prices per kWh in any one currency unit. */
export interface HomeProblem {
  readonly stepSeconds: number;
  readonly loadW: readonly number[];
  readonly pvW: readonly number[];
  readonly importPrice: readonly number[];
  readonly exportPrice: readonly number[];
  readonly maxImportW: number;
  readonly maxExportW: number;
  readonly battery: {
    readonly capacityWh: number;
    readonly maxChargeW: number;
    readonly maxDischargeW: number;
    /** One way, in (0, 1]. */
    readonly chargeEfficiency: number;
    readonly dischargeEfficiency: number;
    readonly initialWh: number;
    readonly minWh: number;
    readonly maxWh: number;
    /** What a stored kWh is worth after the last slot. */
    readonly finalValuePerKwh: number;
  };
}

export interface HomePlan {
  readonly chargeW: Float64Array;
  readonly dischargeW: Float64Array;
  readonly importW: Float64Array;
  readonly exportW: Float64Array;
  /** Stored after each slot. */
  readonly storedWh: Float64Array;
  /** Load that the connection cannot carry and PV that it cannot take: nonzero only where the ratings leave no choice. */
  readonly shedW: Float64Array;
  readonly curtailedW: Float64Array;
  /** Import less export over the horizon, less the value of what is stored at the end. */
  readonly cost: number;
  /** Value of one more stored kWh after each slot: the dual of the battery's balance. */
  readonly storedValuePerKwh: Float64Array;
}

/** Penalties of the soft connection limits, far above every price. */
const SHED_PER_KWH = 1_000;
const CURTAIL_PER_KWH = 100;
const TOLERANCE_W = 1e-3;

/**
 * Cheapest plan of one home. The plan is checked against every constraint before it is returned.
 * @throws Error for input that is not finite, lists of unequal length, or a plan that breaks a constraint
 */
export const planHome = (solver: Solver, problem: HomeProblem): HomePlan => {
  checkProblem(problem);
  const { loadW, pvW, importPrice, exportPrice, battery } = problem;
  const slots = loadW.length;
  const hours = problem.stepSeconds / 3600;
  const perSlot = 7;
  const { objective, columns, rowDuals } = solver.minimise((lp) => {
    const balance = loadW.map((load, t) => lp.addRow(load - pvW[t]!, load - pvW[t]!));
    const storage = loadW.map((_, t) => {
      const start = t === 0 ? battery.initialWh : 0;
      return lp.addRow(start, start);
    });
    for (let t = 0; t < slots; t++) {
      const own = balance[t]!;
      const store = storage[t]!;
      const weight = hours / 1000;
      lp.addColumn(0, 0, battery.maxChargeW, [own, -1, store, -battery.chargeEfficiency * hours]);
      lp.addColumn(0, 0, battery.maxDischargeW, [own, 1, store, hours / battery.dischargeEfficiency]);
      lp.addColumn(importPrice[t]! * weight, 0, problem.maxImportW, [own, 1]);
      lp.addColumn(-exportPrice[t]! * weight, 0, problem.maxExportW, [own, -1]);
      const last = t === slots - 1;
      lp.addColumn(
        last ? -battery.finalValuePerKwh / 1000 : 0,
        battery.minWh,
        battery.maxWh,
        last ? [store, 1] : [store, 1, storage[t + 1]!, -1],
      );
      lp.addColumn(SHED_PER_KWH * weight, 0, Math.max(0, loadW[t]!), [own, 1]);
      lp.addColumn(CURTAIL_PER_KWH * weight, 0, Math.max(0, pvW[t]!), [own, -1]);
    }
  });
  const pick = (offset: number): Float64Array =>
    Float64Array.from({ length: slots }, (_, t) => columns[t * perSlot + offset]!);
  const plan: HomePlan = {
    chargeW: pick(0),
    dischargeW: pick(1),
    importW: pick(2),
    exportW: pick(3),
    storedWh: pick(4),
    shedW: pick(5),
    curtailedW: pick(6),
    cost: objective,
    storedValuePerKwh: Float64Array.from({ length: slots }, (_, t) => -rowDuals[slots + t]! * 1000),
  };
  checkPlan(problem, plan);
  return plan;
};

const checkProblem = (problem: HomeProblem): void => {
  const { loadW, pvW, importPrice, exportPrice, battery } = problem;
  const slots = loadW.length;
  if (slots === 0) throw new Error("plan of a home: the horizon has no slot");
  const lists = { loadW, pvW, importPrice, exportPrice };
  for (const [name, list] of Object.entries(lists)) {
    if (list.length !== slots)
      throw new Error(`plan of a home: ${name} has ${list.length} entries, loadW has ${slots}`);
    const bad = list.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new Error(`plan of a home: ${name}[${bad}] is not a finite number`);
  }
  const numbers = {
    ...battery,
    stepSeconds: problem.stepSeconds,
    maxImportW: problem.maxImportW,
    maxExportW: problem.maxExportW,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value)) throw new Error(`plan of a home: ${name} is not a finite number`);
  }
};

/** Everything a plan must keep, checked on the plan itself. */
export const checkPlan = (problem: HomeProblem, plan: HomePlan): void => {
  const { battery } = problem;
  const hours = problem.stepSeconds / 3600;
  let stored = battery.initialWh;
  const within = (what: string, t: number, value: number, low: number, high: number): void => {
    const slack = TOLERANCE_W + 1e-7 * Math.max(Math.abs(low), Math.abs(high));
    if (!(value >= low - slack && value <= high + slack)) {
      throw new Error(`plan of a home: ${what} of slot ${t} is ${value}, outside ${low} to ${high}`);
    }
  };
  for (let t = 0; t < problem.loadW.length; t++) {
    const charge = plan.chargeW[t]!;
    const discharge = plan.dischargeW[t]!;
    within("chargeW", t, charge, 0, battery.maxChargeW);
    within("dischargeW", t, discharge, 0, battery.maxDischargeW);
    within("importW", t, plan.importW[t]!, 0, problem.maxImportW);
    within("exportW", t, plan.exportW[t]!, 0, problem.maxExportW);
    within("storedWh", t, plan.storedWh[t]!, battery.minWh, battery.maxWh);
    const net = problem.loadW[t]! - plan.shedW[t]! - problem.pvW[t]! + plan.curtailedW[t]! + charge - discharge;
    within("power balance", t, plan.importW[t]! - plan.exportW[t]! - net, 0, 0);
    stored += (charge * battery.chargeEfficiency - discharge / battery.dischargeEfficiency) * hours;
    within("energy balance", t, plan.storedWh[t]! - stored, 0, 0);
    stored = plan.storedWh[t]!;
  }
};
