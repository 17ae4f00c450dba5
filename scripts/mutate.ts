/**
 * `node scripts/mutate.ts [--max N] [--seed S] [--only FILE ...] [--out FILE] [--log FILE] [--list]`: mutates the Solidity of all contracts,
 * and runs the contract tests on each mutant. Needs a build. Writes docs/mutants.md when the whole
 * sample ran; `--log` keeps every verdict in a file, and takes those of unchanged files from it; exit 1 when less than 90 % of a group's mutants are killed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "./local/root.ts";
import { createCompiler, type Code } from "./mutants/compiler.ts";
import { apply, mutantsOf, type Mutant } from "./mutants/operators.ts";
import { createPool } from "./mutants/pool.ts";
import { report, type Result, type Verdict } from "./mutants/report.ts";
import { sample } from "./mutants/sample.ts";
import { createPlanner, groups, type Stage } from "./mutants/targets.ts";

const { values } = parseArgs({
  options: {
    max: { type: "string", default: "240" },
    seed: { type: "string", default: "1" },
    only: { type: "string", multiple: true },
    out: { type: "string", default: "docs/mutants.md" },
    seconds: { type: "string", default: "180" },
    log: { type: "string" },
    list: { type: "boolean", default: false },
    baseline: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const REQUIRED = 0.9;

const compiler = createCompiler();
const planOf = createPlanner(compiler);
const asksFor = (file: string): boolean => !values.only || values.only.some((name) => basename(file).startsWith(name));
const files = groups.flatMap((group) => group.files).filter(asksFor);
const found = groups.map((group) =>
  group.files.map((file) => mutantsOf(file, compiler.read(file), compiler.astOf(file))),
);
// Drawn from all files, so that a part of the run judges mutants of the whole one.
const drawn = found
  .flatMap((lists, index) => sample(lists, Number(values.max) / groups.length, seed + 100 * index))
  .filter(({ file }) => asksFor(file));
const total = found.flat(2).filter(({ file }) => asksFor(file)).length;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
say(`${drawn.length} of ${total} mutants in ${files.length} files, seed ${seed}`);

const lineOf = ({ file, line }: Mutant): string => (compiler.read(file).split("\n")[line - 1] ?? "").trim();
if (values.list) {
  for (const mutant of drawn) say(`${mutant.file}:${mutant.line} ${mutant.from} -> ${mutant.to}   ${lineOf(mutant)}`);
  process.exit(0);
}

const pool = createPool(Number(values.seconds));
const originals = new Map<string, Code>();
const passed = new Set<string>();
let asked = 0;

/** Codes of a stage's unchanged contracts, compiled in the same way as mutants. */
const compileOriginals = ({ all }: Stage): void => {
  const missing = all.filter(({ name }) => !originals.has(name));
  const codes = compiler.bytecodesOf(missing);
  if (!codes) throw new Error(`${missing.map(({ name }) => name).join()}: does not compile`);
  for (const [name, code] of Object.entries(codes)) originals.set(name, code);
};

/** The tests must pass on the unchanged code; otherwise every mutant would count as killed. */
const checkOriginal = async ({ all, tests }: Stage): Promise<void> => {
  const key = all.map(({ name }) => name).join();
  if (passed.has(key)) return;
  const codes = Object.fromEntries(all.map(({ name }) => [name, originals.get(name) as Code]));
  const answer = await pool.test({ id: (asked += 1), codes, tests });
  if (answer === "timeout") throw new Error(`${key}: the tests of the unchanged code take too long (--seconds)`);
  if (answer.failed !== undefined) throw new Error(`${key}: the unchanged code fails ${answer.failed}`);
  say(`${key}: ${answer.passed} tests pass on the unchanged code`);
  passed.add(key);
};

