import { exportAt } from "./merit.ts";
import type { MeritOrders } from "./merit.ts";
import type { ZoneTerms } from "./types.ts";

/** Where each zone's merit order is cut. */
export interface Cuts {
  /** Keys below it are taken, keys above it are not; per zone. */
  readonly level: Float64Array;
  /** Of the zone's own step at the level: Wh taken. */
  readonly atLevelWh: Float64Array;
  readonly netExportWh: Float64Array;
  readonly flowToParentWh: Float64Array;
}

/**
 * Optimal dispatch of a radial network, exactly.
 *
 * At one price key a subtree exports the sum of its zones and of its children, each child cut to the limits of its line:
 * a monotone step function of the key. A root's key is where that function crosses zero. Every subtree whose line is not
 * full shares its parent's key; one whose line is full gets its own, where its function crosses the line's limit.
 */
export const dispatch = (merit: MeritOrders, zones: readonly ZoneTerms[]): Cuts => {
  const count = zones.length;
  const children: number[][] = Array.from({ length: count }, () => []);
  const subtreeEnd = new Int32Array(count);
  zones.forEach((zone, i) => zone.parent !== i && children[zone.parent]?.push(i));
  const preorder = preorderOf(zones, children, subtreeEnd);
  const cuts: Cuts = {
    level: new Float64Array(count).fill(-Infinity),
    atLevelWh: new Float64Array(count),
    netExportWh: new Float64Array(count),
    flowToParentWh: new Float64Array(count),
  };
  // Exports before the limit of the own line, below and up to the level last evaluated.
  const below = new Float64Array(count);
  const upTo = new Float64Array(count);

  const throughLine = (zone: number, exportWh: number): number => {
    const terms = zones[zone] as ZoneTerms;
    return Math.max(-terms.fromParentWh, Math.min(terms.toParentWh, exportWh));
  };
  const evaluate = (top: number, level: number, inclusive: boolean, into: Float64Array): void => {
    const first = preorder.position[top] as number;
    for (let at = (subtreeEnd[top] as number) - 1; at >= first; at -= 1) {
      const zone = preorder.zone[at] as number;
      let sum = exportAt(merit, zone, level, inclusive);
      for (const child of children[zone] as number[]) sum += throughLine(child, into[child] as number);
      into[zone] = sum;
    }
  };
  /** The lowest level up to which the subtree exports at least `targetWh`. */
  const levelFor = (top: number, targetWh: number): number => {
    let low = 0;
    let high = merit.levels.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      evaluate(top, merit.levels[middle] as number, true, upTo);
      if ((upTo[top] as number) >= targetWh) high = middle;
      else low = middle + 1;
    }
    return merit.levels[low] ?? -Infinity;
  };

  const pending: { top: number; targetWh: number }[] = [];
  zones.forEach((zone, i) => zone.parent === i && pending.push({ top: i, targetWh: 0 }));
  for (let job = pending.pop(); job; job = pending.pop()) {
    const level = levelFor(job.top, job.targetWh);
    evaluate(job.top, level, false, below);
    evaluate(job.top, level, true, upTo);
    const same = [job];
    for (let next = same.pop(); next; next = same.pop()) {
      const { top, targetWh } = next;
      const ownBelow = exportAt(merit, top, level, false);
      const ownRoom = exportAt(merit, top, level, true) - ownBelow;
      let rest = targetWh - (below[top] as number);
      const own = Math.min(rest, ownRoom);
      rest -= own;
      cuts.level[top] = level;
      cuts.atLevelWh[top] = own;
      cuts.netExportWh[top] = ownBelow + own;
      for (const child of children[top] as number[]) {
        const least = throughLine(child, below[child] as number);
        const share = Math.min(rest, throughLine(child, upTo[child] as number) - least);
        rest -= share;
        const flow = least + share;
        cuts.flowToParentWh[child] = flow;
        const shares = flow >= (below[child] as number) && flow <= (upTo[child] as number);
        (shares ? same : pending).push({ top: child, targetWh: flow });
      }
    }
  }
  return cuts;
};

/** Zones so that every subtree stands in one piece: from `position[top]` to `subtreeEnd[top]`. */
const preorderOf = (
  zones: readonly ZoneTerms[],
  children: readonly number[][],
  subtreeEnd: Int32Array,
): { zone: Int32Array; position: Int32Array } => {
  const sizes = new Int32Array(zones.length).fill(1);
  for (let i = zones.length - 1; i >= 0; i -= 1) {
    const parent = (zones[i] as ZoneTerms).parent;
    if (parent !== i) sizes[parent] = (sizes[parent] as number) + (sizes[i] as number);
  }
  const zone = new Int32Array(zones.length);
  const position = new Int32Array(zones.length);
  let free = 0;
  zones.forEach((terms, i) => {
    if (terms.parent === i) {
      position[i] = free;
      free += sizes[i] as number;
    }
    let at = (position[i] as number) + 1;
    for (const child of children[i] as number[]) {
      position[child] = at;
      at += sizes[child] as number;
    }
    zone[position[i] as number] = i;
    subtreeEnd[i] = (position[i] as number) + (sizes[i] as number);
  });
  return { zone, position };
};
