import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChildMessage } from "../../../services/platform/process.ts";

export interface SimulatorInfo {
  url: string;
  host: string;
  homes: { id: string; port: number; units: number[] }[];
  heads: { zone: string; port: number }[];
  time: number;
}

/** A real simulator process, driven by ticks like under the local system's parent. */
export interface SimulatorChild {
  readonly info: SimulatorInfo;
  tick(now: number): Promise<void>;
  /** kill -9 */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const main = join(import.meta.dirname, "../../../services/simulator/main.ts");

/** @throws Error with the child's own message when it refuses to start */
export async function startSimulatorChild(dir: string, config: Record<string, unknown>): Promise<SimulatorChild> {
  const file = join(dir, "simulator.json");
  writeFileSync(
    file,
    JSON.stringify({ clock: "driven", logLevel: "error", stateDir: join(dir, "state"), httpPort: 0, ...config }),
  );
  const child = fork(main, ["--config", file], { stdio: ["ignore", "inherit", "ignore", "ipc"] });
  const first = await message(child, (candidate) => candidate.type !== "ticked");
  if (first.type === "failed") throw new Error(first.message);
  const info = (first as { info: unknown }).info as SimulatorInfo;
  let id = 0;
  return {
    info,
    async tick(now) {
      id += 1;
      const answer = message(child, (candidate) => candidate.type === "ticked" && candidate.id === id);
      child.send({ type: "tick", id, now });
      const ticked = await answer;
      if (ticked.type === "ticked" && ticked.error) throw new Error(ticked.error);
    },
    async kill() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.send({ type: "stop" });
      await ended;
    },
  };
}

function message(child: ChildProcess, wanted: (message: ChildMessage) => boolean): Promise<ChildMessage> {
  return new Promise((resolve, reject) => {
    const listen = (candidate: ChildMessage): void => {
      if (!wanted(candidate)) return;
      done();
      resolve(candidate);
    };
    const ended = (): void => {
      done();
      reject(new Error("the simulator ended"));
    };
    const done = (): void => {
      child.off("message", listen);
      child.off("exit", ended);
    };
    child.on("message", listen);
    child.on("exit", ended);
  });
}
