import { slotAt } from "../platform/clock.ts";
import type { ApiPoint, ApiState, ApiTerms, ClearingView, Health } from "../protocol/api.ts";
import { gridStatesOf, marketStateOf } from "../protocol/emergency-store.ts";
import { clearingOf, headOf, points, problems, termsOf } from "../protocol/market-store.ts";
import { chainNow, greenByZone, homeName, pricesByZone, zoneName, type ApiContext } from "./context.ts";

/** Wh per slot that a power carries, rounded down as on chain. */
const whPerSlot = (powerW: number): number => Math.floor(powerW / 4);

export const healthOf = (context: ApiContext): Health => {
  const head = headOf(context.store);
  const [problem] = problems(context.store);
  return {
    ok: head !== undefined && problem === undefined,
    now: chainNow(context),
    indexedBlock: head?.number ?? -1,
    marketState: marketStateOf(context.store),
    gridStates: gridStatesOf(context.store, context.zoneNames.length),
    problem: problem?.message ?? (head ? null : "the indexer has not read the chain yet"),
  };
};

export const pointsOf = (context: ApiContext): ApiPoint[] =>
  points(context.store).map(({ point, owner, zone, importLimitWh, exportLimitWh }) => {
    const home = context.community.homes[point];
    return {
      point,
      home: homeName(context, point),
      zone: zoneName(context, zone),
      owner,
      importLimitWh,
      exportLimitWh,
      pvW: home?.pvW ?? 0,
      batteryWh: home?.battery?.capacityWh ?? 0,
      vehicle: home?.vehicle !== undefined,
    };
  });

export const stateOf = (context: ApiContext, committee: readonly string[]): ApiState => {
  const { config, community, addresses, zoneNames } = context;
  const { chainId, deployedAtBlock: _block, ...contracts } = addresses;
  const now = chainNow(context);
  return {
    chainId,
    now,
    slot: slotAt(now),
    addresses: contracts,
    community: { name: community.name, currency: community.currency },
    slotSeconds: config.slotSeconds,
    zones: [...zoneNames],
    lines: community.lines.map(({ id, from, to, capacityW }) => ({ id, from, to, capacityWh: whPerSlot(capacityW) })),
    gridZone: community.gridZone,
    points: pointsOf(context),
    nodes: config.nodes.map((url, index) => ({ index, url, address: committee[index] ?? null })),
  };
};

export const termsView = (context: ApiContext, from: number, count: number): ApiTerms[] =>
  termsOf(context.store, { first: from, last: from + count - 1 });

export const clearingView = (context: ApiContext, slot: number): ClearingView => {
  const clearing = clearingOf(context.store, slot);
  const known = clearing ? (JSON.parse(clearing.positions) as number[]) : [];
  return {
    slot,
    cleared: clearing !== undefined,
    prices: clearing ? pricesByZone(context, clearing.prices) : {},
    greenPrices: clearing ? greenByZone(context, clearing.extras) : {},
    positions: points(context.store).map(({ point }) => known[point] ?? 0),
  };
};
