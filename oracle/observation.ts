/** A node's own observation of a slot: built from its stored boundaries, signed once, never taken back. */
import {
  packObservation,
  unpackObservation,
  type MeterObservation,
  type Registers,
  type SignedObservation,
} from "../services/protocol/committee.ts";
import type { Committee } from "./committee.ts";
import type { OracleConfig } from "./config.ts";
import { pointKey } from "./meters.ts";
import type { ByMeter, Records } from "./records.ts";

type Lie = NonNullable<OracleConfig["lie"]>;

/** An observation dense from point 0, from what is stored at both boundaries. */
export const observe = (
  starts: ByMeter<Registers>,
  ends: ByMeter<Registers>,
  points: number,
  lie?: Lie,
): MeterObservation[] =>
  Array.from({ length: points }, (_, point) => ({
    start: told(starts[pointKey(point)], point, lie),
    end: told(ends[pointKey(point)], point, lie),
  }));

const told = (registers: Registers | undefined, point: number, lie: Lie | undefined): Registers | null => {
  if (!registers) return null;
  if (!lie || (lie.points && !lie.points.includes(point))) return registers;
  return {
    ...registers,
    importWh: Math.floor(registers.importWh * lie.factor),
    exportWh: Math.floor(registers.exportWh * lie.factor),
  };
};

/** Fills the gaps of an earlier observation; undefined when there is nothing to add. What was said stays as it was. */
export const extended = (
  before: readonly MeterObservation[],
  now: readonly MeterObservation[],
): MeterObservation[] | undefined => {
  let changed = false;
  const merged = Array.from({ length: Math.max(before.length, now.length) }, (_, point) => {
    const old = before[point] ?? { start: null, end: null };
    const start = old.start ?? now[point]?.start ?? null;
    const end = old.end ?? now[point]?.end ?? null;
    changed ||= start !== old.start || end !== old.end || before[point] === undefined;
    return { start, end };
  });
  return changed ? merged : undefined;
};

/** The last revision has no successor: what it lacks stays missing. */
const LAST_REVISION = 255;

/** The node's observation of a slot as it can be given out now: on disk, a new revision where meters were read since. */
export const ownObservation = ({
  slot,
  points,
  records,
  committee,
  lie,
}: {
  slot: number;
  points: number;
  records: Records;
  committee: Pick<Committee, "index" | "sign" | "observationDigest">;
  lie?: Lie | undefined;
}): SignedObservation => {
  const meters = observe(records.boundary(slot), records.boundary(slot + 1), points, lie);
  const stored = records.observation(slot);
  const before = stored && unpackObservation(stored.registers);
  const content = before ? extended(before, meters) : meters;
  if (stored && (!content || stored.revision === LAST_REVISION)) return stored;
  const revision = stored ? stored.revision + 1 : 0;
  const registers = packObservation(content ?? meters);
  const signature = committee.sign(committee.observationDigest({ slot, revision, registers }));
  const observation: SignedObservation = { node: committee.index, slot, revision, registers, signature };
  records.saveObservation(observation);
  return observation;
};
