import { type BatteryRating, oneWayEfficiency } from "../battery/battery.ts";
import type { Home } from "../community/community.ts";
import { createHomeModel, createHomeState, runOwnSlot } from "../community/home-model.ts";

const SLOT_SECONDS = 900;
const WATTS_PER_WH = 4;
const MICRO_J_PER_WH = 3600e6;

/** One home over a run: energies in whole Wh per slot, tariffs in integer micro-token per kWh, all of the same length. */
export interface HomeRun {
  readonly home: Home;
  readonly firstSlot: number;
  readonly loadWh: ArrayLike<number>;
  readonly pvWh: ArrayLike<number>;
  readonly importMicroPerKwh: ArrayLike<number>;
  readonly exportMicroPerKwh: ArrayLike<number>;
}

export interface BaselineResult {
  /** Import paid less export earned at the tariffs, nano-token; what is left in the battery is not in it. */
  readonly costNano: bigint;
  /** Metered net import per slot, Wh; negative = export. */
  readonly netImportWh: Int32Array;
  /** Stored in the battery at the start and at the end, Wh; 0 without battery. */
  readonly storedStartWh: number;
  readonly storedEndWh: number;
}

/** What metered energy costs at the tariffs, nano-token: import at one, export at the other. */
export const tariffCostNano = (
  netImportWh: ArrayLike<number>,
  importMicroPerKwh: ArrayLike<number>,
  exportMicroPerKwh: ArrayLike<number>,
): bigint => {
  let cost = 0n;
  for (let t = 0; t < netImportWh.length; t++) {
    const net = netImportWh[t]!;
    cost += BigInt(net) * BigInt(net > 0 ? importMicroPerKwh[t]! : exportMicroPerKwh[t]!);
  }
  return cost;
};

/** No battery, no market; a car charges by its own rule. */
export const passive = (run: HomeRun): BaselineResult => ownRule({ ...run, home: { ...run.home, battery: undefined } });

/**
 * The usual rule of a battery inverter, no market: surplus charges the battery, need discharges it, the grid does the rest. It
 * is the simulator's own home without any control, so the physics are the same to the Wh.
 */
export const greedySelfConsumption = (run: HomeRun): BaselineResult => ownRule(run);

const ownRule = (run: HomeRun): BaselineResult => {
  const model = createHomeModel(run.home);
  const state = createHomeState(model, run.firstSlot * SLOT_SECONDS);
  const stored = (): number => (state.battery ? state.battery.storedMicroJ / MICRO_J_PER_WH : 0);
  const storedStartWh = stored();
  const netImportWh = Int32Array.from({ length: run.loadWh.length }, (_, t) =>
    runOwnSlot(model, state, { loadW: run.loadWh[t]! * WATTS_PER_WH, pvW: run.pvWh[t]! * WATTS_PER_WH }),
  );
  return {
    costNano: tariffCostNano(netImportWh, run.importMicroPerKwh, run.exportMicroPerKwh),
    netImportWh,
    storedStartWh,
    storedEndWh: stored(),
  };
};

/**
 * Value of energy in a battery (formats.md, DAY report): stored energy x mean import price of the run x one-way efficiency,
 * nano-token, rounded down once.
 */
export const storedValueNano = (
  storedWh: number,
  importMicroPerKwh: ArrayLike<number>,
  battery: BatteryRating,
): bigint => {
  let sum = 0;
  for (let t = 0; t < importMicroPerKwh.length; t++) sum += importMicroPerKwh[t]!;
  const mean = importMicroPerKwh.length === 0 ? 0 : sum / importMicroPerKwh.length;
  return BigInt(Math.floor(storedWh * oneWayEfficiency(battery) * mean));
};
