/** The life of a report: slot by slot in order, one leader at a time, until the chain has it. */
import { isRetryable, messageOf } from "../services/platform/errors.ts";
import type { Log } from "../services/platform/log.ts";
import type { Proposal, ReportRecord, SignedObservation } from "../services/protocol/committee.ts";
import { decodeContractError } from "../services/protocol/contracts.ts";
import { reportDigest } from "../services/protocol/report.ts";
import { isChainRefusal, type Chain } from "./chain.ts";
import { attemptAfter, type Committee } from "./committee.ts";
import { compute, endOf, isLate, unpackAll, type Computed } from "./compute.ts";
import { REPORT_VERSION } from "./cosigner.ts";
import type { ReportLedger } from "./ledger.ts";
import type { Peers } from "./peers.ts";
import type { Standing } from "./proposal.ts";
import type { Records } from "./records.ts";
import type { ConnectionLimits } from "./registers.ts";

/** A proposal that this node signed, and what it computed for it. */
interface Proposed {
  proposal: Proposal;
  computed: Computed;
  digest: string;
}

type Outcome = { reported: true } | { reported: false; waiting: string };

const REPORTED: Outcome = { reported: true };
const waitingFor = (waiting: string): Outcome => ({ reported: false, waiting });

/** From this age on a slot may have been reported without this node: it asks the chain before it starts anything. */
const ASK_CHAIN_SECONDS = 60;

export interface Rounds {
  /**
   * Reports every slot that is over at `now`, with all that are gathered with it, in order, as far as possible. Retryable troubles only
   * end the round.
   */
  run(now: number): Promise<void>;
  /** Why the next slot is not reported yet; undefined when nothing is due. */
  waiting(): string | undefined;
}

