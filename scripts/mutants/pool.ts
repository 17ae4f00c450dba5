/** One worker in a copy of the project under the system's temporary folder; replaced when it hangs or has tested enough. */
import { fork, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../local/root.ts";
import type { Code } from "./compiler.ts";

export interface Question {
  id: number;
  /** Creation code by contract name. */
  codes: Record<string, Code>;
  /** Test files, under the root. */
  tests: string[];
  /** Runs every test and answers with all failures, instead of ending at the first. */
  all?: boolean;
}

export interface Answer {
  id: number;
  /** First test that failed, with its error. */
  failed?: string | undefined;
  /** All that failed, when the question asked for all. */
  failures: string[];
  passed: number;
}

const COPIED = [
  "artifacts",
  "scripts",
  "services",
  "oracle",
  "test",
  "types",
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
];
/** The EVMs of earlier tests stay in a process: a new one now and then. */
const TESTED_BY_ONE = 25;

export const createPool = (secondsPerMutant: number) => {
  const tree = mkdtempSync(join(tmpdir(), "daeg-mutants-"));
  for (const name of COPIED) cpSync(join(projectRoot, name), join(tree, name), { recursive: true });
  symlinkSync(join(projectRoot, "node_modules"), join(tree, "node_modules"));

  let worker: ChildProcess | undefined;
  let tested = 0;
  const drop = (): void => {
    worker?.kill("SIGKILL");
    worker = undefined;
    tested = 0;
  };
  const start = (): ChildProcess =>
    fork(join(tree, "scripts", "mutants", "worker.ts"), {
      cwd: tree,
      env: { ...process.env, DAEG_MUTANTS_OF: projectRoot },
      execArgv: ["--import", join(tree, "scripts", "mutants", "factories.ts")],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      serialization: "advanced",
    });

  return {
    /** Resolves to "timeout" when the tests take longer than allowed. */
    test(question: Question): Promise<Answer | "timeout"> {
      if (tested >= TESTED_BY_ONE) drop();
      worker ??= start();
      tested += 1;
      const child = worker;
      return new Promise((resolve) => {
        const done = (answer: Answer | "timeout"): void => {
          clearTimeout(timer);
          child.removeAllListeners("message");
          child.removeAllListeners("exit");
          if (answer === "timeout") drop();
          resolve(answer);
        };
        const timer = setTimeout(() => done("timeout"), secondsPerMutant * 1000);
        child.on("message", (answer) => done(answer as Answer));
        child.on("exit", (code) => {
          worker = undefined;
          done({ id: question.id, failed: `the process ended with ${code}`, failures: [], passed: 0 });
        });
        child.send(question);
      });
    },
    close(): void {
      drop();
      rmSync(tree, { recursive: true, force: true });
    },
  };
};
