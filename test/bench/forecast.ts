import {
  type Forecast,
  forecastLoad,
  forecastPv,
  type PastSeries,
  SLOTS_PER_DAY,
} from "../../services/core/forecast/forecast.ts";
import { loadFontana } from "./fontana.ts";

/** One line of the bench table. */
export interface Row {
  what: string;
  figure: string;
  measured: number;
  unit: string;
}

type Method = (past: PastSeries, now: number, horizon: number) => ArrayLike<number>;

const yesterday: Method = (past, now, horizon) =>
  Float64Array.from({ length: horizon }, (_, lead) => past.values[now + lead - SLOTS_PER_DAY - past.firstSlot]!);

const weekAverage: Method = (past, now, horizon) =>
  Float64Array.from({ length: horizon }, (_, lead) => {
    let sum = 0;
    for (let days = 1; days <= 7; days++) sum += past.values[now + lead - days * SLOTS_PER_DAY - past.firstSlot]!;
    return sum / 7;
  });

const meanOf =
  (method: (past: PastSeries, now: number, horizon: number) => Forecast): Method =>
  (past, now, horizon) =>
    method(past, now, horizon).mean;

const LEADS = [
  { name: "the slot an order is for", from: 1, to: 2 },
  { name: "2-6 h ahead", from: 8, to: 24 },
  { name: "0-24 h ahead", from: 0, to: 96 },
];

/** Mean absolute error per slot over homes and 40 origins through the year, with two plain baselines for comparison. */
export const measureForecast = async (): Promise<Row[]> => {
  const fontana = loadFontana();
  if (!fontana) return [];
  const rows: Row[] = [];
  for (const kind of ["load", "pv"] as const) {
    const methods: [string, Method][] = [
      ["own", meanOf(kind === "load" ? forecastLoad : forecastPv)],
      ["same slot yesterday", yesterday],
      ["week average", weekAverage],
    ];
    for (const [name, method] of methods) {
      const errors = LEADS.map(() => ({ sum: 0, count: 0 }));
      for (let origin = 0; origin < 40; origin++) {
        const index = (8 + origin * 8.7) * SLOTS_PER_DAY;
        for (const home of fontana.homes) {
          const values = kind === "load" ? home.loadWh : home.pvWh;
          const start = Math.round(index) + ((origin * 13) % 96);
          const past = { firstSlot: 0, values: Float64Array.from(values.subarray(0, start)) };
          const mean = method(past, start, SLOTS_PER_DAY);
          LEADS.forEach((lead, l) => {
            for (let t = lead.from; t < lead.to; t++) {
              errors[l]!.sum += Math.abs((mean[t] || 0) - values[start + t]!);
              errors[l]!.count += 1;
            }
          });
        }
      }
      LEADS.forEach((lead, l) => {
        rows.push({
          what: `forecast of ${kind}, ${lead.name}`,
          figure: `mean absolute error, ${name}`,
          measured: Math.round((errors[l]!.sum / errors[l]!.count) * 10) / 10,
          unit: "Wh per slot",
        });
      });
    }
  }
  return rows;
};
