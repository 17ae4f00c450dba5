/**
 * `node scripts/threats.ts`: every line and every test that docs/threats.md names must be there: `path` "words that stand in it". Exit 1 and
 * one sentence for each that is not.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./local/root.ts";

const text = readFileSync(join(projectRoot, "docs", "threats.md"), "utf8");
const problems: string[] = [];
let rows = 0;
text.split("\n").forEach((line, index) => {
  const at = `docs/threats.md:${index + 1}`;
  if (!line.startsWith("|") || /^\|(---| threat )/.test(line)) return;
  rows += 1;
  const references = [...line.matchAll(/`([^`]+\.(?:sol|ts))` "([^"]+)"/g)];
  const named = references.map(([, path]) => path as string);
  if (!named.some((path) => /^(contracts|oracle|services|scripts)\//.test(path)))
    problems.push(`${at}: names no line that stops it`);
  if (!named.some((path) => path.startsWith("test/"))) problems.push(`${at}: names no test`);
  for (const [, path, words] of references as unknown as [string, string, string][]) {
    const file = join(projectRoot, path);
    if (!existsSync(file)) problems.push(`${at}: there is no ${path}`);
    else if (!readFileSync(file, "utf8").includes(words)) problems.push(`${at}: ${path} has no "${words}"`);
  }
});
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(
  `${rows} threats, each with its line and its test${problems.length === 0 ? "" : `: ${problems.length} are wrong`}\n`,
);
process.exit(problems.length === 0 ? 0 : 1);
