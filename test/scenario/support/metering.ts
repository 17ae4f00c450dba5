import { BATTERY, metered, ZONE_OF } from "./community.ts";
import { ISLAND_ZONE } from "./island.ts";
import type { Readings } from "./reports.ts";
import type { Week } from "./week.ts";

/** What a story changes in the readings of a slot: the n-th version of its report. */
export type Distortion = (readings: Readings, version: number) => void;

/**
 * Meters: each connection's, the wind turbine's and the battery's own, and the head meters of the islands with the grid. Stories distort single readings;
 * `truth` is what a correction reports.
 */
export const createMeters = (
  week: Week,
  { islanded, cut }: { islanded(slot: number): boolean; cut(slot: number): boolean },
) => {
  const distortions = new Map<number, Distortion[]>();
  const silent = new Set<number>();

  const truth = (slot: number): Readings => {
    const apart = islanded(slot);
    const flows = week.community.flowsOf(slot, { islanded: apart, cut: cut(slot) });
    const points = flows.net.map((wh, home) => metered(wh, (slot + home) % 37 === 0 ? 1 : 0));
    const together = flows.net.filter((_, home) => !apart || ZONE_OF[home] !== ISLAND_ZONE);
    const flow = together.reduce((sum, wh) => sum + Math.abs(wh), 0);
    const drawn = -together.reduce((sum, wh) => sum + wh, 0);
    return {
      points,
      own: [metered(flows.windWh)],
      heads: [[0, metered(-(drawn + Math.round(flow * 0.02)))]],
      stores: [metered(flows.dischargedWh - flows.chargedWh)],
    };
  };
  const read = (slot: number, version = 1): Readings => {
    const readings = truth(slot);
    for (const distort of distortions.get(slot) ?? []) distort(readings, version);
    return readings;
  };
  week.meters((slot) => (silent.has(slot) ? undefined : read(slot)));

  return {
    truth,
    read,
    distort: (slot: number, distortion: Distortion): void =>
      void distortions.set(slot, [...(distortions.get(slot) ?? []), distortion]),
    /** No report ever comes of this slot. */
    silence: (slot: number): void => void silent.add(slot),
    /** The next version of a slot's report. */
    correct: async (slot: number): Promise<void> => {
      const version = (week.reports.versions.get(slot)?.length ?? 0) + 1;
      await week.reports.report(slot, read(slot, version));
    },
    BATTERY,
  };
};

export type Meters = ReturnType<typeof createMeters>;
