import type { BenchRow, PartResult } from "./judge.ts";

interface Bench {
  machine: { cpu: string; cores: number; memoryGb: number; node: string; platform: string };
  results: PartResult[];
}

const number = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 5 });

const asked = ({ asked: limit }: BenchRow): string =>
  limit === null ? "" : "atMost" in limit ? `<= ${number(limit.atMost)}` : `>= ${number(limit.atLeast)}`;

const met = ({ met: is }: BenchRow): string => (is === null ? "" : is ? "yes" : "NO");

const cells = (row: BenchRow): string[] => [
  row.note === "" ? row.what : `${row.what} (${row.note})`,
  asked(row),
  number(row.measured),
  row.unit,
  met(row),
];

const HEAD = ["what", "asked", "measured", "unit", "met"];

const machineLine = ({ machine }: Bench): string =>
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.platform}, Node ${machine.node}`;

/** Plain columns for a terminal. */
export const table = (bench: Bench): string => {
  const lines = [machineLine(bench)];
  const widths = HEAD.map((title, at) =>
    Math.max(
      title.length,
      ...bench.results.flatMap(({ rows }) => rows.map((row) => (cells(row)[at] as string).length)),
    ),
  );
  const line = (texts: string[]): string =>
    texts
      .map((text, at) =>
        at === 1 || at === 2 ? text.padStart(widths[at] as number) : text.padEnd(widths[at] as number),
      )
      .join("  ")
      .trimEnd();
  for (const { part, seconds, problem, rows } of bench.results) {
    lines.push("", `== ${part} (${seconds} s)`);
    if (problem !== null) lines.push(`not measured: ${problem}`);
    else lines.push(line(HEAD), ...rows.map((row) => line(cells(row))));
  }
  return `${lines.join("\n")}\n`;
};

/** docs/bench.md */
export const markdown = (bench: Bench): string => {
  const escape = (text: string): string => text.replaceAll("|", "\\|");
  const parts = bench.results.map(({ part, problem, rows }) =>
    problem !== null
      ? `## ${part}\n\nNot measured: ${problem}.\n`
      : `## ${part}\n\n| ${HEAD.join(" | ")} |\n|---|---:|---:|---|---|\n${rows
          .map((row) => `| ${cells(row).map(escape).join(" | ")} |`)
          .join("\n")}\n`,
  );
  return [
    "# Measured figures",
    "",
    "Written by `npm run bench -- --write`; what is asked stands in the design, section 8. A row without a figure is for comparison.",
    "",
    `Machine: ${machineLine(bench)}.`,
    "",
    ...parts,
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
};
