import type { Community } from "../../services/core/community/community.ts";
import { wrongInput } from "../../services/platform/errors.ts";

/** A zone of the contract `Grid`: see IGrid.GridZone. Energies in Wh per slot. */
export interface TreeZone {
  name: string;
  parent: number;
  /** Line to the parent; undefined at a root. */
  lineId?: string;
  toParentWh: bigint;
  fromParentWh: bigint;
  backupCapacityWh: bigint;
}

/** Wh per slot that a power can carry, rounded down: a limit is never exceeded by rounding. */
const whPerSlot = (powerW: number): bigint => BigInt(Math.floor(powerW / 4));

/**
 * The community's zones as a tree in topological order, the grid's zone first: the order of zones on chain.
 * @throws DaegError exit 1 when the lines are not radial
 */
export const zoneTree = ({ zones, lines, gridZone, gridCapacityW }: Community): TreeZone[] => {
  const tree: TreeZone[] = [];
  const indexOf = new Map<string, number>();
  const usedLines = new Set<string>();
  const visit = (root: string): void => {
    const queue: { name: string; parent?: number; lineId?: string; limitWh: bigint }[] = [{ name: root, limitWh: 0n }];
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { name, parent, lineId, limitWh } = next;
      if (indexOf.has(name))
        throw wrongInput(`community.json: lines: zone "${name}" is reached twice; lines must be radial`);
      const index = tree.length;
      indexOf.set(name, index);
      tree.push({
        name,
        parent: parent ?? index,
        ...(lineId === undefined ? {} : { lineId }),
        toParentWh: limitWh,
        fromParentWh: limitWh,
        backupCapacityWh: name === gridZone ? whPerSlot(gridCapacityW) : 0n,
      });
      for (const line of lines) {
        if (usedLines.has(line.id) || (line.from !== name && line.to !== name)) continue;
        usedLines.add(line.id);
        queue.push({
          name: line.from === name ? line.to : line.from,
          parent: index,
          lineId: line.id,
          limitWh: whPerSlot(line.capacityW),
        });
      }
    }
  };
  visit(gridZone);
  for (const zone of zones) if (!indexOf.has(zone)) visit(zone);
  return tree;
};
