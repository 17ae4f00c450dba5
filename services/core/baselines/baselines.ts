import { type BatteryRating, chargeableWs, dischargeableWs, initialStoredWs, storedChangeWs } from "../battery/battery.ts";

const SLOT_SECONDS = 900;
const WS_PER_WH = 3600;

/** One home over a run: energies in whole Wh per slot, tariffs in integer micro-token per kWh, all of the same length. */
export interface HomeRun {
  readonly loadWh: ArrayLike<number>;
  readonly pvWh: ArrayLike<number>;
  readonly importMicroPerKwh: ArrayLike<number>;
  readonly exportMicroPerKwh: ArrayLike<number>;
  readonly battery?: BatteryRating | undefined;
}

export interface BaselineResult {
  /** Import paid less export earned at the tariffs, nano-token; what is left in the battery is not in it. */
  readonly costNano: bigint;
  /** Metered net import per slot, Wh; negative = export. */
  readonly netImportWh: Int32Array;
  /** Stored energy at the start and at the end, Ws (1 Wh = 3,600 Ws); 0 without battery. */
  readonly storedStartWs: number;
  readonly storedEndWs: number;
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

/** No battery, no market. */
export const passive = (run: HomeRun): BaselineResult => {
  const netImportWh = Int32Array.from({ length: run.loadWh.length }, (_, t) => run.loadWh[t]! - run.pvWh[t]!);
  return {
    costNano: tariffCostNano(netImportWh, run.importMicroPerKwh, run.exportMicroPerKwh),
    netImportWh,
    storedStartWs: 0,
    storedEndWs: 0,
  };
};

/**
 * The usual rule of a battery inverter, no market: surplus charges the battery, need discharges it, the grid does the rest.
 * The battery starts half full and moves whole Wh per slot.
 */
export const greedySelfConsumption = (run: HomeRun): BaselineResult => {
  const { battery } = run;
  if (!battery) return passive(run);
  const start = initialStoredWs(battery);
  let stored = start;
  const netImportWh = Int32Array.from({ length: run.loadWh.length }, (_, t) => {
    const need = run.loadWh[t]! - run.pvWh[t]!;
    const terminalWs =
      need > 0
        ? Math.min(need * WS_PER_WH, dischargeableWs(battery, stored, SLOT_SECONDS, WS_PER_WH))
        : -Math.min(-need * WS_PER_WH, chargeableWs(battery, stored, SLOT_SECONDS, WS_PER_WH));
    stored += storedChangeWs(battery, terminalWs);
    return need - terminalWs / WS_PER_WH;
  });
  return {
    costNano: tariffCostNano(netImportWh, run.importMicroPerKwh, run.exportMicroPerKwh),
    netImportWh,
    storedStartWs: start,
    storedEndWs: stored,
  };
};

/**
 * Value of energy left in a battery (formats.md, DAY report): stored energy x mean import price of the run x one-way
 * efficiency, nano-token, rounded down once.
 */
export const storedValueNano = (
  storedWs: number,
  importMicroPerKwh: ArrayLike<number>,
  battery: BatteryRating,
): bigint => {
  let sum = 0;
  for (let t = 0; t < importMicroPerKwh.length; t++) sum += importMicroPerKwh[t]!;
  const mean = importMicroPerKwh.length === 0 ? 0 : sum / importMicroPerKwh.length;
  return BigInt(Math.floor((storedWs / WS_PER_WH) * Math.sqrt(battery.efficiency) * mean));
};
