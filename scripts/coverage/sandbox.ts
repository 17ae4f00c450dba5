/**
 * A copy of the project under `cache/`, because measuring compiles contracts that count what ran of them: the developer's artifacts
 * stay as they are. Packages are found in the folders above it; what did not change since the last run is not compiled again.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { projectRoot } from "../local/root.ts";

const SOURCES = [
  "contracts",
  "docs",
  "oracle",
  "scripts",
  "services",
  "test",
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
];
/** What npm's scripts add to the path, and what would make tests longer or note their errors in the developer's files. */
const LEFT_OUT = ["DAEG_LONG", "DAEG_REACHED_ERRORS"];

export const createSandbox = () => {
  const root = join(projectRoot, "cache", "coverage");
  mkdirSync(root, { recursive: true });
  for (const name of SOURCES) {
    rmSync(join(root, name), { recursive: true, force: true });
    cpSync(join(projectRoot, name), join(root, name), { recursive: true });
  }
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${join(projectRoot, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}`,
  };
  for (const name of LEFT_OUT) delete env[name];

  return {
    /** Runs a test task of Hardhat and answers with what the tool wrote. */
    async measure(task: "mocha" | "solidity", args: string[], settings: Record<string, string> = {}) {
      const lcov = join(root, "coverage", "lcov.info");
      rmSync(join(root, "coverage"), { recursive: true, force: true });
      const child = spawn("hardhat", ["--config", "scripts/coverage/config.ts", "test", task, "--coverage", ...args], {
        cwd: root,
        env: { ...env, ...settings, DAEG_MEASURED: task },
        stdio: ["ignore", 2, 2],
      });
      const passed = await new Promise<boolean>((resolve) => {
        child.on("error", (error) => resolve((process.stderr.write(`${error.message}\n`), false)));
        child.on("close", (code) => resolve(code === 0));
      });
      return { passed, lcov: existsSync(lcov) ? readFileSync(lcov, "utf8") : "" };
    },
  };
};
