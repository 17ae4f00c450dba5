import { z } from "zod";
import { fetchJson } from "../platform/http.ts";
import type { LiveView, NodeStatus } from "../protocol/api.ts";
import { points as knownPoints } from "../protocol/market-store.ts";
import { chainNow, zoneName, type ApiContext } from "./context.ts";
import { zonesOf } from "./market.ts";
import { slotAt } from "../platform/clock.ts";

/** `powerW` W, `time` chain time of the reading in unix seconds. */
const nodePower = { powerW: z.number().nullable(), time: z.number().nullable() };
type NodePower = z.infer<z.ZodObject<typeof nodePower>>;

/** `GET /live` of an oracle node. */
const nodeLiveSchema = z.object({
  points: z.array(z.object({ point: z.number(), ...nodePower })),
  heads: z.array(z.object({ zone: z.number(), ...nodePower })),
});

export interface LiveSource {
  view(): LiveView;
  /** Asks the nodes now; what does not answer keeps its last value. */
  refresh(): Promise<void>;
  nodes(committee: readonly string[]): Promise<NodeStatus[]>;
}

/** Present power, as the nodes read it between the slots' boundaries: a picture, never money. */
export const createLive = (context: ApiContext): LiveSource => {
  const { config } = context;
  const points = new Map<number, { powerW: number; at: number }>();
  const heads = new Map<number, { powerW: number; at: number }>();
  let answered = false;

  const keep = (into: Map<number, { powerW: number; at: number }>, key: number, power: NodePower): void => {
    if (power.powerW === null || power.time === null) return;
    if ((into.get(key)?.at ?? -1) > power.time) return;
    into.set(key, { powerW: power.powerW, at: power.time });
  };

  const refresh = async (): Promise<void> => {
    const answers = await Promise.allSettled(
      config.nodes.map(async (url) =>
        nodeLiveSchema.parse(await fetchJson(`${url}/live`, { timeoutMs: config.timeoutMs })),
      ),
    );
    const pointCount = knownPoints(context.store).length;
    answered = answers.some(({ status }) => status === "fulfilled");
    for (const answer of answers) {
      if (answer.status === "rejected") continue;
      for (const point of answer.value.points) if (point.point < pointCount) keep(points, point.point, point);
      for (const head of answer.value.heads) if (head.zone < context.zoneNames.length) keep(heads, head.zone, head);
    }
  };

  /** A line carries what the zones beyond it take in: the head meters below it, summed up the tree. */
  const lines = (): LiveView["lines"] => {
    const zones = zonesOf(context, slotAt(chainNow(context)));
    const importW = zones.map((_, zone) => heads.get(zone)?.powerW ?? 0);
    for (let zone = zones.length - 1; zone > 0; zone -= 1) {
      const parent = zones[zone]?.parent ?? zone;
      if (parent !== zone) importW[parent] = (importW[parent] ?? 0) + (importW[zone] ?? 0);
    }
    return context.community.lines.map(({ id, from, to }) => {
      const [a, b] = [context.zoneNames.indexOf(from), context.zoneNames.indexOf(to)];
      const flowW = zones[b]?.parent === a && a !== b ? (importW[b] ?? 0) : -(importW[a] ?? 0);
      return { id, flowW: flowW === 0 ? 0 : flowW };
    });
  };

  const statusOf = async (url: string, index: number, address: string | null): Promise<NodeStatus> => {
    try {
      const status = await fetchJson<Record<string, unknown>>(`${url}/status`, { timeoutMs: config.timeoutMs });
      const last = status["lastReportedSlot"];
      return {
        index,
        url,
        address,
        reachable: true,
        lastReportedSlot: typeof last === "number" ? last : null,
        deviations: deviationsIn(status),
        status,
      };
    } catch {
      return { index, url, address, reachable: false, lastReportedSlot: null, deviations: null, status: null };
    }
  };

  return {
    refresh,
    view: () => ({
      now: chainNow(context),
      points: [...points].sort(([a], [b]) => a - b).map(([point, power]) => ({ point, ...power })),
      heads: [...heads]
        .sort(([a], [b]) => a - b)
        .map(([zone, { powerW }]) => ({ zone: zoneName(context, zone), powerW })),
      lines: lines(),
      stale: !answered,
    }),
    nodes: (committee) => Promise.all(config.nodes.map((url, index) => statusOf(url, index, committee[index] ?? null))),
  };
};

/** Slots in which this node saw another one's registers leave the committee's median. */
const deviationsIn = (status: Record<string, unknown>): number | null => {
  const { nodes } = (status["faults"] ?? {}) as { nodes?: unknown };
  if (!Array.isArray(nodes)) return null;
  return (nodes as Array<{ slots?: unknown }>).reduce(
    (sum, { slots }) => sum + (typeof slots === "number" ? slots : 0),
    0,
  );
};
