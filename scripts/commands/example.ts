import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { wrongInput } from "../../services/platform/errors.ts";
import { createNeighbourhood, writeCommunity } from "../../services/simulator/neighbourhood.ts";

/** `daeg example DIR`: a three-home community to start one's own from. */
export const registerExample = (program: Command): void => {
  program
    .command("example")
    .description("write a three-home community (community.json, series.csv) to start your own from")
    .argument("<dir>", "folder to write; it must be new or empty")
    .addHelpText("after", "\nExample:\n  daeg example my-street && daeg day --data my-street")
    .action((dir: string) => {
      const path = resolve(dir);
      if (existsSync(path) && readdirSync(path).length > 0) {
        throw wrongInput(`${dir} is not empty: name a new folder, so that nothing of yours is overwritten`);
      }
      writeCommunity(
        path,
        createNeighbourhood({ homes: 3, days: 14, seed: 1, start: "2026-06-01T00:00:00Z", name: "Example street" }),
      );
      process.stderr.write(
        `${dir}/community.json and ${dir}/series.csv are written. Try: npx daeg day --data ${dir}\n`,
      );
    });
};
