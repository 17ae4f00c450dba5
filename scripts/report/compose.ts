import {
  greedySelfConsumption,
  passive,
  storedValueNano,
  type BaselineResult,
} from "../../services/core/baselines/baselines.ts";
import type { Community } from "../../services/core/community/community.ts";
import { slotIndex, type SlotSeries } from "../../services/core/community/slots.ts";
import { communityBound } from "../../services/core/dispatch/bound.ts";
import { createSolver } from "../../services/core/dispatch/solver.ts";
import { slotStart } from "../../services/platform/clock.ts";
import type { Store } from "../../services/platform/store.ts";
import {
  bills,
  conservationNano,
  fixedSums,
  gasByKind,
  marketSums,
  paymentsOf,
  slotCounts,
} from "../../services/protocol/market-store.ts";
import type { TreeZone } from "../local/grid.ts";
import { iso } from "../local/plan.ts";
import { gridFlows } from "./flows.ts";
import { maxGapNano } from "./gap.ts";
import type { Bill, DayReport } from "./types.ts";

/** Registers and stored energy of all homes and heads at a slot's start, as the simulator tells them. */
export interface BoundaryOfDevices {
  homes: { id: string; importWh: number; exportWh: number; storedMicroJ: number; servedWh: number }[];
  heads: { zone: string; importWh: number; exportWh: number }[];
}

export interface ComposeOptions {
  community: Community;
  series: SlotSeries;
  tree: readonly TreeZone[];
  firstSlot: number;
  slots: number;
  pointOf: ReadonlyMap<string, number>;
  store: Store;
  start: BoundaryOfDevices;
  end: BoundaryOfDevices;
  nodes: { count: number; faults: number; modbusReads: number };
  wallSeconds: number;
}

const MICRO_J_PER_WH = 3600e6;

