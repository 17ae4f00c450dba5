import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { wrongInput } from "../../services/platform/errors.ts";
import { DEFAULT_PORT, DEFAULT_STATE_DIR } from "../local/defaults.ts";
import { playLive } from "../local/live.ts";
import { lockState } from "../local/lock.ts";
import { planRun, wholeOption } from "../local/plan.ts";
import { requireFreePort } from "../local/ports.ts";
import { requireBuild } from "../local/build.ts";

interface UpOptions {
  homes?: string;
  slotSeconds: string;
  data?: string;
  start?: string;
  state: string;
  seed: string;
  port: string;
}

/** `daeg up`: a whole local market with its dashboard, until Ctrl-C. */
export const registerUp = (program: Command): void => {
  program
    .command("up")
    .description("start a whole local market with its dashboard; Ctrl-C ends it")
    .option("--homes <n>", "homes of the built-in neighbourhood (default 20), or only the first n of --data")
    .option("--slot-seconds <s>", "wall seconds in which a slot of 15 minutes plays", "6")
    .option("--data <dir>", "community folder (community.json, series.csv)")
    .option("--start <iso>", "first slot, ISO-8601 UTC (default: shortly before the sun is highest)")
    .option("--state <dir>", "keys, stores, logs and the instance lock", DEFAULT_STATE_DIR)
    .option("--seed <n>", "seed of keys and of the built-in neighbourhood", "1")
    .option("--port <port>", "port of the dashboard", String(DEFAULT_PORT))
    .addHelpText("after", "\nExample:\n  daeg up --homes 8 --slot-seconds 10")
    .action(async (options: UpOptions) => {
      const slotSeconds = Number(options.slotSeconds);
      if (!(slotSeconds >= 1 && slotSeconds <= 900)) {
        throw wrongInput(`--slot-seconds ${options.slotSeconds}: give seconds from 1 to 900`);
      }
      const port = wholeOption("--port", options.port, 1, 65_535);
      const seed = wholeOption("--seed", options.seed, 0, Number.MAX_SAFE_INTEGER);
      const homes = options.homes === undefined ? {} : { homes: wholeOption("--homes", options.homes, 1, 1_000) };
      requireBuild();
      const stateDir = resolve(options.state);
      const unlock = lockState(stateDir);
      try {
        await requireFreePort(port, "--port");
        // The local chain lives as long as its command, and so does everything that refers to it.
        const runDir = join(stateDir, "up");
        rmSync(runDir, { recursive: true, force: true });
        mkdirSync(runDir, { recursive: true });
        const plan = planRun(
          {
            seed,
            ...homes,
            ...(options.data === undefined ? {} : { data: resolve(options.data) }),
            ...(options.start === undefined ? {} : { start: options.start }),
          },
          runDir,
          { homes: 20, cars: 2, nearNoon: true },
        );
        await playLive({ plan, stateDir: runDir, slotSeconds, port });
      } finally {
        unlock();
      }
    });
};
