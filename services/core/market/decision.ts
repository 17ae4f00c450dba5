/** What a clearing decides; everything else in a result follows from it. Per zone and order as in the compiled market. */
export interface Decision {
  readonly prices: ArrayLike<number>;
  readonly fillsWh: ArrayLike<number>;
  readonly backups: readonly { readonly backupSoldWh: number; readonly backupBoughtWh: number }[];
  /** Zone price plus the island's green premium; left out where green offers count as ordinary ones. */
  readonly greenPrices?: ArrayLike<number>;
  /** Fill per bilateral trade of the market; left out: none. */
  readonly tradesWh?: ArrayLike<number>;
  /** Left out: radial, all of it follows from prices and fills. */
  readonly network?: NetworkOutcome;
}

/** What a network that is no tree, or has general constraints, adds to a decision; its solver says it all. */
export interface NetworkOutcome {
  readonly flowsWh: Record<string, number>;
  readonly shadowPricesMicroPerKwh: Record<string, number>;
  readonly lambdaMicroPerKwh: Record<string, number>;
  readonly exactDuals: ExactDuals;
  /** The dual objective at the exact prices, rounded up to whole nano. */
  readonly dualNano: bigint;
  /** What integer fills may cost at most: dual less welfare is at most this. */
  readonly gapBoundNano: bigint;
}

/**
 * The dual prices of a meshed network as whole numbers in decimal: mu per line and constraint in 1e-6 micro-token per kWh,
 * as it is posted; lambda and the green premium gamma per island in 1e-12, as the rule makes them of it.
 */
export interface ExactDuals {
  readonly lambda: Record<string, string>;
  readonly gamma: Record<string, string>;
  readonly mu: Record<string, string>;
}