/** Composes the DAY report (formats.md) from the chain's record, the devices' registers and the baselines. */
export const composeReport = async (options: ComposeOptions): Promise<DayReport> => {
  const { community, series, tree, firstSlot, slots, pointOf, store, start, end, nodes } = options;
  const range = { first: firstSlot, last: firstSlot + slots - 1 };
  const from = slotIndex(series, firstSlot);
  const cut = <T extends Int32Array | Float64Array>(column: T): T => column.slice(from, from + slots) as T;
  const importMicroPerKwh = cut(series.importPriceMicroPerKwh);
  const exportMicroPerKwh = cut(series.exportPriceMicroPerKwh);
  const co2KgPerKwh = cut(series.co2KgPerKwh);
  const homes = community.homes.map((home, at) => ({
    home,
    point: pointOf.get(home.id) as number,
    run: {
      loadWh: cut(series.loadWh[at] as Int32Array),
      pvWh: cut(series.pvWh[at] as Int32Array),
      importMicroPerKwh,
      exportMicroPerKwh,
      home,
      firstSlot,
    },
  }));

  const passiveRuns = homes.map(({ run }) => passive(run));
  const selfishRuns = homes.map(({ run }) => greedySelfConsumption(run));
  const billOf = new Map(bills(store, range).map((bill) => [bill.point, bill]));
  const stored = (at: number, energyWh: number): bigint => {
    const battery = homes[at]?.home.battery;
    return battery ? storedValueNano(energyWh, importMicroPerKwh, battery) : 0n;
  };
  /** What the run took out of the battery counts as cost, what it left there as income. */
  const drawnNano = (at: number, startWh: number, endWh: number): bigint => stored(at, startWh) - stored(at, endWh);
  const baselineNano = (run: BaselineResult, at: number): bigint =>
    run.costNano + drawnNano(at, run.storedStartWh, run.storedEndWh);

  const costs = homes.map(({ home, point }, at) => {
    const bill = billOf.get(point);
    const drawn = drawnNano(at, storedWh(start, home.id), storedWh(end, home.id));
    return {
      home: home.id,
      passive: baselineNano(passiveRuns[at] as BaselineResult, at),
      selfish: baselineNano(selfishRuns[at] as BaselineResult, at),
      market: drawn - (bill?.paymentNano ?? 0n),
      tariff: drawn - (bill?.tariffNano ?? 0n),
      imbalanceCost: bill?.deviationCostNano ?? 0n,
    };
  });
  const total = (kind: "passive" | "selfish" | "market"): bigint => costs.reduce((sum, cost) => sum + cost[kind], 0n);
  const fixed = fixedSums(store, range);
  const returnedNano = fixed.membersNano + fixed.congestionNano;
  const bound = communityBound(await createSolver(), {
    zones: community.zones,
    lines: community.lines.map(({ from: a, to, capacityW }) => ({
      from: a,
      to,
      capacityWh: Math.floor(capacityW / 4),
    })),
    gridZone: community.gridZone,
    gridCapacityWh: Math.floor(community.gridCapacityW / 4),
    importMicroPerKwh,
    exportMicroPerKwh,
    homes: homes.map(({ home }, at) => ({
      zone: home.zone,
      importRatingWh: Math.floor(home.importRatingW / 4),
      exportRatingWh: Math.floor(home.exportRatingW / 4),
      needWh: (passiveRuns[at] as BaselineResult).netImportWh,
      battery: home.battery,
    })),
  });

  const meteredNet = meteredNetImport(
    store,
    range,
    homes.map(({ point }) => point),
    slots,
  );
  const zoneOf = homes.map(({ home }) => home.zone);
  const market = gridFlows(tree, zoneOf, meteredNet, slots);
  const passiveFlows = gridFlows(
    tree,
    zoneOf,
    passiveRuns.map(({ netImportWh }) => netImportWh),
    slots,
  );
  const selfishFlows = gridFlows(
    tree,
    zoneOf,
    selfishRuns.map(({ netImportWh }) => netImportWh),
    slots,
  );
  const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
  const positive = (net: ArrayLike<number>): number => Array.from(net).reduce((a, b) => a + Math.max(b, 0), 0);
  const negative = (net: ArrayLike<number>): number => Array.from(net).reduce((a, b) => a + Math.max(-b, 0), 0);
  const co2 = (net: ArrayLike<number>): number =>
    Array.from(net).reduce((a, b, at) => a + (Math.max(b, 0) / 1000) * (co2KgPerKwh[at] ?? 0), 0);
  const peakKw = (net: ArrayLike<number>): number => (Math.max(0, ...Array.from(net)) * 4) / 1000;
  const loadWh = homes.reduce((a, { run }) => a + sum(run.loadWh), 0);
  const pvWh = homes.reduce((a, { run }) => a + sum(run.pvWh), 0);
  const importWh = positive(market.exchangeWh);
  const exportWh = negative(market.exchangeWh);
  const passiveNano = total("passive");
  const selfishNano = total("selfish");
  const marketNano = total("market") - returnedNano;

  return {
    community: community.name,
    currency: community.currency,
    start: iso(slotStart(firstSlot)),
    slots,
    homes: homes.length,
    wallSeconds: round(options.wallSeconds, 2),
    bills: costs.map(({ home, ...nano }): Bill => ({
      home,
      passive: money(nano.passive),
      selfish: money(nano.selfish),
      market: money(nano.market),
      tariff: money(nano.tariff),
      imbalanceCost: money(nano.imbalanceCost),
    })),
    totals: {
      passiveCost: money(passiveNano),
      selfishCost: money(selfishNano),
      marketCost: money(marketNano),
      boundCost: money(bound.costNano + bound.startValueNano - bound.endValueNano),
      savingVsPassivePercent: saving(passiveNano, marketNano),
      savingVsSelfishPercent: saving(selfishNano, marketNano),
      returnedToMembers: money(returnedNano),
      overloadSlots: {
        passive: passiveFlows.overloadSlots,
        selfish: selfishFlows.overloadSlots,
        market: market.overloadSlots,
      },
      unservedWh: homes.reduce(
        (left, { home, run }) => left + sum(run.loadWh) - (servedWh(end, home.id) - servedWh(start, home.id)),
        0,
      ),
      importKwh: round(importWh / 1000, 3),
      exportKwh: round(exportWh / 1000, 3),
      localTradeKwh: round(Number(marketSums(store, range).localTradeWh) / 1000, 3),
      selfSufficiency: loadWh === 0 ? 1 : round(1 - importWh / loadWh, 4),
      selfConsumption: pvWh === 0 ? 1 : round(1 - exportWh / pvWh, 4),
      peakImportKw: round(peakKw(market.exchangeWh), 3),
      selfishPeakImportKw: round(peakKw(selfishFlows.exchangeWh), 3),
      co2Kg: round(co2(market.exchangeWh), 3),
      passiveCo2Kg: round(co2(passiveFlows.exchangeWh), 3),
      selfishCo2Kg: round(co2(selfishFlows.exchangeWh), 3),
    },
    chain: chainFigures(store, range, homes.length * slots),
    oracle: {
      nodes: nodes.count,
      faultsTolerated: nodes.faults,
      modbusReads: nodes.modbusReads,
      reports: slotCounts(store, range).reports,
    },
    conservation: {
      moneyNano: String(conservationNano(store)),
      energyWh: energyLeftOver(
        meteredNet,
        homes.map(({ home }) => home.id),
        start,
        end,
      ),
    },
  };
};

