import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { configSchema } from "../../oracle/config.ts";
import { loadConfig } from "../../services/platform/config.ts";
import { wrongInput } from "../../services/platform/errors.ts";
import { projectRoot } from "../local/root.ts";

/** `daeg oracle --config FILE`: runs one oracle node until Ctrl-C; the same program that `daeg up` starts four times. */
export const registerOracle = (program: Command): void => {
  program
    .command("oracle")
    .description("run one oracle node: reads meters, agrees with the committee, reports to the chain")
    .requiredOption("--config <FILE>", "the node's configuration (oracle/config.ts describes every key)")
    .addHelpText("after", "\nExample:\n  daeg oracle --config node-0.json")
    .action(async ({ config }: { config: string }) => {
      const { clock } = loadConfig(config, configSchema);
      if (clock === "driven") {
        throw wrongInput('clock: "driven" is for the local system, which ticks its nodes; use "system"');
      }
      process.exitCode = await run(config);
    });
};

const run = (config: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const node = spawn(process.execPath, [join(projectRoot, "oracle/main.ts"), "--config", config], {
      stdio: "inherit",
    });
    // Ctrl-C reaches the node by itself; this process only waits for its end.
    const ignore = (): void => undefined;
    const pass = (): void => void node.kill("SIGTERM");
    process.on("SIGINT", ignore);
    process.on("SIGTERM", pass);
    node.once("error", reject);
    node.once("exit", (code) => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", pass);
      resolve(code ?? 1);
    });
  });
