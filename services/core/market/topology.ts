import { MarketError } from "./types.ts";
import type { ZoneTerms } from "./types.ts";

interface Line {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly capacityWh: number;
}

/** A radial network: zones reordered so that parents stand before their children, each with the line to its parent. */
export interface RadialNetwork {
  readonly names: readonly string[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly terms: readonly ZoneTerms[];
  readonly lines: readonly {
    id: string;
    from: number;
    to: number;
    child: number;
    upward: boolean;
    capacityWh: number;
  }[];
}

/**
 * Orders zones breadth first from the first zone of every island.
 * @throws MarketError on an unknown zone, a line from a zone to itself, or a loop of lines
 */
export const radialNetwork = (zones: readonly string[], lines: readonly Line[]): RadialNetwork => {
  const known = new Set(zones);
  const links = new Map<string, { line: Line; other: string }[]>(zones.map((zone) => [zone, []]));
  const group = new Map<string, string>(zones.map((zone) => [zone, zone]));
  const rootOf = (zone: string): string => {
    let root = zone;
    while (group.get(root) !== root) root = group.get(root) as string;
    group.set(zone, root);
    return root;
  };
  lines.forEach((line, i) => {
    for (const end of ["from", "to"] as const) {
      if (!known.has(line[end])) {
        throw new MarketError(`lines[${i}].${end}`, `names the unknown zone "${line[end]}": list it in zones`);
      }
    }
    if (line.from === line.to) throw new MarketError(`lines[${i}].to`, "is its own start: a line links two zones");
    const from = rootOf(line.from);
    const to = rootOf(line.to);
    if (from === to) {
      throw new MarketError(
        `lines[${i}]`,
        `"${line.id}" closes a loop: meshed networks are not supported yet, remove a line`,
      );
    }
    group.set(from, to);
    links.get(line.from)?.push({ line, other: line.to });
    links.get(line.to)?.push({ line, other: line.from });
  });

  const names: string[] = [];
  const indexOf = new Map<string, number>();
  const terms: ZoneTerms[] = [];
  const childOf = new Map<string, number>();
  const place = (zone: string, parent: number, capacityWh: number): void => {
    indexOf.set(zone, names.length);
    terms.push({
      parent,
      toParentWh: capacityWh,
      fromParentWh: capacityWh,
      fee: 0,
      hasBackup: false,
      backupSell: 0,
      backupBuy: 0,
      backupCapacityWh: 0,
    });
    names.push(zone);
  };
  for (const start of zones) {
    if (indexOf.has(start)) continue;
    const first = names.length;
    place(start, first, 0);
    for (let at = first; at < names.length; at += 1) {
      for (const { line, other } of links.get(names[at] as string) ?? []) {
        if (indexOf.has(other)) continue;
        childOf.set(line.id, names.length);
        place(other, at, line.capacityWh);
      }
    }
  }
  return {
    names,
    indexOf,
    terms,
    lines: lines.map((line) => {
      const child = childOf.get(line.id) as number;
      const from = indexOf.get(line.from) as number;
      const to = indexOf.get(line.to) as number;
      return { id: line.id, from, to, child, upward: from === child, capacityWh: line.capacityWh };
    }),
  };
};
