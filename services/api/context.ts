import type { Community } from "../core/community/community.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { PooledProvider } from "../platform/provider.ts";
import type { Addresses } from "../protocol/addresses.ts";
import { decodeExtras } from "../protocol/extras.ts";
import { headOf, type ReadStore } from "../protocol/market-store.ts";
import type { ApiConfig } from "./config.ts";

/** What every endpoint works with. */
export interface ApiContext {
  config: ApiConfig;
  store: ReadStore;
  provider: PooledProvider;
  addresses: Addresses;
  community: Community;
  /** Names of the zones in the order of the chain. */
  zoneNames: readonly string[];
  clock: Clock;
  log: Log;
}

/** Chain time: the parent's tick, or the newest block where that is later. */
export const chainNow = ({ clock, store }: ApiContext): number => Math.max(clock.now(), headOf(store)?.timestamp ?? 0);

export const zoneName = ({ zoneNames }: ApiContext, zone: number): string => zoneNames[zone] ?? `zone ${zone}`;

/** Name of the home at a point; null where the community file knows none. */
export const homeName = ({ community }: ApiContext, point: number): string | null => community.homes[point]?.id ?? null;

/** What green orders trade at by zone, from a clearing's extras; empty where that is the zone price. */
export const greenByZone = (context: ApiContext, extras: string): Record<string, number> =>
  Object.fromEntries(decodeExtras(extras).greenPrices.map((price, zone) => [zoneName(context, zone), Number(price)]));

export const pricesByZone = (context: ApiContext, prices: string): Record<string, number> =>
  Object.fromEntries((JSON.parse(prices) as number[]).map((price, zone) => [zoneName(context, zone), price]));
