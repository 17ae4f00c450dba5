import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Community, CommunityData } from "../../services/core/community/community.ts";
import { SLOT_SECONDS, slotAt } from "../../services/platform/clock.ts";
import { wrongInput } from "../../services/platform/errors.ts";
import { loadCommunity, writeCommunity } from "../../services/protocol/community-file.ts";
import { createNeighbourhood } from "../../services/simulator/neighbourhood.ts";

const DAY_SECONDS = 86_400;
const SLOTS_PER_DAY = 96;
/** Days of past that the agents learn from, before the first slot of the built-in neighbourhood. */
const PAST_DAYS = 7;
/** The built-in neighbourhood's first delivered day: midsummer, so that there is sun to trade. */
const BUILT_IN_START = "2026-06-22T00:00:00Z";

/** What a local run is made of. */
export interface RunPlan {
  community: Community;
  series: CommunityData["series"];
  /** Folder with exactly this community, for the processes that read it. */
  communityDir: string;
  /** First slot that is traded and delivered. */
  firstSlot: number;
  slots: number;
  seed: number;
}

export interface RunOptions {
  data?: string;
  start?: string;
  days?: number;
  homes?: number;
  seed: number;
}

/** Reads a whole number of an option. @throws DaegError exit 1 naming the option and its range */
export const wholeOption = (name: string, value: string, low: number, high: number): number => {
  const number = Number(value);
  if (!/^-?\d+$/.test(value) || number < low || number > high) {
    throw wrongInput(`${name} ${value}: give a whole number from ${low} to ${high}`);
  }
  return number;
};

/**
 * Settles what a run plays: the community of `--data` or the built-in neighbourhood, its first homes, its first slot.
 * Writes a community that is not used as it is into the state folder.
 * @throws DaegError exit 1 naming the wrong option or file
 */
export const planRun = (
  options: RunOptions,
  stateDir: string,
  builtIn: { homes: number; cars: number; nearNoon?: boolean },
): RunPlan => {
  const { data, seed, homes, days = 1 } = options;
  const given = data === undefined ? neighbourhood(options, builtIn) : loadCommunity(data);
  const chosen = homes === undefined ? given : firstHomes(given, homes, data);
  let communityDir = data;
  if (communityDir === undefined || chosen !== given) {
    communityDir = join(stateDir, "community");
    mkdirSync(communityDir, { recursive: true });
    writeCommunity(communityDir, chosen);
  }
  const { community, series } = chosen;
  const first = series.times[0] ?? 0;
  const end = first + series.times.length * series.stepSeconds;
  const usual = first + PAST_DAYS * DAY_SECONDS;
  const start =
    options.start !== undefined ? startOf(options.start) : builtIn.nearNoon ? beforeNoon(series, usual) : usual;
  const slots = days * SLOTS_PER_DAY;
  if (start < first + DAY_SECONDS || start + slots * SLOT_SECONDS > end) {
    throw wrongInput(
      `a run of ${days} day${days === 1 ? "" : "s"} from ${iso(start)} does not lie in the series (${iso(first)} to ${iso(end)}, ` +
        `its first day is the agents' past): choose --start and --days inside it`,
    );
  }
  return { community, series, communityDir, firstSlot: slotAt(start), slots, seed };
};

const neighbourhood = (
  { seed, homes, days = 1, start }: RunOptions,
  builtIn: { homes: number; cars: number },
): CommunityData => {
  const first = (start === undefined ? startOf(BUILT_IN_START) : startOf(start)) - PAST_DAYS * DAY_SECONDS;
  const midnight = Math.floor(first / DAY_SECONDS) * DAY_SECONDS;
  return createNeighbourhood({
    homes: homes ?? builtIn.homes,
    days: days + PAST_DAYS + 1,
    seed,
    start: iso(midnight),
    cars: Math.min(builtIn.cars, homes ?? builtIn.homes),
  });
};

/** Two hours before the most sun of the day that starts at `dayStart`: trade is visible soon after the start. */
const beforeNoon = ({ times, stepSeconds, pvWh }: CommunityData["series"], dayStart: number): number => {
  const sun = (row: number): number => pvWh.reduce((sum, home) => sum + (home[row] ?? 0), 0);
  let best = dayStart;
  let most = 0;
  times.forEach((time, row) => {
    if (time >= dayStart && time < dayStart + DAY_SECONDS && sun(row) > most)
      [best, most] = [time + stepSeconds / 2, sun(row)];
  });
  return most === 0 ? dayStart : Math.max(dayStart, Math.floor(best / SLOT_SECONDS) * SLOT_SECONDS - 2 * 3600);
};

const firstHomes = (data: CommunityData, count: number, dir?: string): CommunityData => {
  const { community, series } = data;
  if (count > community.homes.length) {
    throw wrongInput(
      `--homes ${count}: ${dir ?? "the community"} has ${community.homes.length} homes; give at most that many`,
    );
  }
  if (count === community.homes.length) return data;
  return {
    community: { ...community, homes: community.homes.slice(0, count) },
    series: { ...series, loadWh: series.loadWh.slice(0, count), pvWh: series.pvWh.slice(0, count) },
  };
};

const startOf = (text: string): number => {
  const seconds = Date.parse(text) / 1000;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text) || !Number.isFinite(seconds)) {
    throw wrongInput(`--start ${text}: give ISO-8601 UTC, such as 2021-08-08T07:00:00Z`);
  }
  if (seconds % SLOT_SECONDS !== 0)
    throw wrongInput(`--start ${text}: must be a quarter of an hour, the start of a slot`);
  return seconds;
};

/** ISO-8601 UTC without milliseconds. */
export const iso = (unixSeconds: number): string => new Date(unixSeconds * 1000).toISOString().replace(".000Z", "Z");
