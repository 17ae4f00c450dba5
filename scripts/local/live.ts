import type { RunPlan } from "./plan.ts";
import { startSystem, type LocalSystem } from "./system.ts";

export interface LiveOptions {
  plan: RunPlan;
  stateDir: string;
  slotSeconds: number;
  port: number;
}

/** Plays a market live until SIGINT, SIGTERM or SIGHUP, then ends every process. */
export const playLive = async ({ plan, stateDir, slotSeconds, port }: LiveOptions): Promise<void> => {
  const abort = new AbortController();
  let signals = 0;
  const end = (): void => {
    signals += 1;
    if (signals === 1) process.stderr.write("\nending all processes\n");
    // Whoever presses Ctrl-C three times does not want to wait; children end with their channel.
    if (signals > 2) process.exit(1);
    abort.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);

  const system: LocalSystem = await startSystem({
    plan,
    stateDir,
    slotSeconds,
    port,
    guest: guestOf(plan),
    onProblem: (message) => process.stderr.write(`note: ${message}\n`),
    onProgress: (message) => process.stderr.write(`${message} ...\n`),
  });
  try {
    const { community } = plan;
    process.stderr.write(
      `\n${community.name}: ${community.homes.length} homes in ${community.zones.length} zones, a slot every ${slotSeconds} s\n` +
        `Dashboard: ${system.apiUrl()}\nLogs: ${stateDir}/logs   (Ctrl-C ends everything)\n\n`,
    );
    if (!abort.signal.aborted) await system.conductor.playSlot(plan.firstSlot - 1);
    await system.conductor.playLive(plan.firstSlot, slotSeconds, abort.signal);
  } finally {
    await system.stop();
  }
};

/** The home whose wallet the dashboard holds: one with a battery, so that it can keep what it sold. */
const guestOf = ({ community }: RunPlan): string => {
  const homes = [...community.homes].reverse();
  return (
    (homes.find(({ battery, pvW }) => battery && pvW > 0) ?? homes.find(({ battery }) => battery) ?? homes[0])?.id ?? ""
  );
};
