/** A community as everybody sees it: zones, lines, homes. Prices of record are integer micro-token per kWh. */

export interface Line {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Limit in either direction. */
  readonly capacityW: number;
}

export interface HomeBattery {
  readonly capacityWh: number;
  /** Limit of charging and of discharging, at the AC terminals. */
  readonly powerW: number;
  /** Round trip, in (0, 1]; its square root applies each way. The battery starts half full. */
  readonly efficiency: number;
}

/** A car that comes and goes at the same hours every day; it arrives with `arrivalSoc` and wants `targetSoc`. */
export interface HomeVehicle {
  readonly id: string;
  readonly capacityWh: number;
  readonly maxChargeW: number;
  /** One way, from the AC terminals into the battery, in (0, 1]. */
  readonly chargeEfficiency: number;
  /** Seconds after 00:00 UTC; a departure before the arrival is on the next day. Whole slots (multiples of 900). */
  readonly arrivalSecond: number;
  readonly departureSecond: number;
  readonly arrivalSoc: number;
  readonly targetSoc: number;
}

export interface Home {
  readonly id: string;
  readonly zone: string;
  readonly importRatingW: number;
  readonly exportRatingW: number;
  /** Installed solar power; 0 without. */
  readonly pvW: number;
  readonly battery?: HomeBattery | undefined;
  readonly vehicle?: HomeVehicle | undefined;
}

export interface Community {
  readonly name: string;
  readonly currency: string;
  readonly zones: readonly string[];
  readonly lines: readonly Line[];
  /** The zone where the backup supplier's grid connects. */
  readonly gridZone: string;
  readonly gridCapacityW: number;
  readonly feeMicroPerKwh: number;
  readonly stepSeconds: number;
  readonly homes: readonly Home[];
}

/** Measured or generated series; row i covers [times[i], times[i] + stepSeconds). Homes are in the community's order. */
export interface Series {
  readonly stepSeconds: number;
  /** Start of each row, unix seconds. */
  readonly times: Float64Array;
  readonly importPriceMicroPerKwh: Int32Array;
  readonly exportPriceMicroPerKwh: Int32Array;
  readonly co2KgPerKwh: Float64Array;
  /** [home][row], Wh per step, never negative. */
  readonly loadWh: readonly Int32Array[];
  readonly pvWh: readonly Int32Array[];
}

export interface CommunityData {
  readonly community: Community;
  readonly series: Series;
}
