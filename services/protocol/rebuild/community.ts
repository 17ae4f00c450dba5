import type { Addresses } from "../addresses.ts";
import type { RawLog } from "../events.ts";
import { createBattery, type RebuiltBattery } from "./battery-shares.ts";
import { createBills, type BillLine } from "./bills.ts";
import { createBonds } from "./bonds.ts";
import { createCertificates, type RebuiltCertificates } from "./certificates.ts";
import { createFacts, type MarketFacts } from "./facts.ts";
import { createGenerators, type RebuiltGenerator } from "./generators.ts";
import { createIncentives, type RebuiltIncentives } from "./incentives.ts";
import { eventsOfLogs, type LogEvent } from "./log-events.ts";
import { createResponses, type RebuiltEvent } from "./responses.ts";
import { createShares, type RebuiltShares } from "./shares.ts";
import { createStandings, type RebuiltStanding } from "./standings.ts";
import { createStorage, type RebuiltUnit } from "./storage.ts";
import { createUsage, type RebuiltMonth } from "./usage.ts";

/** Everything of record of a market, from its events alone. Money nano-token unless it says base units, energy Wh. */
export interface Community {
  facts: MarketFacts;
  /** Of every account of the ledger, points and pools (market-store.ts) by number. */
  balancesNano: Map<number, bigint>;
  /** What addresses earned by clearing and did not take out. */
  earnedNano: Map<string, bigint>;
  /** Lines of every account, in the chain's order; they sum to its balance. */
  bills: Map<number, BillLine[]>;
  standings: Map<number, RebuiltStanding>;
  certificates: RebuiltCertificates;
  generators: RebuiltGenerator[];
  incentives: RebuiltIncentives;
  /** Free deposits of relayers, token base units. */
  bonds: Map<string, bigint>;
  /** Events of demand response by number: baselines, payments, penalties. */
  responses: RebuiltEvent[];
  /** What sponsors of demand response may withdraw, token base units. */
  owedToSponsors: Map<string, bigint>;
  /** By point, then by month (12 x year + month - 1). */
  usage: Map<number, Map<number, RebuiltMonth>>;
  storageUnits: RebuiltUnit[];
  /** The community battery's vault. */
  battery: RebuiltBattery;
  /** What peak charge and refunds go by. */
  shares: RebuiltShares;
  /** Where events contradict each other, or what was computed from cleared positions and readings: must be empty. */
  problems: string[];
}

/**
 * Rebuilds a market from its logs. Pure; a log that is missing, doubled or changed shows in `problems` or as a difference to what the contracts hold.
 * @param logs of the contracts named by `rebuiltAddresses` at least, from the first block on, in any order
 */
export const rebuildCommunity = (logs: readonly RawLog[], addresses: Addresses): Community =>
  communityOf(eventsOfLogs(logs, addresses), addresses);

/** The same from events that are decoded already (`eventsOfLogs`), in the chain's order. */
export const communityOf = (events: readonly LogEvent[], addresses: Addresses): Community => {
  const problems: string[] = [];
  let place = "";
  const report = (problem: string): void => {
    problems.push(`${place}${problem}`);
  };
  const { facts, apply: applyFacts } = createFacts(report);
  const bills = createBills(addresses, facts, report);
  const generators = createGenerators(facts, report);
  const certificates = createCertificates(facts, report);
  const incentives = createIncentives(generators.generators, report);
  const bonds = createBonds();
  const standings = createStandings();
  const responses = createResponses(facts, report);
  const usage = createUsage(facts, certificates.certificates.matched, report);
  const storage = createStorage(facts, report);
  const battery = createBattery(report);
  const shares = createShares(addresses, facts, bills.balancesNano, report);

  const apply = (event: LogEvent): void => {
    applyFacts(event);
    bills.apply(event);
    const counted = generators.apply(event);
    if (counted) certificates.expect(counted);
    certificates.apply(event);
    incentives.apply(event);
    bonds.apply(event);
    standings.apply(event);
    responses.apply(event);
    usage.apply(event);
    storage.apply(event);
    battery.apply(event);
    shares.apply(event);
  };
  for (const event of events) {
    const { block, name } = event.core ?? event.module;
    place = `block ${block}, ${name}: `;
    try {
      apply(event);
    } catch (error) {
      // What an event stands on is missing among the logs.
      report(`means nothing here: ${(error as Error).message}`);
    }
  }
  place = "";
  bills.finish();
  certificates.finish();
  shares.finish();
  battery.finish();
  return {
    ...{ facts, balancesNano: bills.balancesNano, earnedNano: bills.earnedNano, bills: bills.bills },
    ...{ certificates: certificates.certificates, generators: generators.generators },
    ...{ incentives: incentives.incentives, bonds: bonds.free, problems },
    standings: standings.standings,
    ...{ responses: responses.events, owedToSponsors: responses.owed, usage: usage.usage },
    ...{ storageUnits: storage.units, battery: battery.battery, shares: shares.shares },
  };
};