if (values.baseline) {
  const stages = new Map<string, Stage>();
  for (const file of files)
    for (const stage of planOf(file)) stages.set(stage.all.map(({ name }) => name).join(), stage);
  let broken = 0;
  for (const [key, { all, tests }] of stages) {
    const codes = compiler.bytecodesOf(all);
    if (!codes) throw new Error(`${key} does not compile`);
    const began = Date.now();
    const answer = await pool.test({ id: (asked += 1), codes, tests, all: true });
    const took = ((Date.now() - began) / 1000).toFixed(1);
    if (answer === "timeout") say(`${key}: time-out`);
    else say(`${key}: ${answer.passed} pass, ${answer.failures.length} fail, ${took} s`);
    const failures = answer === "timeout" ? ["time-out"] : answer.failures;
    for (const failure of failures) say(`  ${failure}`);
    broken += failures.length;
  }
  pool.close();
  process.exit(broken === 0 ? 0 : 1);
}

const judge = async (mutant: Mutant): Promise<{ verdict: Verdict; by?: string | undefined }> => {
  const changed = { [mutant.file]: apply(compiler.read(mutant.file), mutant) };
  const stages = planOf(mutant.file);
  // In none of the contracts: only proofs and fuzz tests use it.
  if (stages.length === 0) return { verdict: "invalid" };
  let differs = false;
  for (const stage of stages) {
    compileOriginals(stage);
    const codes = compiler.bytecodesOf(stage.targets, changed);
    if (!codes) return { verdict: "invalid" };
    if (Object.entries(codes).every(([name, { bytecode }]) => originals.get(name)?.bytecode === bytecode)) continue;
    differs = true;
    await checkOriginal(stage);
    const answer = await pool.test({ id: (asked += 1), codes, tests: stage.tests });
    if (answer === "timeout") return { verdict: "timeout" };
    if (answer.failed !== undefined) return { verdict: "killed", by: answer.failed };
  }
  return { verdict: differs ? "survived" : "equivalent" };
};

const keyOf = ({ file, start, end, to }: Mutant): string =>
  [createHash("sha256").update(compiler.read(file)).digest("hex").slice(0, 16), basename(file), start, end, to].join(
    " ",
  );
type Judged = Awaited<ReturnType<typeof judge>>;
const known = new Map<string, Judged>();
if (values.log !== undefined && existsSync(values.log)) {
  for (const line of readFileSync(values.log, "utf8").split("\n").filter(Boolean)) {
    const { key, ...judged } = JSON.parse(line) as Judged & { key: string };
    known.set(key, judged);
  }
}

const results: Result[] = [];
for (const mutant of drawn) {
  const began = Date.now();
  const key = keyOf(mutant);
  const judged = known.get(key) ?? (await judge(mutant));
  if (values.log !== undefined && !known.has(key))
    appendFileSync(values.log, `${JSON.stringify({ key, ...judged })}\n`);
  results.push({ ...mutant, ...judged, text: lineOf(mutant) });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const change = `${mutant.from} -> ${mutant.to}`.replace(/\s+/g, " ");
  say(
    `${results.length}/${drawn.length} ${judged.verdict} ${seconds} s  ${basename(mutant.file)}:${mutant.line} ${change}  [${judged.by ?? ""}]`,
  );
}
pool.close();

const text = report(groups, results, {
  seed,
  date: new Date().toISOString().slice(0, 10),
  found: total,
  commit: spawnSync("git", ["rev-parse", "--short", "HEAD"], { cwd: projectRoot, encoding: "utf8" }).stdout.trim(),
  machine: `${cpus().length} x ${cpus()[0]?.model ?? "?"}`,
});
if (values.only && values.out === "docs/mutants.md") process.stdout.write(text);
else writeFileSync(join(projectRoot, values.out), text);

const weak = groups.filter((group) => {
  const own = results.filter(
    ({ file, verdict }) => group.files.includes(file) && verdict !== "equivalent" && verdict !== "invalid",
  );
  return own.length > 0 && own.filter(({ verdict }) => verdict !== "survived").length < REQUIRED * own.length;
});
for (const { name } of weak) say(`less than 90 % of the mutants of the ${name} are killed`);
process.exit(weak.length === 0 ? 0 : 1);
