/**
 * The physics of a home battery, shared by the simulator, the baselines and the agents: exact integers, so that everybody who
 * follows the same set-points ends at the same state. Power at the AC terminals in W, positive = discharging (export);
 * stored energy in watt-seconds (1 Wh = 3,600 Ws), 0 to capacity.
 */
export interface BatteryRating {
  readonly capacityWh: number;
  /** Limit of charging and of discharging, at the AC terminals. */
  readonly powerW: number;
  /** Round trip, in (0, 1]; its square root applies each way. */
  readonly efficiency: number;
}

const WS_PER_WH = 3600;

/** Efficiency of charging and of discharging. */
export const oneWayEfficiency = (battery: BatteryRating): number => Math.sqrt(battery.efficiency);

export const capacityWs = (battery: BatteryRating): number => battery.capacityWh * WS_PER_WH;

/** Batteries start half full. */
export const initialStoredWs = (battery: BatteryRating): number => Math.floor((battery.capacityWh * WS_PER_WH) / 2);

/** Terminal energy (Ws, positive = discharged) to the change it makes of the stored energy; losses round against the battery. */
export const storedChangeWs = (battery: BatteryRating, terminalWs: number): number => {
  const efficiency = oneWayEfficiency(battery);
  return terminalWs > 0 ? -Math.ceil(terminalWs / efficiency) : Math.floor(-terminalWs * efficiency);
};

/** Most energy that can be discharged at the terminals, whole multiples of `quantumWs`. */
export const dischargeableWs = (battery: BatteryRating, storedWs: number, seconds: number, quantumWs = 1): number => {
  const limit = Math.min(battery.powerW * seconds, storedWs * oneWayEfficiency(battery));
  let energy = Math.floor(limit / quantumWs) * quantumWs;
  while (energy > 0 && storedWs + storedChangeWs(battery, energy) < 0) energy -= quantumWs;
  return Math.max(0, energy);
};

/** Most energy that can be charged at the terminals, whole multiples of `quantumWs`. */
export const chargeableWs = (battery: BatteryRating, storedWs: number, seconds: number, quantumWs = 1): number => {
  const room = capacityWs(battery) - storedWs;
  const limit = Math.min(battery.powerW * seconds, (room + 1) / oneWayEfficiency(battery));
  let energy = Math.floor(limit / quantumWs) * quantumWs;
  while (energy > 0 && storedChangeWs(battery, -energy) > room) energy -= quantumWs;
  return Math.max(0, energy);
};

/**
 * What happens when the battery is asked for `setpointW` (positive = discharge) during `seconds`: the power it keeps up for
 * the whole time, in whole W, and what is stored afterwards.
 */
export const runBattery = (
  battery: BatteryRating,
  storedWs: number,
  setpointW: number,
  seconds: number,
): { powerW: number; storedWs: number } => {
  const wanted = Math.trunc(setpointW);
  const powerW =
    wanted > 0
      ? Math.min(wanted, dischargeableWs(battery, storedWs, seconds, seconds) / seconds)
      : -Math.min(-wanted, chargeableWs(battery, storedWs, seconds, seconds) / seconds);
  return { powerW: powerW === 0 ? 0 : powerW, storedWs: storedWs + storedChangeWs(battery, powerW * seconds) };
};
