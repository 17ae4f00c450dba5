import { expect } from "chai";
import { ZeroHash } from "ethers";
import { DemandResponse__factory } from "../../../types/contracts/factories/consumption/DemandResponse__factory.ts";
import { MarketAccess__factory } from "../../../types/contracts/factories/access/MarketAccess__factory.ts";
import { Ledger__factory } from "../../../types/contracts/factories/pricing/Ledger__factory.ts";
import { TestFeeToken__factory } from "../../../types/contracts/factories/test/TestFeeToken__factory.ts";
import { SLOTS_PER_DAY } from "../../../services/protocol/archive.ts";
import { gateOf } from "../../../services/protocol/clearing.ts";
import type { PackedReading } from "../../../services/protocol/words.ts";
import { missing, reading } from "../support/world.ts";
import { createStand } from "./stand.ts";
import { createResponse, using, type ResponseStand, type Story } from "./response.ts";
import { expectRebuilt } from "../support/community.ts";

const STORY: Story = {
  enrolled: [
    [0, 2_000],
    [1, 1_000],
  ],
  boughtWh: [850, 800],
};

describe("demand response with meters that fail", () => {
  let r: ResponseStand;
  let restore: () => Promise<void>;
  before(async () => {
    r = await createResponse();
    restore = (await r.networkHelpers.takeSnapshot()).restore;
  });
  afterEach(async () => {
    expect(await r.discrepancyNano(), "the ledger holds what it owes").to.equal(0n);
    await expectRebuilt(r);
    await restore();
  });
  const verified = async (id: number) =>
    Promise.all([0, 1].map(async (home) => (await r.dr.enrolmentOf(id, home)).verifiedWh));
  const failing = (home: number, as: PackedReading) => (index: number) =>
    using([400, 350, 400, 700, 300]).map((each, i) => (i === home && index === 2 ? as : each));

  it("pays nobody for what was not measured", async () => {
    for (const as of [missing, reading(400, 0, 2)]) {
      const { id, paid } = await r.tell({ ...STORY, metersAt: failing(0, as) });
      expect(await verified(id)).to.deep.equal([0n, 800n]);
      expect(paid[0]?.payment).to.equal(0n);
      // Home 0 counts on no day of its zone: (550 + 400) x 4 on the mean, (350 + 400) x 4 in the window.
      expect((await r.dr.eventOf(id)).gaps).to.equal(true);
      expect((await r.dr.totalsOf(id, 0)).slice(1)).to.deep.equal([4_000n, 3_600n]);
      expect(paid[1]?.payment).to.equal((800n * 440_000n) / 1_000n);
      await restore();
    }
  });

  it("neither lets a neighbour's broken meter fake a reduction nor spoil it", async () => {
    const { id, paid } = await r.tell({ ...STORY, metersAt: failing(2, missing) });
    expect(await verified(id)).to.deep.equal([1_800n, 800n]);
    // (900 + 550) x 4 on the mean, 750 x 4 in the window: all 2,600 Wh.
    expect(await r.dr.totalsOf(id, 0)).to.deep.equal([3_000n, 5_600n, 6_000n]);
    expect(paid[0]?.payment).to.equal((1_800n * 440_000n) / 1_000n);
  });

  it("takes a day before it that was not measured for one of the highest use", async () => {
    const { dr, window, addresses } = r;
    const next = window + SLOTS_PER_DAY;
    await r.runDay(r.tuesday, (index) => failing(0, missing)(index - 12));
    const id = await r.begin({ terms: { firstSlot: next, increase: true }, enrolled: [[0, 2_000]] });
    await r.publishTerms(next, 4);
    await r.archiveDay(r.monday);
    await r.archiveDay(r.tuesday);
    // Nobody cleared the window: whatever record is given counts for nothing.
    const records = Array.from({ length: 4 }, () => ({
      ...{ slot: 0, clearer: addresses.ledger, prices: [], backupSoldWh: 0, backupBoughtWh: 0 },
      ...{ backupNano: 0, congestionNano: 0, positions: "0x80000fff", extras: "0x" },
    }));
    await dr.keepPositions(id, records, [0]);
    expect((await dr.enrolmentOf(id, 0)).boughtWh).to.equal(0n);
    await r.runDay(r.tuesday + 1, () => using([1_000, 600, 400, 700, 300]), 16);
    await r.archiveDay(r.tuesday + 1);
    const limit = 4n * (await r.c.meteringPoints.pointOf(0)).importLimitWh;
    // Friday's 4,000 Wh is the other of the two highest.
    await expect(dr.prove(id, 0, await r.rangesOf(id, 0)))
      .to.emit(dr, "Proved")
      .withArgs(id, 0, (limit + 4_000n) / 2n, 4_000, 0);
  });

  it("verifies no more than was enrolled", async () => {
    const { id, paid } = await r.tell({ ...STORY, enrolled: [[0, 500]], usedWh: [400, 350, 400, 700, 300] });
    expect((await r.dr.enrolmentOf(id, 0)).verifiedWh).to.equal(500n);
    expect(paid[0]?.payment).to.equal((500n * 440_000n) / 1_000n);
  });

  it("takes no deposit where no penalty is due", async () => {
    const id = await r.begin({ terms: { penaltyPpm: 0 } });
    await expect(r.of(0).demandResponse.enrol(id, 0, 500)).not.to.emit(r.c.token, "Transfer");
    expect((await r.dr.enrolmentOf(id, 0)).capacityWh).to.equal(500n);
  });

  it("measures nothing while a slot of the window has no report", async () => {
    const { dr } = r;
    const id = await r.begin(STORY);
    await r.pass(id, { ...STORY, usedWh: [0, 0, 0, 0, 0], reported: 15 });
    const [window = 0, ...history] = await r.daysOf(id);
    await expect(dr.prove(id, 0, await ranges(id))).to.be.revertedWithCustomError(dr, "NotArchived");
    const three = r.reports(window, 3);
    await expect(
      dr.countZones(
        id,
        [...three.slots, { points: "0x", own: "0x", heads: "0x", stores: "0x", salesHash: ZeroHash }],
        [],
      ),
    ).to.be.revertedWithCustomError(dr, "NotArchived");
    // Estimated, final and archived at last: the slot has no reading for ever.
    await r.goTo(r.startOf(window + 3 + 9));
    await r.c.settlement.estimate(window + 3);
    await r.goTo(r.startOf(window + 3 + 9 + 96));
    await r.c.settlement.settleEstimated(r.records.get(window + 3) as NonNullable<ReturnType<typeof r.records.get>>);
    await r.c.settlement.advanceFinal(10);
    const leaves = r.leavesOf.get(r.tuesday) as string[];
    await r.c.readingArchive.archive(r.tuesday, leaves, [
      { readingsHash: `0x${"00".repeat(32)}`, root: `0x${"00".repeat(32)}`, record: "0x" },
    ]);
    r.slotsOf.get(r.tuesday)?.push({ slot: window + 3 });
    leaves.push(`0x${"00".repeat(32)}`);
    const whole = r.reports(window, 4);
    await dr.countZones(id, whole.slots, whole.nodes);
    for (const day of history) {
      const { slots, nodes } = r.reports(day, 4);
      await dr.countZones(id, slots, nodes);
    }
    await r.proveAll(id, [
      [0, 0],
      [1, 0],
    ]);
    expect(await verified(id)).to.deep.equal([0n, 0n]);
    expect((await dr.eventOf(id)).blind).to.equal(true);
    await dr.close(id);
    const [closed] = await dr.queryFilter(dr.filters.Closed(id));
    expect([...(closed?.args.payableWh ?? [])]).to.deep.equal([0n]);
  });

  const ranges = async (id: number) => {
    const [window = 0, ...history] = await r.daysOf(id);
    return [{ ...r.prove(0, window, 3), slots: `0x${"ff0000000000000000".repeat(4)}` }].concat(
      history.map((day) => r.prove(0, day, 4)),
    );
  };

  it("needs days, and a token that moves what it says", async () => {
    const { dr, addresses, deployer, genesisSlot } = r;
    const { ledger, readingArchive, meteringPoints, auction, tariffs } = addresses;
    const admin = await deployer.getAddress();
    const access = await new MarketAccess__factory(deployer).deploy(admin);
    const deploy = (money: string, method: [number, number, number]) =>
      new DemandResponse__factory(deployer).deploy(
        ...([access, money, readingArchive, meteringPoints, auction, tariffs, genesisSlot, method] as const),
      );
    for (const method of [
      [11, 5, 5],
      [5, 6, 5],
      [5, 5, 6],
      [5, 0, 5],
      [5, 5, 0],
    ] as [number, number, number][])
      await expect(deploy(ledger, method))
        .to.be.revertedWithCustomError(dr, "BadMethod")
        .withArgs(...method);
    // Two weekdays have passed.
    const strict = await deploy(ledger, [10, 5, 3]);
    await expect(strict.announce(r.termsOf())).to.be.revertedWithCustomError(dr, "TooFewDays").withArgs(2, 3);

    const taking = await new TestFeeToken__factory(deployer).deploy();
    const other = await new Ledger__factory(deployer).deploy(
      ...[taking, meteringPoints, addresses.settlement, addresses.orderBook, addresses.bilaterals, admin, admin],
      [],
    );
    const short = await deploy(await other.getAddress(), [3, 2, 1]);
    await taking.approve(short, 1_000_000);
    await expect(short.announce(r.termsOf({ targetWh: 1_000, price: 200 })))
      .to.be.revertedWithCustomError(dr, "WrongAmountReceived")
      .withArgs(200, 198);
  });
});

describe("demand response over many zones", () => {
  it("asks at most 32 of them, wherever these are", async () => {
    const zones = Array.from({ length: 40 }, (_, parent) => ({
      ...{ parent, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
    }));
    const { c, asOperator, goTo, startOf, firstDay } = await createStand({ zones });
    const firstSlot = (firstDay + 4) * SLOTS_PER_DAY + 12;
    await goTo(startOf(firstSlot - 8));
    const terms = {
      ...{ firstSlot, slots: 4, increase: false, targetWh: 4_000, price: 500_000, penaltyPpm: 200_000 },
      enrolUntil: gateOf(firstSlot),
    };
    const announce = (asked: bigint) => asOperator.demandResponse.announce({ ...terms, zones: asked });
    const most = ((1n << 32n) - 1n) << 8n;
    await expect(announce(most | 1n))
      .to.be.revertedWithCustomError(c.demandResponse, "BadZones")
      .withArgs(most | 1n, 40);
    await announce(most);
    expect((await c.demandResponse.eventOf(0)).zones).to.equal(most);
  });
});
