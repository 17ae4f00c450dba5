import { fork, type ChildProcess } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DaegError, messageOf, tryAgain, type ExitCode } from "../../services/platform/errors.ts";
import type { ChildMessage } from "../../services/platform/process.ts";
import { projectRoot } from "./root.ts";

const READY_TIMEOUT_MS = 60_000;
const TICK_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 6_000;
const RESTART_DELAYS_MS = [50, 200, 1_000, 5_000];

export interface ChildSpec {
  name: string;
  /** Module to fork, relative to the project's root. */
  module: string;
  /** Written to a file and passed as `--config FILE`; without it `args` are passed. */
  config?: unknown;
  args?: string[];
}

/** A child process that is restarted when it dies, and ticked by the conductor. */
export interface Child {
  readonly name: string;
  readonly pid: number | undefined;
  /** What the child told when it got ready last. */
  readonly info: Record<string, unknown>;
  readonly restarts: number;
  /** Tells the chain time and waits until everything due is done; a child that dies meanwhile is restarted and told again. */
  tick(now: number): Promise<void>;
  /** kill -9; with `hold` it stays dead until `revive`. */
  kill(options?: { hold?: boolean }): Promise<void>;
  revive(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a child and waits until it is ready.
 * @throws DaegError with the child's own message when it refuses to start
 */
export const startChild = async (
  { name, module, config, args = [] }: ChildSpec,
  { configDir, logDir, onProblem }: { configDir: string; logDir: string; onProblem(message: string): void },
): Promise<Child> => {
  const argv = [...args];
  if (config !== undefined) {
    const file = join(configDir, `${name}.json`);
    writeFileSync(file, JSON.stringify(config, null, 1), { mode: 0o600 });
    argv.push("--config", file);
  }

  let current: ChildProcess | undefined;
  let info: Record<string, unknown> = {};
  let up: Promise<void>;
  let held = false;
  let stopped = false;
  let restarts = 0;
  let failuresInRow = 0;
  let tickId = 0;

  const spawn = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const log = openSync(join(logDir, `${name}.log`), "a");
      const child = fork(join(projectRoot, module), argv, { cwd: projectRoot, stdio: ["ignore", log, log, "ipc"] });
      closeSync(log);
      current = child;
      let ready = false;
      const timer = setTimeout(() => {
        reject(tryAgain(`${name} is not ready after ${READY_TIMEOUT_MS / 1000} s: see its log in ${logDir}`));
        child.kill("SIGKILL");
      }, READY_TIMEOUT_MS);
      child.on("message", (message: ChildMessage) => {
        if (message.type === "ready") {
          ready = true;
          failuresInRow = 0;
          info = message.info;
          clearTimeout(timer);
          resolve();
        }
        if (message.type === "failed") reject(new DaegError(message.message, message.exitCode as ExitCode));
      });
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        if (current === child) current = undefined;
        if (!ready) reject(tryAgain(`${name} ended before it was ready (${signal ?? code}): see its log in ${logDir}`));
        if (!stopped && !held && ready) {
          onProblem(`${name} ended (${signal ?? `exit ${code}`}), restarting`);
          up = restart();
          up.catch(() => undefined);
        }
      });
    });

  const restart = async (): Promise<void> => {
    restarts += 1;
    await delay(RESTART_DELAYS_MS[Math.min(failuresInRow, RESTART_DELAYS_MS.length - 1)] as number);
    if (stopped || held) return;
    failuresInRow += 1;
    try {
      await spawn();
    } catch (error) {
      onProblem(`${name} did not come back: ${messageOf(error)}`);
      if (failuresInRow >= 5) throw error;
      await restart();
    }
  };

  /** True when the child answered, false when it died before. */
  const tickOnce = (child: ChildProcess, now: number): Promise<boolean> =>
    new Promise((resolve) => {
      tickId += 1;
      const id = tickId;
      const done = (answered: boolean): void => {
        clearTimeout(timer);
        child.off("message", listen);
        child.off("exit", died);
        resolve(answered);
      };
      const listen = (message: ChildMessage): void => {
        if (message.type === "ticked" && message.id === id) {
          if (message.error) onProblem(`${name}: ${message.error}`);
          done(true);
        }
      };
      const died = (): void => done(false);
      const timer = setTimeout(() => {
        onProblem(`${name} did not finish its tick within ${TICK_TIMEOUT_MS / 1000} s`);
        done(true);
      }, TICK_TIMEOUT_MS);
      child.on("message", listen);
      child.once("exit", died);
      child.send({ type: "tick", id, now }, (error) => {
        if (error) died();
      });
    });

  up = spawn();
  await up;

  return {
    name,
    get pid() {
      return current?.pid;
    },
    get info() {
      return info;
    },
    get restarts() {
      return restarts;
    },
    tick: async (now) => {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        if (held || stopped) return;
        await up;
        const child = current;
        if (child && (await tickOnce(child, now))) return;
        // Let the exit event start the restart before waiting for it.
        await delay(1);
      }
      onProblem(`${name} died five times in one tick`);
    },
    kill: async ({ hold = false } = {}) => {
      held = hold;
      const child = current;
      if (!child) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
    revive: async () => {
      if (!held) return;
      held = false;
      up = spawn();
      await up;
    },
    stop: async () => {
      stopped = true;
      const child = current;
      if (!child) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.send({ type: "stop" }, () => undefined);
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await gone;
      clearTimeout(timer);
    },
  };
};

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
