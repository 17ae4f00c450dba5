import { expect } from "chai";
import { Wallet, keccak256 } from "ethers";
import { slotStart } from "../../services/platform/clock.ts";
import { fetchJson, HttpStatusError } from "../../services/platform/http.ts";
import {
  createObservationDigest,
  MEASURED,
  MISSING,
  type SignedObservation,
} from "../../services/protocol/committee.ts";
import { readingsRoot, reportDigest, reportDomain } from "../../services/protocol/report.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { packReadings, decodeReadings } from "../../services/protocol/words.ts";
import { createCommitteeGrid, GENESIS, type CommitteeGrid } from "./support/committee-grid.ts";

const POINTS = 4;

interface Status {
  nextSlot: number;
  waiting: string | null;
  modbusReads: number;
  faults: { nodes: { node: number; slots: number }[]; meters: { meter: string; kind: string }[]; heads: unknown[] };
}

const statusOf = (grid: CommitteeGrid, node: number): Promise<Status> => fetchJson<Status>(`${grid.urls[node]}/status`);

/** The slot's report on chain says exactly what the meters counted. */
const expectTruth = async (grid: CommitteeGrid, slot: number, quality = MEASURED): Promise<void> => {
  const readings = await grid.reported(slot);
  const truth = Array.from({ length: POINTS }, (_, point) => ({ ...grid.truth(point, slot), quality }));
  expect(readings, `slot ${slot - GENESIS}`).to.deep.equal(truth);
};

const refusalOf = async (call: Promise<unknown>): Promise<{ status: number; message: string }> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof HttpStatusError) return { status: error.status, message: error.message };
    throw error;
  }
  throw new Error("the node did not refuse");
};

