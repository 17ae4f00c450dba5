import { decide, type Terms } from "../../services/agent/strategy.ts";
import { shareOfRange } from "../../services/agent/prices.ts";
import type { OrderStep } from "../../services/agent/orders.ts";
import { greedySelfConsumption, passive, storedValueNano } from "../../services/core/baselines/baselines.ts";
import { closeHomeSlot, createHomeModel, createHomeState, runHome } from "../../services/core/community/home-model.ts";
import { communityBound } from "../../services/core/dispatch/bound.ts";
import type { Solver } from "../../services/core/dispatch/solver.ts";
import { clearBook } from "../../services/core/market/clear.ts";
import { OFFER, type ZoneTerms } from "../../services/core/market/types.ts";
import type { Fontana } from "./fontana.ts";

/**
 * The market without chain, sockets or processes: the agents' own strategy, the core's clearing and the simulator's physics,
 * slot by slot. For tuning and for the bench; costs in token, energy left in batteries already taken off.
 */
export interface MarketRun {
  start: string;
  days: number;
  /** True: agents know the running slot when they order (the default of the agent process, at T + 120 s). */
  late?: boolean;
}

export interface MarketCosts {
  passive: number;
  selfish: number;
  market: number;
  bound: number;
  /** Wh by which meters and positions differ, and Wh that homes sold to each other. */
  imbalanceKwh: number;
  localKwh: number;
}

const NANO = 1e9;

export const simulateMarket = (fontana: Fontana, solver: Solver, run: MarketRun): MarketCosts => {
  const first = Date.parse(run.start) / 900_000 - fontana.firstSlot;
  const slots = run.days * 96;
  const fee = Math.round(fontana.community.feePerKwh * 1e6);
  const cut = (values: Int32Array): Int32Array => values.subarray(first, first + slots);
  const importMicroPerKwh = cut(fontana.importMicroPerKwh);
  const exportMicroPerKwh = cut(fontana.exportMicroPerKwh);
  const runs = fontana.homes.map((home) => ({
    home,
    firstSlot: fontana.firstSlot + first,
    loadWh: cut(home.loadWh),
    pvWh: cut(home.pvWh),
    importMicroPerKwh,
    exportMicroPerKwh,
  }));
  const left = (storedWh: number, home: number): bigint =>
    storedValueNano(storedWh, importMicroPerKwh, fontana.homes[home]!.battery);
  const sum = (values: bigint[]): number => Number(values.reduce((a, b) => a + b, 0n)) / NANO;
  const selfish = runs.map(greedySelfConsumption);
  const still = runs.map(passive);
  const bound = communityBound(solver, {
    zones: fontana.community.zones,
    gridZone: fontana.community.gridZone,
    lines: fontana.community.lines.map((line) => ({ ...line, capacityWh: line.capacityW / 4 })),
    gridCapacityWh: fontana.community.gridCapacityW / 4,
    importMicroPerKwh,
    exportMicroPerKwh,
    homes: fontana.homes.map((home, h) => ({
      zone: home.zone,
      battery: home.battery,
      importRatingWh: home.importRatingW / 4,
      exportRatingWh: home.exportRatingW / 4,
      needWh: still[h]!.netImportWh,
    })),
  });
  const market = playMarket(fontana, run, first, slots, fee);
  return {
    passive: sum(still.map(({ costNano }) => costNano)),
    selfish: sum(selfish.map(({ costNano, storedEndWh }, h) => costNano - left(storedEndWh, h))),
    market: market.cost / NANO - sum(market.storedWh.map(left)),
    bound: sum([bound.costNano - bound.endValueNano]),
    imbalanceKwh: market.imbalanceWh / 1000,
    localKwh: market.localWh / 1000,
  };
};

