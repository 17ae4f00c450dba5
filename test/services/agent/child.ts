import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChildMessage } from "../../../services/platform/process.ts";

/** A real agent process under ticks. */
export interface AgentChild {
  /** @returns the tick's error, if it had one; rejects when the process ends meanwhile */
  tick(now: number): Promise<string | undefined>;
  /** kill -9 */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const main = join(import.meta.dirname, "../../../services/agent/main.ts");

export const startAgentChild = async (dir: string, config: Record<string, unknown>): Promise<AgentChild> => {
  const file = join(dir, "agent.json");
  writeFileSync(file, JSON.stringify(config));
  const child = fork(main, ["--config", file], { stdio: ["ignore", "inherit", "ignore", "ipc"] });
  const ended = once(child, "exit");
  const next = (wanted: (message: ChildMessage) => boolean): Promise<ChildMessage> =>
    new Promise((resolve, reject) => {
      const listen = (message: ChildMessage): void => {
        if (!wanted(message)) return;
        child.off("message", listen);
        resolve(message);
      };
      child.on("message", listen);
      void ended.then(() => reject(new Error("the agent ended")));
    });
  const first = await next((message) => message.type !== "ticked");
  if (first.type === "failed") throw new Error(first.message);
  let id = 0;
  return {
    tick: async (now) => {
      id += 1;
      const own = id;
      const answer = next((message) => message.type === "ticked" && message.id === own);
      child.send({ type: "tick", id: own, now });
      const ticked = await answer;
      return ticked.type === "ticked" ? ticked.error : undefined;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.send({ type: "stop" });
      await ended;
    },
  };
};
