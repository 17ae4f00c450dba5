/** Pure: from signed observations of a slot to its readings. Every node computes the same bytes from the same input. */
import { SLOT_SECONDS } from "../services/platform/clock.ts";
import {
  ESTIMATED,
  INTERPOLATED,
  MEASURED,
  MISSING,
  type MeterObservation,
  type Registers,
} from "../services/protocol/committee.ts";
import { plausibleWh, type ConnectionLimits } from "./registers.ts";

/** What a meter measured in a slot, as it is packed into a report. */
export interface SlotReading {
  importWh: number;
  exportWh: number;
  quality: number;
}

/** Where a meter stands after the accepted reports so far; null where no report has told it yet. */
export type Standing = {
  importWh: number;
  exportWh: number;
  /** Slots in a row, up to the last one, that were reported as missing. */
  gap: number;
} | null;

export interface ProposalInput {
  /** By node, each dense from point 0; shorter where a node knows fewer points. At least one. */
  observations: readonly (readonly MeterObservation[])[];
  /** Observations that make a median: 2f + 1. */
  quorum: number;
  /** After the slot before; shorter where points are new. */
  standings: readonly Standing[];
  limits: readonly ConnectionLimits[];
  /** Energy that each point bought in the slot, Wh. */
  boughtWh: readonly number[];
  /** True once nobody waits any longer for meters that too few nodes could read. */
  late: boolean;
}

export type ProposalResult =
  | { readings: SlotReading[]; standings: Standing[] }
  /** Points that too few nodes could read, while it is not late. */
  | { waitingFor: number[] };

/** A packed reading holds 31 bits. */
const LARGEST_READING_WH = 2 ** 31 - 1;

/** The lower median: with up to f wrong values among 2f + 1 or more it lies within the honest ones. */
export const lowerMedian = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] as number;
};

/** Points of the report: as many as a quorum of the observations covers, never fewer than before. */
export const pointCount = ({
  observations,
  quorum,
  standings,
}: Pick<ProposalInput, "observations" | "quorum" | "standings">): number => {
  const lengths = observations.map(({ length }) => length).sort((a, b) => b - a);
  return Math.max(standings.length, lengths[quorum - 1] ?? 0);
};

/** Readings of a slot, or the points it has to wait for. Sums telescope: a reading moves the standing by exactly itself. */
export const buildReadings = (input: ProposalInput): ProposalResult => {
  const readings: SlotReading[] = [];
  const standings: Standing[] = [];
  const waitingFor: number[] = [];
  const count = pointCount(input);
  for (let point = 0; point < count; point += 1) {
    const result = readPoint(point, input);
    if (result === "wait") {
      waitingFor.push(point);
      continue;
    }
    readings.push(result.reading);
    standings.push(result.standing);
  }
  return waitingFor.length > 0 ? { waitingFor } : { readings, standings };
};

