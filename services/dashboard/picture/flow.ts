import type { ApiPoint, LiveView } from "../../protocol/api.ts";

/** Below this a flow counts as still: it would be written as 0.0 kW. */
export const STILL_W = 50;

export type Direction = "buy" | "sell" | "still";

/** What a home does now; live power is positive for import. */
export const directionOf = (powerW: number | undefined): Direction =>
  powerW === undefined || Math.abs(powerW) < STILL_W ? "still" : powerW > 0 ? "buy" : "sell";

/** Three paces of moving dashes, so that a small change of power does not restart the motion. */
export const paceOf = (powerW: number, fullW: number): "slow" | "steady" | "fast" => {
  const share = Math.abs(powerW) / Math.max(1, fullW);
  return share < 0.15 ? "slow" : share < 0.5 ? "steady" : "fast";
};

/** Width of a flow in a wire `trackWidth` wide: the share of the limit that is used, never invisible, never wider. */
export const flowWidth = (powerW: number, limitW: number, trackWidth: number): number =>
  Math.max(1.5, Math.min(1, Math.abs(powerW) / Math.max(1, limitW)) * trackWidth);

export interface Balance {
  readonly sellingW: number;
  readonly buyingW: number;
  /** What homes give to homes: the smaller of the two sums. */
  readonly localW: number;
  /** Positive = the neighbourhood takes from the grid. */
  readonly gridW: number;
  readonly sellers: number;
  readonly buyers: number;
}

/** Sums over all homes; the grid covers what is left. */
export const balanceOf = (live: LiveView): Balance => {
  let sellingW = 0;
  let buyingW = 0;
  let sellers = 0;
  let buyers = 0;
  for (const { powerW } of live.points) {
    if (powerW > 0) buyingW += powerW;
    else sellingW -= powerW;
    const direction = directionOf(powerW);
    if (direction === "buy") buyers++;
    if (direction === "sell") sellers++;
  }
  return { sellingW, buyingW, localW: Math.min(sellingW, buyingW), gridW: buyingW - sellingW, sellers, buyers };
};

/** Net import of every zone, W: its head meter where it tells, else the sum of its homes. */
export const zoneNetW = (points: readonly ApiPoint[], live: LiveView): Map<string, number> => {
  const zoneOf = new Map(points.map((point) => [point.point, point.zone]));
  const sums = new Map<string, number>();
  for (const { point, powerW } of live.points) {
    const zone = zoneOf.get(point);
    if (zone !== undefined) sums.set(zone, (sums.get(zone) ?? 0) + powerW);
  }
  return sums;
};

/** One sentence for the question "where does energy flow now?". */
export const flowSentence = ({ sellers, buyers, gridW, localW }: Balance): string => {
  if (sellers === 0 && buyers === 0) return "Nothing flows right now.";
  const homes = (n: number): string => (n === 1 ? "1 home" : `${n} homes`);
  if (localW < STILL_W)
    return gridW > 0
      ? `${homes(buyers)} ${buyers === 1 ? "draws" : "draw"} from the grid.`
      : `${homes(sellers)} ${sellers === 1 ? "feeds" : "feed"} the grid.`;
  const rest =
    Math.abs(gridW) < STILL_W
      ? "and nothing comes from the grid."
      : gridW > 0
        ? "and the grid covers the rest."
        : "and the rest goes to the grid.";
  return `${homes(sellers)} ${sellers === 1 ? "supplies" : "supply"} ${homes(buyers)}, ${rest}`;
};
