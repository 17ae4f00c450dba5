import { bell, createRandom } from "./random.ts";

const STEPS = 96;
const LATITUDE = (48 * Math.PI) / 180;

/** Sine of the sun's height at an hour (local solar time) of a day of the year, 0 at night. */
export function sunHeight(dayOfYear: number, hour: number): number {
  const declination = ((-23.44 * Math.PI) / 180) * Math.cos((2 * Math.PI * (dayOfYear + 10)) / 365);
  const angle = ((hour - 12) * Math.PI) / 12;
  const sine =
    Math.sin(LATITUDE) * Math.sin(declination) + Math.cos(LATITUDE) * Math.cos(declination) * Math.cos(angle);
  return Math.max(0, sine);
}

/** Share of the clear-sky sun that reaches the roofs in each quarter hour of a day: clear, broken or overcast skies by seed. */
export function skyOfDay(seed: number, day: number): Float64Array {
  const random = createRandom(seed, 101, day);
  const kind = random();
  const [mean, spread] = kind < 0.45 ? [0.93, 0.04] : kind < 0.8 ? [0.62, 0.2] : [0.25, 0.08];
  let wander = 0;
  return Float64Array.from({ length: STEPS }, () => {
    wander = 0.75 * wander + 0.66 * bell(random);
    return Math.max(0.05, Math.min(1, mean + spread * wander));
  });
}

/** Day of the year, 1 to 366, of a day counted from 1970-01-01. */
export function dayOfYear(day: number): number {
  const date = new Date(day * 86_400_000);
  return Math.round((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}