export const createRounds = ({
  records,
  chain,
  committee,
  peers,
  ledger,
  limits,
  observe,
  log,
}: {
  records: Records;
  chain: Chain;
  committee: Committee;
  peers: Peers;
  ledger: ReportLedger;
  limits: readonly ConnectionLimits[];
  /** This node's own observation of a slot. */
  observe(slot: number): SignedObservation;
  log: Log;
}): Rounds => {
  let waiting: string | undefined;
  let started = false;

  /** Genuine observations of the slot by all nodes that answer, in order of nodes. */
  const gather = async (slot: number): Promise<SignedObservation[]> => {
    const answers = await Promise.allSettled(peers.others.map((node) => peers.observe(node, slot)));
    const found = [observe(slot)];
    answers.forEach((answer, at) => {
      const node = peers.others[at] as number;
      if (answer.status === "rejected") {
        log.debug({ node, slot, reason: messageOf(answer.reason) }, "no observation");
        return;
      }
      const observation = answer.value;
      const fits = observation.node === node && observation.slot === slot && unpackAll([observation]) !== undefined;
      if (fits && committee.isGenuine(observation)) found.push(observation);
      else log.warn({ node, slot }, "a node gave an observation that is not its own word on the slot");
    });
    return found.sort((a, b) => a.node - b.node);
  };

  const computeFrom = (
    slot: number,
    observations: readonly SignedObservation[],
    standings: readonly Standing[],
    now: number,
  ): Promise<Computed | { waitingFor: number[] }> =>
    compute({
      slot,
      observations,
      quorum: committee.quorum,
      standings,
      limits,
      late: isLate(slot, now),
      bought: chain.boughtWh,
    });

  /** The proposal of this node's turn: once signed it is the only one, also after a crash. */
  const propose = async (
    slot: number,
    attempt: number,
    standings: readonly Standing[],
    gathered: SignedObservation[],
    now: number,
  ): Promise<Proposed | { waiting: string }> => {
    const locked = records.signed(slot, REPORT_VERSION, attempt);
    const observations = locked ? locked.proposal.observations : gathered;
    if (observations.length < committee.quorum) {
      return { waiting: `slot ${slot}: ${observations.length} of ${committee.quorum} observations` };
    }
    const computed = await computeFrom(slot, observations, standings, now);
    if ("waitingFor" in computed) {
      return { waiting: `slot ${slot}: too few nodes could read points ${computed.waitingFor.join(", ")}` };
    }
    const { readings, readingsHash, root } = computed;
    const digest = reportDigest(committee.domain, { slot, version: REPORT_VERSION, attempt, readingsHash, root });
    if (locked) {
      // Another report of the slot before was landed since.
      if (locked.digest !== digest)
        return { waiting: `slot ${slot}: what this node proposed does not follow any more` };
      return { proposal: locked.proposal, computed, digest };
    }
    const signature = committee.sign(digest);
    const proposal = { slot, version: REPORT_VERSION, attempt, readings, observations, signature };
    records.saveSigned(digest, readingsHash, proposal);
    return { proposal, computed, digest };
  };

  /** Proposals for the slots from this one on that are gathered with it and over, each upon the one before. */
  const proposeGathered = async (
    slot: number,
    attempt: number,
    now: number,
  ): Promise<{ proposed: Proposed[]; waiting?: string }> => {
    const slots: number[] = [];
    for (let each = slot; each <= committee.lastWith(slot) && endOf(each) <= now; each += 1) slots.push(each);
    const gathered = await Promise.all(
      slots.map((each) => (records.signed(each, REPORT_VERSION, attempt) ? [] : gather(each))),
    );
    const proposed: Proposed[] = [];
    let standings = records.standings();
    for (const [at, each] of slots.entries()) {
      const next = await propose(each, attempt, standings, gathered[at] ?? [], now);
      if ("waiting" in next) return { proposed, waiting: next.waiting };
      proposed.push(next);
      standings = next.computed.standings;
    }
    return { proposed };
  };

  /** A node's signatures of these proposals, in order, up to the first one that it does not give. */
  const askToSign = async (
    node: number,
    proposed: readonly Proposed[],
  ): Promise<{ given: string[]; refusal?: string }> => {
    const given: string[] = [];
    try {
      for (const { proposal } of proposed) given.push(await peers.propose(node, proposal));
    } catch (error) {
      return { given, refusal: `node ${node}: ${messageOf(error)}` };
    }
    return { given };
  };

  /** Signatures of the quorum with the lowest indices among all nodes that signed; the reasons of the others. */
  const choose = (
    { proposal, digest }: Proposed,
    others: readonly { node: number; signature: string }[],
  ): { signers: number[]; signatures: string[]; wrong: string[] } => {
    const given = [{ node: committee.index, signature: proposal.signature }, ...others];
    const wrong: string[] = [];
    const chosen: typeof given = [];
    for (const each of given.sort((a, b) => a.node - b.node)) {
      // Verified one by one: those beyond the quorum are not needed.
      if (chosen.length === committee.quorum) break;
      if (committee.signedBy(each.node, digest, each.signature)) chosen.push(each);
      else wrong.push(`node ${each.node}: wrong signature`);
    }
    return {
      signers: chosen.map(({ node }) => node),
      signatures: chosen.map(({ signature }) => signature),
      wrong,
    };
  };

  /** Reports of these proposals, in order, up to the first one without a quorum. */
  const collect = async (proposed: readonly Proposed[]): Promise<{ reports: ReportRecord[]; waiting?: string }> => {
    const answers = await Promise.all(peers.others.map((node) => askToSign(node, proposed)));
    const refusals = answers.flatMap(({ refusal }) => refusal ?? []);
    const reports: ReportRecord[] = [];
    for (const [at, each] of proposed.entries()) {
      const others = answers.flatMap(({ given }, index) => {
        const signature = given[at];
        return signature === undefined ? [] : [{ node: peers.others[index] as number, signature }];
      });
      const { signers, signatures, wrong } = choose(each, others);
      const { slot, version, attempt, observations } = each.proposal;
      if (signers.length < committee.quorum) {
        const reasons = [...refusals, ...wrong].join("; ");
        return { reports, waiting: `slot ${slot}: ${signers.length} of ${committee.quorum} signatures (${reasons})` };
      }
      const { readings, readingsHash, root } = each.computed;
      reports.push({ slot, version, attempt, readings, readingsHash, root, observations, signers, signatures });
    }
    return { reports };
  };

  /** This node's turn: the slot, and those gathered with it, as far as they can be proposed and a quorum signs. */
  const lead = async (slot: number, attempt: number, now: number): Promise<Outcome> => {
    const { proposed, waiting: unproposed } = await proposeGathered(slot, attempt, now);
    if (proposed.length === 0) return waitingFor(unproposed ?? `slot ${slot} is not over`);
    const { reports, waiting: unsigned } = await collect(proposed);
    if (reports.length === 0) return waitingFor(unsigned ?? `slot ${slot} is not signed`);
    const outcomes = await chain.land(reports);
    for (const [at, outcome] of outcomes.entries()) {
      const record = reports[at] as ReportRecord;
      if (outcome === "early") return waitingFor(`slot ${record.slot}: the chain's time has not reached its end`);
      if (outcome === "superseded") {
        if (await ledger.adopt(now)) continue;
        return waitingFor(`slot ${record.slot}: another report is on chain`);
      }
      if (outcome === "final") {
        log.warn({ slot: record.slot }, "the slot is final without a report: its readings only continue the registers");
      }
      if (!(await ledger.accept(record))) return waitingFor(`slot ${record.slot}: its own observations do not hold`);
    }
    return REPORTED;
  };

  /** Waits for another node's turn; "dead" when it does not answer or its word does not hold. */
  const follow = async (leader: number, slot: number, attempt: number, now: number): Promise<Outcome | "dead"> => {
    let answer;
    try {
      answer = await peers.turn(leader, slot, attempt);
    } catch (error) {
      log.debug({ leader, slot, attempt, reason: messageOf(error) }, "the leader does not answer");
      return "dead";
    }
    if (records.next() > slot) return REPORTED;
    if ("waiting" in answer) return waitingFor(`node ${leader}: ${answer.waiting}`);
    return (await ledger.acceptLanded(answer.report, now)) ? REPORTED : "dead";
  };

  const reportSlot = async (slot: number, now: number): Promise<Outcome> => {
    const age = now - endOf(committee.lastWith(slot));
    if ((age >= ASK_CHAIN_SECONDS || !started) && (await ledger.adopt(now))) return REPORTED;
    const due = attemptAfter(age);
    for (let attempt = due; attempt < due + committee.size; attempt += 1) {
      const leader = committee.leaderOf(slot, attempt);
      // The leader before may have put its report on chain and died before it could say so.
      if (attempt > due && (await ledger.adopt(now))) return REPORTED;
      if (leader === committee.index) return lead(slot, attempt, now);
      const outcome = await follow(leader, slot, attempt, now);
      if (outcome !== "dead") return outcome;
    }
    return waitingFor(`slot ${slot}: no leader answers`);
  };

  return {
    run: async (now) => {
      waiting = undefined;
      for (let slot = records.next(); endOf(committee.lastWith(slot)) <= now; slot = records.next()) {
        try {
          const outcome = await reportSlot(slot, now);
          started = true;
          if (outcome.reported) continue;
          waiting = outcome.waiting;
        } catch (error) {
          // What the chain refuses is told, not fatal: the next turn is another node's.
          if (!isRetryable(error) && !isChainRefusal(error)) throw error;
          waiting = `slot ${slot}: ${decodeContractError(error)?.words ?? messageOf(error)}`;
        }
        log.info({ waiting }, "a report waits");
        return;
      }
    },
    waiting: () => waiting,
  };
};
