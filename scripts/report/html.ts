import { percent } from "./table.ts";
import type { DayReport } from "./types.ts";

/** One slot for the picture: energies in Wh, prices in currency per kWh (null: no auction). */
export interface SlotFigures {
  time: string;
  importTariff: number;
  exportTariff: number;
  /** Prices of the zones, in the community's order of zones. */
  prices: (number | null)[];
  localWh: number;
  gridImportWh: number;
  gridExportWh: number;
}

const width = 960;
const height = 220;
const left = 52;
const right = 12;
const top = 14;
const bottom = 26;

/** The day as one self-contained page: what each home paid, the prices of the day, the energy of the day. */
export const dayHtml = (report: DayReport, slots: readonly SlotFigures[], zones: readonly string[]): string => {
  const { currency, totals } = report;
  const cards: [string, string, string][] = [
    [
      "In the market",
      `${totals.marketCost.toFixed(2)} ${currency}`,
      `without anything ${totals.passiveCost.toFixed(2)} ${currency}`,
    ],
    [
      "Saved",
      `${totals.savingVsPassivePercent.toFixed(1)} %`,
      `${totals.savingVsSelfishPercent.toFixed(1)} % beside own batteries only`,
    ],
    [
      "Traded between neighbours",
      `${totals.localTradeKwh.toFixed(1)} kWh`,
      `from the grid ${totals.importKwh.toFixed(1)} kWh`,
    ],
    [
      "Highest import",
      `${totals.peakImportKw.toFixed(1)} kW`,
      `own batteries only ${totals.selfishPeakImportKw.toFixed(1)} kW`,
    ],
    ["CO2", `${totals.co2Kg.toFixed(1)} kg`, `without anything ${totals.passiveCo2Kg.toFixed(1)} kg`],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(report.community)}: the day in figures</title>
<style>${style}</style>
</head>
<body>
<main>
<header><h1>${escape(report.community)}</h1><p>${report.slots} slots from ${escape(report.start)} · amounts in ${escape(currency)}</p></header>
<section class="cards">${cards.map(([label, value, note]) => `<div class="card"><span>${label}</span><strong>${escape(value)}</strong><small>${escape(note)}</small></div>`).join("")}</section>
<h2>What each home paid <small class="key"><i class="before"></i>without anything <i class="after"></i>in the market</small></h2>
${billsTable(report)}
<h2>Prices of the day, ${escape(currency)} per kWh</h2>
${priceChart(slots, zones)}
<h2>Energy of the day, kWh per slot</h2>
${energyChart(slots)}
<footer>
<p>${report.chain.slotsCleared} auctions proven on chain, ${report.chain.slotsSettled} slots settled, ${report.chain.slotsEstimated} estimated.
${report.oracle.reports} meter reports signed by a quorum of ${report.oracle.nodes} nodes. Money left over: ${escape(report.conservation.moneyNano)} nano-token; energy left over: ${report.conservation.energyWh} Wh.</p>
<p>Best possible with perfect foresight: ${totals.boundCost.toFixed(2)} ${escape(currency)}. Returned to the members together (fees on local energy, congestion rent, netted imbalance): ${totals.returnedToMembers.toFixed(2)} ${escape(currency)}.</p>
</footer>
</main>
</body>
</html>
`;
};

const billsTable = (report: DayReport): string => {
  const most = Math.max(...report.bills.map(({ passive }) => Math.abs(passive)), 0.01);
  const rows = report.bills.map(({ home, passive, selfish, market, imbalanceCost }) => {
    const bar = (value: number, kind: string): string =>
      `<i class="${kind}" style="width:${((Math.max(value, 0) / most) * 100).toFixed(1)}%"></i>`;
    return `<tr><th>${escape(home)}</th><td class="bars">${bar(passive, "before")}${bar(market, "after")}</td><td>${passive.toFixed(2)}</td><td>${selfish.toFixed(2)}</td><td><b>${market.toFixed(2)}</b></td><td>${(passive - market).toFixed(2)}</td><td>${percent(passive, market)}</td><td>${imbalanceCost.toFixed(2)}</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>home</th><th></th><th>without anything</th><th>own battery only</th><th>in the market</th><th>saved</th><th>saved %</th><th>of it deviations</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
};

const priceChart = (slots: readonly SlotFigures[], zones: readonly string[]): string => {
  const values = slots.flatMap(({ importTariff, exportTariff, prices }) => [
    importTariff,
    exportTariff,
    ...prices.filter((price) => price !== null),
  ]);
  const scale = scaleOf(Math.min(0, ...values), Math.max(...values, 0.01));
  const line = (kind: string, value: (slot: SlotFigures) => number | null): string =>
    `<path class="${kind}" d="${steps(slots, value, scale)}"/>`;
  const zoneLines = zones.map((_, zone) => line(`zone zone${zone % 4}`, ({ prices }) => prices[zone] ?? null)).join("");
  return chart(
    slots,
    scale,
    `${line("import", ({ importTariff }) => importTariff)}${line("export", ({ exportTariff }) => exportTariff)}${zoneLines}`,
    `<span class="import">import tariff</span><span class="export">export tariff</span>${zones.map((zone, at) => `<span class="zone${at % 4}">${escape(zone)}</span>`).join("")}`,
  );
};

