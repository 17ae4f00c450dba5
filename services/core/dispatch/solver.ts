import highsModule, { type Highs, type InitOptions } from "highs";

// highs is CommonJS by its types and ESM by its code: at run time the default export is the loader itself.
const loadHighs = highsModule as unknown as (options?: InitOptions) => Promise<Highs>;

/** A linear program under construction, column by column. Rows must exist before a column refers to them. */
export interface LinearProgram {
  /** @returns index of the new row `lower <= sum <= upper` */
  addRow(lower: number, upper: number): number;
  /** @returns index of the new column `lower <= x <= upper` with its cost and its entries [row, value, row, value, ...] */
  addColumn(
    cost: number,
    lower: number,
    upper: number,
    entries: readonly number[],
    kind?: "continuous" | "integer",
  ): number;
}

export interface Optimum {
  readonly objective: number;
  readonly columns: Float64Array;
  /** Of a program without integers. */
  readonly rowDuals: Float64Array;
  /** Of a program without integers: 1 = in the final basis, so neither bound holds the column (the row). */
  readonly basicColumns: Uint8Array;
  readonly basicRows: Uint8Array;
}

export interface SolveOptions {
  readonly method?: "simplex" | "ipm" | "choose";
  /** How far a bound may be missed, and an integer from a whole number; 1e-7 and 1e-6 when left out. */
  readonly tolerance?: number;
  /** Integer programs: give up after so many nodes of the search, and take the best answer so far. */
  readonly maxNodes?: number;
  /** With `maxNodes`: take no answer that is not proven the best. */
  readonly onlyProven?: boolean;
}

export interface Solver {
  /**
   * Minimises a program.
   * @throws Error when a number is not finite (bounds may be infinite) or the solver did not prove an optimum
   */
  minimise(build: (program: LinearProgram) => void, options?: SolveOptions): Optimum;
  /**
   * The same; undefined when no optimum was proven, most often since the program has no solution.
   * @throws Error when a number is not finite
   */
  attempt(build: (program: LinearProgram) => void, options?: SolveOptions): Optimum | undefined;
}

/** Loads HiGHS (WebAssembly) once; every program gets its own model, which is disposed before the call returns. */
export const createSolver = async (): Promise<Solver> => {
  const highs = await loadHighs();
  return {
    attempt: (build, options = {}) => minimise(highs, build, options),
    minimise: (build, options = {}) => {
      const optimum = minimise(highs, build, options);
      if (optimum) return optimum;
      throw new Error("linear program: no optimum was proven");
    },
  };
};

const BASIC = 1;
const isBasic = (status: number): number => (status === BASIC ? 1 : 0);

const minimise = (
  highs: Highs,
  build: (program: LinearProgram) => void,
  { method = "choose", tolerance, maxNodes, onlyProven = false }: SolveOptions,
): Optimum | undefined => {
  const cost: number[] = [];
  const lower: number[] = [];
  const upper: number[] = [];
  const starts: number[] = [0];
  const indices: number[] = [];
  const values: number[] = [];
  const rowLower: number[] = [];
  const rowUpper: number[] = [];
  const integer: number[] = [];
  const bound = (value: number): number => {
    if (Number.isNaN(value)) throw new Error("linear program: a bound is not a number");
    return value;
  };
  const finite = (value: number): number => {
    if (!Number.isFinite(value)) throw new Error("linear program: a cost or coefficient is not finite");
    return value;
  };
  build({
    addRow: (low, high) => {
      rowLower.push(bound(low));
      return rowUpper.push(bound(high)) - 1;
    },
    addColumn: (price, low, high, entries, kind) => {
      if (kind === "integer") integer.push(cost.length);
      cost.push(finite(price));
      lower.push(bound(low));
      for (let k = 0; k < entries.length; k += 2) {
        indices.push(entries[k]!);
        values.push(finite(entries[k + 1]!));
      }
      starts.push(indices.length);
      return upper.push(bound(high)) - 1;
    },
  });
  const numCols = cost.length;
  const numRows = rowLower.length;
  const matrix = { format: "csc" as const, numRows, numCols, starts, indices, values };
  const variable = highs.constants.variableType;
  const integers = new Set(integer);
  const integrality =
    integer.length === 0
      ? {}
      : { integrality: cost.map((_, i) => (integers.has(i) ? variable.integer : variable.continuous)) };
  return highs.withModel(
    { numCols, numRows, colCost: cost, colLower: lower, colUpper: upper, rowLower, rowUpper, matrix, ...integrality },
    (model) => {
      model.options.set({ output_flag: false, solver: method });
      if (tolerance !== undefined) {
        model.options.set({ primal_feasibility_tolerance: tolerance, dual_feasibility_tolerance: tolerance });
        model.options.set({ mip_feasibility_tolerance: tolerance });
      }
      if (integer.length > 0) model.options.set({ mip_rel_gap: 0, mip_abs_gap: 0 });
      if (maxNodes !== undefined) model.options.set({ mip_max_nodes: maxNodes });
      model.run();
      const status = model.getModelStatus();
      const objective = model.getObjectiveValue();
      // Of an integer program whose search was given up the best answer so far will do.
      const { optimal, solutionLimit } = highs.constants.modelStatus;
      const proven = status === optimal || (maxNodes !== undefined && !onlyProven && status === solutionLimit);
      if (!proven || !Number.isFinite(objective)) {
        return undefined;
      }
      const { colValue, rowDual } = model.getSolution();
      if (integer.length > 0) {
        const none = new Uint8Array(0);
        return { objective, columns: colValue, rowDuals: rowDual, basicColumns: none, basicRows: none };
      }
      const { colStatus, rowStatus } = model.getBasis();
      return {
        objective,
        columns: colValue,
        rowDuals: rowDual,
        basicColumns: Uint8Array.from(colStatus, isBasic),
        basicRows: Uint8Array.from(rowStatus, isBasic),
      };
    },
  );
};
