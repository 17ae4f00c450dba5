import { expect } from "chai";
import { IClearingErrors__factory } from "../../types/contracts/factories/interfaces/IClearingErrors__factory.ts";
import { packLimits } from "../../services/protocol/limits.ts";
import { bid, createWorld, offer, oneZone, posting, submit, TOKEN, type World } from "./support/world.ts";

const LINE = 333_333;
const OPEN = 2n ** 63n - 1n;
const zones = [0, 0, 0].map((parent, i) => ({
  parent,
  toParentWh: 0,
  fromParentWh: 0,
  backupCapacityWh: i === 2 ? 1_000_000 : 0,
}));
/** Three zones, each linked with each other over equal lines; the line from 0 to 1 takes 100 Wh. */
const limits = [
  { minWh: -100, maxWh: 100, weights: [LINE, -LINE, 0] },
  { minWh: -1_000, maxWh: 1_000, weights: [0, LINE, -LINE] },
  { minWh: -OPEN, maxWh: OPEN, weights: [LINE, 0, -LINE] },
];

describe("meshed networks on chain", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld({ homes: 3, zoneOf: () => 0, publish: 0 });
    slot = world.genesisSlot + 125;
  });

  it("keeps limits with the version that they belong to", async () => {
    const { c, asOperator } = world;
    await expect(asOperator.grid.setMesh(slot, zones, limits))
      .to.emit(c.grid, "LimitsSet")
      .withArgs(slot, 2, packLimits(limits))
      .and.to.emit(c.grid, "GridSet");
    expect(await c.grid.limitsOf(slot)).to.deep.equal(
      limits.map(({ minWh, maxWh, weights }) => [BigInt(minWh), BigInt(maxWh), weights.map(BigInt)]),
    );
    const [, packed] = await c.grid.networkOf(slot);
    expect(packed).to.equal(packLimits(limits));
    expect(await c.grid.limitsOf(slot - 1)).to.deep.equal([]);
    expect((await c.grid.networkOf(slot - 1))[1]).to.equal("0x");
    await asOperator.grid.setGrid(slot + 1, zones);
    expect((await c.grid.networkOf(slot + 1))[1]).to.equal("0x");
    expect((await c.grid.networkOf(slot))[1]).to.equal(packLimits(limits));
  });

  it("refuses limits that are not well-formed, naming the first", async () => {
    const { c, asOperator } = world;
    const wrong = (at: number, change: object) => limits.map((own, i) => (i === at ? { ...own, ...change } : own));
    const refuses = (given: typeof limits, error: string, ...values: unknown[]) =>
      expect(asOperator.grid.setMesh(slot, zones, given))
        .to.be.revertedWithCustomError(c.grid, error)
        .withArgs(...values);
    await refuses([], "NoLimits");
    await refuses(wrong(1, { weights: [1, 2] }), "WrongWeightCount", 1, 2, 3);
    await refuses(wrong(2, { minWh: 1 }), "LimitExcludesZero", 2, 1, OPEN);
    await refuses(wrong(0, { maxWh: -1 }), "LimitExcludesZero", 0, -100, -1);
    await refuses(
      Array.from({ length: 513 }, () => limits[0]!),
      "TooManyLimits",
      513,
      512,
    );
    await expect(c.grid.setMesh(slot, zones, limits)).to.be.revertedWithCustomError(
      c.grid,
      "AccessManagedUnauthorized",
    );
    await expect(c.grid.stageLimits(3, limits, false)).to.be.revertedWithCustomError(
      c.grid,
      "AccessManagedUnauthorized",
    );
  });

  it("takes limits in several transactions where one is too small", async () => {
    const { c, asOperator } = world;
    const many = Array.from({ length: 120 }, () => oneZone[0]!);
    const drawn = Array.from({ length: 150 }, (_, l) => ({
      minWh: -l,
      maxWh: 2 * l,
      weights: many.map((_, z) => ((z * 7_919 + l * 104_729) % 2_000_001) - 1_000_000),
    }));
    // Staged ones that are dropped again leave nothing behind.
    await asOperator.grid.stageLimits(3, limits, false);
    await expect(asOperator.grid.setMesh(slot, many, drawn.slice(0, 1)))
      .to.be.revertedWithCustomError(c.grid, "StagedForOtherZones")
      .withArgs(3, 120);
    await asOperator.grid.stageLimits(120, drawn.slice(0, 50), false);
    await asOperator.grid.stageLimits(120, drawn.slice(50, 100), true);
    await asOperator.grid.setMesh(slot, many, drawn.slice(100));
    expect((await c.grid.networkOf(slot))[1]).to.equal(packLimits(drawn));
    // Nothing is staged any more.
    await asOperator.grid.setMesh(slot + 1, many, drawn.slice(0, 1));
    expect((await c.grid.networkOf(slot + 1))[1]).to.equal(packLimits(drawn.slice(0, 1)));
  });

  it("clears a slot over a full line", async () => {
    const { c, asOperator } = world;
    await asOperator.grid.setMesh(slot, zones, limits);
    // Points register in the zones of the current slot.
    await world.goTo(world.startOf(slot));
    const traded = slot + 2;
    await world.publishTerms(traded, 1, { fee: 0 });
    await c.token.mint(await world.relayer.getAddress(), 2_000n * TOKEN);
    const owners = world.owners.slice(0, 2);
    for (const [zone, owner] of owners.entries()) {
      await asOperator.meteringPoints.register(owner.address, zone, 5_000, 5_000);
      await c.ledger.deposit(3 + zone, 1_000n * TOKEN);
    }
    const [seller, buyer] = owners as [(typeof owners)[0], (typeof owners)[0]];
    const { words } = await world.append(traded, [
      await world.order(3, traded, [offer(1_000, 100_000)], 1, seller),
      await world.order(4, traded, [bid(1_000, 250_000)], 1, buyer),
    ]);
    await world.goTo(world.startOf(traded) - 500);
    // Zone 2 holds the backup at 300,000: nobody trades there, its price lies between the others'.
    const postings = [
      posting(100_000, { marginalOfferWh: 150 }),
      posting(250_000, { marginalBidWh: 150 }),
      posting(175_000),
    ];
    const submission = { ...submit(traded, words as string, postings), duals: { mu: [225_000_225_001n, 0n, 0n] } };
    const errors = IClearingErrors__factory.connect(world.addresses.auction, world.relayer);
    await expect(c.auction.clear({ ...submission, duals: { mu: [] } }))
      .to.be.revertedWithCustomError(errors, "WrongDualCount")
      .withArgs(0, 3);
    const receipt = await (await c.auction.clear(submission)).wait();
    const cleared = receipt?.logs
      .map((log) => c.auction.interface.parseLog(log))
      .find((log) => log?.name === "Cleared");
    expect(cleared?.args["boughtWh"]).to.equal(150n);
    expect([...(cleared?.args["record"].prices ?? [])]).to.deep.equal([100_000n, 250_000n, 175_000n]);
    expect(cleared?.args["record"].congestionNano).to.equal(150n * 150_000n);
  });
});
