import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { clearBook } from "../../services/core/market/clear.ts";
import { GREEN, OFFER } from "../../services/core/market/types.ts";
import { measureMesh } from "./clearing-mesh.ts";
import { BAND, EXPORT, FEE, IMPORT, randomMarket, type Market } from "./clearing-market.ts";

/** One line of the bench table. */
export interface Row {
  what: string;
  figure: string;
  measured: number;
  unit: string;
}

const ROUNDS = 5;
const SEED = 7;
const PROGRAM_TIMEOUT_MS = 30_000;

/** Solves a market by HiGHS in a worker; undefined when it takes too long or does not fit into its memory. */
const asProgram = (orders: number, zones: number): Promise<{ seconds: number; cost: number } | undefined> =>
  new Promise((resolve) => {
    const worker = new Worker(join(import.meta.dirname, "clearing-program.ts"), {
      workerData: { orders, zones, seed: SEED },
    });
    const end = (answer?: { seconds: number; cost: number }): void => {
      clearTimeout(timer);
      resolve(answer);
      void worker.terminate();
    };
    const timer = setTimeout(() => end(), PROGRAM_TIMEOUT_MS);
    worker.once("message", end);
    worker.once("error", () => end());
  });

const seconds = (work: () => unknown): number => {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
};

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** Cost that the fills of our own clearing have in the program: equal to the program's optimum, or something is wrong. */
const costOfFills = ({ columns, zones }: Market): number => {
  const { fillsWh, postings } = clearBook(columns, zones, BAND);
  let cost = 0;
  for (let i = 0; i < columns.count; i += 1) {
    const limit = columns.price[i] as number;
    const isOffer = ((columns.flags[i] as number) & OFFER) !== 0;
    cost += (fillsWh[i] as number) * (isOffer ? Math.max(limit, EXPORT) : FEE - Math.min(limit, IMPORT));
  }
  postings.forEach(({ backupSoldWh, backupBoughtWh }) => {
    cost += backupSoldWh * (IMPORT - FEE) - backupBoughtWh * EXPORT;
  });
  return cost;
};

/** Clearing off chain, from columns in memory to fills, beside HiGHS with one variable per order. */
export const measureClearing = async (): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const { orders, zones, figure } of [
    { orders: 100_000, zones: 118, figure: "< 1" },
    { orders: 1_000_000, zones: 1, figure: "< 1" },
  ]) {
    const market = randomMarket(orders, zones, SEED);
    const name = `clearing ${orders.toLocaleString("en")} orders, ${zones} zone${zones === 1 ? "" : "s"}`;
    clearBook(market.columns, market.zones, BAND);
    const own = median(
      Array.from({ length: ROUNDS }, () => seconds(() => clearBook(market.columns, market.zones, BAND))),
    );
    rows.push({ what: name, figure, measured: own, unit: "s" });
    const program = await asProgram(orders, zones);
    const beside = `${name}: HiGHS, one variable per order,`;
    if (!program) {
      rows.push({ what: `${beside} is stopped after`, figure: "", measured: PROGRAM_TIMEOUT_MS / 1000, unit: "s" });
      continue;
    }
    const cost = costOfFills(market);
    if (Math.abs(cost - program.cost) > 1e-6 * Math.abs(program.cost)) {
      throw new Error(`${name}: our welfare is ${-cost}, HiGHS finds ${-program.cost}`);
    }
    rows.push({ what: beside, figure: "", measured: program.seconds, unit: "s" });
    rows.push({ what: `${beside} as a multiple`, figure: "", measured: program.seconds / own, unit: "times" });
  }
  rows.push(measureJoint());
  return [...rows, ...(await measureMesh())];
};

/** The larger network with green orders and trades, which make it one flow. */
const measureJoint = (): Row => {
  const zones = 118;
  const trades = 50;
  const market = randomMarket(100_000, zones, SEED);
  for (let i = 0; i < market.columns.count; i += 3)
    market.columns.flags[i] = (market.columns.flags[i] as number) | GREEN;
  const terms = Array.from({ length: trades }, (_, i) => ({
    from: (7 * i) % zones,
    to: (13 * i + 1) % zones,
    limitWh: 1_000 + i,
    maxSpread: 3_000 * (i % 10),
  }));
  const clear = (): unknown => clearBook(market.columns, market.zones, BAND, terms);
  clear();
  return {
    what: `clearing 100,000 orders, ${zones} zones, a third of them green, ${trades} trades`,
    figure: "",
    measured: median(Array.from({ length: ROUNDS }, () => seconds(clear))),
    unit: "s",
  };
};
