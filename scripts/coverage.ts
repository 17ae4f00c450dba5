/**
 * `node scripts/coverage.ts [TEST FILE ...]`: which lines of contracts/ (but contracts/test) the tests of the contracts run, counted by
 * Hardhat's coverage in a copy of the project. Prints a row per file and every line that no test runs; exit 1 when there is one, or when
 * an exception (scripts/coverage/exceptions.ts) is not needed any more. With test files only those run, and the exit code tells whether they passed.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exceptedLines, leftOutTests } from "./coverage/exceptions.ts";
import { judge } from "./coverage/judge.ts";
import { merge, parseLcov, type Coverage } from "./coverage/lcov.ts";
import { createSandbox } from "./coverage/sandbox.ts";
import { projectRoot } from "./local/root.ts";

const asked = process.argv.slice(2);
const whole = asked.length === 0;
const tests = whole ? globSync("test/contracts/**/*.test.ts", { cwd: projectRoot }).sort() : asked;
const sandbox = createSandbox();
const problems: string[] = [];

/** The tests that are left out must still be there. */
const sources = globSync("test/contracts/**/*.test.ts", { cwd: projectRoot }).map((path) =>
  readFileSync(join(projectRoot, path), "utf8"),
);
for (const { title } of leftOutTests)
  if (!sources.some((text) => text.includes(title)))
    problems.push(`no test is called "${title}": take it off the list`);

const escaped = leftOutTests.map(({ title }) => title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
const grep = escaped.length > 0 ? ["--grep", `^(?!.*(${escaped.join("|")})).*$`] : [];
const isCore = (path: string): boolean => path.startsWith("contracts/") && !path.startsWith("contracts/test/");

const parts: Coverage[] = [];
const measure = async (task: "mocha" | "solidity", args: string[], settings?: Record<string, string>) => {
  const { passed, lcov } = await sandbox.measure(task, args, settings);
  if (!passed) problems.push(`a test failed under "hardhat test ${task} --coverage"`);
  parts.push(new Map([...parseLcov(lcov)].filter(([path]) => isCore(path))));
};

await measure("mocha", [...tests, ...grep]);
// What runs is the same in every round of a fuzz test.
if (whole) await measure("solidity", [], { DAEG_FUZZ_RUNS: "100", DAEG_INVARIANT_RUNS: "4" });

const linesOf = (path: string): string[] => readFileSync(join(projectRoot, path), "utf8").split("\n");
const { files, uncovered, needless } = judge(merge(parts), whole ? exceptedLines : [], linesOf);
const row = (path: string, lines: number, covered: number): string =>
  `${path.padEnd(46)} ${String(lines).padStart(6)} ${String(covered).padStart(8)} ${((100 * covered) / lines).toFixed(1).padStart(7)} %\n`;
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

process.stdout.write(`${"file".padEnd(46)} ${"lines".padStart(6)} ${"covered".padStart(8)}\n`);
for (const { path, lines, covered } of files) process.stdout.write(row(path, lines, covered));
process.stdout.write(row("all", sum(files.map(({ lines }) => lines)), sum(files.map(({ covered }) => covered))));
for (const { path, line, text } of uncovered) process.stdout.write(`not covered  ${path}:${line}  ${text}\n`);
process.stdout.write(
  `${uncovered.length} lines are not covered; ${exceptedLines.length} exceptions, ${leftOutTests.length} tests left out, each with its reason\n`,
);
if (whole) problems.push(...needless, ...(uncovered.length > 0 ? ["lines of the core are not covered"] : []));
if (files.length === 0) problems.push("nothing was measured");
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
