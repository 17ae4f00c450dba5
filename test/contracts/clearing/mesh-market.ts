import fc from "fast-check";
import type { Market } from "../../../services/core/market/market.ts";

interface Scale {
  readonly band: { readonly min: number; readonly max: number };
  readonly price: fc.Arbitrary<number>;
  readonly energyWh: fc.Arbitrary<number>;
  readonly capacityWh: fc.Arbitrary<number>;
}

/** Few prices, so that ties are common. */
const tied: Scale = {
  band: { min: -20, max: 20 },
  price: fc.integer({ min: -20, max: 20 }),
  energyWh: fc.integer({ min: 20, max: 90 }),
  capacityWh: fc.constantFrom(5, 20, 60, 1_000),
};

const real: Scale = {
  band: { min: -1_000_000, max: 10_000_000 },
  price: fc.integer({ min: 60_000, max: 300_000 }),
  energyWh: fc.integer({ min: 50, max: 5_000 }),
  capacityWh: fc.constantFrom(100, 500, 3_000, 100_000),
};

const meshOf = (scale: Scale, mostZones: number, mostOrders: number): fc.Arbitrary<Market> =>
  fc
    .record({
      count: fc.integer({ min: 2, max: mostZones }),
      tree: fc.array(fc.tuple(fc.nat(), fc.nat(9)), { minLength: mostZones, maxLength: mostZones }),
      loops: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: mostZones }),
      capacities: fc.array(scale.capacityWh, { minLength: 2 * mostZones, maxLength: 2 * mostZones }),
      reactances: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2 * mostZones, maxLength: 2 * mostZones }),
      constraint: fc.option(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: mostZones, maxLength: mostZones })),
      fee: fc.integer({ min: 0, max: 2 }),
      tariffs: fc.option(fc.tuple(scale.price, scale.price)),
      backups: fc.array(fc.tuple(fc.nat(2), scale.capacityWh), { minLength: mostZones, maxLength: mostZones }),
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
      const links = new Map<string, [number, number]>();
      for (let i = 1; i < draw.count; i += 1) {
        const [parent, chance] = draw.tree[i] as [number, number];
        // Now and then a new island.
        if (chance > 0 || i < 3) links.set(`${parent % i}-${i}`, [parent % i, i]);
      }
      for (const [a, b] of draw.loops) {
        const [from, to] = [a % draw.count, b % draw.count];
        if (from !== to && !links.has(`${to}-${from}`)) links.set(`${from}-${to}`, [from, to]);
      }
      const lines = [...links].map(([id, [from, to]], l) => ({
        id,
        from: `z${from}`,
        to: `z${to}`,
        capacityWh: draw.capacities[l % draw.capacities.length] as number,
        reactance: draw.reactances[l % draw.reactances.length] as number,
      }));
      const [a, b] = draw.tariffs ?? [0, 0];
      const sell = Math.max(a, b) + draw.fee + 1;
      return {
        zones,
        lines,
        feesMicroPerKwh: Object.fromEntries(zones.map((zone) => [zone, draw.fee])),
        constraints: draw.constraint
          ? [
              {
                id: "transformer",
                weights: Object.fromEntries(zones.map((zone, i) => [zone, (draw.constraint?.[i] as number) / 2])),
                maxWh: draw.capacities[0] as number,
                minWh: -(draw.capacities[1] as number),
              },
            ]
          : [],
        backup: zones.flatMap((zone, i) => {
          const [chance, capacityWh] = draw.backups[i] as [number, number];
          if (!draw.tariffs || chance > 0) return [];
          return [{ zone, sellMicroPerKwh: sell, buyMicroPerKwh: Math.min(a, b), capacityWh }];
        }),
        orders: draw.orders.map((order, i) => ({
          id: `o${i}`,
          side: order.offer ? ("offer" as const) : ("bid" as const),
          zone: `z${order.zone % draw.count}`,
          energyWh: order.energyWh,
          priceMicroPerKwh: order.price,
        })),
        priceBand: scale.band,
      };
    });

/** Random meshed markets of 2 to `mostZones` zones; limits are often tight. */
export const randomMesh = (mostZones: number, mostOrders: number): fc.Arbitrary<Market> =>
  fc.oneof(meshOf(tied, mostZones, mostOrders), meshOf(real, mostZones, mostOrders));
