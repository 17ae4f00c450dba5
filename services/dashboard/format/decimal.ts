/** A real minus sign: as wide as a digit in most fonts, so columns stay aligned. */
export const MINUS = "\u2212";

/**
 * An exact decimal: `units` counts of 10^-scale, rounded half away from zero to `digits` decimals, without any float.
 * @param sign "always" writes + for positive values
 */
export const decimal = (
  units: bigint,
  scale: number,
  digits: number,
  { sign = "negative" }: { sign?: "negative" | "always" } = {},
): string => {
  const magnitude = units < 0n ? -units : units;
  const drop = 10n ** BigInt(Math.max(0, scale - digits));
  const grow = 10n ** BigInt(Math.max(0, digits - scale));
  const rounded = ((magnitude + drop / 2n) / drop) * grow;
  const one = 10n ** BigInt(digits);
  const whole = (rounded / one).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const part = digits === 0 ? "" : `.${(rounded % one).toString().padStart(digits, "0")}`;
  const prefix = rounded === 0n ? "" : units < 0n ? MINUS : sign === "always" ? "+" : "";
  return `${prefix}${whole}${part}`;
};

/** The same value with as many decimals as it needs, at least `least`. */
export const exactDecimal = (units: bigint, scale: number, least: number): string => {
  const full = decimal(units, scale, scale);
  const point = full.indexOf(".");
  if (point < 0) return full;
  let end = full.length;
  while (end > point + 1 + least && full[end - 1] === "0") end--;
  return full.slice(0, end);
};
