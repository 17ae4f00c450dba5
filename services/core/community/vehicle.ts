import type { HomeVehicle } from "./community.ts";

const DAY_SECONDS = 86400;

/** One stay of a car at its charger, unix seconds, `arrival <= t < departure`. */
export interface Stay {
  readonly arrival: number;
  readonly departure: number;
}

/** The stay that covers `now` (unix seconds), or null while the car is away. */
export function stayAt(vehicle: HomeVehicle, now: number): Stay | null {
  const staySeconds = (vehicle.departureSecond - vehicle.arrivalSecond + DAY_SECONDS) % DAY_SECONDS || DAY_SECONDS;
  const midnight = Math.floor(now / DAY_SECONDS) * DAY_SECONDS;
  for (const day of [midnight, midnight - DAY_SECONDS]) {
    const arrival = day + vehicle.arrivalSecond;
    if (arrival <= now && now < arrival + staySeconds) return { arrival, departure: arrival + staySeconds };
  }
  return null;
}
