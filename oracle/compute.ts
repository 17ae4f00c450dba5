/** From signed observations to the content of a report: what a leader proposes and every other node computes again. */
import { SLOT_SECONDS, slotStart } from "../services/platform/clock.ts";
import {
  MISSING,
  unpackObservation,
  type MeterObservation,
  type SignedObservation,
} from "../services/protocol/committee.ts";
import { readingsHash, readingsRoot } from "../services/protocol/report.ts";
import { decodeReadings, packReadings } from "../services/protocol/words.ts";
import { buildReadings, standingsAfter, type Standing } from "./proposal.ts";
import type { ConnectionLimits } from "./registers.ts";

/** Meters that too few nodes could read are waited for this long after the slot's end. */
export const WAIT_SLOTS = 4;

/** Chain time at which a slot ends. */
export const endOf = (slot: number): number => slotStart(slot + 1);

/** Whether meters of a slot are no longer waited for. */
export const isLate = (slot: number, now: number): boolean => now >= endOf(slot) + WAIT_SLOTS * SLOT_SECONDS;

export interface Computed {
  /** Packed readings, hex, with their hash and root. */
  readings: string;
  readingsHash: string;
  root: string;
  standings: Standing[];
}

export const unpackAll = (observations: readonly SignedObservation[]): MeterObservation[][] | undefined => {
  const unpacked: MeterObservation[][] = [];
  for (const { registers } of observations) {
    const meters = unpackObservation(registers);
    if (!meters) return undefined;
    unpacked.push(meters);
  }
  return unpacked;
};

/**
 * Content of the report of a slot.
 * @param observations verified, of the slot, one per node
 * @param bought asked only when a meter is missing: what each point bought in the slot, Wh
 * @returns the points it has to wait for instead, while it is not late
 */
export const compute = async ({
  slot,
  observations,
  quorum,
  standings,
  limits,
  late,
  bought,
}: {
  slot: number;
  observations: readonly SignedObservation[];
  quorum: number;
  standings: readonly Standing[];
  limits: readonly ConnectionLimits[];
  late: boolean;
  bought(slot: number): Promise<readonly number[]>;
}): Promise<Computed | { waitingFor: number[] }> => {
  const unpacked = unpackAll(observations);
  if (!unpacked) throw new Error(`an observation of slot ${slot} was not checked before`);
  const input = { observations: unpacked, quorum, standings, limits, late, boughtWh: [] as readonly number[] };
  let built = buildReadings(input);
  if ("waitingFor" in built) return built;
  if (built.readings.some(({ quality }) => quality === MISSING)) {
    built = buildReadings({ ...input, boughtWh: await bought(slot) });
    if ("waitingFor" in built) return built;
  }
  const readings = packReadings(built.readings);
  return {
    readings,
    readingsHash: readingsHash(readings),
    root: readingsRoot(slot, readings),
    standings: built.standings,
  };
};

/**
 * Standings after readings that were reported or signed: from these alone, else from their observations as well.
 * @returns undefined where the readings do not follow from the observations that they need
 */
export const standingsWith = async (
  { slot, readings, observations }: { slot: number; readings: string; observations: readonly SignedObservation[] },
  given: Pick<Parameters<typeof compute>[0], "quorum" | "standings" | "limits" | "bought">,
): Promise<{ standings: Standing[]; derivable: boolean } | undefined> => {
  const derived = standingsAfter(given.standings, decodeReadings(readings));
  if (derived) return { standings: derived, derivable: true };
  const computed = await compute({ ...given, slot, observations, late: true });
  if ("waitingFor" in computed || computed.readings !== readings) return undefined;
  return { standings: computed.standings, derivable: false };
};
