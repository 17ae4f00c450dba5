/**
 * `npm run bench`: measures the figures of design section 8 that exist so far; a table on stdout, JSON in a file.
 * `--only NAME` runs one part, `--json FILE` names the file, `--write` renews docs/bench.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../../scripts/local/root.ts";
import { judge, type BenchRow, type PartResult } from "./judge.ts";
import { markdown, table } from "./print.ts";

interface Part {
  name: string;
  measure(): Promise<{ what: string; figure: string | number; measured: number; unit: string }[]>;
}

const parts: Part[] = [
  { name: "clearing", measure: async () => (await import("./clearing.ts")).measureClearing() },
  { name: "dispatch", measure: async () => (await import("./dispatch.ts")).measureDispatch() },
  { name: "forecast", measure: async () => (await import("./forecast.ts")).measureForecast() },
  { name: "modbus", measure: async () => (await import("./modbus.ts")).measureModbus() },
  { name: "gas", measure: async () => (await import("./gas.ts")).measureGas() },
  { name: "pipeline", measure: async () => (await import("./pipeline.ts")).measurePipeline() },
];

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    json: { type: "string", default: join(import.meta.dirname, "out", "bench.json") },
    write: { type: "boolean", default: false },
  },
});
const chosen = parts.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) {
  process.stderr.write(`--only ${values.only}: give one of ${parts.map(({ name }) => name).join(", ")}\n`);
  process.exit(1);
}

const measure = async ({ name, measure: run }: Part): Promise<PartResult> => {
  process.stderr.write(`${name} ...\n`);
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 100) / 10;
  try {
    const rows: BenchRow[] = (await run()).map((row) => judge(name, row));
    const problem = rows.length === 0 ? "its data is absent: put ../shared/data beside the project" : null;
    return { part: name, seconds: seconds(), problem, rows };
  } catch (error) {
    return { part: name, seconds: seconds(), problem: (error as Error).message, rows: [] };
  }
};

const results: PartResult[] = [];
for (const part of chosen) results.push(await measure(part));

const [cpu] = cpus();
const machine = {
  cpu: cpu?.model.trim() ?? "unknown",
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 1e9),
  node: process.versions.node,
  platform: `${process.platform} ${process.arch}`,
};
const bench = { machine, results };
process.stdout.write(table(bench));
const file = resolve(values.json);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bench, null, 2)}\n`);
process.stderr.write(`JSON: ${file}\n`);
if (values.write) {
  const path = join(projectRoot, "docs", "bench.md");
  writeFileSync(path, markdown(bench));
  process.stderr.write(`table: ${path}\n`);
}
process.exit(results.some(({ problem, rows }) => problem !== null && rows.length === 0) ? 1 : 0);
