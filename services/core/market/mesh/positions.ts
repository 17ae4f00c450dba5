import type { Duals } from "./duals.ts";
import type { Group } from "./groups.ts";
import type { MeshProgram } from "./linear.ts";

/** Positions of prices that one search looks at, in all; of a larger book those nearest to the vertex. */
const MOST_POSITIONS = 400;
/** How far beyond the limits of all orders a price may stand, in spreads between the highest and the lowest of them. */
const BEYOND = 4;

/** Where a zone's price may stand: between two limits, or (`low` = `high`) at one. */
export interface Position {
  readonly low: number;
  readonly high: number;
  /** Net export and cost of what is then full. */
  readonly exportWh: number;
  readonly cost: number;
  readonly full: readonly number[];
  /** Groups at the price, filled at will. */
  readonly at: readonly number[];
}

/** The orders of a zone that trade at one price. */
export interface ZoneBook {
  readonly zone: number;
  readonly green: boolean;
  readonly positions: readonly Position[];
}

/** @param around exact prices to begin from, where the book has more positions than a search may have */
export const positionsIn = ({ book: { groups, hasGreen }, terms }: MeshProgram, around: Duals): ZoneBook[] => {
  const lowest = groups.reduce((least, { limit }) => Math.min(least, limit), 0);
  const highest = groups.reduce((most, { limit }) => Math.max(most, limit), 0);
  const beyond = BEYOND * (highest - lowest + 1);
  const books = terms.flatMap((_, zone) =>
    (hasGreen ? [false, true] : [false]).map((green) => {
      const own = groups.flatMap((group, g) => (group.zone === zone && group.green === green ? [g] : []));
      return { zone, green, own };
    }),
  );
  const traded = books.filter(({ own }) => own.length > 0);
  const most = Math.max(3, Math.floor(MOST_POSITIONS / Math.max(1, traded.length)));
  return traded.map(({ zone, green, own }): ZoneBook => {
    const price =
      (around.lambda[zone] as number) - (around.shift[zone] as number) + (green ? (around.gamma[zone] as number) : 0);
    const limits = own.map((g) => (groups[g] as Group).limit);
    const places = nearest(placesOf(limits, lowest - beyond, highest + beyond), price, most);
    return { zone, green, positions: places.map((place) => positionAt(groups, own, place)) };
  });
};

interface Place {
  readonly low: number;
  readonly high: number;
}

/** Between limits and at each of them, upwards. */
const placesOf = (limits: readonly number[], least: number, most: number): Place[] => {
  const steps = [...new Set(limits)].sort((a, b) => a - b);
  return [least, ...steps].flatMap((low, k) => {
    const high = steps[k];
    return high === undefined
      ? [{ low, high: most }]
      : [
          { low, high },
          { low: high, high },
        ];
  });
};

const nearest = (places: readonly Place[], price: number, most: number): readonly Place[] => {
  const away = ({ low, high }: Place): number => Math.max(low - price, price - high, 0);
  const best = places.reduce((found, place, k) => (away(place) < away(places[found] as Place) ? k : found), 0);
  const from = Math.max(0, Math.min(places.length - most, best - Math.floor(most / 2)));
  return places.slice(from, from + most);
};

const positionAt = (groups: readonly Group[], own: readonly number[], { low, high }: Place): Position => {
  const stands = ({ limit }: Group): boolean => low === high && limit === low;
  const at = own.filter((g) => stands(groups[g] as Group));
  const full = own.filter((g) => {
    const group = groups[g] as Group;
    return !stands(group) && (group.sign > 0 ? group.limit <= low : group.limit >= high);
  });
  const sum = (value: (group: Group) => number): number =>
    full.reduce((total, g) => total + value(groups[g] as Group), 0);
  return {
    low,
    high,
    at,
    full,
    exportWh: sum(({ sign, availableWh }) => sign * availableWh),
    cost: sum(({ sign, limit, availableWh }) => sign * limit * availableWh),
  };
};
