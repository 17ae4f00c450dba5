/**
 * What metered energy beyond an operating envelope costs, exactly as EnvelopeCharges counts it: energy in Wh, prices in micro-token per
 * kWh, money in nano-token.
 */
export interface ConnectionLimits {
  importLimitWh: bigint;
  exportLimitWh: bigint;
}

export interface MeteredEnergy {
  importWh: bigint;
  exportWh: bigint;
  missing: boolean;
}

/**
 * Wh that are charged: metered net export (or import) above the lower of envelope and rating, at most the higher rating.
 * @param envelope limits of the point's own entry, else of its zone's; undefined where the slot's list has neither
 */
export const beyondWh = (
  { importWh, exportWh, missing }: MeteredEnergy,
  rating: ConnectionLimits,
  envelope: ConnectionLimits | undefined,
): bigint => {
  if (missing) return 0n;
  const most = max(rating.importLimitWh, rating.exportLimitWh);
  const feedsIn = exportWh >= importWh;
  const net = feedsIn ? exportWh - importWh : importWh - exportWh;
  const key = feedsIn ? "exportLimitWh" : "importLimitWh";
  const allowed = envelope && envelope[key] < rating[key] ? envelope[key] : rating[key];
  return net <= allowed ? 0n : net - allowed < most ? net - allowed : most;
};

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
