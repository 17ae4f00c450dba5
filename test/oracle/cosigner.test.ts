import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SigningKey, computeAddress } from "ethers";
import { createCommittee, type Committee } from "../../oracle/committee.ts";
import { compute, endOf } from "../../oracle/compute.ts";
import { createCosigner, type Consideration } from "../../oracle/cosigner.ts";
import { createProgress } from "../../oracle/progress.ts";
import { openRecords } from "../../oracle/records.ts";
import { MEASURED, packObservation, type Proposal, type SignedObservation } from "../../services/protocol/committee.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { reportDigest, reportDomain } from "../../services/protocol/report.ts";

const SLOT = 1_982_016;
/** Node 0 leads attempt 0 (1982016 is a multiple of 4); node 1 is the one that is asked to sign. */
const ASKED = 1;

const keys = [0, 1, 2, 3].map((index) => new SigningKey(deriveKey(1, `node:${index}`)));
const domain = reportDomain({ chainId: 31_337, meterOracle: `0x${"ab".repeat(20)}` });
const committeeOf = (index: number): Committee =>
  createCommittee({
    domain,
    index,
    addresses: keys.map((key) => computeAddress(key)),
    faults: 1,
    signingKey: keys[index] as SigningKey,
  });

/** The nodes read a moment apart: each saw 10 Wh more than the one before. */
const observations = keys.map((_, node): SignedObservation => {
  const committee = committeeOf(node);
  const at = (importWh: number) => ({ importWh, exportWh: 0, quality: MEASURED }) as const;
  const registers = packObservation([{ start: at(1_000), end: at(1_200 + 10 * node) }]);
  const content = { slot: SLOT, revision: 0, registers };
  return { node, ...content, signature: committee.sign(committee.observationDigest(content)) };
});

const limits = [{ importLimitWh: 1_000, exportLimitWh: 1_000 }];
const noTrade = (): Promise<number[]> => Promise.resolve([]);

const proposalOf = async (nodes: number[], attempt: number): Promise<Proposal> => {
  const chosen = nodes.map((node) => observations[node] as SignedObservation);
  const computed = await compute({
    slot: SLOT,
    observations: chosen,
    quorum: 3,
    standings: [],
    limits,
    late: false,
    bought: noTrade,
  });
  if ("waitingFor" in computed) throw new Error("unexpected wait");
  const { readings, readingsHash, root } = computed;
  const leader = committeeOf((SLOT + attempt) % 4);
  const signature = leader.sign(reportDigest(domain, { slot: SLOT, version: 1, attempt, readingsHash, root }));
  return { slot: SLOT, version: 1, attempt, readings, observations: chosen, signature };
};

describe("co-signing", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "daeg-cosigner-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** A node that opens its store anew each time, as after kill -9. */
  const ask = async (proposal: Proposal): Promise<Consideration> => {
    const records = openRecords(join(dir, "state.sqlite"), SLOT);
    const progress = createProgress();
    progress.begin(endOf(SLOT));
    const cosigner = createCosigner({
      records,
      chain: { boughtWh: noTrade },
      committee: committeeOf(ASKED),
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
});
