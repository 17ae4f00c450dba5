/** The other side of a leader: checks a proposal by computing it again, and signs one per slot, version and attempt. */
import type { Proposal } from "../services/protocol/committee.ts";
import { reportDigest } from "../services/protocol/report.ts";
import type { Chain } from "./chain.ts";
import type { Committee } from "./committee.ts";
import { compute, endOf, isLate, standingsWith, unpackAll } from "./compute.ts";
import type { Progress } from "./progress.ts";
import type { Standing } from "./proposal.ts";
import type { Records } from "./records.ts";
import type { ConnectionLimits } from "./registers.ts";

/** Reports carry this version; a correction of a reported slot would carry a higher one. */
export const REPORT_VERSION = 1;

export type Consideration = { signature: string } | { refusal: string };

export const createCosigner = ({
  records,
  chain,
  committee,
  progress,
  limits,
  waitMs,
}: {
  records: Records;
  chain: Pick<Chain, "boughtWh">;
  committee: Committee;
  progress: Progress;
  limits: readonly ConnectionLimits[];
  /** How long a proposal may wait for this node to catch up with the slot before. */
  waitMs: number;
}): { consider(proposal: Proposal): Promise<Consideration> } => {
  /** Whether this node signed, at the attempt, all gathered slots from the next one up to this one. */
  const isGathered = (slot: number, attempt: number): boolean => {
    const next = records.next();
    if (committee.lastWith(next) < slot) return false;
    for (let each = next; each < slot; each += 1) if (!records.signed(each, REPORT_VERSION, attempt)) return false;
    return true;
  };

  /** Standings before the slot, once what this node signed at the attempt is reported. */
  const standingsBefore = async (slot: number, attempt: number): Promise<readonly Standing[] | undefined> => {
    let standings = records.standings();
    for (let each = records.next(); each < slot; each += 1) {
      const signed = records.signed(each, REPORT_VERSION, attempt);
      const given = { quorum: committee.quorum, standings, limits, bought: chain.boughtWh };
      const known = signed && (await standingsWith(signed.proposal, given));
      if (!known) return undefined;
      standings = known.standings;
    }
    return standings;
  };

  const consider = async (proposal: Proposal): Promise<Consideration> => {
    const { slot, version, attempt, observations } = proposal;
    const leader = committee.leaderOf(slot, attempt);
    if (version !== REPORT_VERSION) return refuse(`version ${version} is not signed by this node`);
    if (leader === committee.index) return refuse(`attempt ${attempt} of slot ${slot} is this node's own turn`);
    const isNext = (): boolean => records.next() >= slot || isGathered(slot, attempt);
    await progress.until(() => progress.now() >= endOf(slot) && isNext(), waitMs);
    if (progress.now() < endOf(slot)) return refuse(`slot ${slot} is not over for this node`);
    const next = records.next();
    if (!isNext()) return refuse(`slot ${next} has to be reported first`);
    if (next > slot) return refuse(`slot ${slot} is reported already`);

    const wrong = wrongObservations(proposal, committee);
    if (wrong) return refuse(wrong);
    const standings = await standingsBefore(slot, attempt);
    if (!standings) return refuse(`what was signed before slot ${slot} does not hold any more`);
    const computed = await compute({
      slot,
      observations,
      quorum: committee.quorum,
      standings,
      limits,
      late: isLate(slot, progress.now()),
      bought: chain.boughtWh,
    });
    if ("waitingFor" in computed) return refuse(`points ${computed.waitingFor.join(", ")} can still be waited for`);
    if (computed.readings !== proposal.readings) return refuse("the readings do not follow from the observations");
    const { readingsHash, root } = computed;
    const digest = reportDigest(committee.domain, { slot, version, attempt, readingsHash, root });
    if (!committee.signedBy(leader, digest, proposal.signature)) {
      return refuse(`node ${leader}, whose turn it is, did not sign this proposal`);
    }
    // From here on without a pause: nothing may come between the look and the write.
    if (records.next() !== next) return refuse(`slot ${next} was reported meanwhile`);
    const before = records.signed(slot, version, attempt);
    if (before && before.digest !== digest) {
      return refuse(`another proposal was signed for slot ${slot}, version ${version}, attempt ${attempt}`);
    }
    if (!before) records.saveSigned(digest, readingsHash, proposal);
    return { signature: committee.sign(digest) };
  };
  return { consider };
};

const refuse = (refusal: string): Consideration => ({ refusal });

const wrongObservations = ({ slot, observations }: Proposal, committee: Committee): string | undefined => {
  if (observations.length < committee.quorum) {
    return `${observations.length} observations are fewer than the quorum of ${committee.quorum}`;
  }
  let last = -1;
  for (const observation of observations) {
    const { node } = observation;
    if (node <= last) return "observations must stand in order of nodes, one each";
    last = node;
    if (observation.slot !== slot) return `the observation of node ${node} is of slot ${observation.slot}`;
    if (!committee.isGenuine(observation)) return `the observation of node ${node} does not bear its signature`;
  }
  return unpackAll(observations) ? undefined : "an observation is not packed as it must be";
};
