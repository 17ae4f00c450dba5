import fc from "fast-check";
import type { Market, MarketConstraint, MarketLine } from "../../../../services/core/market/market.ts";
import { fullMarketOf, real, tiny } from "./random-market.ts";
import type { Scale } from "./random-market.ts";

/** Random meshed markets: trees of `random-market.ts` with loops, parallel lines and constraints added. */
export const meshOf = (scale: Scale, mostZones: number, mostOrders: number): fc.Arbitrary<Market> =>
  fc
    .record({
      market: fullMarketOf(scale, mostZones, mostOrders),
      loops: fc.array(fc.tuple(fc.nat(), fc.nat(), scale.capacityWh), { minLength: 1, maxLength: mostZones }),
      reactances: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 3 * mostZones, maxLength: 3 * mostZones }),
      constraints: fc.array(
        fc.record({
          weights: fc.array(fc.integer({ min: -200, max: 200 }), { minLength: mostZones, maxLength: mostZones }),
          maxWh: fc.option(scale.capacityWh, { nil: undefined }),
          minWh: fc.option(scale.capacityWh, { nil: undefined }),
        }),
        { maxLength: 2 },
      ),
      fine: fc.constantFrom(1, 100, 64),
    })
    .map(({ market, loops, reactances, constraints, fine }): Market => {
      const zones = market.zones ?? [];
      const pairs = loops.map(([a, b, capacityWh]) => ({
        from: zones[a % zones.length] as string,
        to: zones[b % zones.length] as string,
        capacityWh,
      }));
      const radial = market.lines ?? [];
      // Loops stay within islands, so that tariffs and fees stay one per island.
      const island = new Map(zones.map((zone) => [zone, zone]));
      for (const { from, to } of radial) {
        const [a, b] = [island.get(from), island.get(to)];
        for (const zone of zones) if (island.get(zone) === a) island.set(zone, b as string);
      }
      const lines: MarketLine[] = [
        ...radial,
        ...pairs
          .filter(({ from, to }) => from !== to && island.get(from) === island.get(to))
          .map((pair, i) => ({ id: `m${i}`, ...pair })),
      ].map((line, i) => ({ ...line, reactance: (reactances[i] as number) / 1_000 }));
      return {
        ...market,
        lines,
        constraints: constraints.map(({ weights, maxWh, minWh }, i): MarketConstraint => ({
          id: `c${i}`,
          weights: Object.fromEntries(zones.map((zone, z) => [zone, (weights[z] as number) / fine])),
          maxWh,
          minWh: minWh === undefined ? undefined : -minWh + 0,
        })),
      };
    })
    .filter(({ lines = [], zones = [], constraints = [] }) => lines.length >= zones.length || constraints.length > 0);

/**
 * Is every constraint wide enough for what one Wh more or less in every zone changes? Whole Wh need not fit a narrower one.
 * Lines may be as narrow as they like.
 */
export const isWide = ({ constraints = [] }: Market): boolean =>
  constraints.every(({ weights, minWh = -Infinity, maxWh = Infinity }) => {
    const width = Object.values(weights).reduce((sum, weight) => sum + Math.abs(weight), 0);
    return maxWh - minWh >= width;
  });

/** In small and real numbers. */
export const randomMesh = (mostZones: number, mostOrders: number): fc.Arbitrary<Market> =>
  fc.oneof(meshOf(tiny, mostZones, mostOrders), meshOf(real, mostZones, mostOrders));
