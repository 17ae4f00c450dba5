import { slotStart } from "../../services/platform/clock.ts";
import { isRetryable, tryAgain } from "../../services/platform/errors.ts";
import { fetchJson } from "../../services/platform/http.ts";
import { openStore, type Store } from "../../services/platform/store.ts";
import { slotCounts } from "../../services/protocol/market-store.ts";
import { INDEXER_MIGRATION } from "../../services/indexer/schema.ts";
import { composeReport, type BoundaryOfDevices } from "../report/compose.ts";
import type { SlotFigures } from "../report/html.ts";
import { slotFigures } from "../report/slot-figures.ts";
import type { DayReport } from "../report/types.ts";
import { DAY_INSTANTS } from "./conductor.ts";
import type { RunPlan } from "./plan.ts";
import { startSystem, type LocalSystem, type SystemOptions } from "./system.ts";
import { createTiming } from "./timing.ts";

export interface DayOptions extends Pick<
  SystemOptions,
  "committee" | "agentProcesses" | "lie" | "chainFor" | "rpcUrl" | "timing"
> {
  plan: RunPlan;
  stateDir: string;
  /** Wall time (ms) from which `wallSeconds` counts. */
  began: number;
  onProblem(message: string): void;
  onProgress?(message: string, share?: number): void;
  /** Called before each slot is played: fault tests kill and revive here. */
  beforeSlot?(system: LocalSystem, slot: number): Promise<void>;
  /** Called when all is settled, while everything still runs. */
  atEnd?(system: LocalSystem, store: Store): Promise<void>;
}

export interface DayResult {
  report: DayReport;
  slots: SlotFigures[];
  zones: string[];
}

/** After the last slot the clock goes on for at most this long, so that late reports land and settle. */
const DRAIN_SLOTS = 24;

/** Plays a run from its first to its last slot, waits until every slot is settled, and composes the report. */
export const playDay = async (options: DayOptions): Promise<DayResult> => {
  const { plan, onProgress = () => undefined } = options;
  // DAEG_TIMING=1 tells on stderr where the time of a slot went.
  const timing = options.timing ?? (process.env["DAEG_TIMING"] === "1" ? createTiming() : undefined);
  const system = await startSystem({
    ...options,
    timing,
    slotSeconds: 0,
    onProgress: (message) => onProgress(message),
  });
  try {
    const { conductor } = system;
    const lastSlot = plan.firstSlot + plan.slots - 1;
    // In the slot before the first one, agents read their meters and place the first orders.
    await conductor.playSlot(plan.firstSlot - 1);
    for (let slot = plan.firstSlot; slot <= lastSlot; slot += 1) {
      await options.beforeSlot?.(system, slot);
      // In the last slot nothing is left to clear: its successor is not delivered.
      await conductor.playSlot(slot, slot === lastSlot ? DAY_INSTANTS.slice(0, -1) : DAY_INSTANTS);
      const played = slot - plan.firstSlot + 1;
      onProgress(`slot ${played} of ${plan.slots}`, played / plan.slots);
    }
    const store = openStore(system.indexerStorePath(), [INDEXER_MIGRATION]);
    try {
      await drain(system, store, lastSlot, options);
      await options.atEnd?.(system, store);
      const report = await composeReport({
        community: plan.community,
        series: system.series,
        tree: system.tree,
        firstSlot: plan.firstSlot,
        slots: plan.slots,
        pointOf: system.market.pointOf,
        store,
        start: await boundaryOf(system, plan.firstSlot),
        end: await boundaryOf(system, lastSlot + 1),
        nodes: await nodesOf(system),
        wallSeconds: (Date.now() - options.began) / 1000,
      });
      const figures = slotFigures({
        store,
        series: system.series,
        tree: system.tree,
        firstSlot: plan.firstSlot,
        slots: plan.slots,
        points: plan.community.homes.map(({ id }) => system.market.pointOf.get(id) as number),
      });
      if (timing && timing !== options.timing) process.stderr.write(timing.table(plan.slots));
      return { report, slots: figures, zones: system.tree.map(({ name }) => name) };
    } finally {
      store.close();
    }
  } finally {
    await system.stop();
  }
};

/** Agents and auctions rest; meters, nodes and settlement go on until every slot of the run is settled. */
const drain = async (system: LocalSystem, store: Store, lastSlot: number, options: DayOptions): Promise<void> => {
  const range = { first: system.plan.firstSlot, last: lastSlot };
  for (let slot = lastSlot + 1; slot <= lastSlot + DRAIN_SLOTS; slot += 1) {
    if (slot > lastSlot + 1) await options.beforeSlot?.(system, slot);
    for (const offset of DAY_INSTANTS) {
      await system.conductor.instant(slotStart(slot) + offset, { trading: false });
      if (slotCounts(store, range).settled === system.plan.slots) return;
    }
  }
  const { settled } = slotCounts(store, range);
  throw tryAgain(
    `${system.plan.slots - settled} of ${system.plan.slots} slots are not settled ${DRAIN_SLOTS} slots after the last one`,
  );
};

const BOUNDARY_ATTEMPTS = 10;
const simulatorUrl = (system: LocalSystem): string => system.children.get("simulator")?.info["url"] as string;

/** Devices that are just being restarted are waited for. */
const boundaryOf = async (system: LocalSystem, slot: number): Promise<BoundaryOfDevices> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchJson<BoundaryOfDevices>(`${simulatorUrl(system)}/boundaries/${slot}`);
    } catch (error) {
      if (!isRetryable(error) || attempt === BOUNDARY_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
};

const nodesOf = async ({
  wiring,
  children,
}: LocalSystem): Promise<{ count: number; faults: number; modbusReads: number }> => {
  let modbusReads = 0;
  for (const [index, port] of wiring.ports.nodes.entries()) {
    if (children.get(`oracle-${index}`)?.pid === undefined) continue;
    const status = await fetchJson<{ modbusReads: number }>(`http://127.0.0.1:${port}/status`);
    modbusReads += status.modbusReads;
  }
  return { count: wiring.ports.nodes.length, faults: wiring.faults, modbusReads };
};
