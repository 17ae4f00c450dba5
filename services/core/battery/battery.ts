/** What a home battery can do; its exact physics are in `core/community/store-model.ts`. */
export interface BatteryRating {
  readonly capacityWh: number;
  /** Limit of charging and of discharging, at the AC terminals. */
  readonly powerW: number;
  /** Round trip, in (0, 1]; its square root applies each way. */
  readonly efficiency: number;
}

/** Efficiency of charging and of discharging. */
export const oneWayEfficiency = (battery: BatteryRating): number => Math.sqrt(battery.efficiency);
