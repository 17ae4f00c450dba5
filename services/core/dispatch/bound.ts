import { type BatteryRating, oneWayEfficiency } from "../battery/battery.ts";
import type { Solver } from "./solver.ts";

/** A whole community over a run of 900 s slots with perfect foresight. Energies Wh per slot, tariffs micro-token per kWh. */
export interface BoundProblem {
  readonly zones: readonly string[];
  /** Radial; limits in both directions. */
  readonly lines: readonly { readonly from: string; readonly to: string; readonly capacityWh: number }[];
  readonly gridZone: string;
  readonly gridCapacityWh: number;
  readonly importMicroPerKwh: ArrayLike<number>;
  readonly exportMicroPerKwh: ArrayLike<number>;
  readonly homes: readonly {
    readonly zone: string;
    readonly importRatingWh: number;
    readonly exportRatingWh: number;
    /** Net import without the battery, a car included: `passive(...).netImportWh`. */
    readonly needWh: ArrayLike<number>;
    readonly battery?: BatteryRating | undefined;
  }[];
}

export interface BoundResult {
  /** Import less export at the grid connection at the tariffs, nano-token; what is left in batteries is not in it. */
  readonly costNano: bigint;
  /** Stored in all batteries together, Wh. */
  readonly storedStartWh: number;
  readonly storedEndWh: number;
  /** Value of stored energy at the start and at the end, at mean import price x one-way efficiency, nano-token. */
  readonly startValueNano: bigint;
  readonly endValueNano: bigint;
  readonly importWh: Float64Array;
  readonly exportWh: Float64Array;
  /** Energy beyond a line's or the connection's limit that nobody could avoid, Wh. */
  readonly overloadWh: number;
}

/** Nano-token per Wh beyond a limit: far above every tariff, so that a limit gives only where there is no other way. */
const OVERLOAD_PENALTY = 1e8;

/**
 * What the community would pay if one optimiser owned all batteries, knew the whole run and traded without fee inside the
 * community under the same limits: nobody can do better. Continuous, so a true lower bound of every integer operation.
 * @throws Error when input is not finite or no optimum was proven
 */
export const communityBound = (solver: Solver, problem: BoundProblem): BoundResult => {
  const { homes, importMicroPerKwh, exportMicroPerKwh } = problem;
  const slots = importMicroPerKwh.length;
  const mean = slots === 0 ? 0 : Array.from(importMicroPerKwh).reduce((sum, price) => sum + price, 0) / slots;
  const stored: { battery: BatteryRating; column: number }[] = [];
  const importColumns: number[] = [];
  const exportColumns: number[] = [];
  const overloadColumns: number[] = [];

  const { columns } = solver.minimise(
    (lp) => {
      const zoneRow = new Map(
        problem.zones.map((zone) => {
          const need = Array.from({ length: slots }, (_, t) =>
            homes.reduce((sum, home) => (home.zone === zone ? sum + home.needWh[t]! : sum), 0),
          );
          return [zone, need.map((value) => lp.addRow(value, value))] as const;
        }),
      );
      const rowOf = (zone: string, t: number): number => {
        const row = zoneRow.get(zone)?.[t];
        if (row === undefined) throw new Error(`bound: zone ${zone} is not one of the community's zones`);
        return row;
      };
      for (let t = 0; t < slots; t++) {
        const grid = rowOf(problem.gridZone, t);
        const capacity = problem.gridCapacityWh;
        importColumns.push(lp.addColumn(importMicroPerKwh[t]!, 0, capacity, [grid, 1]));
        exportColumns.push(lp.addColumn(-exportMicroPerKwh[t]!, 0, capacity, [grid, -1]));
        overloadColumns.push(lp.addColumn(OVERLOAD_PENALTY, 0, Infinity, [grid, 1]));
        overloadColumns.push(lp.addColumn(OVERLOAD_PENALTY, 0, Infinity, [grid, -1]));
        for (const line of problem.lines) {
          const [from, to] = [rowOf(line.from, t), rowOf(line.to, t)];
          lp.addColumn(0, -line.capacityWh, line.capacityWh, [from, -1, to, 1]);
          overloadColumns.push(lp.addColumn(OVERLOAD_PENALTY, 0, Infinity, [from, -1, to, 1]));
          overloadColumns.push(lp.addColumn(OVERLOAD_PENALTY, 0, Infinity, [from, 1, to, -1]));
        }
      }
      for (const home of homes) {
        const { battery } = home;
        if (!battery) continue;
        const efficiency = oneWayEfficiency(battery);
        const powerWh = battery.powerW / 4;
        const rows = Array.from({ length: slots }, (_, t) => {
          const start = t === 0 ? battery.capacityWh / 2 : 0;
          return lp.addRow(start, start);
        });
        for (let t = 0; t < slots; t++) {
          const zone = rowOf(home.zone, t);
          const need = home.needWh[t]!;
          // A connection that its own load or PV already overloads is not made worse by the battery.
          const mostCharge = Math.min(powerWh, Math.max(0, home.importRatingWh - need));
          const mostDischarge = Math.min(powerWh, Math.max(0, home.exportRatingWh + need));
          lp.addColumn(0, 0, mostCharge, [zone, -1, rows[t]!, -efficiency]);
          lp.addColumn(0, 0, mostDischarge, [zone, 1, rows[t]!, 1 / efficiency]);
          const last = t === slots - 1;
          const column = lp.addColumn(
            last ? -mean * efficiency : 0,
            0,
            battery.capacityWh,
            last ? [rows[t]!, 1] : [rows[t]!, 1, rows[t + 1]!, -1],
          );
          if (last) stored.push({ battery, column });
        }
      }
    },
    { method: homes.length * slots > 4_000 ? "ipm" : "choose" },
  );

  const pick = (indices: readonly number[]): Float64Array => Float64Array.from(indices, (index) => columns[index]!);
  const importWh = pick(importColumns);
  const exportWh = pick(exportColumns);
  let cost = 0;
  for (let t = 0; t < slots; t++) cost += importWh[t]! * importMicroPerKwh[t]! - exportWh[t]! * exportMicroPerKwh[t]!;
  const total = (value: (entry: (typeof stored)[number]) => number): number =>
    stored.reduce((sum, entry) => sum + value(entry), 0);
  const worth = (wh: number, battery: BatteryRating): number => wh * oneWayEfficiency(battery) * mean;
  return {
    costNano: BigInt(Math.floor(cost)),
    storedStartWh: total(({ battery }) => battery.capacityWh / 2),
    storedEndWh: total(({ column }) => columns[column]!),
    startValueNano: BigInt(Math.floor(total(({ battery }) => worth(battery.capacityWh / 2, battery)))),
    endValueNano: BigInt(Math.ceil(total(({ battery, column }) => worth(columns[column]!, battery)))),
    importWh,
    exportWh,
    overloadWh: overloadColumns.reduce((sum, index) => sum + columns[index]!, 0),
  };
};
