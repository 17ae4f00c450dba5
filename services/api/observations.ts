import { fetchJson } from "../platform/http.ts";
import type { ObservationView } from "../protocol/api.ts";
import { unpackObservation, type ReportRecord } from "../protocol/committee.ts";

export interface SlotObservations {
  /** Packed readings of the report, hex. */
  readings: string;
  observations: ObservationView[];
}

/** What each node saw of a slot, as the nodes tell it: for people to compare, never for money. */
export interface Observations {
  of(slot: number): Promise<SlotObservations | undefined>;
}

const KEEP = 32;

export const createObservations = ({
  nodes,
  timeoutMs,
}: {
  nodes: readonly string[];
  timeoutMs: number;
}): Observations => {
  const cache = new Map<number, SlotObservations>();
  const ask = async (url: string, slot: number): Promise<SlotObservations> => {
    const record = await fetchJson<ReportRecord>(`${url}/reports/${slot}`, { timeoutMs });
    return {
      readings: record.readings,
      observations: record.observations.map(({ node, registers }) => ({
        node,
        readings: (unpackObservation(registers) ?? []).map((meter, point) =>
          meter.start && meter.end
            ? {
                point,
                importWh: meter.end.importWh - meter.start.importWh,
                exportWh: meter.end.exportWh - meter.start.exportWh,
              }
            : null,
        ),
      })),
    };
  };
  return {
    of: async (slot) => {
      const known = cache.get(slot);
      if (known) return known;
      try {
        const found = await Promise.any(nodes.map((url) => ask(url, slot)));
        // A node that learned the report from the chain alone has no observations: another one may answer later.
        if (found.observations.length > 0) cache.set(slot, found);
        if (cache.size > KEEP) cache.delete(cache.keys().next().value as number);
        return found;
      } catch {
        return undefined;
      }
    },
  };
};
