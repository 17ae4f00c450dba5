import { passive } from "../../services/core/baselines/baselines.ts";
import { communityBound } from "../../services/core/dispatch/bound.ts";
import { planHome } from "../../services/core/dispatch/home.ts";
import { createSolver } from "../../services/core/dispatch/solver.ts";
import { linearValue, valueCurves } from "../../services/core/dispatch/value.ts";
import { type Fontana, loadFontana } from "./fontana.ts";
import type { Row } from "./forecast.ts";
import { simulateMarket } from "./market-sim.ts";

const START = "2021-08-08T07:00:00Z";

/** Times of dispatch and bound, and what the market saves offline, on the reference community. */
export const measureDispatch = async (): Promise<Row[]> => {
  const fontana = loadFontana();
  if (!fontana) return [];
  const solver = await createSolver();
  const first = Date.parse(START) / 900_000 - fontana.firstSlot;
  const cut = (values: Int32Array): number[] => [...values.subarray(first, first + 96)];
  const rows: Row[] = [];
  const add = (what: string, figure: string, measured: number, unit: string): void =>
    void rows.push({ what, figure, measured: Math.round(measured * 100) / 100, unit });

  const [home] = fontana.homes as [Fontana["homes"][number]];
  const prices = { import: cut(fontana.importMicroPerKwh), export: cut(fontana.exportMicroPerKwh) };
  const problem = {
    stepSeconds: 900,
    loadW: cut(home.loadWh).map((wh) => wh * 4),
    pvW: cut(home.pvWh).map((wh) => wh * 4),
    importPrice: prices.import.map((micro) => micro / 1e6),
    exportPrice: prices.export.map((micro) => micro / 1e6),
    maxImportW: home.importRatingW,
    maxExportW: home.exportRatingW,
    battery: {
      capacityWh: home.battery.capacityWh,
      maxChargeW: home.battery.powerW,
      maxDischargeW: home.battery.powerW,
      chargeEfficiency: Math.sqrt(home.battery.efficiency),
      dischargeEfficiency: Math.sqrt(home.battery.efficiency),
      initialWh: home.battery.capacityWh / 2,
      minWh: 0,
      maxWh: home.battery.capacityWh,
      finalValuePerKwh: 0.25,
    },
  };
  add(
    "dispatch of one home, 96 steps, warm",
    "median of 30",
    median(30, () => planHome(solver, problem)),
    "ms",
  );
  const stages = problem.loadW.map((load, t) => ({
    needWh: (load - problem.pvW[t]!) / 4,
    importPrice: problem.importPrice[t]!,
    exportPrice: problem.exportPrice[t]!,
    chargeWh: home.battery.powerW / 4,
    dischargeWh: home.battery.powerW / 4,
  }));
  const battery = { capacityWh: home.battery.capacityWh, efficiency: Math.sqrt(home.battery.efficiency) };
  const curve = (): unknown => valueCurves(stages, battery, linearValue(battery.capacityWh, 0.25));
  add("value of stored energy, all states, 96 steps", "median of 200", median(200, curve), "ms");

  for (const copies of [1, 10]) {
    const homes = Array.from({ length: copies }, (_, copy) =>
      fontana.homes.map((each) => {
        const loadWh = cut(each.loadWh).map((wh) => Math.round(wh * (1 + copy / 50)));
        const run = {
          home: each,
          firstSlot: fontana.firstSlot + first,
          loadWh,
          pvWh: cut(each.pvWh),
          importMicroPerKwh: prices.import,
          exportMicroPerKwh: prices.export,
        };
        return {
          zone: each.zone,
          battery: each.battery,
          importRatingWh: each.importRatingW / 4,
          exportRatingWh: each.exportRatingW / 4,
          needWh: passive(run).netImportWh,
        };
      }),
    ).flat();
    const began = performance.now();
    communityBound(solver, {
      zones: fontana.community.zones,
      lines: fontana.community.lines.map((line) => ({ ...line, capacityWh: (line.capacityW / 4) * copies })),
      gridZone: fontana.community.gridZone,
      gridCapacityWh: (fontana.community.gridCapacityW / 4) * copies,
      importMicroPerKwh: prices.import,
      exportMicroPerKwh: prices.export,
      homes,
    });
    add(`bound of ${homes.length} homes, 96 steps`, "one solve", performance.now() - began, "ms");
  }
  for (const days of [1, 7]) {
    const costs = simulateMarket(fontana, solver, { start: START, days });
    for (const kind of ["passive", "selfish", "market", "bound"] as const) {
      add(`offline market, ten houses, ${days} d from ${START}`, `cost, ${kind}`, costs[kind], "USD");
    }
  }
  return rows;
};

const median = (times: number, work: () => unknown): number => {
  const taken = Array.from({ length: times }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)]!;
};
