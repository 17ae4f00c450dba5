import { bell, createRandom } from "./random.ts";
import { dayOfYear } from "./weather.ts";

const STEPS = 96;

/** Habits of a household, by seed. */
export interface Habits {
  readonly baseW: number;
  readonly morningHour: number;
  readonly morningW: number;
  readonly noonW: number;
  readonly eveningHour: number;
  readonly eveningW: number;
}

export function habitsOf(seed: number, home: number): Habits {
  const random = createRandom(seed, 202, home);
  const size = 0.7 + 0.8 * random();
  return {
    baseW: size * (110 + 120 * random()),
    morningHour: 6.4 + 1.8 * random(),
    morningW: size * (350 + 450 * random()),
    noonW: size * (100 + 350 * random()),
    eveningHour: 18 + 2 * random(),
    eveningW: size * (600 + 700 * random()),
  };
}

/** A peak around an hour, over midnight too. */
const peak = (hour: number, centre: number, width: number): number => {
  const distance = ((hour - centre + 36) % 24) - 12;
  return Math.exp(-0.5 * (distance / width) ** 2);
};

/**
 * Energy of a household in each quarter hour of a day, whole Wh: base load, a morning and an evening peak (later and flatter
 * at weekends), more in winter, noise, and single appliances of 1 to 2.5 kW.
 */
export function loadOfDay(habits: Habits, seed: number, home: number, day: number): Int32Array {
  const random = createRandom(seed, 303, home, day);
  const weekend = (day + 3) % 7 >= 5;
  const winter = 1 + 0.18 * Math.cos((2 * Math.PI * (dayOfYear(day) - 15)) / 365);
  const shift = bell(random) * 0.35;
  const appliances = Array.from({ length: 1 + Math.floor(random() * 4) }, () => ({
    from: Math.floor((weekend ? 8 + 13 * random() : 6 + 15.5 * random()) * 4),
    steps: 2 + Math.floor(random() * 4),
    watts: 900 + 1_600 * random(),
  }));
  let wander = 0;
  return Int32Array.from({ length: STEPS }, (_, step) => {
    const hour = (step + 0.5) / 4;
    wander = 0.6 * wander + 0.8 * bell(random);
    const morning = habits.morningW * peak(hour, habits.morningHour + (weekend ? 1.8 : 0) + shift, weekend ? 1.6 : 1);
    const noon = habits.noonW * (weekend ? 1.5 : 1) * peak(hour, 12.7, 1.3);
    const evening = habits.eveningW * peak(hour, habits.eveningHour + shift, 2);
    const regular = (habits.baseW + morning + noon + evening) * winter * Math.max(0.4, 1 + 0.16 * wander);
    const running = appliances.filter(({ from, steps }) => step >= from && step < from + steps);
    return Math.round((regular + running.reduce((sum, { watts }) => sum + watts, 0)) / 4);
  });
}
