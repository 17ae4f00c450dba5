import type { CommunityData, Home, HomeVehicle, Series } from "../core/community/community.ts";
import { wrongInput } from "../platform/errors.ts";
import { habitsOf, loadOfDay } from "./load-shape.ts";
import { createRandom } from "./random.ts";
import { dayOfYear, skyOfDay, sunHeight } from "./weather.ts";

export interface NeighbourhoodOptions {
  /** Number of homes, at least 1. */
  homes: number;
  /** Length of the series. */
  days: number;
  seed: number;
  /** ISO-8601 UTC; the series starts at 00:00 UTC of this day. */
  start: string;
  name?: string | undefined;
  /** How many homes have a car with a charger; 0 unless asked for. */
  cars?: number | undefined;
}

const ZONES = ["north", "middle", "south"] as const;
const STEPS = 96;
const STEP_SECONDS = 900;
const DAY_SECONDS = 86_400;
const FEE_MICRO = 20_000;
const EXPORT_MICRO = 80_000;

/**
 * A neighbourhood made from a seed: homes in three zones on one feeder, solar power on most roofs, batteries in some, a
 * time-of-use tariff. Pure: a day looks the same whatever day the series starts with.
 */
export function createNeighbourhood(options: NeighbourhoodOptions): CommunityData {
  const { homes: count, days, seed, start, name = "Seeded neighbourhood", cars = 0 } = options;
  const startSeconds = Date.parse(start) / 1000;
  if (!Number.isFinite(startSeconds))
    throw wrongInput(`start is "${start}": give ISO-8601 UTC such as 2026-06-01T00:00:00Z`);
  const zones = ZONES.slice(0, Math.min(count, ZONES.length));
  const homes = Array.from({ length: count }, (_, i) => homeOf(seed, i, zones[i % zones.length]!, i < cars));
  const perZone = Math.ceil(count / zones.length);
  return {
    community: {
      name,
      currency: "EUR",
      zones,
      // Behind the first line hang two zones, behind the second one.
      lines: zones.slice(1).map((zone, i) => ({
        id: `${zones[i]!}-${zone}`,
        from: zones[i]!,
        to: zone,
        capacityW: Math.max(8_000, perZone * (zones.length - 1 - i) * 1_600),
      })),
      gridZone: zones[0]!,
      gridCapacityW: Math.max(30_000, count * 5_000),
      feeMicroPerKwh: FEE_MICRO,
      stepSeconds: STEP_SECONDS,
      homes,
    },
    series: seriesOf(homes, seed, Math.floor(startSeconds / DAY_SECONDS), days),
  };
}

/** Every fifth home has neither roof nor battery; three of five have solar power alone or with a battery. */
function homeOf(seed: number, index: number, zone: string, hasCar: boolean): Home {
  const random = createRandom(seed, 404, index);
  const kind = index % 5;
  const solar = kind !== 2;
  const stored = kind === 0 || kind === 3;
  const vehicle: HomeVehicle = {
    id: `car${index + 1}`,
    capacityWh: 52_000 + 1_000 * Math.floor(random() * 26),
    maxChargeW: 11_000,
    chargeEfficiency: 0.92,
    arrivalSecond: (16 * 4 + Math.floor(random() * 10)) * STEP_SECONDS,
    departureSecond: (6 * 4 + Math.floor(random() * 8)) * STEP_SECONDS,
    arrivalSoc: 0.4 + Math.round(random() * 20) / 100,
    targetSoc: 0.8,
  };
  return {
    id: `home${index + 1}`,
    zone,
    importRatingW: hasCar ? 22_000 : 15_000,
    exportRatingW: 12_000,
    pvW: solar ? 2_000 + 500 * Math.floor(random() * 8) : 0,
    ...(stored
      ? {
          battery: {
            capacityWh: 5_000 + 500 * Math.floor(random() * 11),
            powerW: random() < 0.5 ? 3_000 : 5_000,
            efficiency: 0.9,
          },
        }
      : {}),
    ...(hasCar ? { vehicle } : {}),
  };
}

function seriesOf(homes: readonly Home[], seed: number, firstDay: number, days: number): Series {
  const rows = days * STEPS;
  const hourOf = (row: number): number => ((row % STEPS) + 0.5) / 4;
  const loadWh = homes.map(() => new Int32Array(rows));
  const pvWh = homes.map(() => new Int32Array(rows));
  const habits = homes.map((_, home) => habitsOf(seed, home));
  for (let d = 0; d < days; d++) {
    const day = firstDay + d;
    const sky = skyOfDay(seed, day);
    homes.forEach(({ pvW }, home) => {
      loadWh[home]!.set(loadOfDay(habits[home]!, seed, home, day), d * STEPS);
      const random = createRandom(seed, 505, home, day);
      const facing = 0.78 + 0.12 * createRandom(seed, 606, home)();
      for (let step = 0; step < STEPS; step++) {
        const sun = sunHeight(dayOfYear(day), hourOf(step)) ** 1.15 * sky[step]! * (0.97 + 0.06 * random());
        pvWh[home]![d * STEPS + step] = Math.round((pvW * facing * sun) / 4);
      }
    });
  }
  const byHour = (value: (hour: number) => number) =>
    Float64Array.from({ length: rows }, (_, row) => value(hourOf(row)));
  return {
    stepSeconds: STEP_SECONDS,
    times: Float64Array.from({ length: rows }, (_, row) => firstDay * DAY_SECONDS + row * STEP_SECONDS),
    importPriceMicroPerKwh: Int32Array.from(byHour(importPriceMicro)),
    exportPriceMicroPerKwh: new Int32Array(rows).fill(EXPORT_MICRO),
    co2KgPerKwh: byHour((hour) => Math.round((0.36 - 0.12 * Math.exp(-0.5 * ((hour - 13) / 3) ** 2)) * 1e4) / 1e4),
    loadWh,
    pvWh,
  };
}

/** Time of use: night, day, evening peak. */
function importPriceMicro(hour: number): number {
  if (hour < 6 || hour >= 22) return 230_000;
  return hour >= 17 && hour < 21 ? 420_000 : 310_000;
}

export { writeCommunity } from "../protocol/community-file.ts";