const playMarket = (fontana: Fontana, run: MarketRun, first: number, slots: number, fee: number) => {
  const models = fontana.homes.map((home) => createHomeModel(home));
  const states = models.map((model) => createHomeState(model, (fontana.firstSlot + first) * 900));
  const storedOf = (home: number): number => states[home]!.battery!.storedMicroJ / 3600e6;
  const zoneOf = fontana.homes.map((home) => fontana.community.zones.indexOf(home.zone));
  const shares = fontana.community.zones.map(() => new Map<number, number>());
  const termsOf = (slot: number): Terms => ({
    importTariff: fontana.importMicroPerKwh[slot]!,
    exportTariff: fontana.exportMicroPerKwh[slot]!,
    fee,
    bandMin: 0,
    bandMax: 1_000_000,
  });
  let orders: OrderStep[][] = fontana.homes.map(() => []);
  let cost = 0;
  let imbalanceWh = 0;
  let localWh = 0;
  for (let slot = first; slot < first + slots; slot++) {
    const terms = termsOf(slot);
    const { importTariff: high, exportTariff: low } = terms;
    const cleared = clearOrders(fontana, orders, zoneOf, terms);
    if (slot > first) cleared.prices.forEach((price, z) => shares[z]!.set(slot, shareOfRange(price, terms)));
    let deficit = 0;
    let surplus = 0;
    let bought = 0;
    orders = fontana.homes.map((home, h) => {
      const situation = (known: number) => ({
        slot,
        known,
        loadWh: { firstSlot: 0, values: home.loadWh.subarray(0, known) },
        pvWh: { firstSlot: 0, values: home.pvWh.subarray(0, known) },
        storedWh: storedOf(h),
        positionWh: cleared.positionsWh[h]!,
        termsOf,
        shares: shares[zoneOf[h]!]!,
      });
      const settings = {
        battery: home.battery,
        importRatingWh: home.importRatingW / 4,
        exportRatingWh: home.exportRatingW / 4,
        pvW: home.pvW,
      };
      const early = run.late === false ? decide(settings, situation(slot)) : null;
      const late = decide(settings, situation(slot + 1));
      // As the agent does: the whole slot's energy is steered to the decision that knows the running slot.
      const watts = Math.sign(late.batteryWh) * Math.ceil(Math.abs(late.batteryWh) * 4);
      const state = states[h]!;
      const before = state.meter.exportWh - state.meter.importWh;
      state.battery!.control = { lowerW: watts, upperW: watts, revertAt: null };
      runHome(models[h]!, state, { loadW: home.loadWh[slot]! * 4, pvW: home.pvWh[slot]! * 4 }, state.time + 900);
      closeHomeSlot(models[h]!, state);
      const metered = state.meter.exportWh - state.meter.importWh - before;
      const position = cleared.positionsWh[h]!;
      const difference = metered - position;
      const price = cleared.prices[zoneOf[h]!]!;
      cost -= position * price - fee * Math.max(0, -position) + difference * (difference >= 0 ? low : high);
      imbalanceWh += Math.abs(difference);
      if (difference < 0) deficit -= difference;
      else surplus += difference;
      bought += Math.max(0, -position);
      return (early ?? late).steps;
    });
    cost -=
      Math.min(deficit, surplus) * (high - low) +
      fee * (bought - Math.min(cleared.backupSoldWh, bought)) +
      cleared.rent;
    localWh += bought - cleared.backupSoldWh;
  }
  return { cost, imbalanceWh, localWh, storedWh: states.map((_, h) => storedOf(h)) };
};

const clearOrders = (fontana: Fontana, orders: OrderStep[][], zoneOf: number[], terms: Terms) => {
  const { zones, lines, gridZone, gridCapacityW } = fontana.community;
  const zoneTerms = zones.map((zone, z): ZoneTerms => {
    const line = lines.find(({ to }) => to === zone);
    return {
      parent: line ? zones.indexOf(line.from) : z,
      toParentWh: (line?.capacityW ?? 0) / 4,
      fromParentWh: (line?.capacityW ?? 0) / 4,
      fee: terms.fee,
      hasBackup: zone === gridZone,
      backupSell: zone === gridZone ? terms.importTariff : 0,
      backupBuy: zone === gridZone ? terms.exportTariff : 0,
      backupCapacityWh: zone === gridZone ? gridCapacityW / 4 : 0,
    };
  });
  const book = orders.flatMap((steps, home) => steps.map((step) => ({ ...step, home })));
  const clearing = clearBook(
    {
      count: book.length,
      zone: Uint8Array.from(book, ({ home }) => zoneOf[home]!),
      flags: Uint8Array.from(book, ({ sell }) => (sell ? OFFER : 0)),
      energyWh: Uint32Array.from(book, ({ energyWh }) => energyWh),
      price: Float64Array.from(book, ({ priceMicroPerKwh }) => priceMicroPerKwh),
    },
    zoneTerms,
    { min: terms.bandMin, max: terms.bandMax, reference: terms.exportTariff },
  );
  const positionsWh = orders.map(() => 0);
  book.forEach(({ home, sell }, i) => {
    positionsWh[home]! += sell ? clearing.fillsWh[i]! : -clearing.fillsWh[i]!;
  });
  const prices = clearing.postings.map(({ price }) => price);
  const rent = -clearing.netExportWh.reduce((sum, net, z) => sum + net * prices[z]!, 0);
  return { positionsWh, prices, rent, backupSoldWh: clearing.postings.reduce((sum, p) => sum + p.backupSoldWh, 0) };
};
