import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SigningKey, computeAddress } from "ethers";
import { createCommittee, type Committee } from "../../oracle/committee.ts";
import { compute, endOf } from "../../oracle/compute.ts";
import { createCosigner, type Consideration } from "../../oracle/cosigner.ts";
import { createProgress } from "../../oracle/progress.ts";
import type { Standing } from "../../oracle/proposal.ts";
import { openRecords } from "../../oracle/records.ts";
import { MEASURED, packObservation, type Proposal, type SignedObservation } from "../../services/protocol/committee.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { reportDigest, reportDomain } from "../../services/protocol/report.ts";
import { decodeReadings } from "../../services/protocol/words.ts";

const SLOT = 1_982_016;
/** Node 0 leads attempt 0 (1982016 is a multiple of 4); node 1 is the one that is asked to sign. */
const ASKED = 1;

const keys = [0, 1, 2, 3].map((index) => new SigningKey(deriveKey(1, `node:${index}`)));
const domain = reportDomain({ chainId: 31_337, meterOracle: `0x${"ab".repeat(20)}` });
const committeeOf = (index: number, gatherSlots = 1): Committee =>
  createCommittee({
    gatherSlots,
    domain,
    index,
    addresses: keys.map((key) => computeAddress(key)),
    faults: 1,
    signingKey: keys[index] as SigningKey,
  });

/** The nodes read a moment apart: each saw 10 Wh more than the one before. */
const observationsOf = (slot: number): SignedObservation[] =>
  keys.map((_, node): SignedObservation => {
    const committee = committeeOf(node);
    const at = (after: number) => ({ importWh: 1_000 + 200 * after, exportWh: 0, quality: MEASURED }) as const;
    const end = { ...at(slot + 1 - SLOT), importWh: at(slot + 1 - SLOT).importWh + 10 * node };
    const registers = packObservation([{ start: at(slot - SLOT), end }]);
    const content = { slot, revision: 0, registers };
    return { node, ...content, signature: committee.sign(committee.observationDigest(content)) };
  });

const limits = [{ importLimitWh: 1_000, exportLimitWh: 1_000 }];
const noTrade = (): Promise<number[]> => Promise.resolve([]);

const proposalOf = async (
  nodes: number[],
  attempt: number,
  { slot, leader, standings }: { slot: number; leader: number; standings: Standing[] } = {
    ...{ slot: SLOT, leader: (SLOT + attempt) % 4, standings: [] },
  },
): Promise<Proposal> => {
  const chosen = nodes.map((node) => observationsOf(slot)[node] as SignedObservation);
  const computed = await compute({
    slot,
    observations: chosen,
    quorum: 3,
    standings,
    limits,
    late: false,
    bought: noTrade,
  });
  if ("waitingFor" in computed) throw new Error("unexpected wait");
  const { readings, readingsHash, root } = computed;
  const signature = committeeOf(leader).sign(reportDigest(domain, { slot, version: 1, attempt, readingsHash, root }));
  return { slot, version: 1, attempt, readings, observations: chosen, signature };
};

describe("co-signing", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "daeg-cosigner-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** A node that opens its store anew each time, as after kill -9. */
  const ask = async (proposal: Proposal, gatherSlots = 1, state = "state"): Promise<Consideration> => {
    const records = openRecords(join(dir, `${state}.sqlite`), SLOT);
    const progress = createProgress();
    progress.begin(endOf(proposal.slot));
    const cosigner = createCosigner({
      records,
      chain: { boughtWh: noTrade },
      committee: committeeOf(ASKED, gatherSlots),
      progress,
      limits,
      waitMs: 10,
    });
    try {
      return await cosigner.consider(proposal);
    } finally {
      records.close();
    }
  };

  it("signs one proposal per slot, version and attempt, also after a restart", async () => {
    const [first, second] = await Promise.all([proposalOf([0, 1, 2], 0), proposalOf([1, 2, 3], 0)]);
    expect(first.readings).to.not.equal(second.readings);
    const signed = await ask(first);
    expect(signed).to.have.property("signature");
    expect(await ask(second)).to.deep.equal({
      refusal: `another proposal was signed for slot ${SLOT}, version 1, attempt 0`,
    });
    expect(await ask(first)).to.deep.equal(signed);
  });

  it("signs another proposal of the next attempt's leader", async () => {
    expect(await ask(await proposalOf([1, 2, 3], 2))).to.have.property("signature");
  });

  it("refuses observations out of order, doubled or of another slot", async () => {
    const proposal = await proposalOf([0, 1, 2], 3);
    const [a, b, c] = proposal.observations as [SignedObservation, SignedObservation, SignedObservation];
    for (const bent of [
      [b, a, c],
      [a, a, b],
    ]) {
      expect(await ask({ ...proposal, observations: bent })).to.deep.equal({
        refusal: "observations must stand in order of nodes, one each",
      });
    }
    expect(await ask({ ...proposal, observations: [a, b, { ...c, slot: SLOT - 1 }] })).to.deep.equal({
      refusal: `the observation of node 2 is of slot ${SLOT - 1}`,
    });
  });

  it("refuses a slot that is not the next one", async () => {
    expect(await ask({ ...(await proposalOf([0, 1, 2], 3)), slot: SLOT - 1 })).to.have.property("refusal");
  });

  it("signs a gathered slot upon what it signed of the one before, at the same attempt", async () => {
    const from = (importWh: number) => [{ importWh, exportWh: 0, gap: 0 }];
    const gathered = (slot: number, attempt: number, standings: Standing[]) =>
      proposalOf([0, 1, 2], attempt, { slot, leader: (SLOT / 4 + attempt) % 4, standings });
    // The leader's first reading ends at 1210, so the second one is 1410 - 1210.
    const [first, second] = [await gathered(SLOT, 2, []), await gathered(SLOT + 1, 2, from(1_210))];
    expect(decodeReadings(second.readings)[0]?.importWh).to.equal(200);
    const asks = (proposal: Proposal, gatherSlots = 4) => ask(proposal, gatherSlots, "gathered");
    expect(await asks(second)).to.deep.equal({ refusal: `slot ${SLOT} has to be reported first` });
    expect(await asks(first)).to.have.property("signature");
    expect(await asks(second, 1)).to.have.property("refusal");
    const bent = await gathered(SLOT + 1, 2, from(1_200));
    expect(await asks(bent)).to.deep.equal({ refusal: "the readings do not follow from the observations" });
    const signed = await asks(second);
    expect(signed).to.have.property("signature");
    expect(await asks(second)).to.deep.equal(signed);
    // What was signed at one attempt carries nothing at another.
    expect(await asks(await gathered(SLOT + 1, 3, from(1_210)))).to.deep.equal({
      refusal: `slot ${SLOT} has to be reported first`,
    });
    // Nor beyond the slots that are gathered.
    expect(await asks(await gathered(SLOT + 2, 2, from(1_410)), 2)).to.have.property("refusal");
    expect(await asks(await gathered(SLOT + 2, 2, from(1_410)))).to.have.property("signature");
  });
});
