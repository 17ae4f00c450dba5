import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { playDay, type DayOptions } from "../../../scripts/local/day.ts";
import { planRun, type RunPlan } from "../../../scripts/local/plan.ts";
import { projectRoot } from "../../../scripts/local/root.ts";
import type { DayReport } from "../../../scripts/report/types.ts";
import { createRandom } from "../../../services/simulator/random.ts";
import { collectFacts, type RunFacts } from "./facts.ts";

/** Real houses where the shared data lies beside the project, else the built-in neighbourhood. */
export const fontana = join(projectRoot, "..", "shared", "data", "fontana");
const hasFontana = existsSync(join(fontana, "community.json"));
export const dataName = hasFontana ? "Fontana's houses" : "the built-in neighbourhood: ../shared/data is absent";

export const isLong = process.env["DAEG_LONG"] === "1";
/** `DAEG_SEED=n` repeats a run that failed; its seed stands in the test's title. */
export const seed = Number(process.env["DAEG_SEED"] ?? 1);

/** Numbers that follow from the seed and a test's own number. */
export const chances = (test: number) => {
  const random = createRandom(seed, test);
  const below = (count: number): number => Math.floor(random() * count);
  return {
    below,
    /** `count` different numbers below `limit`, ascending. */
    pick: (count: number, limit: number): number[] => {
      const all = Array.from({ length: limit }, (_, at) => at);
      const picked = Array.from({ length: count }, () => all.splice(below(all.length), 1)[0] as number);
      return picked.sort((a, b) => a - b);
    },
  };
};

/** From the middle of a sunny day on, so that there is trade; a whole day from its usual start when long. */
const planOf = (slots: number, stateDir: string): RunPlan => {
  const start = hasFontana ? "2021-08-08T18:00:00Z" : "2026-06-22T10:00:00Z";
  const plan = planRun({ ...(hasFontana ? { data: fontana } : {}), ...(isLong ? {} : { start }), seed: 1 }, stateDir, {
    homes: 8,
    cars: 0,
  });
  return { ...plan, slots };
};

export const SLOTS = isLong ? 96 : 12;

export interface RunOutcome {
  report: DayReport;
  facts: RunFacts;
  problems: string[];
}

type Hooks = Partial<Pick<DayOptions, "beforeSlot" | "lie" | "chainFor" | "committee" | "agentProcesses">> & {
  slots?: number;
};

/** Plays a run in a folder of its own and reads its stores while everything is still up. */
export const play = async ({ slots = SLOTS, ...hooks }: Hooks = {}): Promise<RunOutcome> => {
  const stateDir = mkdtempSync(join(tmpdir(), "daeg-faults-"));
  const problems: string[] = [];
  let facts: RunFacts | undefined;
  try {
    const { report } = await playDay({
      plan: planOf(slots, stateDir),
      stateDir,
      began: Date.now(),
      onProblem: (message) => problems.push(message),
      ...hooks,
      atEnd: async (system, store) => {
        facts = await collectFacts(system, store);
      },
    });
    return { report, facts: facts as RunFacts, problems };
  } finally {
    // DAEG_KEEP=1 leaves stores and logs of every run for a look.
    if (process.env["DAEG_KEEP"] === undefined) rmSync(stateDir, { recursive: true, force: true });
    else process.stderr.write(`kept: ${stateDir}\n`);
  }
};

let clean: Promise<RunOutcome> | undefined;

/** The run without a fault that all others are compared with; played once. */
export const cleanRun = (): Promise<RunOutcome> => {
  clean ??= play();
  return clean;
};

/** Of the report, what no single faulty node may change: everything but the committee's own figures, gas and wall time. */
export const marketPart = ({ wallSeconds: _wall, oracle: _oracle, chain, ...rest }: DayReport): unknown => {
  const { transactions: _transactions, ...counts } = chain;
  const withoutGas = Object.fromEntries(Object.entries(counts).filter(([name]) => !name.startsWith("gas")));
  return { ...rest, chain: withoutGas };
};
