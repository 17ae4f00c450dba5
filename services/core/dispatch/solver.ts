import highsModule, { type Highs, type InitOptions } from "highs";

// highs is CommonJS by its types and ESM by its code: at run time the default export is the loader itself.
const loadHighs = highsModule as unknown as (options?: InitOptions) => Promise<Highs>;

/** A linear program under construction, column by column. Rows must exist before a column refers to them. */
export interface LinearProgram {
  /** @returns index of the new row `lower <= sum <= upper` */
  addRow(lower: number, upper: number): number;
  /** @returns index of the new column `lower <= x <= upper` with its cost and its entries [row, value, row, value, ...] */
  addColumn(cost: number, lower: number, upper: number, entries: readonly number[]): number;
}

export interface Optimum {
  readonly objective: number;
  readonly columns: Float64Array;
  readonly rowDuals: Float64Array;
}

export interface Solver {
  /**
   * Minimises a program.
   * @throws Error when a number is not finite (bounds may be infinite) or the solver did not prove an optimum
   */
  minimise(build: (program: LinearProgram) => void, options?: { method?: "simplex" | "ipm" | "choose" }): Optimum;
}

/** Loads HiGHS (WebAssembly) once; every program gets its own model, which is disposed before the call returns. */
export const createSolver = async (): Promise<Solver> => {
  const highs = await loadHighs();
  return { minimise: (build, { method = "choose" } = {}) => minimise(highs, build, method) };
};

const minimise = (highs: Highs, build: (program: LinearProgram) => void, method: string): Optimum => {
  const cost: number[] = [];
  const lower: number[] = [];
  const upper: number[] = [];
  const starts: number[] = [0];
  const indices: number[] = [];
  const values: number[] = [];
  const rowLower: number[] = [];
  const rowUpper: number[] = [];
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
    addColumn: (price, low, high, entries) => {
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
  return highs.withModel(
    { numCols, numRows, colCost: cost, colLower: lower, colUpper: upper, rowLower, rowUpper, matrix },
    (model) => {
      model.options.set({ output_flag: false, solver: method });
      model.run();
      const status = model.getModelStatus();
      const objective = model.getObjectiveValue();
      if (status !== highs.constants.modelStatus.optimal || !Number.isFinite(objective)) {
        throw new Error(`linear program: no optimum was proven (status ${status})`);
      }
      const { colValue, rowDual } = model.getSolution();
      return { objective, columns: colValue, rowDuals: rowDual };
    },
  );
};
