import fc from "fast-check";
import type { Market, MarketOrder } from "../../../../services/core/market/market.ts";

/** Random radial markets in which ties, full lines, empty sides, backups and orders at any price are common. */
export interface Scale {
  readonly price: fc.Arbitrary<number>;
  readonly spread: fc.Arbitrary<number>;
  readonly band: { readonly min: number; readonly max: number };
  readonly energyWh: fc.Arbitrary<number>;
  readonly capacityWh: fc.Arbitrary<number>;
  readonly fee: fc.Arbitrary<number>;
}

/** Numbers that a double adds up exactly. */
export const tiny: Scale = {
  price: fc.integer({ min: -6, max: 6 }),
  spread: fc.integer({ min: -4, max: 6 }),
  band: { min: -6, max: 6 },
  energyWh: fc.integer({ min: 0, max: 9 }),
  capacityWh: fc.constantFrom(0, 1, 2, 5, 1000),
  fee: fc.integer({ min: 0, max: 2 }),
};

export const real: Scale = {
  price: fc.oneof(fc.integer({ min: -1_000_000, max: 10_000_000 }), fc.integer({ min: 60_000, max: 300_000 })),
  spread: fc.integer({ min: -20_000, max: 100_000 }),
  band: { min: -1_000_000, max: 10_000_000 },
  energyWh: fc.integer({ min: 50, max: 5_000 }),
  capacityWh: fc.constantFrom(0, 500, 3_000, 100_000),
  fee: fc.constantFrom(0, 40_000),
};

const extreme: Scale = {
  price: fc.constantFrom(-(2 ** 39) + 1, 2 ** 39 - 1, -1, 0, 1, 2 ** 38),
  spread: fc.constantFrom(-(2 ** 39) + 1, 2 ** 39 - 1, -1, 0, 1),
  band: { min: -(2 ** 39) + 1, max: 2 ** 39 - 1 },
  energyWh: fc.constantFrom(1, 2 ** 31 - 1, 2 ** 30, 7),
  capacityWh: fc.constantFrom(0, 1, 2 ** 31, 2 ** 40),
  fee: fc.constantFrom(0, 1, 2 ** 30),
};

export const marketOf = (scale: Scale, mostZones: number, mostOrders: number): fc.Arbitrary<Market> =>
  fc
    .record({
      count: fc.integer({ min: 1, max: mostZones }),
      draws: fc.array(fc.nat(), { minLength: mostZones, maxLength: mostZones }),
      turned: fc.array(fc.boolean(), { minLength: mostZones, maxLength: mostZones }),
      capacities: fc.array(scale.capacityWh, { minLength: mostZones, maxLength: mostZones }),
      fees: fc.array(scale.fee, { minLength: mostZones, maxLength: mostZones }),
      oneFee: fc.boolean(),
      tariffs: fc.option(fc.tuple(scale.price, scale.price), { nil: undefined }),
      backups: fc.array(fc.tuple(fc.nat(3), scale.capacityWh), { minLength: mostZones, maxLength: mostZones }),
      sides: fc.constantFrom("both", "both", "both", "bid", "offer"),
      orders: fc.array(
        fc.record({
          offer: fc.boolean(),
          zone: fc.nat(),
          energyWh: scale.energyWh,
          price: fc.option(scale.price, { nil: null, freq: 6 }),
        }),
        { maxLength: mostOrders },
      ),
    })
    .map((draw) => {
      const zones = Array.from({ length: draw.count }, (_, i) => `z${i}`);
      const lines = zones.flatMap((zone, i) => {
        const parent = (draw.draws[i] as number) % (i + 1);
        // The zone itself as parent: a new island.
        if (parent === i) return [];
        const [from, to] = draw.turned[i] ? [zone, `z${parent}`] : [`z${parent}`, zone];
        return [{ id: `l${i}`, from: from as string, to: to as string, capacityWh: draw.capacities[i] as number }];
      });
      const oneFee = draw.oneFee || draw.tariffs !== undefined;
      const fees = zones.map((_, i) => draw.fees[oneFee ? 0 : i] as number);
      const [a, b] = draw.tariffs ?? [0, 0];
      const buy = Math.min(a, b);
      const sell = Math.min(2 ** 39 - 1, Math.max(a, b) + (fees[0] as number) + 1);
      const hasBackup = draw.tariffs !== undefined && buy < sell - (fees[0] as number);
      return {
        zones,
        feesMicroPerKwh: Object.fromEntries(zones.map((zone, i) => [zone, fees[i] as number])),
        lines,
        backup: zones.flatMap((zone, i) => {
          const [chance, capacityWh] = draw.backups[i] as [number, number];
          return hasBackup && chance === 0 ? [{ zone, sellMicroPerKwh: sell, buyMicroPerKwh: buy, capacityWh }] : [];
        }),
        orders: draw.orders.map((order, i): MarketOrder => ({
          id: `o${i}`,
          side: draw.sides === "both" ? (order.offer ? "offer" : "bid") : draw.sides,
          zone: `z${order.zone % draw.count}`,
          energyWh: order.energyWh,
          priceMicroPerKwh: order.price,
        })),
        priceBand: scale.band,
      };
    });

/** Markets of up to `mostZones` zones and `mostOrders` orders, in small, real and extreme numbers. */
export const randomMarket = (mostZones: number, mostOrders: number): fc.Arbitrary<Market> =>
  fc.oneof(
    { weight: 5, arbitrary: marketOf(tiny, mostZones, mostOrders) },
    { weight: 3, arbitrary: marketOf(real, mostZones, mostOrders) },
    { weight: 1, arbitrary: marketOf(extreme, mostZones, mostOrders) },
  );

const PRIORITIES = ["normal", "opportunistic", "critical", "emergency"] as const;

/** The same with green orders, bilateral trades and priority classes. */
export const fullMarketOf = (
  scale: Scale,
  mostZones: number,
  mostOrders: number,
  mostTrades = 4,
): fc.Arbitrary<Market> =>
  fc
    .record({
      market: marketOf(scale, mostZones, mostOrders),
      green: fc.array(fc.boolean(), { minLength: mostOrders, maxLength: mostOrders }),
      hasGreen: fc.constantFrom(true, true, false),
      classes: fc.array(fc.constantFrom(...PRIORITIES), { minLength: mostOrders, maxLength: mostOrders }),
      trades: fc.array(fc.tuple(fc.nat(), fc.nat(), scale.energyWh, scale.spread), { maxLength: mostTrades }),
    })
    .map(({ market, green, hasGreen, classes, trades }) => {
      const zones = market.zones as string[];
      return {
        ...market,
        orders: market.orders.map((order, i): MarketOrder => ({
          ...order,
          green: hasGreen && (green[i] as boolean),
          ...(order.side === "bid" ? { priority: classes[i] } : {}),
        })),
        bilaterals: trades.map(([from, to, energyWh, maxSpreadMicroPerKwh], i) => ({
          id: `t${i}`,
          from: zones[from % zones.length] as string,
          to: zones[to % zones.length] as string,
          energyWh,
          maxSpreadMicroPerKwh,
        })),
      };
    });

export const randomFullMarket = (mostZones: number, mostOrders: number): fc.Arbitrary<Market> =>
  fc.oneof(
    { weight: 5, arbitrary: fullMarketOf(tiny, mostZones, mostOrders) },
    { weight: 3, arbitrary: fullMarketOf(real, mostZones, mostOrders) },
    { weight: 1, arbitrary: fullMarketOf(extreme, mostZones, mostOrders) },
  );
