import { decimal, exactDecimal } from "./decimal.ts";

const NANO_SCALE = 9;
const MICRO_SCALE = 6;

/** Decimal string of nano-token (as the API sends it) to a bigint. */
export const nanoOf = (text: string): bigint => BigInt(text);

/** Money in tokens, rounded for reading; `exactMoney` has every digit. */
export const money = (nano: bigint, digits = 4, sign: "negative" | "always" = "negative"): string =>
  decimal(nano, NANO_SCALE, digits, { sign });

/** Money in tokens with every digit of the ledger. */
export const exactMoney = (nano: bigint): string => exactDecimal(nano, NANO_SCALE, 2);

/** A price in token per kWh from micro-token per kWh. */
export const price = (microPerKwh: number, digits = 3): string => decimal(BigInt(microPerKwh), MICRO_SCALE, digits);

/** A price with every digit. */
export const exactPrice = (microPerKwh: number): string => exactDecimal(BigInt(microPerKwh), MICRO_SCALE, 2);

/**
 * Micro-token per kWh from what a person typed ("0.21", "0,21").
 * @returns null when it is no decimal number with at most 6 decimals
 */
export const parsePrice = (text: string): number | null => {
  const match = /^\s*(-?)(\d{1,6})(?:[.,](\d{0,6}))?\s*$/.exec(text);
  if (!match) return null;
  const micro = Number(match[2]) * 1_000_000 + Number((match[3] ?? "").padEnd(6, "0"));
  return match[1] === "-" && micro !== 0 ? -micro : micro;
};

/** Saved share in percent with one decimal from two costs (nano, positive = cost); null without a cost to compare with. */
export const savedPercent = (marketCost: bigint, tariffCost: bigint): string | null =>
  tariffCost <= 0n ? null : decimal(((tariffCost - marketCost) * 1000n) / tariffCost, 1, 1);
