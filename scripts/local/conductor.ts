import { SLOT_SECONDS, slotStart } from "../../services/platform/clock.ts";
import type { Child } from "./child.ts";
import type { Timing } from "./timing.ts";

/** Instants of a slot, seconds after its start, at which something is due (see docs/architecture.md). */
export const DAY_INSTANTS: readonly number[] = [0, 120, 330];

/** `daeg up` moves in steps of a minute, so that the picture is alive and a late order still finds the gate open. */
export const LIVE_INSTANTS: readonly number[] = Array.from({ length: 15 }, (_, minute) => minute * 60).map((second) =>
  second === 300 ? 330 : second,
);

/** Who is told the time, in stages: each stage waits for the one before. */
export type Stages = readonly (readonly Child[])[];

/**
 * The local clock. It sets chain time, tells every process stage by stage, and goes on when all are done (and, live, when
 * the wall clock says so).
 */
export const createConductor = ({
  setChainTime,
  stages,
  onInstant,
  timing,
}: {
  setChainTime(now: number): Promise<void>;
  /** Without trading (a run's end) agents rest. */
  stages: (options: { trading: boolean }) => Stages;
  onInstant?: (now: number) => Promise<void> | void;
  /** Where wall time goes, for measurements. */
  timing?: Timing | undefined;
}) => {
  const timed = async (name: string, work: () => Promise<void> | void): Promise<void> => {
    if (!timing) return work();
    const began = performance.now();
    await work();
    timing.add(name, performance.now() - began);
  };
  const instant = async (now: number, { trading = true }: { trading?: boolean } = {}): Promise<void> => {
    const offset = now % SLOT_SECONDS;
    await timed(`${offset} s: chain`, () => setChainTime(now));
    await timed(`${offset} s: operator`, async () => onInstant?.(now));
    for (const [at, stage] of stages({ trading }).entries()) {
      await timed(`${offset} s: stage ${at}, ${stage[0]?.name ?? "nobody"}`, async () => {
        await Promise.all(stage.map((child) => timed(`${offset} s: - ${child.name}`, () => child.tick(now))));
      });
    }
  };

  return {
    instant,
    /** Plays one slot as fast as it goes. */
    playSlot: async (slot: number, instants: readonly number[] = DAY_INSTANTS): Promise<void> => {
      for (const offset of instants) await instant(slotStart(slot) + offset);
    },
    /** Plays slots in `slotSeconds` of wall time each, from `slot` on, until aborted. */
    playLive: async (slot: number, slotSeconds: number, signal: AbortSignal): Promise<void> => {
      const wallPerChainMs = (slotSeconds * 1000) / SLOT_SECONDS;
      for (let current = slot; !signal.aborted; current += 1) {
        const began = Date.now();
        for (const offset of LIVE_INSTANTS) {
          const waitMs = began + offset * wallPerChainMs - Date.now();
          if (waitMs > 0) await sleep(waitMs, signal);
          if (signal.aborted) return;
          await instant(slotStart(current) + offset);
        }
        const restMs = began + slotSeconds * 1000 - Date.now();
        if (restMs > 0) await sleep(restMs, signal);
      }
    },
  };
};

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