describe("a committee of four nodes", function () {
  this.timeout(60_000);
  let grid: CommitteeGrid;

  describe("all honest", () => {
    before(async () => {
      grid = await createCommitteeGrid({ points: POINTS });
      for (let slot = GENESIS; slot < GENESIS + 4; slot += 1) {
        await grid.play(slot);
        await grid.play(slot, 120);
      }
    });
    after(() => grid.close());

    it("lands each slot in the tick at its end, with what the meters counted", async () => {
      for (let slot = GENESIS; slot < GENESIS + 3; slot += 1) await expectTruth(grid, slot);
      const events = await grid.contracts.meterOracle.queryFilter(grid.contracts.meterOracle.filters.Reported());
      // The first attempt suffices, and the lowest indices of those that signed (all did) go on chain, whoever leads.
      expect(
        events.map(({ args }) => [Number(args.slot) - GENESIS, Number(args.attempt), Number(args.signers)]),
      ).to.deep.equal([0, 1, 2].map((slot) => [slot, 0, 0b0111]));
    });

    it("gives the same report at every node, and counts its readings", async () => {
      const reports = await Promise.all(
        grid.urls.map((url) => fetchJson<{ readings: string; registers: unknown[] }>(`${url}/reports/${GENESIS + 2}`)),
      );
      expect(new Set(reports.map(({ readings }) => readings)).size).to.equal(1);
      expect(new Set(reports.map(({ registers }) => JSON.stringify(registers))).size).to.equal(1);
      for (let node = 0; node < 4; node += 1) {
        const status = await statusOf(grid, node);
        expect(status.modbusReads).to.equal(4 * (POINTS + 1));
        expect(status.faults).to.deep.equal({ nodes: [], meters: [], heads: [] });
      }
    });

    it("answers bad requests with one sentence", async () => {
      const url = grid.urls[0] as string;
      const post = (path: string, body: unknown) => refusalOf(fetchJson(`${url}${path}`, { method: "POST", body }));
      expect(await post("/observe", { slot: "now" })).to.deep.equal({
        status: 400,
        message: "body: slot: must be a number, not string",
      });
      expect((await post("/propose", { slot: 1 })).status).to.equal(400);
      expect((await post("/observe", { slot: 1, more: "x".repeat(2_000) })).status).to.equal(413);
      expect((await refusalOf(fetchJson(`${url}/reports/soon`))).message).to.contain("whole number");
      expect((await refusalOf(fetchJson(`${url}/reports/1`))).status).to.equal(404);
    });

    it("refuses what does not follow, what is forged and what is not the leader's", async () => {
      // The next slot is over for the meters and the chain, and node 3 has read it, but its leader has not spoken yet.
      const slot = GENESIS + 3;
      const leader = slot % 4;
      const other = (leader + 1) % 4;
      await grid.moveTo(slotStart(slot + 1));
      await grid.nodes[leader]?.kill({ hold: true });
      // Without two nodes there is no quorum: the slot stays open for the proposals below.
      const silent = (leader + 2) % 4;
      await grid.nodes[silent]?.kill({ hold: true });
      await grid.tick(slotStart(slot + 1));
      const observe = async (node: number): Promise<SignedObservation> =>
        fetchJson(`${grid.urls[node]}/observe`, { method: "POST", body: { slot } });
      const third = (leader + 3) % 4;
      const mine = await observe(other);
      const theirs = await observe(third);
      const domain = reportDomain({
        chainId: (await grid.provider.getNetwork()).chainId,
        meterOracle: await grid.contracts.meterOracle.getAddress(),
      });
      const key = (node: number) => new Wallet(deriveKey(7, `node:${node}`)).signingKey;
      const signedBy = (node: number, readings: string, attempt: number, observations: unknown[]) => {
        const root = readingsRoot(slot, readings);
        const report = { slot, version: 1, attempt, readingsHash: keccak256(readings), root };
        return {
          slot,
          version: 1,
          attempt,
          readings,
          observations,
          signature: key(node).sign(reportDigest(domain, report)).serialized,
        };
      };
      // The leader's own observation, made up from the truth and signed with its key.
      const digest = createObservationDigest(domain);
      const forged = (revision: number): SignedObservation => ({
        node: leader,
        slot,
        revision,
        registers: mine.registers,
        signature: key(leader).sign(digest({ slot, revision, registers: mine.registers })).serialized,
      });
      const observations = [mine, theirs, forged(0)].sort((a, b) => a.node - b.node);
      const truth = packReadings(
        Array.from({ length: POINTS }, (_, point) => ({ ...grid.truth(point, slot), quality: MEASURED })),
      );
      const propose = (body: unknown) =>
        fetchJson<{ signature: string }>(`${grid.urls[other]}/propose`, { method: "POST", body });
      const refused = async (body: unknown) => (await refusalOf(propose(body))).message;

      expect(await refused(signedBy(leader, truth, 0, observations.slice(0, 2)))).to.contain("fewer than the quorum");
      const bent = packReadings(
        decodeReadings(truth).map((reading) => ({ ...reading, importWh: reading.importWh + 1 })),
      );
      expect(await refused(signedBy(leader, bent, 0, observations))).to.contain("do not follow");
      expect(await refused(signedBy(third, truth, 0, observations))).to.contain("did not sign this proposal");
      expect(await refused(signedBy(leader, truth, (other - leader + 4) % 4, observations))).to.contain("own turn");
      const stranger = observations.map((each) => (each.node === third ? { ...each, revision: 9 } : each));
      expect(await refused(signedBy(leader, truth, 0, stranger))).to.contain("does not bear its signature");

      const first = await propose(signedBy(leader, truth, 0, observations));
      expect(await propose(signedBy(leader, truth, 0, observations)), "the same again").to.deep.equal(first);

      // Killed and started again it goes on, and the slot lands once all are back.
      await grid.nodes[other]?.kill();
      await grid.nodes[leader]?.revive();
      await grid.nodes[silent]?.revive();
      await grid.tick(slotStart(slot + 1));
      await grid.play(slot + 1, 120);
      await expectTruth(grid, slot);
    });
  });

  describe("one lying by ten, one dead", () => {
    before(async () => {
      grid = await createCommitteeGrid({ points: POINTS, liar: 2 });
    });
    after(() => grid.close());

    it("reports the truth in the same tick, and names the liar", async () => {
      for (let slot = GENESIS; slot <= GENESIS + 2; slot += 1) await grid.play(slot);
      await grid.nodes[1]?.kill({ hold: true });
      // Each node's turn comes, the dead one's and the liar's too.
      for (let slot = GENESIS + 3; slot <= GENESIS + 7; slot += 1) {
        await grid.play(slot);
        await expectTruth(grid, slot - 1);
      }
      const { faults } = await statusOf(grid, 0);
      expect(faults.nodes.map(({ node, slots }) => ({ node, slots }))).to.deep.equal([{ node: 2, slots: 7 }]);
    });

    it("lets the dead one catch up when it is back", async () => {
      await grid.nodes[1]?.revive();
      await grid.play(GENESIS + 8);
      await expectTruth(grid, GENESIS + 7);
      const [back, other] = await Promise.all([1, 0].map((node) => statusOf(grid, node)));
      expect(back?.nextSlot).to.equal(other?.nextSlot);
      expect(back?.nextSlot).to.equal(GENESIS + 8);
    });
  });

  describe("in trouble", () => {
    before(async () => {
      grid = await createCommitteeGrid({ points: POINTS });
      for (let slot = GENESIS; slot <= GENESIS + 2; slot += 1) await grid.play(slot);
    });
    after(() => grid.close());

    /** All slots from the first through `last` are reported once, and each meter's readings sum to what it counted. */
    const expectSums = async (last: number): Promise<void> => {
      const sums = Array.from({ length: POINTS }, () => ({ readWh: 0, truthWh: 0 }));
      for (let slot = GENESIS; slot <= last; slot += 1) {
        const readings = await grid.reported(slot);
        expect(readings, `slot ${slot - GENESIS}`).to.have.length(POINTS);
        sums.forEach((sum, point) => {
          sum.readWh += readings?.[point]?.importWh ?? 0;
          sum.truthWh += grid.truth(point, slot).importWh;
        });
      }
      for (const { readWh, truthWh } of sums) expect(readWh).to.equal(truthWh);
      const events = await grid.contracts.meterOracle.queryFilter(grid.contracts.meterOracle.filters.Reported());
      const slots = events.map(({ args }) => Number(args.slot));
      expect(slots).to.deep.equal(Array.from({ length: last - GENESIS + 1 }, (_, at) => GENESIS + at));
    };

    it("two dead: slots wait, and are reported in order once they are back", async () => {
      for (const node of [1, 3]) await grid.nodes[node]?.kill({ hold: true });
      for (let slot = GENESIS + 3; slot <= GENESIS + 6; slot += 1) await grid.play(slot);
      expect(await grid.reported(GENESIS + 2)).to.equal(undefined);
      expect((await statusOf(grid, 0)).waiting).to.contain("2 of 3 observations");
      for (const node of [1, 3]) await grid.nodes[node]?.revive();
      await grid.play(GENESIS + 7);
      await expectSums(GENESIS + 6);
      await grid.play(GENESIS + 8);
      await expectTruth(grid, GENESIS + 7);
    });

    it("kill -9 of a leader in the middle of its work loses and doubles nothing", async () => {
      for (let at = 0; at < 5; at += 1) {
        const slot = GENESIS + 9 + at;
        await grid.moveTo(slotStart(slot));
        const ticking = grid.tick(slotStart(slot));
        await new Promise((resolve) => setTimeout(resolve, 15 * at));
        // The parent starts it again and tells it the same time.
        await grid.nodes[(slot - 1) % 4]?.kill();
        await ticking;
        await grid.play(slot, 120);
      }
      await expectSums(GENESIS + 12);
    });

    it("the chain cut off: what was read and signed lands when it is back", async () => {
      await grid.moveTo(slotStart(GENESIS + 14));
      await grid.withoutChain(() => grid.tick(slotStart(GENESIS + 14)));
      expect(await grid.reported(GENESIS + 13)).to.equal(undefined);
      await grid.play(GENESIS + 14, 120);
      await expectSums(GENESIS + 13);
    });

    it("a dead meter is waited for four slots, then missing; its register corrects the sum", async () => {
      grid.unplug(2);
      for (let slot = GENESIS + 15; slot <= GENESIS + 18; slot += 1) await grid.play(slot);
      expect(await grid.reported(GENESIS + 14), "still waited for").to.equal(undefined);
      expect((await statusOf(grid, 0)).faults.meters.map(({ meter, kind }) => `${meter} ${kind}`)).to.deep.equal([
        "2 unreachable",
      ]);
      await grid.play(GENESIS + 19);
      const missed = await grid.reported(GENESIS + 14);
      // Nothing was bought: nothing is counted, and nothing fed in.
      expect(missed?.[2]).to.deep.equal({ importWh: 0, exportWh: 0, quality: MISSING });
      expect(missed?.[1]).to.deep.equal({ ...grid.truth(1, GENESIS + 14), quality: MEASURED });

      grid.plug(2);
      await grid.play(GENESIS + 19, 120);
      await grid.play(GENESIS + 20);
      await expectSums(GENESIS + 19);
    });
  });

  it("a committee of one reports alone", async () => {
    grid = await createCommitteeGrid({ points: POINTS, size: 1, faults: 0 });
    try {
      await grid.play(GENESIS);
      await grid.play(GENESIS + 1);
      await expectTruth(grid, GENESIS);
      const live = await fetchJson<{ points: { point: number; powerW: number }[] }>(`${grid.urls[0]}/live`);
      expect(live.points.map(({ powerW }) => powerW)).to.deep.equal([0, 100, 200, 300]);
    } finally {
      await grid.close();
    }
  });
});
