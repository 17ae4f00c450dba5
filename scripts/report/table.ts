import type { DayReport } from "./types.ts";

/** The day as a table that a prosumer understands: a line per home, what it paid, what it would have paid, what it saved. */
export const dayTable = (report: DayReport): string => {
  const { currency } = report;
  const header = ["home", `without anything`, `own battery only`, `in the market`, `saved`, `saved %`];
  const rows = report.bills.map(({ home, passive, selfish, market }) => [
    home,
    money(passive),
    money(selfish),
    money(market),
    money(passive - market),
    percent(passive, market),
  ]);
  const { totals } = report;
  rows.push([
    "all homes",
    money(totals.passiveCost),
    money(totals.selfishCost),
    money(totals.marketCost),
    money(totals.passiveCost - totals.marketCost),
    percent(totals.passiveCost, totals.marketCost),
  ]);
  const lines = [
    `${report.community}: ${report.slots} slots from ${report.start}, amounts in ${currency}`,
    "",
    ...columns([header, ...rows]),
    "",
    `All homes, best possible with perfect foresight: ${money(totals.boundCost)} ${currency}. The line "all homes" includes ` +
      `${money(totals.returnedToMembers)} ${currency} of fees, rent and netted imbalance that return to the members.`,
    `Traded between neighbours ${totals.localTradeKwh.toFixed(1)} kWh; bought from the grid ${totals.importKwh.toFixed(1)} kWh, ` +
      `fed into it ${totals.exportKwh.toFixed(1)} kWh; highest import ${totals.peakImportKw.toFixed(1)} kW ` +
      `(own battery only: ${totals.selfishPeakImportKw.toFixed(1)} kW).`,
    `${report.chain.slotsCleared} auctions proven, ${report.chain.slotsSettled} slots settled, ${report.chain.slotsEstimated} estimated; ` +
      `${report.oracle.reports} reports of ${report.oracle.nodes} nodes; money left over: ${report.conservation.moneyNano} nano, ` +
      `energy left over: ${report.conservation.energyWh} Wh; ${report.wallSeconds.toFixed(1)} s.`,
  ];
  return `${lines.join("\n")}\n`;
};

const money = (value: number): string => value.toFixed(2);

/** Saving relative to the first amount; a dash where there is nothing to compare with. */
export const percent = (before: number, after: number): string =>
  Math.abs(before) < 0.005 ? "-" : `${(((before - after) / Math.abs(before)) * 100).toFixed(1)} %`;

const columns = (rows: string[][]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const format = (row: string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  const [header = [], ...body] = rows;
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [format(header), rule, ...body.slice(0, -1).map(format), rule, format(body.at(-1) ?? [])];
};
