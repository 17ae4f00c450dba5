import { backupKeys } from "./keys.ts";
import type { Groups } from "./groups.ts";
import { OFFER } from "./types.ts";
import type { OrderColumns, ZoneTerms } from "./types.ts";

/**
 * Merit orders of all groups: a group's net export as a step function of the price key. At the lowest key all bids are
 * filled and no offer; at each key its bids drop out and its offers come in.
 */
export interface MeritOrders {
  /** Steps of group g stand at start[g] .. start[g+1]-1, keys rising and distinct, at the end padded with Infinity. */
  readonly start: Int32Array;
  readonly key: Float64Array;
  /** Net export once every step up to and including this one is taken, Wh. */
  readonly exportWh: Float64Array;
  /** Net export below the lowest key, Wh: minus all bids. */
  readonly baseWh: Float64Array;
  /** Distinct keys of all groups, rising. */
  readonly levels: Float64Array;
}

const DIGIT = 11;
const BUCKETS = 1 << DIGIT;
const LOW = 2 ** (2 * DIGIT);

/** Indices of `keys` in rising order; NaN keys are left out. Radix sort: linear in orders, keys within 2^44 of each other. */
const sortedIndices = (keys: Float64Array): Uint32Array => {
  let low = Infinity;
  let high = -Infinity;
  let live = 0;
  for (const key of keys) {
    if (Number.isNaN(key)) continue;
    live += 1;
    if (key < low) low = key;
    if (key > high) high = key;
  }
  let from = new Uint32Array(live);
  for (let i = 0, at = 0; i < keys.length; i += 1) {
    if (!Number.isNaN(keys[i])) from[at++] = i;
  }
  const range = high - low;
  if (range >= LOW * LOW) return from.sort((a, b) => (keys[a] as number) - (keys[b] as number));
  let to = new Uint32Array(live);
  const counts = new Uint32Array(BUCKETS);
  const digits = new Uint16Array(keys.length);
  for (let unit = 1; unit <= range; unit *= BUCKETS) {
    counts.fill(0);
    for (let at = 0; at < live; at += 1) {
      const i = from[at] as number;
      const digit = Math.floor(((keys[i] as number) - low) / unit) % BUCKETS;
      digits[i] = digit;
      counts[digit] = (counts[digit] as number) + 1;
    }
    for (let digit = 0, sum = 0; digit < BUCKETS; digit += 1) {
      const size = counts[digit] as number;
      counts[digit] = sum;
      sum += size;
    }
    for (let at = 0; at < live; at += 1) {
      const i = from[at] as number;
      const digit = digits[i] as number;
      to[counts[digit] as number] = i;
      counts[digit] = (counts[digit] as number) + 1;
    }
    [from, to] = [to, from];
  }
  return from;
};

/** Builds the merit orders of all groups; a backup stands among the ordinary orders of its zone. */
export const meritOrders = (
  columns: OrderColumns,
  groups: Groups,
  keys: Float64Array,
  zones: readonly ZoneTerms[],
): MeritOrders => {
  const all = withBackups(columns, groups, keys, zones);
  const order = sortedIndices(all.key);
  const start = new Int32Array(groups.count + 1);
  const baseWh = new Float64Array(groups.count);
  for (const i of order) {
    const z = all.group[i] as number;
    start[z + 1] = (start[z + 1] as number) + 1;
    if (!all.offer[i]) baseWh[z] = (baseWh[z] as number) - (all.energyWh[i] as number);
  }
  for (let z = 0; z < groups.count; z += 1) start[z + 1] = (start[z + 1] as number) + (start[z] as number);
  const key = new Float64Array(order.length);
  const exportWh = new Float64Array(order.length);
  const levels = new Float64Array(order.length);
  const end = start.slice(0, groups.count);
  const sum = baseWh.slice();
  let distinct = 0;
  for (const i of order) {
    const z = all.group[i] as number;
    const own = all.key[i] as number;
    if (distinct === 0 || levels[distinct - 1] !== own) levels[distinct++] = own;
    let at = end[z] as number;
    if (at > (start[z] as number) && key[at - 1] === own) at -= 1;
    else end[z] = at + 1;
    sum[z] = (sum[z] as number) + (all.energyWh[i] as number);
    key[at] = own;
    exportWh[at] = sum[z] as number;
  }
  // Equal keys were merged: the rest of each group's room repeats its last step, so that searches stay simple.
  for (let z = 0; z < groups.count; z += 1) {
    for (let at = end[z] as number; at < (start[z + 1] as number); at += 1) {
      key[at] = Infinity;
      exportWh[at] = sum[z] as number;
    }
  }
  return { start, key, exportWh, baseWh, levels: levels.subarray(0, distinct) };
};

interface Tradable {
  readonly key: Float64Array;
  readonly group: ArrayLike<number>;
  readonly energyWh: ArrayLike<number>;
  readonly offer: ArrayLike<number>;
}

const withBackups = (
  columns: OrderColumns,
  groups: Groups,
  keys: Float64Array,
  zones: readonly ZoneTerms[],
): Tradable => {
  const backups = zones.flatMap((terms, zone) => {
    if (!terms.hasBackup || terms.backupCapacityWh === 0) return [];
    const own = backupKeys(terms);
    return [
      { zone, key: own.offer, offer: OFFER, energyWh: terms.backupCapacityWh },
      { zone, key: own.bid, offer: 0, energyWh: terms.backupCapacityWh },
    ];
  });
  const total = columns.count + backups.length;
  const key = new Float64Array(total);
  const group = new Uint32Array(total);
  const offer = new Uint8Array(total);
  const energyWh = new Float64Array(total);
  key.set(keys);
  group.set(groups.of.subarray(0, columns.count));
  energyWh.set(columns.energyWh.subarray(0, columns.count));
  for (let i = 0; i < columns.count; i += 1) offer[i] = (columns.flags[i] as number) & OFFER;
  backups.forEach((backup, k) => {
    const i = columns.count + k;
    key[i] = backup.key;
    group[i] = backup.zone;
    offer[i] = backup.offer;
    energyWh[i] = backup.energyWh;
  });
  return { key, group, energyWh, offer };
};

/** Net export of a group with the steps below `level` taken (`inclusive`: those at it too), Wh. */
export const exportAt = (merit: MeritOrders, zone: number, level: number, inclusive: boolean): number => {
  const first = merit.start[zone] as number;
  let low = first;
  let high = merit.start[zone + 1] as number;
  while (low < high) {
    const middle = (low + high) >> 1;
    const key = merit.key[middle] as number;
    if (key < level || (inclusive && key === level)) low = middle + 1;
    else high = middle;
  }
  return low === first ? (merit.baseWh[zone] as number) : (merit.exportWh[low - 1] as number);
};
