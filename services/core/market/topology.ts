import { MarketError } from "./types.ts";
import type { ZoneTerms } from "./types.ts";

interface Line {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly capacityWh: number;
  readonly reactance?: number | undefined;
}

/**
 * A network: zones reordered so that parents stand before their children, each with the line to its parent. Lines that
 * close a loop are no zone's: their `child` is -1.
 */
export interface Network {
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
    reactance?: number | undefined;
  }[];
}

/**
 * Orders zones breadth first from the first zone of every island.
 * @throws MarketError on an unknown zone, a line from a zone to itself, or a line without reactance in a meshed network
 */
export const networkOf = (zones: readonly string[], lines: readonly Line[]): Network => {
  const known = new Set(zones);
  const links = new Map<string, { line: Line; other: string }[]>(zones.map((zone) => [zone, []]));
  lines.forEach((line, i) => {
    for (const end of ["from", "to"] as const) {
      if (!known.has(line[end])) {
        throw new MarketError(`lines[${i}].${end}`, `names the unknown zone "${line[end]}": list it in zones`);
      }
    }
    if (line.from === line.to) throw new MarketError(`lines[${i}].to`, "is its own start: a line links two zones");
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
  if (childOf.size < lines.length) requireReactances(lines);
  return {
    names,
    indexOf,
    terms,
    lines: lines.map((line) => {
      const child = childOf.get(line.id) ?? -1;
      const from = indexOf.get(line.from) as number;
      const to = indexOf.get(line.to) as number;
      const { id, capacityWh, reactance } = line;
      return { id, from, to, child, upward: from === child, capacityWh, reactance };
    }),
  };
};

/** Lines that close a loop share what flows by their reactances. */
const requireReactances = (lines: readonly Line[]): void => {
  lines.forEach(({ id, reactance }, i) => {
    if (reactance !== undefined) return;
    throw new MarketError(
      `lines[${i}].reactance`,
      `is missing on "${id}": the lines close a loop, so every line needs one`,
    );
  });
};
