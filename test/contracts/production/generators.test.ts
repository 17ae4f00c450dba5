import { expect } from "chai";
import { id, ZeroAddress, ZeroHash } from "ethers";
import { missing, reading } from "../support/world.ts";
import { CONVENTIONAL, createProduction, homes, type Production } from "./support.ts";
import { expectRebuilt } from "../support/community.ts";

const NEVER = 2 ** 32 - 1;
const REASON = id("panels were never mounted");
const DAY_SLOTS = 96;

describe("generators", () => {
  let p: Production;
  beforeEach(async () => {
    p = await createProduction();
  });
  afterEach(async () => {
    await expectRebuilt(p);
  });

  const current = async (): Promise<number> => Math.floor((await p.networkHelpers.time.latest()) / 900);
  const certified = async (generator: number, slots: number[]): Promise<boolean[]> =>
    Promise.all(slots.map(async (slot) => (await p.c.generators.isCertified(generator, slot))[0]));
  /** Counts everything that ran, from the genesis slot on. */
  const issueAll = async (generator = 0, meter = 0, runner = p.c) => {
    await p.finalize();
    await p.archive();
    const last = p.genesisSlot + p.slots.length - 1;
    return runner.certificates.issue([p.issueOf(generator, meter, p.genesisSlot, last)]);
  };

  it("are declared with what they are, by whom they belong to", async () => {
    const { generators } = p.c;
    const mine = p.of(0).generators;
    const now = await current();
    await expect(mine.register(p.terms({ nameplateW: 0 })))
      .to.be.revertedWithCustomError(generators, "NameplateOutOfRange")
      .withArgs(0, 4 * 0xffffff);
    await expect(mine.register(p.terms({ nameplateW: 4 * 0xffffff + 1 }))).to.be.revertedWithCustomError(
      generators,
      "NameplateOutOfRange",
    );
    await expect(mine.register(p.terms({ capacityFactorPpm: 1_000_001 })))
      .to.be.revertedWithCustomError(generators, "CapacityFactorTooHigh")
      .withArgs(1_000_001);
    await expect(mine.register(p.terms({ commissionedSlot: now + 5 })))
      .to.be.revertedWithCustomError(generators, "NotYetCommissioned")
      .withArgs(now + 5, now);
    await expect(mine.register(p.terms({ connection: 9 })))
      .to.be.revertedWithCustomError(p.c.meteringPoints, "UnknownPoint")
      .withArgs(9);
    await expect(mine.register(p.terms()))
      .to.emit(generators, "GeneratorRegistered")
      .and.to.emit(generators, "ConsentGiven")
      .withArgs(0, 0, p.owners[0]?.address);
    await p.of(2).generators.register(p.terms({ connection: 2, ownMeter: true }));
    await p.of(3).generators.register(p.terms({ connection: 3, ownMeter: true, storageBacked: true }));
    const meters = await Promise.all([0, 1, 2].map(async (g) => (await generators.generatorOf(g)).meter));
    expect(meters).to.deep.equal([0n, 2n ** 31n, 2n ** 31n + 1n]);
    const kept = await generators.generatorOf(2);
    expect([kept.producer, kept.storageBacked, kept.ownMeter, kept.consented, kept.nameplateW]).to.deep.equal([
      p.owners[3]?.address,
      true,
      true,
      true,
      8_000n,
    ]);
    await expect(generators.generatorOf(3)).to.be.revertedWithCustomError(generators, "UnknownGenerator").withArgs(3);
  });

  it("need the consent of the connection's owner, who may take it back", async () => {
    const { generators } = p.c;
    await p.of(1).generators.register(p.terms());
    await expect(p.asOperator.generators.certify(0, NEVER, ZeroHash))
      .to.be.revertedWithCustomError(generators, "NotConsented")
      .withArgs(0);
    await expect(p.of(1).generators.consent(0))
      .to.be.revertedWithCustomError(generators, "NotConnectionOwner")
      .withArgs(0, p.owners[1]?.address);
    await expect(p.of(0).generators.withdrawConsent(0)).to.be.revertedWithCustomError(generators, "NotConsented");
    await p.of(0).generators.consent(0);
    await expect(p.of(0).generators.consent(0)).to.be.revertedWithCustomError(generators, "AlreadyConsented");
    await p.asOperator.generators.certify(0, NEVER, ZeroHash);
    const from = (await current()) + 1;
    await p.goTo(p.startOf(from + 3));
    await expect(p.of(1).generators.withdrawConsent(0)).to.be.revertedWithCustomError(generators, "NotConnectionOwner");
    await expect(p.of(0).generators.withdrawConsent(0))
      .to.emit(generators, "ConsentWithdrawn")
      .withArgs(0, 0, p.owners[0]?.address, from + 3);
    expect(await certified(0, [from - 1, from, from + 2, from + 3, from + 9])).to.deep.equal([
      false,
      true,
      true,
      false,
      false,
    ]);
    // The connection is free again; the first generator's slots stay the first one's.
    await p.of(0).generators.register(p.terms());
    await p.asOperator.generators.certify(1, NEVER, ZeroHash);
    expect(await certified(1, [from + 2, from + 3, from + 4])).to.deep.equal([false, false, true]);
    await expect(p.of(0).generators.consent(0))
      .to.be.revertedWithCustomError(generators, "ConnectionTaken")
      .withArgs(0, 1);
  });

  it("have few meters of their own, which only the connection's owner installs: every report names all of them", async () => {
    const { generators } = p.c;
    const own = p.terms({ ownMeter: true });
    await expect(p.of(1).generators.register(own))
      .to.be.revertedWithCustomError(generators, "NotConnectionOwner")
      .withArgs(0, p.owners[1]?.address);
    const mine = p.of(0).generators;
    for (let generator = 0; generator < 8; generator += 1) {
      await mine.register(own);
      await mine.withdrawConsent(generator);
    }
    await expect(mine.register(own)).to.be.revertedWithCustomError(generators, "TooManyOwnMeters").withArgs(0, 8);
    await p.of(1).generators.register(p.terms({ connection: 1, ownMeter: true }));
    expect(await generators.ownMeterCount()).to.equal(9n);
    // Handed on, it is the producer's.
    await mine.changeProducer(7, p.owners[2]?.address as string);
    expect((await generators.generatorOf(7)).producer).to.equal(p.owners[2]?.address);
  });

  it("share no meter with storage or conventional generation", async () => {
    const { generators } = p.c;
    const mine = p.of(0).generators;
    await mine.register(p.terms({ kind: CONVENTIONAL }));
    await expect(p.asOperator.generators.certify(0, NEVER, ZeroHash))
      .to.be.revertedWithCustomError(generators, "NotRenewable")
      .withArgs(0);
    await expect(mine.register(p.terms())).to.be.revertedWithCustomError(generators, "OwnMeterNeeded").withArgs(1, 0);
    await mine.register(p.terms({ ownMeter: true }));
    await expect(mine.register(p.terms({ ownMeter: true })))
      .to.be.revertedWithCustomError(generators, "ConnectionTaken")
      .withArgs(0, 1);
    await p.of(1).generators.register(p.terms({ connection: 1 }));
    await expect(p.of(1).generators.register(p.terms({ connection: 1, kind: CONVENTIONAL })))
      .to.be.revertedWithCustomError(generators, "OwnMeterNeeded")
      .withArgs(2, 1);
    await mine.withdrawConsent(0);
    await mine.withdrawConsent(1);
    await mine.register(p.terms());

    await p.of(2).generators.register(p.terms({ connection: 2, storageBacked: true }));
    await expect(p.asOperator.generators.certify(4, NEVER, ZeroHash))
      .to.be.revertedWithCustomError(generators, "OwnMeterNeeded")
      .withArgs(4, 2);
    await p.asOperator.generators.certify(3, NEVER, ZeroHash);
    await expect(p.asOperator.generators.flagStorage(3)).to.emit(generators, "StorageFlagged");
    const now = await current();
    expect(await certified(3, [now, now + 1, now + 2])).to.deep.equal([false, false, false]);
    await expect(p.asOperator.generators.certify(3, NEVER, ZeroHash)).to.be.revertedWithCustomError(
      generators,
      "OwnMeterNeeded",
    );
  });

  it("are certified by their role alone, until expiry or revocation, and every slot keeps its answer", async () => {
    const { generators } = p.c;
    const generator = await p.register({}, false);
    for (const call of [
      () => p.c.generators.certify(generator, NEVER, ZeroHash),
      () => p.c.generators.revoke(generator, REASON),
      () => p.c.generators.flagStorage(generator),
      () => p.c.generators.recordMaintenance(generator, ZeroHash),
    ])
      await expect(call()).to.be.revertedWithCustomError(generators, "AccessManagedUnauthorized");
    for (const call of [
      () => p.asOperator.generators.certify(7, NEVER, ZeroHash),
      () => p.asOperator.generators.revoke(7, REASON),
      () => p.asOperator.generators.flagStorage(7),
      () => p.asOperator.generators.recordMaintenance(7, ZeroHash),
      () => p.c.generators.consent(7),
      () => p.c.generators.efficiencyOf(7, 1),
      () => p.c.generators.isCertified(7, 1),
    ])
      await expect(call()).to.be.revertedWithCustomError(generators, "UnknownGenerator").withArgs(7);
    const { certify, revoke } = p.asOperator.generators;
    await expect(revoke(generator, REASON)).to.be.revertedWithCustomError(generators, "NotCertified");
    const from = (await current()) + 1;
    await expect(certify(generator, from, ZeroHash))
      .to.be.revertedWithCustomError(generators, "ExpiryNotAhead")
      .withArgs(from, from);
    await expect(certify(generator, from + 10, id("certificate")))
      .to.emit(generators, "Certified")
      .withArgs(generator, from, from + 10, from + 10, id("certificate"));
    await p.goTo(p.startOf(from + 5));
    await expect(certify(generator, from + 20, ZeroHash))
      .to.emit(generators, "Certified")
      .withArgs(generator, from, from + 20, from + 20, ZeroHash);
    // Expired, renewed later, revoked.
    await p.goTo(p.startOf(from + 30));
    await certify(generator, from + 60, ZeroHash);
    await p.goTo(p.startOf(from + 40));
    await expect(revoke(generator, REASON))
      .to.emit(generators, "Revoked")
      .withArgs(generator, from + 40, REASON);
    await certify(generator, from + 60, ZeroHash);
    const slots = [-1, 0, 19, 20, 30, 31, 39, 40, 41, 59, 60].map((offset) => from + offset);
    const expected = [false, true, true, false, false, true, true, false, true, true, false];
    expect(await certified(generator, slots)).to.deep.equal(expected);
  });

  it("lose their certification while maintenance is overdue by date", async () => {
    const { generators } = p.c;
    const born = p.genesisSlot - 10;
    const generator = await p.register({ maintenanceDays: 1 } as object, false);
    const { certify, recordMaintenance } = p.asOperator.generators;
    await certify(generator, NEVER, ZeroHash);
    const due = born + DAY_SLOTS;
    expect((await generators.certificationOf(generator)).maintenanceDue).to.equal(BigInt(due));
    // A certificate would begin with the very slot in which maintenance is due.
    await p.goTo(p.startOf(due - 1));
    await expect(certify(generator, NEVER, ZeroHash))
      .to.be.revertedWithCustomError(generators, "MaintenanceOverdue")
      .withArgs(generator, due);
    await p.goTo(p.startOf(due + 4));
    await expect(certify(generator, NEVER, ZeroHash))
      .to.be.revertedWithCustomError(generators, "MaintenanceOverdue")
      .withArgs(generator, due);
    await expect(recordMaintenance(generator, REASON))
      .to.emit(generators, "Maintained")
      .withArgs(generator, due + 5, due + 5 + DAY_SLOTS, due + 5 + DAY_SLOTS, REASON);
    expect(await certified(generator, [due - 1, due, due + 4, due + 5, due + 100, due + 101])).to.deep.equal([
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
    // In time: no gap.
    await p.goTo(p.startOf(due + 50));
    await recordMaintenance(generator, REASON);
    expect(await certified(generator, [due + 50, due + 51, due + 52, due + 102])).to.deep.equal([
      true,
      true,
      true,
      true,
    ]);
    // A revoked certificate stays revoked whatever is maintained.
    await p.asOperator.generators.revoke(generator, REASON);
    await recordMaintenance(generator, REASON);
    expect(await certified(generator, [due + 49, due + 50, due + 51, due + 60])).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
  });

  it("lose it after their operating hours, counted from proved readings, until maintenance resets them", async () => {
    const { generators } = p.c;
    const generator = await p.register({ maintenanceHours: 1, operatingAboveWh: 20 } as object);
    for (const exportWh of [500, 20, 500, 0, 500, 500]) await p.run(homes(exportWh));
    // Four operating slots are an hour: the rest waits for maintenance.
    await p.run(homes(500));
    await p.asOperator.generators.recordMaintenance(generator, REASON);
    await p.run(homes(500));
    await p.run(homes(500));
    await expect(issueAll(generator))
      .to.emit(generators, "Metered")
      .withArgs(generator, p.genesisSlot, p.genesisSlot + 8, 3_520, 2_520, 1, 9);
    const first = p.genesisSlot;
    const wh = async (offset: number) =>
      p.c.certificates.balanceOf(p.owners[0]?.address as string, p.idOf(generator, first + offset));
    const issued = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8].map(wh));
    // The maintenance of the eighth slot counts from the ninth on.
    expect(issued).to.deep.equal([500n, 20n, 500n, 0n, 500n, 500n, 0n, 0n, 500n]);
    expect(await generators.isCertified(generator, first + 9)).to.deep.equal([true, false]);
    expect(await generators.isCertified(generator, first + 7)).to.deep.equal([true, false]);
  });

  it("are measured against what they promise, month by month", async () => {
    const { generators } = p.c;
    const month = 12 * 2030 + 5;
    const generator = await p.register();
    for (const exportWh of [1_000, 500, 0]) await p.run(homes(exportWh));
    await p.run(homes(900, 2));
    await p.run([missing, missing, missing, missing]);
    await p.run();
    await issueAll(generator);
    expect(await generators.monthOf(generator, month)).to.deep.equal([1_500n, 1_500n, 3n]);
    // 8,000 W at 12.5 % yield 250 Wh in a slot.
    expect(await generators.efficiencyOf(generator, month)).to.deep.equal([2_000_000n, 750n]);
    expect(await generators.efficiencyOf(generator, month + 1)).to.deep.equal([0n, 0n]);
    expect(await generators.monthOf(generator, month - 1)).to.deep.equal([0n, 0n, 0n]);
    expect((await generators.stateOf(generator)).certifiedWh).to.equal(1_500n);
  });

  it("keep a month when the next begins", async () => {
    // The genesis slot is the first of 30 June: the next day is another month.
    const generator = await p.register();
    for (let i = 0; i < DAY_SLOTS; i += 1) await p.run(i === 95 ? homes(700) : undefined);
    await p.finalize();
    await p.archive();
    await p.c.certificates.issue([p.issueOf(generator, 0, p.genesisSlot, p.genesisSlot + 95)]);
    const july = p.genesisSlot + DAY_SLOTS;
    await p.run(homes(300));
    await p.finalize();
    const next = p.slots.slice(DAY_SLOTS);
    await p.c.readingArchive.archive(p.day + 1, [], next.map(p.evidenceOf));
    const { proveRange, slotLeaf } = await import("../../../services/protocol/archive.ts");
    const range = proveRange(0, next, next.map(slotLeaf));
    await p.c.certificates.issue([{ generator, range, sales: [] }]);
    const months = [12 * 2030 + 5, 12 * 2030 + 6];
    expect(await Promise.all(months.map((month) => p.c.generators.monthOf(generator, month)))).to.deep.equal([
      [700n, 700n, 1n],
      [300n, 300n, 1n],
    ]);
    expect((await p.c.generators.stateOf(generator)).issuedThrough).to.equal(BigInt(july));
  });

  it("pass from producer to producer", async () => {
    const { generators } = p.c;
    const generator = await p.register();
    const next = p.owners[1]?.address as string;
    await expect(p.of(1).generators.changeProducer(generator, next))
      .to.be.revertedWithCustomError(generators, "NotProducer")
      .withArgs(generator, next);
    await expect(p.of(0).generators.changeProducer(generator, ZeroAddress)).to.be.revertedWithCustomError(
      generators,
      "NotProducer",
    );
    await p.of(0).generators.changeProducer(generator, next);
    await p.run(homes(500));
    await issueAll(generator);
    expect(await p.c.certificates.balanceOf(next, p.idOf(generator, p.genesisSlot))).to.equal(500n);
  });

  it("are counted in order, by the certificates' contract, from their own meter", async () => {
    const { generators, certificates } = p.c;
    const generator = await p.register();
    for (const exportWh of [100, 200, 300, 400]) await p.run(homes(exportWh));
    await p.finalize();
    await p.archive();
    const first = p.genesisSlot;
    await expect(generators.count(generator, 0, first, [], ZeroAddress))
      .to.be.revertedWithCustomError(generators, "NotCertificates")
      .withArgs(await p.relayer.getAddress());
    await expect(certificates.issue([{ ...p.issueOf(generator, 1, first, first) }]))
      .to.be.revertedWithCustomError(generators, "WrongMeter")
      .withArgs(generator, 1, 0);
    await expect(certificates.issue([{ ...p.issueOf(9, 0, first, first) }]))
      .to.be.revertedWithCustomError(generators, "UnknownGenerator")
      .withArgs(9);
    await expect(certificates.issue([p.issueOf(generator, 0, first + 1, first + 2)]))
      .to.be.revertedWithCustomError(generators, "SlotsOutOfOrder")
      .withArgs(generator, first + 1, first - 1);
    await certificates.issue([p.issueOf(generator, 0, first, first + 1)]);
    await expect(certificates.issue([p.issueOf(generator, 0, first + 1, first + 2)]))
      .to.be.revertedWithCustomError(generators, "SlotsOutOfOrder")
      .withArgs(generator, first + 1, first + 1);
    // Only its producer passes a slot over.
    const skipping = { generator, range: p.prove(0, first + 2, first + 3, new Set([first + 2])), sales: [] };
    await expect(certificates.issue([skipping]))
      .to.be.revertedWithCustomError(generators, "SlotNotProved")
      .withArgs(generator, first + 2);
    await p.of(0).certificates.issue([skipping]);
    const state = await generators.stateOf(generator);
    expect([state.issuedThrough, state.certifiedWh]).to.deep.equal([BigInt(first + 3), 700n]);
  });

  it("may leave out what was not certified", async () => {
    const generator = await p.register({}, false);
    for (const exportWh of [100, 200, 300]) await p.run(homes(exportWh));
    await p.asOperator.generators.certify(generator, p.genesisSlot + 1_000, ZeroHash);
    for (const exportWh of [400, 500, 600]) await p.run(homes(exportWh));
    await p.finalize();
    await p.archive();
    // Certified within the fourth slot: from the fifth on.
    const first = p.genesisSlot + 4;
    await expect(p.c.certificates.issue([p.issueOf(generator, 0, first + 1, first + 1)]))
      .to.be.revertedWithCustomError(p.c.generators, "SlotsOutOfOrder")
      .withArgs(generator, first + 1, p.genesisSlot - 1);
    await p.c.certificates.issue([p.issueOf(generator, 0, first, first + 1)]);
    expect((await p.c.generators.stateOf(generator)).certifiedWh).to.equal(1_100n);
    expect(reading(0, 1).exportWh).to.equal(1);
  });
});