const readPoint = (
  point: number,
  { observations, quorum, standings, limits, boughtWh, late }: ProposalInput,
): { reading: SlotReading; standing: Standing } | "wait" => {
  const meters = observations.flatMap((meter) => meter[point] ?? []);
  const ends = meters.flatMap(({ end }) => end ?? []);
  if (ends.length < quorum && !late) return "wait";

  const standing = standings[point] ?? firstStanding(meters, quorum);
  const missing = (known: Standing): { reading: SlotReading; standing: Standing } => {
    const reading = { importWh: boughtWh[point] ?? 0, exportWh: 0, quality: MISSING };
    return { reading, standing: known };
  };
  if (ends.length === 0) {
    return missing(
      standing && {
        importWh: standing.importWh + (boughtWh[point] ?? 0),
        exportWh: standing.exportWh,
        gap: standing.gap + 1,
      },
    );
  }
  const endImportWh = lowerMedian(ends.map(({ importWh }) => importWh));
  const endExportWh = lowerMedian(ends.map(({ exportWh }) => exportWh));
  // A meter whose first boundary nobody knows has no reading yet; from its end on it has.
  if (!standing) return missing({ importWh: endImportWh, exportWh: endExportWh, gap: 0 });

  const importWh = Math.min(LARGEST_READING_WH, Math.max(0, endImportWh - standing.importWh));
  const exportWh = Math.min(LARGEST_READING_WH, Math.max(0, endExportWh - standing.exportWh));
  const singleSource = ends.length < quorum;
  if (singleSource && !within({ importWh, exportWh }, limits[point], standing.gap)) {
    return missing({
      importWh: standing.importWh + (boughtWh[point] ?? 0),
      exportWh: standing.exportWh,
      gap: standing.gap + 1,
    });
  }
  const exact =
    meters.some((meter) => isExact(meter) && meter.end?.importWh === endImportWh) &&
    meters.some((meter) => isExact(meter) && meter.end?.exportWh === endExportWh);
  return {
    reading: { importWh, exportWh, quality: singleSource ? ESTIMATED : exact ? MEASURED : INTERPOLATED },
    standing: { importWh: standing.importWh + importWh, exportWh: standing.exportWh + exportWh, gap: 0 },
  };
};

/** The start of a point that no report has told yet: the median of the start registers, of a quorum of them. */
const firstStanding = (meters: readonly MeterObservation[], quorum: number): Standing => {
  const starts = meters.flatMap(({ start }): Registers[] => (start ? [start] : []));
  if (starts.length < quorum) return null;
  return {
    importWh: lowerMedian(starts.map(({ importWh }) => importWh)),
    exportWh: lowerMedian(starts.map(({ exportWh }) => exportWh)),
    gap: 0,
  };
};

const isExact = ({ start, end }: MeterObservation): boolean =>
  end?.quality === MEASURED && (start === null || start.quality === MEASURED);

const within = (
  { importWh, exportWh }: { importWh: number; exportWh: number },
  limits: ConnectionLimits | undefined,
  gap: number,
): boolean =>
  limits !== undefined &&
  importWh <= plausibleWh(limits.importLimitWh, (gap + 1) * SLOT_SECONDS) &&
  exportWh <= plausibleWh(limits.exportLimitWh, (gap + 1) * SLOT_SECONDS);

/** A register that is further than this from the others', Wh, was not read from the same meter. */
const DEVIATION_WH = 100;

/** Observations (by position in the list) of which a register lies far off the median, with the first point where it does. */
export const deviants = (
  observations: readonly (readonly MeterObservation[])[],
  quorum: number,
): { observation: number; point: number }[] => {
  const found = new Map<number, number>();
  const count = pointCount({ observations, quorum, standings: [] });
  for (let point = 0; point < count; point += 1) {
    const ends = observations.flatMap((meters, observation) => {
      const end = meters[point]?.end;
      return end?.quality === MEASURED ? [{ observation, end }] : [];
    });
    if (ends.length < quorum) continue;
    const importWh = lowerMedian(ends.map(({ end }) => end.importWh));
    const exportWh = lowerMedian(ends.map(({ end }) => end.exportWh));
    for (const { observation, end } of ends) {
      const off = Math.max(Math.abs(end.importWh - importWh), Math.abs(end.exportWh - exportWh));
      if (off > DEVIATION_WH && !found.has(observation)) found.set(observation, point);
    }
  }
  return [...found].map(([observation, point]) => ({ observation, point }));
};

/** Standings after an accepted slot, from its readings alone; undefined where its observations are needed as well. */
export const standingsAfter = (
  before: readonly Standing[],
  readings: readonly SlotReading[],
): Standing[] | undefined => {
  const after: Standing[] = [];
  for (const [point, { importWh, exportWh, quality }] of readings.entries()) {
    const standing = before[point];
    if (!standing) return undefined;
    after.push({
      importWh: standing.importWh + importWh,
      exportWh: standing.exportWh + exportWh,
      gap: quality === MISSING ? standing.gap + 1 : 0,
    });
  }
  return after;
};
