import { expect } from "chai";
import { Wallet } from "ethers";
import { slotStart } from "../../services/platform/clock.ts";
import { fetchJson } from "../../services/platform/http.ts";
import { INTERPOLATED, MEASURED } from "../../services/protocol/committee.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import {
  packSignatures,
  readingsHash,
  readingsRoot,
  reportDomain,
  reportTypes,
} from "../../services/protocol/report.ts";
import { packReadings } from "../../services/protocol/words.ts";
import { createCommitteeGrid, GENESIS, type CommitteeGrid } from "./support/committee-grid.ts";

const POINTS = 3;
const GATHERED = 4;

interface Status {
  nextSlot: number;
  waiting: string | null;
}

interface Landed {
  slot: number;
  attempt: number;
  transaction: string;
}

describe("a committee that reports four slots together", function () {
  this.timeout(60_000);
  let grid: CommitteeGrid;
  before(async () => {
    grid = await createCommitteeGrid({ points: POINTS, gatherSlots: GATHERED });
  });
  after(() => grid.close());

  const statuses = (): Promise<Status[]> => Promise.all(grid.urls.map((url) => fetchJson<Status>(`${url}/status`)));
  const landed = async (from: number): Promise<Landed[]> => {
    const { meterOracle } = grid.contracts;
    const events = await meterOracle.queryFilter(meterOracle.filters.Reported());
    return events
      .map(({ args, transactionHash }) => ({
        slot: Number(args.slot) - GENESIS,
        attempt: Number(args.attempt),
        transaction: transactionHash,
      }))
      .filter(({ slot }) => slot >= from);
  };
  const play = async (from: number, through: number): Promise<void> => {
    for (let at = from; at <= through; at += 1) await grid.play(GENESIS + at);
  };
  const expectTruth = async (from: number, through: number): Promise<void> => {
    for (let at = from; at <= through; at += 1) {
      const truth = Array.from({ length: POINTS }, (_, point) => ({
        ...grid.truth(point, GENESIS + at),
        quality: MEASURED,
      }));
      expect(await grid.reported(GENESIS + at), `slot ${at}`).to.deep.equal(truth);
    }
  };
  /** Slots are reported once each and in order, and each meter's readings sum to what it counted. */
  const expectSums = async (through: number): Promise<void> => {
    expect((await landed(0)).map(({ slot }) => slot)).to.deep.equal(Array.from({ length: through + 1 }, (_, at) => at));
    for (let point = 0; point < POINTS; point += 1) {
      let offWh = 0;
      for (let at = 0; at <= through; at += 1) {
        const readings = await grid.reported(GENESIS + at);
        offWh += (readings?.[point]?.importWh ?? NaN) - grid.truth(point, GENESIS + at).importWh;
      }
      expect(offWh, `point ${point}`).to.equal(0);
    }
  };

  it("lands nothing before the last one ends, then all of them in one transaction", async () => {
    await play(0, 3);
    await grid.play(GENESIS + 3, 120);
    expect(await landed(0)).to.deep.equal([]);
    expect((await statuses()).map(({ waiting }) => waiting)).to.deep.equal([null, null, null, null]);
    await play(4, 4);
    const reports = await landed(0);
    expect(reports.map(({ slot, attempt }) => [slot, attempt])).to.deep.equal([0, 1, 2, 3].map((at) => [at, 0]));
    expect(new Set(reports.map(({ transaction }) => transaction)).size).to.equal(1);
    await expectTruth(0, 3);
    expect((await statuses()).map(({ nextSlot }) => nextSlot - GENESIS)).to.deep.equal([4, 4, 4, 4]);
  });

  it("replaces a dead leader in the same tick, for all of them", async () => {
    const leader = ((GENESIS + 4) / GATHERED) % 4;
    await grid.nodes[leader]?.kill({ hold: true });
    await play(5, 8);
    const reports = await landed(4);
    expect(reports.map(({ slot, attempt }) => [slot, attempt])).to.deep.equal([4, 5, 6, 7].map((at) => [at, 1]));
    expect(new Set(reports.map(({ transaction }) => transaction)).size).to.equal(1);
    await expectTruth(4, 7);
    await grid.nodes[leader]?.revive();
  });

  it("kill -9 of a leader in the middle of its work loses and doubles nothing", async () => {
    for (let round = 0; round < 5; round += 1) {
      const first = 8 + GATHERED * round;
      const due = first + GATHERED;
      await play(first + 1, due - 1);
      await grid.moveTo(slotStart(GENESIS + due));
      const ticking = grid.tick(slotStart(GENESIS + due));
      await new Promise((resolve) => setTimeout(resolve, 40 * round));
      // The parent starts it again and tells it the same time.
      await grid.nodes[((GENESIS + first) / GATHERED) % 4]?.kill();
      await ticking;
      await grid.play(GENESIS + due, 120);
    }
    await expectSums(27);
    expect((await statuses()).map(({ nextSlot }) => nextSlot - GENESIS)).to.deep.equal([28, 28, 28, 28]);
  });

  it("two dead: they wait, and land together with what came after once the two are back", async () => {
    await play(29, 31);
    for (const node of [0, 1]) await grid.nodes[node]?.kill({ hold: true });
    await play(32, 33);
    expect(await landed(28)).to.deep.equal([]);
    for (const node of [0, 1]) await grid.nodes[node]?.revive();
    await play(34, 36);
    await expectSums(35);
    const transactions = (await landed(28)).map(({ transaction }) => transaction);
    expect(new Set(transactions.slice(0, 4)).size).to.equal(1);
    expect(new Set(transactions.slice(4)).size).to.equal(1);
  });

  it("the chain cut off: what was read and signed lands when it is back", async () => {
    await play(37, 39);
    await grid.moveTo(slotStart(GENESIS + 40));
    await grid.withoutChain(() => grid.tick(slotStart(GENESIS + 40)));
    expect(await landed(36)).to.deep.equal([]);
    await grid.play(GENESIS + 40, 120);
    await expectSums(39);
  });

  it("takes up what somebody else landed of them, and lands the rest", async () => {
    await play(41, 43);
    await grid.moveTo(slotStart(GENESIS + 44));
    const slot = GENESIS + 40;
    const readings = packReadings(
      Array.from({ length: POINTS }, (_, point) => ({ ...grid.truth(point, slot), quality: MEASURED })),
    );
    const { meterOracle } = grid.contracts;
    const report = {
      ...{ slot, version: 1, attempt: 9 },
      ...{ readingsHash: readingsHash(readings), root: readingsRoot(slot, readings) },
    };
    const { chainId } = await grid.provider.getNetwork();
    const domain = reportDomain({ chainId, meterOracle: await meterOracle.getAddress() });
    const signatures = await Promise.all(
      [0, 1, 2].map((node) => new Wallet(deriveKey(7, `node:${node}`)).signTypedData(domain, reportTypes, report)),
    );
    await (await meterOracle.report(report, packSignatures([0, 1, 2], signatures))).wait();
    await grid.tick(slotStart(GENESIS + 44));
    const reports = await landed(40);
    expect(reports.map(({ slot: of, attempt }) => [of, attempt])).to.deep.equal([
      [40, 9],
      [41, 0],
      [42, 0],
      [43, 0],
    ]);
    expect(new Set(reports.slice(1).map(({ transaction }) => transaction)).size).to.equal(1);
    await expectSums(43);
  });

  it("lands those before a slot whose meter is waited for", async () => {
    await play(45, 46);
    grid.unplug(1);
    await play(47, 48);
    const early = await landed(44);
    expect(early.map(({ slot }) => slot)).to.deep.equal([44, 45]);
    expect(new Set(early.map(({ transaction }) => transaction)).size).to.equal(1);
    expect(
      (await statuses()).map(({ waiting }) => waiting?.includes("too few nodes could read points 1")),
    ).to.deep.equal([true, true, true, true]);
    grid.plug(1);
    await grid.play(GENESIS + 48, 120);
    const late = await landed(46);
    expect(late.map(({ slot }) => slot)).to.deep.equal([46, 47]);
    expect(new Set(late.map(({ transaction }) => transaction)).size).to.equal(1);
    expect((await grid.reported(GENESIS + 47))?.[1]?.quality).to.equal(INTERPOLATED);
    expect((await grid.reported(GENESIS + 47))?.[2]?.quality).to.equal(MEASURED);
  });
});
