import type { Excepted } from "./judge.ts";

const GAS = "measures gas, and contracts that count what ran need more";

/** Tests that cannot pass while contracts count, by their full title or a part of it. */
export const leftOutTests: { title: string; reason: string }[] = [
  { title: "prove the same as one transaction, each part within its plan", reason: GAS },
  { title: "clear 26,000 words of 3,250 points within the gas of a transaction each", reason: GAS },
  { title: "gas per order word", reason: GAS },
  { title: "take little gas for a step", reason: GAS },
];

/** Lines that the tool counts as not run, each with what makes it so. */
export const exceptedLines: Excepted[] = [];
