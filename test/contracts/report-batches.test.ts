import { expect } from "chai";
import { concat, dataSlice } from "ethers";
import { MeterOracle__factory } from "../../types/contracts/factories/consumption/MeterOracle__factory.ts";
import { packReports, packSignatures, storedDigest, type Report } from "../../services/protocol/report.ts";
import { packReadings } from "../../services/protocol/words.ts";
import { createWorld, emptyRecord, reading, type World } from "./support/world.ts";

const NOT_OVER = 1;
const NOT_HIGHER = 2;
const FINAL = 3;
const TOO_FEW = 4;
const WRONG = 5;

describe("reports in batches", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ homes: 1, publish: 0 });
    slot = world.genesisSlot;
  });

  const content = (of: number, version = 1, importWh = of % 1_000): Report =>
    world.reportOf(of, packReadings([reading(importWh, version)]), version);
  const signed = async (report: Report, signers = [0, 1, 2], signatures?: string[]) => ({
    report,
    signatures: packSignatures(signers, signatures ?? (await world.signReport(report, signers))),
  });
  const send = async (reports: string) => {
    const oracle = world.c.meterOracle;
    const taken = await oracle.reportMany.staticCall(reports);
    const receipt = await (await oracle.reportMany(reports)).wait();
    const logs = (receipt?.logs ?? []).map((entry) => oracle.interface.parseLog(entry));
    return {
      taken: Number(taken),
      reported: logs.flatMap((log) => (log?.name === "Reported" ? [[...log.args]] : [])),
      skipped: logs.flatMap((log) => (log?.name === "ReportSkipped" ? [log.args.map(Number)] : [])),
    };
  };

  it("land each slot as a report of its own does", async () => {
    await world.goTo(world.startOf(slot + 8));
    const reports = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        signed({ ...content(slot + at), attempt: at }, at < 4 ? [0, 2, 3] : [1, 2, 3]),
      ),
    );
    const { taken, reported, skipped } = await send(packReports(reports));
    expect([taken, skipped]).to.deep.equal([8, []]);
    expect(reported).to.deep.equal(
      reports.map(({ report }, at) => [
        BigInt(report.slot),
        1n,
        BigInt(at),
        report.readingsHash,
        report.root,
        at < 4 ? 0b1101n : 0b1110n,
      ]),
    );
    for (const { report } of reports)
      expect(await world.c.meterOracle.reportOf(report.slot)).to.deep.equal([1n, storedDigest(report)]);
  });

  it("skip what cannot be taken, say why, and take the rest", async () => {
    await world.goTo(world.startOf(slot + 7));
    await world.report(slot, [reading(1, 1)]);
    const second = content(slot + 1, 2);
    const of = (at: number) => content(slot + at);
    const others = await world.signReport(of(4), [0, 1, 2]);
    const reports = [
      await signed(content(slot)),
      await signed(content(slot + 7)),
      await signed(of(1)),
      await signed(of(1)),
      await signed({ ...second, version: 0 }),
      await signed(second),
      await signed(of(2), [0, 3]),
      await signed(of(2), []),
      await signed(of(3), [0, 1, 2], others),
      await signed(of(3), [0, 2, 1]),
      await signed(of(3), [0, 1, 1]),
      await signed(of(3), [0, 1, 4], await world.signReport(of(3), [0, 1, 2])),
      await signed(of(3), [0, 1, 3], await world.signReport(of(3), [0, 1, 2])),
      await signed(of(3), [0, 1, 2, 3], [...(await world.signReport(of(3), [0, 1, 2])), others[0] as string]),
      await signed(of(4)),
      await signed(content(slot + 5), [0, 1, 2, 3]),
    ];
    const { taken, reported, skipped } = await send(packReports(reports));
    expect(
      skipped.map(([skippedSlot, version, attempt, reason]) => [Number(skippedSlot) - slot, version, attempt, reason]),
    ).to.deep.equal([
      [0, 1, 0, NOT_HIGHER],
      [7, 1, 0, NOT_OVER],
      [1, 1, 0, NOT_HIGHER],
      [1, 0, 0, NOT_HIGHER],
      [2, 1, 0, TOO_FEW],
      [2, 1, 0, TOO_FEW],
      ...Array.from({ length: 6 }, () => [3, 1, 0, WRONG]),
    ]);
    expect(reported.map(([of_, version]) => [Number(of_) - slot, Number(version)])).to.deep.equal([
      [1, 1],
      [1, 2],
      [4, 1],
      [5, 1],
    ]);
    expect(taken).to.equal(4);
    const versions = await Promise.all([0, 1, 2, 3, 4, 5, 7].map((at) => world.c.meterOracle.reportOf(slot + at)));
    expect(versions.map(([version]) => Number(version))).to.deep.equal([1, 2, 0, 0, 1, 1, 0]);
  });

  it("keep what a slot was settled with, also when the correction comes in a batch, and end with its window", async () => {
    const { meterOracle, settlement } = world.c;
    await world.goTo(world.startOf(slot + 2));
    const first = await world.report(slot, [reading(0, 0)]);
    await settlement.settle([{ record: emptyRecord(slot), readings: first.readings, root: first.root }]);
    const [second, third] = [content(slot, 2), content(slot, 3)];
    const wrong = await send(packReports([await signed(second, [0, 1, 2], await world.signReport(third, [0, 1, 2]))]));
    expect(wrong.skipped[0]).to.deep.equal([slot, 2, 0, WRONG]);
    expect((await meterOracle.replacedOf(slot))[0]).to.equal(0n);
    // Of two corrections the settled version is what is replaced.
    expect((await send(packReports([await signed(second), await signed(third)]))).taken).to.equal(2);
    expect(await meterOracle.replacedOf(slot)).to.deep.equal([1n, storedDigest(world.reportOf(slot, first.readings))]);
    expect((await meterOracle.reportOf(slot))[0]).to.equal(3n);
    await world.goTo(world.startOf(slot + 2 + 88) - 10);
    expect((await send(packReports([await signed(content(slot, 4))]))).taken).to.equal(1);
    await world.goTo(world.startOf(slot + 2 + 88));
    const late = await send(packReports([await signed(content(slot, 5)), await signed(content(slot + 1))]));
    expect(late.skipped).to.deep.equal([[slot, 5, 0, FINAL]]);
    expect(late.taken).to.equal(1);
    // Without a report a slot takes one until 96 slots after the deadline.
    await world.goTo(world.startOf(slot + 3 + 104) - 10);
    const open = packReports([await signed(content(slot + 2))]);
    expect(await meterOracle.reportMany.staticCall(open)).to.equal(1n);
    await world.goTo(world.startOf(slot + 3 + 104));
    expect((await send(open)).skipped).to.deep.equal([[slot + 2, 1, 0, FINAL]]);
  });

  it("begin anew in the next lap of the ring, and leave its entries to newer slots", async () => {
    const { meterOracle } = world.c;
    await world.goTo(world.startOf(slot + 2));
    await world.report(slot, [reading(1, 1)], 9);
    expect((await send(packReports([await signed(content(slot + 1, 9))]))).taken).to.equal(1);
    const [first, second] = [slot + 256, slot + 257];
    await world.goTo(world.startOf(second + 1));
    await world.report(first, [reading(2, 2)]);
    expect((await send(packReports([await signed(content(second))]))).taken).to.equal(1);
    expect((await meterOracle.reportOf(first))[0]).to.equal(1n);
    expect(await meterOracle.reportOf(second)).to.deep.equal([1n, storedDigest(content(second))]);
    const old = packReports([await signed(content(slot, 20)), await signed(content(slot + 1, 20))]);
    expect((await send(old)).skipped.map((skipped) => skipped[3])).to.deep.equal([FINAL, FINAL]);
    expect((await meterOracle.reportOf(slot))[0]).to.equal(0n);
  });

  it("change nothing when nothing is taken, and are refused when they end inside a report", async () => {
    const { meterOracle } = world.c;
    const one = packReports([await signed(content(slot))]);
    expect(await send(one)).to.deep.equal({ taken: 0, reported: [], skipped: [[slot, 1, 0, NOT_OVER]] });
    expect(await send("0x")).to.deep.equal({ taken: 0, reported: [], skipped: [] });
    await world.goTo(world.startOf(slot + 2));
    const two = concat([one, packReports([await signed(content(slot + 1))])]);
    const bytes = 71 + 3 * 65;
    for (const left of [1, 6, 7, 70, 71, 72, bytes - 1])
      await expect(meterOracle.reportMany(dataSlice(two, 0, bytes + left)))
        .to.be.revertedWithCustomError(meterOracle, "MalformedReports")
        .withArgs(left);
    await expect(meterOracle.reportMany(concat([two, "0x00"]))).to.be.revertedWithCustomError(
      meterOracle,
      "MalformedReports",
    );
    expect((await meterOracle.reportOf(slot))[0]).to.equal(0n);
    expect((await send(two)).taken).to.equal(2);
  });

  it("need a committee, and the present one", async () => {
    await world.goTo(world.startOf(slot + 1));
    const one = packReports([await signed(content(slot))]);
    const bare = await new MeterOracle__factory(world.relayer).deploy(
      world.addresses.accessManager,
      world.addresses.settlement,
    );
    await expect(bare.reportMany(one)).to.be.revertedWithCustomError(bare, "CommitteeTooSmall");
    const others = Array.from({ length: 4 }, (_, index) => world.wallet(`other:${index}`).address);
    await world.as(world.admin).meterOracle.setCommittee(others, 1);
    expect((await send(one)).skipped).to.deep.equal([[slot, 1, 0, WRONG]]);
  });
});
