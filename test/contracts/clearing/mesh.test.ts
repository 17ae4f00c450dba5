import { expect } from "chai";
import { GREEN, type ZonePosting } from "../../../services/core/market/types.ts";
import { columnsOf, createProver, LINE, posting, triangle, zone } from "./mesh-case.ts";
import type { MeshCase, MeshClaim, Step } from "./mesh-case.ts";

const band = { min: -100, max: 100, reference: 7 };
const UNIT = 1_000_000_000_000n;

/** Zone 0 sells at 10, zone 1 buys at 40; zone 2 lies between and trades nothing. */
const full: readonly Step[] = [
  [0, 1_000, 10],
  [1, -1_000, 40],
  [2, -50, 24],
  [2, 50, 26],
];
const MU = 45_000_045n;
const claimed = (change: Partial<MeshClaim> = {}): MeshClaim => ({
  postings: [posting(10, { marginalOfferWh: 150 }), posting(40, { marginalBidWh: 150 }), posting(25)],
  mu: [MU, 0n, 0n],
  ...change,
});

describe("the proof on meshed networks", function () {
  this.timeout(60_000);
  let prover: Awaited<ReturnType<typeof createProver>>;
  before(async () => {
    prover = await createProver();
  });

  const withPosting = (claim: MeshClaim, at: number, change: Partial<ZonePosting>): MeshClaim => ({
    ...claim,
    postings: claim.postings.map((own, i) => (i === at ? { ...own, ...change } : own)),
  });

  it("clears a triangle with one full line at three prices", async () => {
    const outcome = await prover.prove(triangle(full), claimed());
    expect(outcome.welfareNano).to.equal(150n * 30n);
    expect(outcome.boughtWh).to.equal(150n);
    // Of the 100e6 that the line takes 333,333 x 300 are used; mu is short of 15e12 / 333,333 by so much that the exact price
    // of zone 0 lies 30e-12 over 10, where 850 Wh of offers are left.
    expect(outcome.gapBoundNano).to.equal((MU * 100n + 30n * 850n + 999_999_999_999n) / 1_000_000_000_000n);
    expect(outcome.lambda[0]).to.equal(25_000_000_000_015n);
  });

  it("names what is wrong with a posting", async () => {
    const given = triangle(full);
    for (const [at, price] of [10, 40, 25].entries()) {
      for (const step of [-1, 1]) {
        expect(await prover.accepts(given, withPosting(claimed(), at, { price: price + step }))).to.equal(false);
      }
    }
    await prover.refuses(given, withPosting(claimed(), 2, { price: 24 }), "WrongPrice", 2, 24, 25);
    await prover.refuses(given, withPosting(claimed(), 0, { marginalOfferWh: 151 }), "IslandNotBalanced", 0, 1);
    const moved = (wh: number): MeshClaim =>
      withPosting(withPosting(claimed(), 0, { marginalOfferWh: wh }), 1, { marginalBidWh: wh });
    await prover.refuses(given, moved(151), "LimitViolated", 0, 333_333 * 302, -100, 100);
    await prover.refuses(given, moved(149), "LimitNotTight", 0, MU, 100_000_000 - 333_333 * 298, 666_666);
    await prover.refuses(
      given,
      { ...claimed(), mu: [MU, 1n, 0n] },
      "LimitNotTight",
      1,
      1,
      1_000_000_000 + 333_333 * 150,
      666_666,
    );
    await prover.refuses(
      given,
      { ...claimed(), mu: [-MU, 0n, 0n] },
      "LimitNotTight",
      0,
      -MU,
      100_000_000 + 333_333 * 300,
      666_666,
    );
    await prover.refuses(given, { ...claimed(), mu: [MU] }, "WrongDualCount", 1, 3);
    await prover.refuses({ ...given, limits: [] }, claimed(), "WrongDualCount", 3, 0);
  });

  it("refuses green energy that is left on both sides of a zone", async () => {
    const columns = columnsOf([
      [0, 100, 20],
      [0, -100, 20],
    ]);
    const given = triangle([], { columns: { ...columns, flags: columns.flags.map((own) => own | GREEN) } });
    const traded = (wh: number): MeshClaim => ({
      postings: [posting(20), posting(20), posting(20)],
      green: [wh, 0, 0].map((own) => ({ price: 20, marginalBidWh: own, marginalOfferWh: own })),
      mu: [0n, 0n, 0n],
    });
    await prover.refuses(given, traded(0), "VolumeNotMaximal", 0);
    await prover.refuses(given, traded(99), "VolumeNotMaximal", 0);
    expect((await prover.prove(given, traded(100))).boughtWh).to.equal(100n);
  });

  it("refuses duals that no price of the island goes with", async () => {
    const mu = MU + 3_100_000n;
    await prover.refuses(
      triangle(full),
      claimed({ mu: [mu, 0n, 0n] }),
      "DualsContradictFills",
      0,
      10_000_000_000_000n + BigInt(LINE) * mu,
      40_000_000_000_000n - BigInt(LINE) * mu,
    );
    // Half a unit is within the tolerance of whole prices.
    const { gapBoundNano } = await prover.prove(triangle(full), claimed({ mu: [MU + 700_000n, 0n, 0n] }));
    expect(gapBoundNano).to.be.greaterThan(1n);
  });

  it("takes the lower side of a limit, in either orientation of its row", async () => {
    const turned = triangle(full);
    const limits = turned.limits.map((limit) => ({ ...limit, weights: limit.weights.map((weight) => -weight + 0) }));
    const { gapBoundNano } = await prover.prove({ ...turned, limits }, claimed({ mu: [-MU, 0n, 0n] }));
    expect(gapBoundNano).to.equal((await prover.prove(turned, claimed())).gapBoundNano);
  });

  it("keeps a general constraint beside islands", async () => {
    // Two islands of one line each; together zones 0 and 2 may export 30 Wh.
    const given: MeshCase = {
      zones: [zone(), zone({ parent: 0 }), zone({ parent: 2 }), zone({ parent: 2 })],
      limits: [
        { minWh: -1_000, maxWh: 1_000, weights: [1_000_000, 0, 0, 0] },
        { minWh: -1_000, maxWh: 1_000, weights: [0, 0, 1_000_000, 0] },
        { minWh: -500, maxWh: 30, weights: [1_000_000, 0, 1_000_000, 0] },
      ],
      band,
      columns: columnsOf([
        [0, 100, 10],
        [1, -100, 20],
        [2, 100, 10],
        [3, -20, 50],
        [3, -80, 17],
      ]),
    };
    // 20 Wh to the bid at 50, and the other 10 to the one at 20: the constraint costs 10, the third bid gives 7.
    const claim: MeshClaim = {
      postings: [
        posting(10, { marginalOfferWh: 10 }),
        posting(20, { marginalBidWh: 10 }),
        posting(10, { marginalOfferWh: 20 }),
        posting(20),
      ],
      mu: [0n, 0n, 10_000_000n],
    };
    const outcome = await prover.prove(given, claim);
    expect(outcome.gapBoundNano).to.equal(0n);
    expect(outcome.welfareNano).to.equal(10n * 10n + 20n * 40n);
    // Without its dual price the islands' own prices contradict the fills.
    await prover.refuses(given, { ...claim, mu: [0n, 0n, 0n] }, "DualsContradictFills", 0, 20n * UNIT, 10n * UNIT);
    const other = {
      ...claim,
      postings: [posting(10), posting(20), posting(10, { marginalOfferWh: 30 }), posting(17, { marginalBidWh: 10 })],
    };
    // Better fills of the second island: then zone 1 must not pay more than 17.
    await prover.refuses(
      given,
      { ...other, mu: [0n, 0n, 7_000_000n] },
      "DualsContradictFills",
      0,
      20n * UNIT,
      17n * UNIT,
    );
    await prover.refuses(
      given,
      { ...claim, postings: claim.postings.with(1, posting(20, { marginalBidWh: 11 })) },
      "IslandNotBalanced",
      0,
      -1,
    );
  });

  it("without a tight limit is the radial rule: one price, all volume, backup last", async () => {
    const steps: readonly Step[] = [
      [0, 90, 50],
      [1, -60, 60],
      [2, -20, 50],
      [2, -20, 30],
    ];
    const zones = [zone({ hasBackup: true, backupSell: 50, backupBuy: 10, backupCapacityWh: 500 }), zone(), zone()];
    const given = triangle(steps, { zones });
    const mu = [0n, 0n, 0n];
    const postings = (offerWh: number, backupWh: number, bidWh: number) => [
      posting(50, { marginalOfferWh: offerWh, backupSoldWh: backupWh }),
      posting(50, { marginalBidWh: 60 }),
      posting(50, { marginalBidWh: bidWh }),
    ];
    const { gapBoundNano } = await prover.prove(given, { postings: postings(80, 0, 20), mu });
    expect(gapBoundNano).to.equal(0n);
    await prover.refuses(given, { postings: postings(79, 1, 20), mu }, "BackupNotLast", 0);
    await prover.refuses(given, { postings: postings(79, 0, 19), mu }, "VolumeNotMaximal", 0);
    const one = triangle([
      [0, 50, 10],
      [1, -50, 31],
    ]);
    await prover.prove(one, { postings: [posting(20), posting(20), posting(20)], mu });
    await prover.refuses(one, { postings: [posting(21), posting(21), posting(21)], mu }, "WrongPrice", 0, 21, 20);
    await prover.prove(triangle([]), { postings: [posting(7), posting(7), posting(7)], mu });
  });

  it("lets a price leave the tariffs where the network says so", async () => {
    // Zones 0 and 2 trade at the tariffs 10 and 50 over the full line from 0 to 1: a Wh for zone 1 costs 90.
    const zones = [zone(), zone(), zone({ hasBackup: true, backupSell: 50, backupBuy: 10, backupCapacityWh: 500 })];
    const given = triangle(
      [
        [0, 1_000, 10],
        [2, -400, 50],
        [1, -100, 50],
      ],
      { zones },
    );
    const claim: MeshClaim = {
      postings: [
        posting(10, { marginalOfferWh: 300 }),
        posting(90),
        posting(50, { marginalBidWh: 400, backupSoldWh: 100 }),
      ],
      mu: [120_000_121n, 0n, 0n],
    };
    const outcome = await prover.prove(given, claim);
    expect(outcome.welfareNano).to.equal(300n * 40n);
    await prover.refuses(given, withPosting(claim, 1, { price: 50 }), "WrongPrice", 1, 50, 90);
  });

  it("takes no higher dual price than the fills need", async () => {
    // The line is full by chance: what is filled is filled at any price of zone 1 from its left bid to the 50 of its full one.
    const chance = (leftBid: number): MeshCase =>
      triangle([
        [0, 150, 10],
        [0, 900, 20],
        [1, -150, 50],
        [1, -900, leftBid],
      ]);
    const prices = (...own: number[]) => own.map((price) => posting(price));
    const at = (mu: bigint, ...own: number[]): MeshClaim => ({ postings: prices(...own), mu: [mu, 0n, 0n] });
    await prover.prove(chance(15), at(0n, 17, 17, 17));
    await prover.refuses(chance(15), at(36_000_000n, 15, 38, 26), "DualNotNeeded", 0, 36_000_000);
    await prover.prove(chance(40), at(30_000_030n, 20, 40, 30));
    await prover.refuses(chance(40), at(0n, 20, 40, 30), "DualsContradictFills", 0, 40n * UNIT, 20n * UNIT);
    await prover.refuses(chance(40), at(36_000_036n, 18, 41, 30), "DualNotNeeded", 0, 36_000_036);
  });
});
