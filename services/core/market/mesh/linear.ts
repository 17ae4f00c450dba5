import type { Solver } from "../../dispatch/solver.ts";
import type { NetworkLimit, ZoneTerms } from "../types.ts";
import type { Group, MeshBook } from "./groups.ts";
import { WEIGHT_UNIT } from "./ptdf.ts";

/** A mesh to optimise. */
export interface MeshProgram {
  readonly book: MeshBook;
  readonly terms: readonly ZoneTerms[];
  readonly limits: readonly NetworkLimit[];
}

/** An optimal vertex, in floating point: Wh and micro-token per kWh. */
export interface Vertex {
  readonly groupsWh: Float64Array;
  readonly tradesWh: Float64Array;
  /** Per zone that of its island. */
  readonly lambda: Float64Array;
  readonly gamma: Float64Array;
  readonly mu: Float64Array;
  /** 1: the column is in the basis, so its price is its limit. */
  readonly basicGroups: Uint8Array;
  readonly basicTrades: Uint8Array;
  /** 1: the limit is full and its mu may differ from zero; the same for green balance, per zone that of its island. */
  readonly heldLimits: Uint8Array;
  readonly heldGreen: Uint8Array;
}

/** How the true program is changed to get at another vertex. */
export interface Nudge {
  /** Part of each limit's tolerance that the program may not use, per limit. */
  readonly tighten?: (limit: number) => number;
  /** Added to each group's limit, units of price. */
  readonly favour?: (group: number) => number;
}

/**
 * Maximal welfare of a mesh as a linear program: one variable per aggregated step of a merit order, one per zone's net
 * export, so that a limit's row has an entry per zone only. Energies and prices are scaled to thousands.
 */
export const solveMesh = (program: MeshProgram, solver: Solver, nudge: Nudge = {}): Vertex | undefined => {
  const { book, terms, limits } = program;
  const { groups, trades, root } = book;
  const valueOf = (g: number): number => (groups[g] as Group).limit + (nudge.favour?.(g) ?? 0);
  const energyUnit = scaleOf([
    ...groups.map(({ availableWh }) => availableWh),
    ...trades.map(({ limitWh }) => limitWh),
  ]);
  const priceUnit = scaleOf([...groups.map(({ limit }) => limit), ...trades.map(({ maxSpread }) => maxSpread)]);
  const islandRows = new Int32Array(terms.length);
  const limitRows = new Int32Array(limits.length);
  const greenRows = new Map<number, number>();
  const optimum = solver.attempt(
    (lp) => {
      const zoneRows = terms.map(() => lp.addRow(0, 0));
      root.forEach((top, z) => (islandRows[z] = top === z ? lp.addRow(0, 0) : (islandRows[top] as number)));
      limits.forEach((limit, l) => {
        const less = (nudge.tighten?.(l) ?? 0) * widthOf(limit);
        limitRows[l] = lp.addRow(
          Math.min(0, limit.minWh + less) / energyUnit,
          Math.max(0, limit.maxWh - less) / energyUnit,
        );
      });
      for (const { zone, green } of groups) {
        const top = root[zone] as number;
        if (green && !greenRows.has(top)) greenRows.set(top, lp.addRow(0, Infinity));
      }
      groups.forEach(({ zone, sign, green, availableWh }, g) => {
        const entries = [zoneRows[zone] as number, sign];
        if (green) entries.push(greenRows.get(root[zone] as number) as number, sign);
        lp.addColumn((sign * valueOf(g)) / priceUnit, 0, availableWh / energyUnit, entries);
      });
      trades.forEach(({ from, to, limitWh, maxSpread }) => {
        const open = root[from] === root[to];
        const entries = from === to || !open ? [] : [zoneRows[from] as number, 1, zoneRows[to] as number, -1];
        lp.addColumn(open ? -maxSpread / priceUnit : 0, 0, open ? limitWh / energyUnit : 0, entries);
      });
      terms.forEach((_, z) => {
        const entries = [zoneRows[z] as number, -1, islandRows[z] as number, 1];
        limits.forEach(({ weights }, l) => {
          if (weights[z]) entries.push(limitRows[l] as number, weights[z] / WEIGHT_UNIT);
        });
        lp.addColumn(0, -Infinity, Infinity, entries);
      });
    },
    { method: "simplex" },
  );
  if (!optimum) return undefined;
  const { columns, rowDuals, basicColumns, basicRows } = optimum;
  const size = groups.length;
  const energies = (from: number, count: number): Float64Array =>
    columns.slice(from, from + count).map((value) => value * energyUnit);
  const dual = (row: number | undefined): number => (row === undefined ? 0 : (rowDuals[row] as number) * priceUnit);
  return {
    groupsWh: energies(0, size),
    tradesWh: energies(size, trades.length),
    lambda: Float64Array.from(islandRows, dual),
    gamma: Float64Array.from(root, (top) => dual(greenRows.get(top))),
    mu: Float64Array.from(limitRows, (row) => -dual(row)),
    basicGroups: basicColumns.slice(0, size),
    basicTrades: basicColumns.slice(size, size + trades.length),
    heldLimits: Uint8Array.from(limitRows, (row) => (basicRows[row] ? 0 : 1)),
    heldGreen: Uint8Array.from(root, (top) => {
      const row = greenRows.get(top);
      return row === undefined || basicRows[row] ? 0 : 1;
    }),
  };
};

/** Sum of absolute weights of a limit, Wh: what one Wh more in every zone could change. */
export const widthOf = ({ weights }: NetworkLimit): number =>
  weights.reduce((sum, weight) => sum + Math.abs(weight), 0) / WEIGHT_UNIT;

const scaleOf = (values: readonly number[]): number =>
  Math.max(1, values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 1_000);
