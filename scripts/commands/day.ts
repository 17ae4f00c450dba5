import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { requireBuild } from "../local/build.ts";
import { playDay } from "../local/day.ts";
import { planRun, wholeOption, type RunOptions } from "../local/plan.ts";
import { lockState } from "../local/lock.ts";
import { dayHtml } from "../report/html.ts";
import { dayTable } from "../report/table.ts";

interface DayOptions {
  data?: string;
  start?: string;
  days: string;
  homes?: string;
  seed: string;
  state?: string;
  report: string;
  json: boolean;
}

/** `daeg day`: the whole pipeline over given days, as fast as it goes, then bills and figures. */
export const registerDay = (program: Command): void => {
  program
    .command("day")
    .description("play days of a community through the whole system, then print bills and figures")
    .option("--data <dir>", "community folder (community.json, series.csv); default: the built-in neighbourhood")
    .option("--start <iso>", "first slot, ISO-8601 UTC (default: the series' first row plus 7 days)")
    .option("--days <n>", "days to play", "1")
    .option("--homes <n>", "only the first n homes")
    .option("--seed <n>", "seed of keys and of the built-in neighbourhood", "1")
    .option("--state <dir>", "keep stores, logs and configs in this folder (default: a temporary one, removed)")
    .option("--report <file>", "where to write the report page", "report.html")
    .option("--json", "print the report as JSON", false)
    .addHelpText("after", "\nExample:\n  daeg day --homes 5 --json")
    .action(async (options: DayOptions) => {
      const began = Date.now();
      const run: RunOptions = {
        seed: wholeOption("--seed", options.seed, 0, Number.MAX_SAFE_INTEGER),
        days: wholeOption("--days", options.days, 1, 366),
        ...(options.data === undefined ? {} : { data: resolve(options.data) }),
        ...(options.start === undefined ? {} : { start: options.start }),
        ...(options.homes === undefined ? {} : { homes: wholeOption("--homes", options.homes, 1, 1_000) }),
      };
      requireBuild();
      const temporary = options.state === undefined;
      const stateDir = temporary ? mkdtempSync(join(tmpdir(), "daeg-day-")) : resolve(options.state as string);
      const unlock = lockState(stateDir);
      try {
        const runDir = join(stateDir, "day");
        rmSync(runDir, { recursive: true, force: true });
        mkdirSync(runDir, { recursive: true });
        const plan = planRun(run, runDir, { homes: 10, cars: 0 });
        const problems: string[] = [];
        const { report, slots, zones } = await playDay({
          plan,
          stateDir: runDir,
          began,
          onProblem: (message) => problems.push(message),
          onProgress: progressLine(options.json),
        });
        for (const problem of new Set(problems)) process.stderr.write(`note: ${problem}\n`);
        writeFileSync(resolve(options.report), dayHtml(report, slots, zones));
        process.stderr.write(`report page: ${resolve(options.report)}\n`);
        process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `\n${dayTable(report)}`);
      } finally {
        unlock();
        if (temporary) rmSync(stateDir, { recursive: true, force: true });
      }
    });
};

/** Progress on stderr: one line that is rewritten on a terminal, a line per quarter of the run elsewhere. */
const progressLine = (quiet: boolean): ((message: string, share?: number) => void) => {
  let lastQuarter = -1;
  return (message, share) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${message}`);
    else if (!quiet && (share === undefined || Math.floor(share * 4) !== lastQuarter))
      process.stderr.write(`${message}\n`);
    lastQuarter = share === undefined ? lastQuarter : Math.floor(share * 4);
    if (process.stderr.isTTY && share === 1) process.stderr.write("\n");
  };
};