const energyChart = (slots: readonly SlotFigures[]): string => {
  const scale = scaleOf(
    -Math.max(...slots.map(({ gridExportWh }) => gridExportWh), 0) / 1000,
    Math.max(...slots.map(({ localWh, gridImportWh }) => localWh + gridImportWh), 1) / 1000,
  );
  const step = (width - left - right) / Math.max(slots.length, 1);
  const bars = slots.map(({ localWh, gridImportWh, gridExportWh }, at) => {
    const bar = (kind: string, from: number, to: number): string =>
      `<rect class="${kind}" x="${(left + at * step).toFixed(1)}" width="${(step * 0.8).toFixed(1)}" y="${scale(to).toFixed(1)}" height="${Math.max(scale(from) - scale(to), 0).toFixed(1)}"/>`;
    const local = localWh / 1000;
    return `${bar("local", 0, local)}${bar("grid", local, local + gridImportWh / 1000)}${bar("feed", -gridExportWh / 1000, 0)}`;
  });
  return chart(
    slots,
    scale,
    bars.join(""),
    `<span class="local">between neighbours</span><span class="grid">from the grid</span><span class="feed">into the grid</span>`,
  );
};

type Scale = ((value: number) => number) & { low: number; high: number };

const scaleOf = (low: number, high: number): Scale =>
  Object.assign((value: number) => top + ((high - value) / (high - low || 1)) * (height - top - bottom), { low, high });

const steps = (slots: readonly SlotFigures[], value: (slot: SlotFigures) => number | null, scale: Scale): string => {
  const step = (width - left - right) / Math.max(slots.length, 1);
  let pen = false;
  return slots
    .map((slot, at) => {
      const found = value(slot);
      if (found === null) {
        pen = false;
        return "";
      }
      const move = `${pen ? "L" : "M"}${(left + at * step).toFixed(1)} ${scale(found).toFixed(1)}H${(left + (at + 1) * step).toFixed(1)}`;
      pen = true;
      return move;
    })
    .join("");
};

const chart = (slots: readonly SlotFigures[], scale: Scale, body: string, legend: string): string => {
  const step = (width - left - right) / Math.max(slots.length, 1);
  const every = Math.max(1, Math.ceil(slots.length / 8));
  const times = slots
    .map((slot, at) =>
      at % every === 0
        ? `<text x="${(left + at * step).toFixed(1)}" y="${height - 6}">${escape(slot.time.slice(11, 16))}</text>`
        : "",
    )
    .join("");
  const marks = [scale.low, (scale.low + scale.high) / 2, scale.high]
    .map(
      (value) => `<text class="axis" x="${left - 6}" y="${(scale(value) + 4).toFixed(1)}">${value.toFixed(2)}</text>`,
    )
    .join("");
  const zero =
    scale.low <= 0 && scale.high >= 0
      ? `<line class="zero" x1="${left}" x2="${width - right}" y1="${scale(0).toFixed(1)}" y2="${scale(0).toFixed(1)}"/>`
      : "";
  return `<figure><div class="scroll"><svg viewBox="0 0 ${width} ${height}" role="img">${zero}${body}${marks}${times}</svg></div><figcaption>${legend} · times UTC</figcaption></figure>`;
};

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? sign);

const style = `
:root{color-scheme:light dark;--ink:#16202a;--dim:#5d6b78;--paper:#fff;--card:#f3f5f7;--rule:#d9dfe4;--buy:#1f6fb2;--sell:#c4611a}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf1;--dim:#9aa8b4;--paper:#12181e;--card:#1b232b;--rule:#313c46;--buy:#5aa9e6;--sell:#e58f4f}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:24px 16px 48px}h1{font-size:26px;margin:0}h2{font-size:16px;margin:32px 0 8px}header p,footer{color:var(--dim)}header p{margin:2px 0 20px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px}.card{background:var(--card);border-radius:8px;padding:12px 14px;display:flex;flex-direction:column}
.card span,.card small{color:var(--dim);font-size:13px}.card strong{font-size:22px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;min-width:680px}th,td{padding:6px 8px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}th:first-child{text-align:left}thead th{color:var(--dim);font-weight:500}
.bars{width:26%;min-width:120px}.bars i{display:block;height:6px;border-radius:3px;margin:2px 0}.key{color:var(--dim);font-weight:400;margin-left:12px}.key i{display:inline-block;width:14px;height:6px;border-radius:3px;margin:0 4px 1px 8px}.before{background:var(--rule)}.after{background:var(--buy)}
figure{margin:0}svg{width:100%;min-width:640px;height:auto;display:block}svg path{fill:none;stroke-width:1.6}text{fill:var(--dim);font:11px system-ui,sans-serif}.axis{text-anchor:end}.zero{stroke:var(--rule)}
path.import{stroke:var(--dim);stroke-dasharray:4 3}path.export{stroke:var(--dim);stroke-dasharray:1 3}path.zone0{stroke:var(--buy)}path.zone1{stroke:var(--sell)}path.zone2{stroke:var(--ink)}path.zone3{stroke:var(--dim)}
rect.local{fill:var(--sell)}rect.grid{fill:var(--buy)}rect.feed{fill:var(--dim)}
figcaption{color:var(--dim);font-size:13px;margin-top:4px}figcaption span{margin-right:14px}figcaption span::before{content:"";display:inline-block;width:14px;height:3px;margin-right:6px;vertical-align:middle;background:var(--dim)}
figcaption .zone0::before,figcaption .grid::before{background:var(--buy)}figcaption .zone1::before,figcaption .local::before{background:var(--sell)}figcaption .zone2::before{background:var(--ink)}
`;
