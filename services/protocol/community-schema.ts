import { z } from "zod";
import type { Community, HomeVehicle } from "../core/community/community.ts";
import { parseWith } from "../platform/config.ts";
import { wrongInput } from "../platform/errors.ts";

const MICRO = 1e6;
const MOST_W = 100_000_000;

const name = z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, "must be 1 to 40 letters, digits, - or _");
const watts = z
  .number()
  .int("must be whole W")
  .min(1, "must be at least 1 W")
  .max(MOST_W, `must be at most ${MOST_W} W`);
const share = z.number().min(0, "must be from 0 to 1").max(1, "must be from 0 to 1");
const efficiency = z.number().gt(0, "must be above 0, at most 1").max(1, "must be above 0, at most 1");
const clockTime = z
  .string()
  .regex(/^([01]\d|2[0-3]):(00|15|30|45)$/, 'must be a quarter of an hour in UTC, such as "17:45"');
const capacityWh = z
  .number()
  .int("must be whole Wh")
  .min(100, "must be at least 100 Wh")
  .max(600_000, "must be at most 600000 Wh");

const vehicle = z
  .object({
    id: name,
    capacityWh,
    maxChargeW: watts.max(65_000, "must be at most 65000 W"),
    chargeEfficiency: efficiency,
    arrival: clockTime,
    departure: clockTime,
    arrivalSoc: share,
    targetSoc: share,
  })
  .strict();

const home = z
  .object({
    id: name,
    zone: name,
    importRatingW: watts,
    exportRatingW: watts,
    pvW: z.number().int("must be whole W").min(0, "must not be negative").max(MOST_W, `must be at most ${MOST_W} W`),
    battery: z.object({ capacityWh, powerW: watts, efficiency }).strict().optional(),
    vehicle: vehicle.optional(),
  })
  .strict();

const schema = z
  .object({
    name: z.string().min(1, "must not be empty"),
    currency: z.string().min(1, "must not be empty"),
    zones: z.array(name).min(1, "must name at least one zone"),
    lines: z.array(z.object({ id: name, from: name, to: name, capacityW: watts }).strict()),
    gridZone: name,
    gridCapacityW: watts,
    feePerKwh: z.number().min(0, "must not be negative").max(1000, "must be at most 1000"),
    stepSeconds: z.number().int("must be whole seconds").positive("must be positive"),
    homes: z.array(home).min(1, "must have at least one home"),
  })
  .strict();

type CommunityFile = z.infer<typeof schema>;

/** Price per kWh in whole micro. */
export const toMicro = (perKwh: number): number => Math.round(perKwh * MICRO);

const toSecond = (time: string): number => Number(time.slice(0, 2)) * 3600 + Number(time.slice(3)) * 60;
const toTime = (second: number): string =>
  `${String(Math.floor(second / 3600)).padStart(2, "0")}:${String((second % 3600) / 60).padStart(2, "0")}`;

/**
 * Checks the content of a community.json.
 * @param what named in errors, such as "community.json"
 * @throws DaegError exit 1 naming the first wrong field and its fix
 */
export function parseCommunity(value: unknown, what: string): Community {
  const file = parseWith(schema, value, what);
  const zones = new Set(file.zones);
  unique(file.zones, (i) => `${what}: zones[${i}]`);
  unique(
    file.homes.map(({ id }) => id),
    (i) => `${what}: homes[${i}].id`,
  );
  unique(
    file.lines.map(({ id }) => id),
    (i) => `${what}: lines[${i}].id`,
  );
  const known = (zone: string, field: string): void => {
    if (!zones.has(zone))
      throw wrongInput(`${what}: ${field}: zone "${zone}" is not in zones: add it there or correct it`);
  };
  known(file.gridZone, "gridZone");
  file.homes.forEach(({ zone }, i) => known(zone, `homes[${i}].zone`));
  file.lines.forEach((line, i) => {
    known(line.from, `lines[${i}].from`);
    known(line.to, `lines[${i}].to`);
  });
  refuseLoops(file, what);
  if (file.stepSeconds % 900 !== 0) {
    throw wrongInput(
      `${what}: stepSeconds: must be a multiple of 900 (a slot), not ${file.stepSeconds}: resample the series`,
    );
  }
  const { feePerKwh, homes, ...rest } = file;
  return {
    ...rest,
    feeMicroPerKwh: toMicro(feePerKwh),
    homes: homes.map(({ vehicle: car, ...others }) => ({ ...others, ...(car ? { vehicle: readVehicle(car) } : {}) })),
  };
}

/** The community as the object of a community.json; `parseCommunity` reads it back equal. */
export function formatCommunity({ feeMicroPerKwh, homes, ...rest }: Community): CommunityFile {
  return {
    ...rest,
    zones: [...rest.zones],
    lines: [...rest.lines],
    feePerKwh: feeMicroPerKwh / MICRO,
    homes: homes.map(({ vehicle: car, battery, ...others }) => ({
      ...others,
      ...(battery ? { battery } : {}),
      ...(car ? { vehicle: writeVehicle(car) } : {}),
    })),
  };
}

function readVehicle({ arrival, departure, ...rest }: z.infer<typeof vehicle>): HomeVehicle {
  return { ...rest, arrivalSecond: toSecond(arrival), departureSecond: toSecond(departure) };
}

function writeVehicle({ arrivalSecond, departureSecond, ...rest }: HomeVehicle): z.infer<typeof vehicle> {
  return { ...rest, arrival: toTime(arrivalSecond), departure: toTime(departureSecond) };
}

function unique(ids: readonly string[], field: (index: number) => string): void {
  ids.forEach((id, i) => {
    if (ids.indexOf(id) !== i) throw wrongInput(`${field(i)}: "${id}" is there twice: give every one its own name`);
  });
}

/** Lines must form a tree (or several): a second path between two zones needs impedances, which this format lacks. */
function refuseLoops(file: CommunityFile, what: string): void {
  const root = new Map(file.zones.map((zone) => [zone, zone]));
  const find = (zone: string): string => {
    const above = root.get(zone)!;
    return above === zone ? zone : find(above);
  };
  file.lines.forEach(({ id, from, to }, i) => {
    const [a, b] = [find(from), find(to)];
    if (a === b) {
      throw wrongInput(
        `${what}: lines[${i}]: "${id}" closes a loop between ${from} and ${to}: lines must be radial, remove one`,
      );
    }
    root.set(a, b);
  });
}
