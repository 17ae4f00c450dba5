/** One measured figure of design section 8. */
export interface GasRow {
  what: string;
  /** The figure to keep, same unit. */
  figure: number;
  measured: number;
  unit: string;
}
