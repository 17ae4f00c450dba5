/** docs/mutants.md: what was changed, what the tests noticed, and why the rest does not matter. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../local/root.ts";
import type { Mutant } from "./operators.ts";
import type { Group } from "./targets.ts";

export type Verdict = "killed" | "timeout" | "survived" | "equivalent" | "invalid";

export interface Result extends Mutant {
  verdict: Verdict;
  /** Name of the test that noticed it. */
  by?: string | undefined;
  /** The changed line as it stands in the source. */
  text: string;
}

/** Why a survivor is no gap: found by file, text of the line and change, so that it outlives other lines. */
interface Reason {
  file: string;
  text: string;
  from: string;
  to: string;
  reason: string;
}

const REASONS = join(projectRoot, "scripts", "mutants", "survivors.json");

const reasonFor = (reasons: Reason[], { file, text, from, to }: Result): string =>
  reasons.find((r) => r.file === file && r.text === text && r.from === from && r.to === to)?.reason ??
  "NOT EXPLAINED: a test is missing, or a reason here";

const share = (killed: number, all: number): string => (all === 0 ? "-" : `${((100 * killed) / all).toFixed(1)} %`);
const code = (text: string): string => `\`${text.replaceAll("|", "\\|").replaceAll("`", "'").replace(/\s+/g, " ")}\``;

const OPERATORS = [
  "comparison",
  "arithmetic",
  "logic and bits",
  "check dropped",
  "rounding",
  "constant",
  "sign or negation dropped",
  "assignment",
  "assembly",
] as const;

/** The kind of change, by what was replaced. */
const operatorOf = ({ from, to }: Result): (typeof OPERATORS)[number] => {
  if (to === "false") return "check dropped";
  if (to === "") return "sign or negation dropped";
  if (/ - 1\) \/ \(/.test(to)) return "rounding";
  if (/^(0x[0-9a-fA-F]+|[0-9][0-9_]*)$/.test(from)) return "constant";
  if (/^(<=?|>=?|==|!=)$/.test(from)) return "comparison";
  if (/^(\+|-|\*|\/|%|<<|>>)$/.test(from)) return "arithmetic";
  if (/^(&&?|\|\|?)$/.test(from)) return "logic and bits";
  return /=$/.test(from) ? "assignment" : "assembly";
};

export const report = (
  groups: Group[],
  results: Result[],
  run: { seed: number; date: string; found: number; commit: string; machine: string },
): string => {
  const reasons = existsSync(REASONS) ? (JSON.parse(readFileSync(REASONS, "utf8")) as Reason[]) : [];
  const count = (list: Result[], ...verdicts: Verdict[]): number =>
    list.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const row = (name: string, list: Result[]): string => {
    const killed = count(list, "killed", "timeout");
    const judged = killed + count(list, "survived");
    const counts = [judged, killed, count(list, "survived"), count(list, "equivalent", "invalid")];
    return `| ${name} | ${counts.join(" | ")} | ${share(killed, judged)} |`;
  };
  const groupRows = groups.flatMap(({ name, files }) => {
    const own = results.filter(({ file }) => files.includes(file));
    const fileRows = files
      .map((file) => ({ file, list: own.filter((result) => result.file === file) }))
      .filter(({ list }) => list.length > 0)
      .map(({ file, list }) => row(code(file.replace("contracts/", "")), list));
    return [row(`**${name}**`, own), ...fileRows];
  });
  const operatorRows = OPERATORS.map((name) =>
    row(
      name,
      results.filter((result) => operatorOf(result) === name),
    ),
  );
  const survivors = results.filter(({ verdict }) => verdict === "survived");
  const lines = survivors.map((survivor) => {
    const { file, line, from, to } = survivor;
    const place = `${file.replace("contracts/", "")}:${line}`;
    return `| ${place} | ${code(survivor.text)} | ${code(from)} -> ${code(to === "" ? "(dropped)" : to)} | ${reasonFor(reasons, survivor)} |`;
  });
  return `# Mutants

\`node scripts/mutate.ts\` (part \`mutants\` of \`npm run test:long\`) makes one small wrong change at a time in the Solidity of all contracts, compiles the contracts
that it reaches, and runs their tests: a change that no test notices is a *survivor*. Operators: comparison shifted by one or swapped, arithmetic, logic and bit operations swapped, a check dropped, rounding
flipped, a constant plus one, a sign or a negation dropped; in assembly \`lt gt slt sgt add sub mul div shl shr sar and or xor eq iszero\` and constants. *Not counted*: the bytecode is the same, or it does not compile. A time-out counts as killed.

Seed ${run.seed}, ${run.date}: a sample of ${results.length} out of ${run.found} mutants, drawn per file, as many per group. Contracts of commit ${run.commit}, on ${run.machine}. Compiled without the intermediate representation (\`OrderBook\` with), tests as in \`npm test\`.

| file | mutants | killed | survived | not counted | killed of counted |
|---|---|---|---|---|---|
${row("**all**", results)}
${groupRows.join("\n")}

| operator | mutants | killed | survived | not counted | killed of counted |
|---|---|---|---|---|---|
${operatorRows.join("\n")}

## Survivors

| where | line | change | why |
|---|---|---|---|
${lines.length === 0 ? "| none | | | |" : lines.join("\n")}
`;
};
