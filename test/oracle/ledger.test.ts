import { expect } from "chai";
import { SigningKey, computeAddress } from "ethers";
import { createCommittee, type Committee } from "../../oracle/committee.ts";
import { compute, endOf } from "../../oracle/compute.ts";
import { createReportLedger } from "../../oracle/ledger.ts";
import { createProgress } from "../../oracle/progress.ts";
import { openRecords } from "../../oracle/records.ts";
import { createLog } from "../../services/platform/log.ts";
import {
  landedReportSchema,
  MEASURED,
  packObservation,
  reportRecordSchema,
  type ReportRecord,
  type SignedObservation,
} from "../../services/protocol/committee.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { reportDomain, storedDigest } from "../../services/protocol/report.ts";

const SLOT = 1_982_016;
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
const observations = keys.map((_, node): SignedObservation => {
  const committee = committeeOf(node);
  const at = (importWh: number) => ({ importWh, exportWh: 0, quality: MEASURED }) as const;
  const registers = packObservation([{ start: at(1_000), end: at(1_200 + 10 * node) }]);
  const content = { slot: SLOT, revision: 0, registers };
  return { node, ...content, signature: committee.sign(committee.observationDigest(content)) };
});
const limits = [{ importLimitWh: 1_000, exportLimitWh: 1_000 }];
const bought = (): Promise<number[]> => Promise.resolve([]);

const recordOf = async (nodes: number[]): Promise<ReportRecord> => {
  const chosen = nodes.map((node) => observations[node] as SignedObservation);
  const input = { slot: SLOT, observations: chosen, quorum: 3, standings: [], limits, late: false, bought };
  const computed = await compute(input);
  if ("waitingFor" in computed) throw new Error("unexpected wait");
  const { readings, readingsHash, root } = computed;
  return {
    ...{ slot: SLOT, version: 1, attempt: 0, readings, readingsHash, root },
    ...{ observations: chosen, signers: [], signatures: [] },
  };
};

describe("reports learnt from other nodes", () => {
  it("come from the first node whose observations give the readings on chain; another's word does no harm", async () => {
    const truth = await recordOf([0, 1, 2]);
    const bent = { ...truth, observations: observations.slice(1) };
    const records = openRecords(":memory:", SLOT);
    const unused = (): Promise<never> => Promise.reject(new Error("not asked for"));
    const ledger = createReportLedger({
      records,
      chain: {
        chainId: 31_337,
        ...{ points: unused, boughtWh: bought, resume: unused, land: unused },
        reportDigestOf: () => Promise.resolve(storedDigest(truth)),
      },
      committee: committeeOf(1),
      peers: {
        others: [0, 2, 3],
        ...{ observe: unused, propose: unused, turn: unused },
        report: (node) => (node === 3 ? Promise.resolve(truth) : node === 2 ? Promise.resolve(bent) : unused()),
      },
      progress: createProgress(),
      limits,
      log: createLog({ name: "test", level: "silent" }),
    });
    expect(await ledger.adopt(endOf(SLOT))).to.equal(true);
    expect(records.report(SLOT)).to.deep.equal(truth);
    records.close();
  });

  it("are refused where a hash is not one: it would stop whoever computes with it", async () => {
    const truth = await recordOf([0, 1, 2]);
    const { readings: _readings, observations: _observations, ...landed } = truth;
    expect(reportRecordSchema.safeParse(truth).success).to.equal(true);
    expect(landedReportSchema.safeParse(landed).success).to.equal(true);
    for (const field of ["readingsHash", "root"]) {
      expect(reportRecordSchema.safeParse({ ...truth, [field]: "0x01" }).success).to.equal(false);
      expect(landedReportSchema.safeParse({ ...landed, [field]: "0x01" }).success).to.equal(false);
    }
  });
});