/** Net import of each home and slot as the chain settled it, Wh. */
export const meteredNetImport = (
  store: Store,
  range: { first: number; last: number },
  points: readonly number[],
  slots: number,
): Int32Array[] => {
  const net = points.map(() => new Int32Array(slots));
  const rowOf = new Map(points.map((point, row) => [point, row]));
  for (const { slot, point, meteredWh } of paymentsOf(store, range)) {
    const row = rowOf.get(point);
    if (row !== undefined) (net[row] as Int32Array)[slot - range.first] = -meteredWh;
  }
  return net;
};

const chainFigures = (store: Store, range: { first: number; last: number }, meterSlots: number): DayReport["chain"] => {
  const gas = new Map(gasByKind(store).map((row) => [row.kind, row]));
  const market = ["append", "clear", "report", "settle", "estimate", "final"].map((kind) => gas.get(kind));
  const used = (kind: string): number => gas.get(kind)?.gasUsed ?? 0;
  const counts = slotCounts(store, range);
  const per = (total: number, count: number): number => (count === 0 ? 0 : Math.round(total / count));
  const orders = gas.get("append")?.orders ?? 0;
  return {
    transactions: market.reduce((sum, row) => sum + (row?.transactions ?? 0), 0),
    orders,
    gasPerOrderAppended: per(used("append"), orders),
    gasPerOrderCleared: per(used("clear"), orders),
    gasPerMeterSlotSettled: per(used("settle"), gas.get("settle")?.meterSlots ?? 0),
    gasPerMeterSlotTotal: per(
      market.reduce((sum, row) => sum + (row?.gasUsed ?? 0), 0),
      meterSlots,
    ),
    slotsCleared: counts.cleared,
    slotsSettled: counts.settled,
    slotsEstimated: counts.estimated,
    maxGapNano: String(maxGapNano(store, range)),
  };
};

/**
 * What metering lost or invented, Wh: settled net exports against the head meters, and each home's slots against its own
 * registers. Zero when every Wh is accounted for.
 */
const energyLeftOver = (
  netImport: readonly Int32Array[],
  ids: readonly string[],
  start: BoundaryOfDevices,
  end: BoundaryOfDevices,
): number => {
  const net = (meter: { importWh: number; exportWh: number }): number => meter.importWh - meter.exportWh;
  const grown = <T extends { importWh: number; exportWh: number }>(
    first: T | undefined,
    last: T | undefined,
  ): number => (first && last ? net(last) - net(first) : Number.NaN);
  const settled = netImport.map((slots) => slots.reduce((a, b) => a + b, 0));
  const heads = end.heads.reduce(
    (sum, head) =>
      sum +
      grown(
        start.heads.find(({ zone }) => zone === head.zone),
        head,
      ),
    0,
  );
  const againstHeads = Math.abs(settled.reduce((a, b) => a + b, 0) - heads);
  return ids.reduce((sum, id, at) => {
    const registers = grown(
      start.homes.find((home) => home.id === id),
      end.homes.find((home) => home.id === id),
    );
    return sum + Math.abs((settled[at] as number) - registers);
  }, againstHeads);
};

const storedWh = (boundary: BoundaryOfDevices, id: string): number =>
  (boundary.homes.find((home) => home.id === id)?.storedMicroJ ?? 0) / MICRO_J_PER_WH;

const servedWh = (boundary: BoundaryOfDevices, id: string): number =>
  boundary.homes.find((home) => home.id === id)?.servedWh ?? Number.NaN;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Nano-token as a display amount of currency. */
const money = (nano: bigint): number => round(Number(nano) / 1e9, 6);

const saving = (before: bigint, after: bigint): number =>
  before === 0n ? 0 : round((Number(before - after) / Math.abs(Number(before))) * 100, 2);
