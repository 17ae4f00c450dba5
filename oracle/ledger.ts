/** Accepted reports: what the chain took is the truth, whoever proposed it. */
import { slotAt } from "../services/platform/clock.ts";
import type { Log } from "../services/platform/log.ts";
import type { LandedReport, Proposal, ReportRecord } from "../services/protocol/committee.ts";
import { readingsHash, readingsRoot, reportDigest, storedDigest } from "../services/protocol/report.ts";
import { decodeReadings } from "../services/protocol/words.ts";
import type { Chain } from "./chain.ts";
import type { Committee } from "./committee.ts";
import { standingsWith, unpackAll } from "./compute.ts";
import type { Peers } from "./peers.ts";
import type { Progress } from "./progress.ts";
import { deviants, standingsAfter } from "./proposal.ts";
import type { Records } from "./records.ts";
import type { ConnectionLimits } from "./registers.ts";

/** Slots whose registers of one node left the committee's median. */
export interface Deviation {
  node: number;
  slots: number;
  lastSlot: number;
  /** First point concerned in the last one. */
  point: number;
}

export interface ReportLedger {
  /**
   * Takes a report that is known to be on chain (or past being put there) as the slot's truth.
   * @returns false when its observations, where they are needed, are not those that its readings follow from
   */
  accept(record: ReportRecord): Promise<boolean>;
  /** Takes a report that a leader says it put on chain, if that is so. @throws retryable when the chain does not answer */
  acceptLanded(landed: LandedReport, now: number): Promise<boolean>;
  /** Looks on chain, then here and at the other nodes for the report of the next slot. @throws as above */
  adopt(now: number): Promise<boolean>;
  deviations(): Deviation[];
}

/** The chain forgets reports after 256 slots, and takes none for slots older than this: then a quorum's signatures count. */
const CHAIN_KNOWS_SLOTS = 200;

export const createReportLedger = ({
  records,
  chain,
  committee,
  peers,
  progress,
  limits,
  log,
}: {
  records: Records;
  chain: Chain;
  committee: Committee;
  peers: Peers;
  progress: Progress;
  limits: readonly ConnectionLimits[];
  log: Log;
}): ReportLedger => {
  const deviations = new Map<number, Deviation>();

  const note = (record: ReportRecord): void => {
    const unpacked = unpackAll(record.observations);
    for (const { observation, point } of unpacked ? deviants(unpacked, committee.quorum) : []) {
      const node = record.observations[observation]?.node as number;
      const before = deviations.get(node);
      if (!before) log.warn({ node, slot: record.slot, point }, "a node's registers left the median of the committee");
      deviations.set(node, { node, slots: (before?.slots ?? 0) + 1, lastSlot: record.slot, point });
    }
  };

  const accept = async (record: ReportRecord): Promise<boolean> => {
    const known = await standingsWith(record, {
      quorum: committee.quorum,
      standings: records.standings(),
      limits,
      bought: chain.boughtWh,
    });
    // Another request may have brought the same report meanwhile.
    if (record.slot !== records.next()) return true;
    if (!known) {
      log.warn({ slot: record.slot }, "reported readings came without the observations they follow from");
      return false;
    }
    records.saveReport(record, known.standings, known.derivable);
    note(record);
    progress.notify();
    return true;
  };

  const isSound = (record: ReportRecord): boolean =>
    record.slot === records.next() &&
    readingsHash(record.readings) === record.readingsHash &&
    (record.observations.length > 0 ||
      standingsAfter(records.standings(), decodeReadings(record.readings)) !== undefined) &&
    record.observations.every((each) => each.slot === record.slot && committee.isGenuine(each)) &&
    unpackAll(record.observations) !== undefined;

  const hasQuorum = (record: ReportRecord): boolean => {
    const digest = reportDigest(committee.domain, record);
    return (
      new Set(record.signers).size >= committee.quorum &&
      record.signers.every((node, at) => committee.signedBy(node, digest, record.signatures[at] ?? ""))
    );
  };

  const adopt = async (now: number): Promise<boolean> => {
    const slot = records.next();
    const onChain = await chain.reportDigestOf(slot);
    const forgotten = slotAt(now) - slot > CHAIN_KNOWS_SLOTS;
    if (onChain === undefined && !forgotten) return false;
    const fits = (record: ReportRecord): boolean =>
      onChain === undefined ? hasQuorum(record) : storedDigest(record) === onChain;
    for (const { proposal } of records.signedOf(slot)) {
      const record = recordOf(proposal);
      if (onChain !== undefined && fits(record) && (await accept(record))) return true;
    }
    const answers = await Promise.allSettled(peers.others.map((node) => peers.report(node, slot)));
    for (const answer of answers) {
      if (answer.status !== "fulfilled" || !isSound(answer.value) || !fits(answer.value)) continue;
      // One node's word may lack what another one's has: the next may do.
      if (await accept(answer.value)) return true;
    }
    log.warn({ slot }, "the chain holds a report whose readings no node has given yet");
    return false;
  };

  const acceptLanded = async (landed: LandedReport, now: number): Promise<boolean> => {
    const digest = reportDigest(committee.domain, landed);
    const signed = records.signed(landed.slot, landed.version, landed.attempt);
    if (signed?.digest !== digest) return adopt(now);
    const { readings, observations } = signed.proposal;
    if ((await chain.reportDigestOf(landed.slot)) !== storedDigest(landed)) return false;
    return accept({ ...landed, readings, observations });
  };

  return {
    accept,
    acceptLanded,
    adopt,
    deviations: () => [...deviations.values()].sort((a, b) => a.node - b.node),
  };
};

/** A proposal as a record without signatures: learned from the chain alone. */
const recordOf = (proposal: Proposal): ReportRecord => {
  const { slot, version, attempt, readings, observations } = proposal;
  return {
    slot,
    version,
    attempt,
    readings,
    readingsHash: readingsHash(readings),
    root: readingsRoot(slot, readings),
    observations,
    signers: [],
    signatures: [],
  };
};
