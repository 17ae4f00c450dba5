import { DemandResponse__factory } from "../../types/contracts/factories/consumption/DemandResponse__factory.ts";
import { Profiles__factory } from "../../types/contracts/factories/consumption/Profiles__factory.ts";
import { Usage__factory } from "../../types/contracts/factories/consumption/Usage__factory.ts";
import type { Group } from "./group.ts";

export interface ConsumptionOptions {
  /** Who may announce demand-response events; the operator by default. */
  sponsors?: readonly string[];
  /** Who publishes the grid's carbon intensity; the operator by default. */
  publisher?: string;
  /** Baseline: mean of the highest `high` of the last `days` eligible days, of which at least `minimum` must be there. */
  baseline?: { days: number; high: number; minimum: number };
  /** Time-of-use period (0 to 3) of each hour in UTC: 24 of weekdays, then 24 of weekends. */
  periods?: readonly number[];
  /** Carbon intensity of a day that nobody published in time, g CO2 per kWh. */
  defaultGramsPerKwh?: number;
}

const DEFAULT_BASELINE = { days: 10, high: 5, minimum: 5 };
/** 0 from 22:00 to 06:00, 2 from 17:00 to 21:00 of weekdays, else 1. */
const NIGHT = { from: 22, until: 6 };
const EVENING = { from: 17, until: 21 };
const DEFAULT_PERIODS = Array.from({ length: 48 }, (_, index) => {
  const hour = index % 24;
  if (hour >= NIGHT.from || hour < NIGHT.until) return 0;
  return index < 24 && hour >= EVENING.from && hour < EVENING.until ? 2 : 1;
});
/** Above what most grids have on average, so that not publishing never makes a footprint look better. */
const DEFAULT_GRAMS_PER_KWH = 600;

/** Profiles, demand response, and usage with its carbon. */
export const consumption: Group = {
  name: "consumption",
  creations: ({ genesisSlot, consumption: options = {} }) => [
    { name: "profiles", transaction: ({ at }) => new Profiles__factory().getDeployTransaction(at.meteringPoints) },
    {
      name: "demandResponse",
      transaction: ({ at }) => {
        const { days, high, minimum } = options.baseline ?? DEFAULT_BASELINE;
        return new DemandResponse__factory().getDeployTransaction(
          at.accessManager,
          at.ledger,
          at.readingArchive,
          at.meteringPoints,
          at.auction,
          at.tariffs,
          genesisSlot,
          [days, high, minimum],
        );
      },
    },
    {
      name: "usage",
      transaction: ({ at }) =>
        new Usage__factory().getDeployTransaction(
          at.accessManager,
          at.readingArchive,
          at.certificates,
          [...(options.periods ?? DEFAULT_PERIODS)] as never,
          options.defaultGramsPerKwh ?? DEFAULT_GRAMS_PER_KWH,
        ),
    },
  ],
  restrictions: ({ at }) => [
    {
      target: at.demandResponse,
      role: "ACCREDITED",
      abi: DemandResponse__factory.createInterface(),
      functions: ["announce"],
    },
    { target: at.usage, role: "PUBLISHER", abi: Usage__factory.createInterface(), functions: ["publishIntensity"] },
  ],
  holders: ({ operator, consumption: { sponsors = [operator], publisher = operator } = {} }) => [
    ...sponsors.map((account) => ({ role: "ACCREDITED" as const, account })),
    { role: "PUBLISHER", account: publisher },
  ],
};
