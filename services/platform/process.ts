import { parseArgs } from "node:util";
import type { ZodType, ZodTypeDef } from "zod";
import { createDrivenClock, createSystemClock, type Clock } from "./clock.ts";
import { loadConfig } from "./config.ts";
import { DaegError, isRetryable, messageOf, wrongInput } from "./errors.ts";
import { createLog, type Log, type LogLevel } from "./log.ts";

/** Parent to child: chain time moved on, or please end. */
export type ParentMessage = { type: "tick"; id: number; now: number } | { type: "stop" };

/** Child to parent: it is up (with its URLs and the like), or it has done everything due at a tick. */
export type ChildMessage =
  | { type: "ready"; info: Record<string, unknown> }
  | { type: "ticked"; id: number; error?: string }
  | { type: "failed"; message: string; exitCode: number };

/** What every process's config has. `clock`: "system" = UTC of this machine, "driven" = ticks of the parent process. */
export interface ProcessConfig {
  clock: "system" | "driven";
  logLevel?: LogLevel | undefined;
}

/** A running program: a function of its state and the chain time. */
export interface Running {
  /** Told to the parent when ready: addresses, URLs. */
  info?: Record<string, unknown>;
  /** Does everything that is due at chain time `now` and is cheap when nothing is. Retryable errors are logged. */
  tick(now: number): Promise<void>;
  stop(): Promise<void>;
}

const SYSTEM_TICK_MS = 1_000;
const STOP_TIMEOUT_MS = 5_000;

/**
 * The life of a process: config from `--config FILE`, ready message, ticks, shutdown. Under a parent it ignores Ctrl-C
 * (the parent decides) and ends by itself when the parent's IPC channel closes, `kill -9` of the parent included.
 */
export const runProcess = async <C extends ProcessConfig>({
  name,
  schema,
  start,
}: {
  name: string;
  schema: ZodType<C, ZodTypeDef, unknown>;
  start(context: { config: C; log: Log; clock: Clock }): Promise<Running>;
}): Promise<void> => {
  const log = createLog({ name });
  try {
    const { values } = parseArgs({ options: { config: { type: "string" } } });
    if (!values.config) throw wrongInput(`${name}: give --config FILE`);
    const config = loadConfig(values.config, schema);
    if (config.logLevel) log.level = config.logLevel;
    const driven = config.clock === "driven";
    if (driven && !process.send) throw wrongInput(`${name}: clock "driven" needs a parent process; use clock "system"`);
    await live({ name, log, driven, start: (clock) => start({ config, log, clock }) });
  } catch (error) {
    const exitCode = error instanceof DaegError ? error.exitCode : 1;
    log.error(
      { error: messageOf(error), stack: error instanceof DaegError ? undefined : (error as Error).stack },
      `${name} cannot start`,
    );
    tell({ type: "failed", message: messageOf(error), exitCode });
    process.exit(exitCode);
  }
};

const live = async ({
  name,
  log,
  driven,
  start,
}: {
  name: string;
  log: Log;
  driven: boolean;
  start(clock: Clock): Promise<Running>;
}): Promise<void> => {
  const drivenClock = createDrivenClock();
  const running = await start(driven ? drivenClock : createSystemClock());
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let lastTick: Promise<void> = Promise.resolve();

  /** Ticks never overlap; a fatal error ends the process, a retryable one waits for the next tick. */
  const tick = async (now: number): Promise<string | undefined> => {
    let failure: string | undefined;
    lastTick = lastTick.then(async () => {
      if (stopping) return;
      try {
        await running.tick(now);
      } catch (error) {
        failure = messageOf(error);
        // Stores and sockets close under a tick that a stop interrupts.
        if (stopping) return;
        if (isRetryable(error)) log.warn({ error: failure }, "tick failed, the next one tries again");
        else {
          log.fatal({ error: failure, stack: (error as Error).stack }, "tick failed");
          void stop(1);
        }
      }
    });
    await lastTick;
    return failure;
  };

  const stop = async (exitCode: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    clearTimeout(timer);
    setTimeout(() => process.exit(exitCode), STOP_TIMEOUT_MS).unref();
    await running.stop().catch((error: unknown) => log.error({ error: messageOf(error) }, "stop failed"));
    process.exit(exitCode);
  };

  process.on("disconnect", () => void stop(0));
  process.on("SIGINT", () => {
    if (!process.send) void stop(0);
  });
  process.on("SIGTERM", () => void stop(0));
  process.on("message", (message: ParentMessage) => {
    if (message.type === "stop") void stop(0);
    if (message.type === "tick") {
      drivenClock.set(message.now);
      void tick(message.now).then((error) => tell({ type: "ticked", id: message.id, ...(error ? { error } : {}) }));
    }
  });

  if (!driven) {
    const clock = createSystemClock();
    const again = async (): Promise<void> => {
      await tick(clock.now());
      if (!stopping) timer = setTimeout(() => void again(), SYSTEM_TICK_MS);
    };
    void again();
  }
  tell({ type: "ready", info: running.info ?? {} });
  log.info(running.info ?? {}, `${name} is up`);
};

const tell = (message: ChildMessage): void => {
  if (process.send && process.connected) process.send(message, () => undefined);
};
