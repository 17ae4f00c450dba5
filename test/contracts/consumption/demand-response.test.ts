import { expect } from "chai";
import { SLOTS_PER_DAY } from "../../../services/protocol/archive.ts";
import { baselineDays } from "../../../services/core/demand/baseline.ts";
import { createResponse, SLOTS, using, type ResponseStand, type Story } from "./response.ts";
import { METHOD } from "./stand.ts";
import { expectRebuilt } from "../support/community.ts";
import { unnoticed } from "../support/unnoticed.ts";

/** Home 0 has used 900 Wh per slot on the mean of Friday and Monday and buys 850; home 1 has used 550 and buys more. */
const STORY: Story = {
  enrolled: [
    [0, 2_000],
    [1, 1_000],
  ],
  boughtWh: [850, 800],
  usedWh: [400, 350, 400, 700, 300],
};

describe("demand response", () => {
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

  const check = async (story: Story) => {
    const told = await r.tell(story);
    const twin = r.expected(story);
    expect(told.paid).to.deep.equal(
      twin.payments.map(({ point, payment, penalty, deposit }) => ({
        ...{ point, payment, penalty, returned: deposit - penalty },
      })),
    );
    expect(told.gainedNano).to.deep.equal(
      told.gainedNano.map((_, home) => {
        const mine = told.paid.find(({ point }) => point === home);
        return mine ? 1_000n * (mine.payment + mine.returned) : 0n;
      }),
    );
    expect(told.membersNano).to.equal(1_000n * told.paid.reduce((sum, { penalty }) => sum + penalty, 0n));
    // To the unit: what is not paid is the sponsor's, and nothing stays behind.
    const sponsor = await r.operator.getAddress();
    expect(await r.dr.owedOf(sponsor)).to.equal(twin.rest);
    const before = await r.c.token.balanceOf(sponsor);
    await r.sponsor.withdraw(sponsor);
    expect((await r.c.token.balanceOf(sponsor)) - before).to.equal(twin.rest);
    expect(await r.c.token.balanceOf(r.addresses.demandResponse)).to.equal(told.poolBefore);
    return { ...told, twin };
  };

  it("pays what was bought and not used, less what settlement paid for it already", async () => {
    const { paid, twin, closed } = await check(STORY);
    // Home 0: the lower of 4 x 900 and 4 x 850, less 4 x 400. Home 1: 4 x 550, less 4 x 350.
    expect(twin.payments.map(({ baselineWh, verifiedWh }) => [baselineWh, verifiedWh])).to.deep.equal([
      [3_400, 1_800],
      [2_200, 800],
    ]);
    expect(paid.map(({ payment, penalty }) => [payment, penalty])).to.deep.equal([
      [(1_800n * 440_000n) / 1_000n, (200n * 100_000n) / 1_000n],
      [(800n * 440_000n) / 1_000n, (200n * 100_000n) / 1_000n],
    ]);
    expect(closed.closed).to.equal(true);
    const events = await r.dr.queryFilter(r.dr.filters.Proved());
    expect(events.map(({ args }) => [args.baselineWh, args.meteredWh, args.verifiedWh])).to.deep.equal([
      [3_400n, 1_600n, 1_800n],
      [2_200n, 1_400n, 800n],
    ]);
    expect(await r.dr.totalsOf(1, 0)).to.deep.equal([4_600n, 7_200n, 7_600n]);
    const { responses } = await expectRebuilt(r);
    expect([...(responses[1]?.points.values() ?? [])].map(({ due }) => due?.baselineWh)).to.deep.equal([3_400, 2_200]);
    const steps = ["Announced", "Enrolled", "PositionKept", "ZonesCounted", "Proved", "Closed", "Paid", "Withdrawn"];
    expect(await unnoticed(r, ["MethodSet", ...steps])).to.deep.equal(["Announced.terms.enrolUntil"]);
  });

  it("pays a zone at most for its own measured reduction: what a neighbour takes over is not one", async () => {
    const usedWh = [400, 350, 700, 700, 300];
    const { twin } = await check({ ...STORY, usedWh });
    // 7,400 Wh on the mean; 5,800 Wh in the window: 1,600 of the 2,600 Wh proved, in proportion.
    expect(twin.payments[0]?.payment).to.equal((1_800n * 440_000n * 1_600n) / 2_600n / 1_000n);
  });

  it("pays nothing for less than the baseline, and takes no more than the deposit", async () => {
    const { paid } = await check({ ...STORY, usedWh: [900, 600, 0, 0, 0] });
    expect(paid.map(({ payment, returned }) => [payment, returned])).to.deep.equal([
      [0n, 0n],
      [0n, 0n],
    ]);
  });

  it("pays for use of surplus above the higher of history and position", async () => {
    const usedWh = [1_300, 900, 400, 700, 300];
    const { twin } = await check({ ...STORY, terms: { increase: true }, usedWh });
    expect(twin.payments.map(({ baselineWh, verifiedWh }) => [baselineWh, verifiedWh])).to.deep.equal([
      [3_600, 1_600],
      [3_200, 400],
    ]);
    expect(twin.payments[0]?.payment).to.equal((1_600n * 500_000n) / 1_000n);
  });

  it("fixes the days of a baseline when it is announced: none of them can be changed any more", async () => {
    const { friday, monday, tuesday, window } = r;
    const id = await r.begin(STORY);
    const days = (await r.daysOf(id)).map((slot) => Math.floor(slot / SLOTS_PER_DAY));
    expect(days).to.deep.equal([tuesday, monday, friday]);
    const twin = (firstSlot: number, taken: number[]): number[] =>
      baselineDays(
        { firstSlot, announcedInSlot: tuesday * SLOTS_PER_DAY, genesisSlot: r.genesisSlot },
        (day) => taken.includes(day),
        METHOD,
      );
    expect(twin(window, [])).to.deep.equal([1, 4]);
    // For Wednesday, announced on Tuesday: what is used on this Tuesday does not count, event or not.
    const wednesday = await r.begin({ terms: { firstSlot: window + SLOTS_PER_DAY } });
    expect(twin(window + SLOTS_PER_DAY, [tuesday])).to.deep.equal([2, 5]);
    expect(Number((await r.dr.eventOf(wednesday)).daysBack)).to.equal(2 + 256 * 5);
    // In zone 1 Monday had an event.
    const other = await r.begin({ terms: { zones: 2n } });
    expect(Number((await r.dr.eventOf(other)).daysBack)).to.equal(4);
    // A Sunday has Sundays and Saturdays.
    const sunday = await r.begin({ terms: { firstSlot: window + 5 * SLOTS_PER_DAY } });
    expect(Number((await r.dr.eventOf(sunday)).daysBack)).to.equal(7 + 256 * 8);
  });

  it("takes each slot of a zone for one event and each point once", async () => {
    const { dr, window } = r;
    const id = await r.begin(STORY);
    for (const firstSlot of [window - 1, window + 3])
      await expect(r.begin({ terms: { zones: 3n, firstSlot, slots: 2 } }))
        .to.be.revertedWithCustomError(dr, "WindowTaken")
        .withArgs(0, firstSlot);
    await r.begin({ terms: { firstSlot: window + 4, slots: 2 } });
    const enrol = (home: number, capacityWh: number, by = home, event = id) =>
      r.of(by).demandResponse.enrol(event, home, capacityWh);
    await expect(enrol(0, 10)).to.be.revertedWithCustomError(dr, "AlreadyEnrolled").withArgs(id, 0);
    await expect(enrol(2, 10, 1)).to.be.revertedWithCustomError(dr, "NotOwnerOrDelegate");
    await expect(enrol(3, 10)).to.be.revertedWithCustomError(dr, "OtherZone").withArgs(3, 1);
    await expect(enrol(2, 0)).to.be.revertedWithCustomError(dr, "CapacityOutOfBounds").withArgs(2, 0, 20_000);
    await expect(enrol(2, 20_001)).to.be.revertedWithCustomError(dr, "CapacityOutOfBounds");
    await expect(enrol(2, 1_001)).to.be.revertedWithCustomError(dr, "TargetReached").withArgs(id, 4_001, 4_000);
    await expect(enrol(2, 10, 2, 99))
      .to.be.revertedWithCustomError(dr, "UnknownEvent")
      .withArgs(99);
    await r.of(2).meteringPoints.setDelegate(2, r.owners[1]?.address as string, 2n ** 39n);
    const before = await r.c.token.balanceOf(r.owners[1]?.address as string);
    await enrol(2, 1_000, 1);
    expect(before - (await r.c.token.balanceOf(r.owners[1]?.address as string))).to.equal(100_000n);
    expect(await dr.depositOf(id, 1_000)).to.equal(100_000n);
    const { capacityWh, zone, proved } = await dr.enrolmentOf(id, 2);
    expect([capacityWh, zone, proved]).to.deep.equal([1_000n, 0n, false]);
    await r.goTo(r.termsOf().enrolUntil + 1);
    await expect(enrol(2, 1)).to.be.revertedWithCustomError(dr, "EnrolmentOver");
  });

  it("is announced by accredited sponsors, within bounds, with its whole fund", async () => {
    const { dr, window, sponsor, genesisSlot } = r;
    const announce = (more: object) => sponsor.announce(r.termsOf(more));
    await expect(dr.announce(r.termsOf())).to.be.revertedWithCustomError(dr, "AccessManagedUnauthorized");
    for (const more of [{ slots: 0 }, { slots: 33 }, { firstSlot: window + 81, slots: 4 }])
      await expect(announce(more)).to.be.revertedWithCustomError(dr, "BadWindow");
    for (const zones of [0n, 4n]) await expect(announce({ zones })).to.be.revertedWithCustomError(dr, "BadZones");
    for (const more of [{ targetWh: 0 }, { price: 0 }])
      await expect(announce(more)).to.be.revertedWithCustomError(dr, "NothingOffered");
    await expect(announce({ penaltyPpm: 500_001 })).to.be.revertedWithCustomError(dr, "PenaltyTooHigh");
    const { enrolUntil } = r.termsOf();
    const tooFar = window + 10 * SLOTS_PER_DAY;
    for (const more of [{ enrolUntil: enrolUntil + 1 }, { enrolUntil: 1 }, { firstSlot: tooFar }])
      await expect(announce(more)).to.be.revertedWithCustomError(dr, "BadEnrolment");
    const sponsored = await r.operator.getAddress();
    const before = await r.c.token.balanceOf(sponsored);
    await announce({ targetWh: 3, price: 333 });
    expect(before - (await r.c.token.balanceOf(sponsored))).to.equal(1n);
    expect(Number(await dr.genesisSlot())).to.equal(genesisSlot);
  });

  it("counts only what is proved in time", async () => {
    const { dr } = r;
    const id = await r.begin(STORY);
    const early = Number((await dr.eventOf(id)).firstSlot);
    const none = Array.from({ length: SLOTS }, () => ({
      ...{ slot: 0, clearer: r.addresses.ledger, prices: [], backupSoldWh: 0, backupBoughtWh: 0 },
      ...{ backupNano: 0, congestionNano: 0, positions: "0x", extras: "0x" },
    }));
    await expect(dr.keepPositions(id, none.slice(1), [0]))
      .to.be.revertedWithCustomError(dr, "RecordsDiffer")
      .withArgs(3, 4);
    await expect(dr.keepPositions(id, none, [0])).to.be.revertedWithCustomError(dr, "OutsideRing");
    const records = await r.buy(early, SLOTS, [850, 800]);
    await r.goTo(r.startOf(early + SLOTS - 1));
    await expect(dr.keepPositions(id, none, [0])).to.be.revertedWithCustomError(dr, "RecordMismatch");
    await expect(dr.keepPositions(id, records, [2]))
      .to.be.revertedWithCustomError(dr, "NotEnrolled")
      .withArgs(id, 2);
    await dr.keepPositions(id, records, [0]);
    await expect(dr.keepPositions(id, records, [0]))
      .to.be.revertedWithCustomError(dr, "AlreadyKept")
      .withArgs(id, 0);
    await r.over(() => [400, 350, 400, 700, 300].map((importWh) => ({ importWh, exportWh: 0, quality: 0 })));
    await expect(dr.prove(id, 1, await r.rangesOf(id, 1)))
      .to.be.revertedWithCustomError(dr, "PositionNotKept")
      .withArgs(id, 1);
    await expect(dr.close(id)).to.be.revertedWithCustomError(dr, "StillOpen");
    await expect(dr.settle(id, [0]))
      .to.be.revertedWithCustomError(dr, "NotClosed")
      .withArgs(id);

    // Nobody kept home 1's position while it could be: nothing counts.
    await r.goTo(r.startOf(early + 255));
    await expect(dr.keepPositions(id, records, [1])).to.be.revertedWithCustomError(dr, "OutsideRing");
    await r.countZones(id);
    await dr.prove(id, 1, await r.rangesOf(id, 1));
    expect((await dr.enrolmentOf(id, 1)).verifiedWh).to.equal(0n);
    // Home 0 is proved by nobody until it is too late.
    const deadline = Number(await dr.deadlineOf(id));
    const late = await r.rangesOf(id, 0);
    await r.goTo(r.startOf(deadline + 1));
    await expect(dr.prove(id, 0, late))
      .to.be.revertedWithCustomError(dr, "ProofsOver")
      .withArgs(id, deadline);
    await dr.close(id);
    await expect(dr.close(id)).to.be.revertedWithCustomError(dr, "AlreadyClosed");
    await expect(dr.prove(id, 0, late)).to.be.revertedWithCustomError(dr, "AlreadyClosed");
    await dr.settle(id, [0, 1]);
    await expect(dr.settle(id, [1]))
      .to.be.revertedWithCustomError(dr, "AlreadySettled")
      .withArgs(id, 1);
    const paid = await dr.queryFilter(dr.filters.Paid(id));
    expect(paid.map(({ args }) => [args.payment, args.penalty, args.returned])).to.deep.equal([
      [0n, 200_000n, 0n],
      [0n, 100_000n, 0n],
    ]);
    const sponsor = await r.operator.getAddress();
    expect(await dr.owedOf(sponsor)).to.equal(2_000_000n);
    await r.sponsor.withdraw(sponsor);
    await expect(r.sponsor.withdraw(sponsor)).to.be.revertedWithCustomError(dr, "NothingOwed").withArgs(sponsor);
  });

  it("keeps no position once later terms took the place of those that say what a surplus earned", async () => {
    const { dr, window } = r;
    const id = await r.begin(STORY);
    const records = await r.buy(window, SLOTS, [850, 800]);
    await r.goTo(r.startOf(window + SLOTS - 1));
    await dr.keepPositions(id, records, [0]);
    expect((await dr.enrolmentOf(id, 0)).surplusPrice).to.equal(60_000n);
    await r.over(() => using([400, 350, 400, 700, 300]));
    await r.publishTerms(window + 256, SLOTS);
    await expect(dr.keepPositions(id, records, [1]))
      .to.be.revertedWithCustomError(r.c.tariffs, "NotPublished")
      .withArgs(window);
  });

  it("offers no window that nobody could count in one transaction", async () => {
    // 250 points: bytes 21 to 24 of the first storage word count them.
    const place = r.addresses.meteringPoints;
    const word = BigInt(await r.provider.getStorage(place, 0));
    const many = (word & ~(0xffffffffn << 168n)) | (251n << 168n);
    const write = (value: bigint) =>
      r.networkHelpers.setStorageAt(place, "0x0", `0x${value.toString(16).padStart(64, "0")}`);
    await write(many);
    await expect(r.begin({ terms: { slots: 32 } }))
      .to.be.revertedWithCustomError(r.dr, "BadWindow")
      .withArgs(r.window, 32);
    await r.begin({ terms: { slots: 31 } });
    await r.begin({ terms: { slots: 32, firstSlot: r.window + 32, increase: true } });
    await write(word);
  });

  it("takes no proof but the whole one", async () => {
    const { dr } = r;
    const id = await r.begin(STORY);
    await r.pass(id, STORY);
    const [window = 0, monday = 0] = await r.daysOf(id);
    const good = await r.rangesOf(id, 0);
    const others = await r.rangesOf(id, 2);
    for (const ranges of [good.slice(1), [...good].reverse(), [...good.slice(0, 2), others[2]]])
      await expect(dr.prove(id, 0, ranges as typeof good)).to.be.revertedWithCustomError(dr, "WrongRange");
    const short = [r.prove(0, window, SLOTS - 1), ...good.slice(1)];
    await expect(dr.prove(id, 0, short)).to.be.revertedWithCustomError(dr, "WrongRange");
    const left = [...good.slice(0, 1), r.prove(0, monday, SLOTS, new Set([monday + 1])), ...good.slice(2)];
    await expect(dr.prove(id, 0, left))
      .to.be.revertedWithCustomError(dr, "SlotLeftOut")
      .withArgs(monday + 1);
    const forged = [{ ...good[0], nodes: [...(good[0]?.nodes ?? [])].reverse() }, ...good.slice(1)];
    await expect(dr.prove(id, 0, forged as typeof good)).to.be.revertedWithCustomError(dr, "WrongProof");
    await dr.prove(id, 0, good);
    await expect(dr.prove(id, 0, good))
      .to.be.revertedWithCustomError(dr, "AlreadyProved")
      .withArgs(id, 0);

    const part = (from: number, slots: number) => r.reports(from, slots);
    const whole = part(window, SLOTS);
    const count = ({ slots, nodes }: ReturnType<typeof part>) => dr.countZones(id, slots, nodes);
    await expect(count({ ...whole, slots: [] }))
      .to.be.revertedWithCustomError(dr, "TooManySlots")
      .withArgs(0, 4);
    await expect(count({ ...whole, slots: [...whole.slots, ...whole.slots] }))
      .to.be.revertedWithCustomError(dr, "TooManySlots")
      .withArgs(8, 4);
    await expect(count({ ...whole, nodes: whole.nodes.slice(1) })).to.be.revertedWithCustomError(dr, "NodesLeftOver");
    await expect(count({ ...whole, nodes: [...whole.nodes, `0x${"00".repeat(32)}`] })).to.be.revertedWithCustomError(
      dr,
      "NodesLeftOver",
    );
    const emptied = whole.slots.map((slot, i) => (i === 1 ? { ...slot, points: "0x" } : slot));
    await expect(count({ ...whole, slots: emptied })).to.be.revertedWithCustomError(dr, "WrongProof");
    // In parts it is the same.
    await expect(count(part(window, 1)))
      .to.be.revertedWithCustomError(dr, "WindowInParts")
      .withArgs(1, 4);
    await count(whole);
    await count(part(monday, 1));
    await count(part(monday + 1, 3));
    await count(part((await r.daysOf(id))[2] as number, SLOTS));
    await expect(count(whole)).to.be.revertedWithCustomError(dr, "AllCounted").withArgs(id);
    expect(await dr.totalsOf(id, 0)).to.deep.equal([4_600n, 7_200n, 7_600n]);
  });
});
