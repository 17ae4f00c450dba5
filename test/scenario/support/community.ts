import { id as hashText } from "ethers";
import type { PackedReading } from "../../../services/protocol/words.ts";
import { DAY, GENESIS } from "./market.ts";

/** Ten homes. Points 0 to 3 lie in zone 0, 4 to 6 in zone 1, 7 to 9 in zone 2; then the community's battery in zone 0. */
export const HOMES = 10;
export const VAULT = HOMES;
export const POINTS = HOMES + 1;
export const ZONE_OF = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 0] as const;
/** Rating of every connection in both directions, Wh per slot. */
export const RATING_WH = 4_000;

/** Who has what: what each home is in the week's story. */
export const PV = [0, 4, 7] as const;
export const DELEGATED = 1;
/** Enrols in the demand response and does nothing. */
export const IDLE = 2;
/** A contract wallet (EIP-1271); it buys green energy alone. */
export const CONTRACT_WALLET = 3;
/** A battery and a wind turbine, both with meters of their own. */
export const BATTERY = 5;
/** Puts down little, trades nothing, and defaults. */
export const POOR = 6;
/** A small hydro plant without a meter of its own; no storage, so its export is evidence. */
export const HYDRO = 8;
/** A diesel engine that runs while the zone is an island. */
export const DIESEL = 9;

/** First day on which the community's battery trades. */
export const VAULT_FROM = 4;

/** What flowed in one slot, Wh: net of each connection (positive feeds in), the wind turbine's own meter, and the battery's. */
export interface Flows {
  net: number[];
  windWh: number;
  chargedWh: number;
  dischargedWh: number;
}

/** A number in [0, 1) that follows from the seed and what it is for, whoever asks when. */
export const chance = (seed: string, ...of: (string | number)[]): number =>
  Number.parseInt(hashText([seed, ...of].join(":")).slice(2, 14), 16) / 2 ** 48;

const bump = (at: number, centre: number, width: number): number => Math.exp(-(((at - centre) / width) ** 2));

/** Synthetic homes: a base, a morning and an evening; a sun with a cloud per day; wind that turns every hour. */
export const createCommunity = (seed: string) => {
  const loadWh = (home: number, slot: number): number => {
    const at = slot % DAY;
    const size = 0.7 + 0.6 * chance(seed, "size", home);
    const shape = 70 + 130 * bump(at, 30, 5) + 320 * bump(at, 75, 8) + 60 * bump(at, 52, 8);
    return Math.round(size * shape * (0.8 + 0.4 * chance(seed, "load", home, slot)));
  };
  const sun = (slot: number): number => {
    const at = slot % DAY;
    if (at < 28 || at > 70) return 0;
    const cloud = 0.45 + 0.55 * chance(seed, "cloud", Math.floor(slot / DAY), Math.floor(at / 6));
    return Math.sin((Math.PI * (at - 28)) / 42) * cloud;
  };
  const pvWh = (home: number, slot: number): number =>
    PV.includes(home as 0) ? Math.round((900 + 500 * chance(seed, "pv", home)) * sun(slot)) : 0;
  const windWh = (slot: number): number => Math.round(500 * chance(seed, "wind", Math.floor(slot / 4)));
  const hydroWh = (slot: number): number => Math.round(260 + 40 * chance(seed, "hydro", slot));
  /** 4 kWh in around noon, what is left of them in the evening. */
  const chargedWh = (slot: number): number => (slot % DAY >= 42 && slot % DAY < 54 ? 330 : 0);
  const dischargedWh = (slot: number): number => (slot % DAY >= 68 && slot % DAY < 80 ? 297 : 0);

  /** The community's battery, on the days on which it trades: in around noon, out in the evening. */
  const vaultWh = (slot: number): number => {
    const [day, at] = [Math.floor(slot / DAY) - GENESIS / DAY, slot % DAY];
    if (day < VAULT_FROM) return 0;
    return at >= 44 && at < 56 ? -400 : at >= 70 && at < 82 ? 360 : 0;
  };

  /** What happens in a slot; `islanded` runs the engine, `cutWh` is what the demand response takes off homes 0, 1 and 3. */
  const flowsOf = (slot: number, { islanded = false, cut = false } = {}): Flows => {
    const wind = windWh(slot);
    const net = Array.from({ length: POINTS }, (_, home) => {
      if (home === VAULT) return vaultWh(slot);
      const load = loadWh(home, slot) * (cut && (home === 0 || home === DELEGATED) ? 0.25 : 1);
      const made = pvWh(home, slot);
      if (home === BATTERY) return Math.round(made + wind + dischargedWh(slot) - chargedWh(slot) - load);
      if (home === HYDRO) return Math.round(hydroWh(slot) - load * 0.8);
      if (home === DIESEL) return Math.round((islanded ? 700 : 0) - load);
      return Math.round(made - load);
    });
    return { net, windWh: wind, chargedWh: chargedWh(slot), dischargedWh: dischargedWh(slot) };
  };
  /** What a home expects of a slot: the truth, give or take a tenth. */
  const forecastWh = (home: number, slot: number, islanded = false): number =>
    Math.round((flowsOf(slot, { islanded }).net[home] as number) * (0.9 + 0.2 * chance(seed, "forecast", home, slot)));

  return { loadWh, flowsOf, forecastWh };
};

export type Community = ReturnType<typeof createCommunity>;

export const metered = (netWh: number, quality = 0): PackedReading => ({
  ...{ importWh: Math.max(0, -netWh), exportWh: Math.max(0, netWh), quality },
});
