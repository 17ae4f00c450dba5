/** What a node knows about its own health and about others', for people and for the DAY report. */
import type { Registers } from "../services/protocol/committee.ts";
import { headKey, pointKey } from "./meters.ts";
import type { ByMeter } from "./records.ts";

/** A zone whose head meter and meters disagree over one slot: net import, Wh. */
export interface HeadMismatch {
  zone: number;
  slot: number;
  headWh: number;
  metersWh: number;
}

/** Losses and meter classes stay below this share of what flowed, plus some Wh of rounding. */
const HEAD_TOLERANCE = 0.1;
const HEAD_SLACK_WH = 100;

/** Compares each head meter with the sum of its zone's meters over one slot; zones with a gap are left out. */
export const headMismatches = (
  slot: number,
  starts: ByMeter<Registers>,
  ends: ByMeter<Registers>,
  zones: readonly number[],
  zoneOf: readonly number[],
): HeadMismatch[] =>
  zones.flatMap((zone) => {
    const head = difference(starts[headKey(zone)], ends[headKey(zone)]);
    const meters = zoneOf.flatMap((each, point) => (each === zone ? [pointKey(point)] : []));
    const flows = meters.map((key) => difference(starts[key], ends[key]));
    if (!head || flows.some((flow) => flow === undefined)) return [];
    const known = flows.flatMap((flow) => flow ?? []);
    const metersWh = known.reduce((sum, { importWh, exportWh }) => sum + importWh - exportWh, 0);
    const flowedWh = known.reduce((sum, { importWh, exportWh }) => sum + importWh + exportWh, 0);
    const headWh = head.importWh - head.exportWh;
    const off = Math.abs(headWh - metersWh);
    return off > HEAD_SLACK_WH + HEAD_TOLERANCE * flowedWh ? [{ zone, slot, headWh, metersWh }] : [];
  });

const difference = (
  start: Registers | undefined,
  end: Registers | undefined,
): { importWh: number; exportWh: number } | undefined =>
  start && end ? { importWh: end.importWh - start.importWh, exportWh: end.exportWh - start.exportWh } : undefined;
