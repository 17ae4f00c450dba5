import { expect } from "chai";
import { FIRST_STORAGE_METER } from "../../../services/protocol/report.ts";
import { missing, reading } from "../support/world.ts";
import { createProduction, type Production } from "../production/support.ts";
import { expectRebuilt } from "../support/community.ts";

const PPM = 1_000_000n;
/** A battery of 2,000 Wh and 4 kW at home 3, and 90 % efficient; 20 % are kept. */
const TERMS = {
  connection: 3,
  ownMeter: false,
  capacityWh: 2_000,
  powerW: 4_000,
  efficiencyPpm: 900_000,
  reservePpm: 200_000,
};

describe("storage units", () => {
  let p: Production;
  let first: number;
  beforeEach(async () => {
    p = await createProduction();
    first = p.genesisSlot;
    await p.of(3).storageUnits.register(TERMS);
  });
  afterEach(async () => {
    await expectRebuilt(p);
  });

  const charge = (importWh: number, exportWh = 0) =>
    p.run([reading(0, 0), reading(0, 0), reading(0, 0), reading(importWh, exportWh)]);
  const ready = async (): Promise<void> => {
    await p.finalize();
    await p.archive();
  };
  const stateOf = async (unit = 0) => {
    const s = await p.c.storageUnits.stateOf(unit);
    return {
      through: Number(s.countedThrough),
      stored: s.storedMicroWh,
      charged: s.chargedWh,
      discharged: s.dischargedWh,
      missing: s.missingMicroWh,
      excess: s.excessMicroWh,
      unmetered: s.unmeteredSlots,
    };
  };

  it("hold what proved readings say, within their capacity, and tell what does not fit", async () => {
    const { storageUnits } = p.c;
    await charge(0, 100);
    await charge(1_001);
    await charge(1_500);
    await charge(0, 600);
    await p.run([reading(0, 0), reading(0, 0), reading(0, 0), missing]);
    await p.run();
    await charge(10, 300);
    await ready();
    await storageUnits.count(0, p.prove(3, first, first + 1));
    expect(await stateOf()).to.deep.equal({
      through: first + 1,
      stored: 1_001n * 900_000n,
      charged: 1_001n,
      discharged: 100n,
      missing: 100n * PPM,
      excess: 0n,
      unmetered: 0n,
    });
    // 900.9 Wh stored, 400 of them reserved.
    expect(await storageUnits.availableOf(0)).to.deep.equal([500n, 500n]);
    await storageUnits.count(0, p.prove(3, first + 2, first + 2));
    const excess = 1_001n * 900_000n + 1_500n * 900_000n - 2_000n * PPM;
    expect((await stateOf()).excess).to.equal(excess);
    // 4 kW deliver at most 1,000 Wh in a slot.
    expect(await storageUnits.availableOf(0)).to.deep.equal([1_600n, 1_000n]);
    await expect(storageUnits.count(0, p.prove(3, first + 3, first + 6))).to.emit(storageUnits, "UnitCounted");
    expect(await stateOf()).to.deep.equal({
      through: first + 6,
      stored: 2_000n * PPM - 600n * PPM + 10n * 900_000n - 300n * PPM,
      charged: 2_511n,
      discharged: 1_000n,
      missing: 100n * PPM,
      excess,
      unmetered: 2n,
    });
  });

  it("count every slot once, in order, of their own meter, and none unproved", async () => {
    const { storageUnits, readingArchive } = p.c;
    for (let i = 0; i < 4; i += 1) await charge(100);
    await ready();
    await expect(storageUnits.count(0, p.prove(3, first + 1, first + 2)))
      .to.be.revertedWithCustomError(storageUnits, "UnitOutOfOrder")
      .withArgs(0, first + 1, first - 1);
    await expect(storageUnits.count(0, p.prove(2, first, first + 1)))
      .to.be.revertedWithCustomError(storageUnits, "NotUnitMeter")
      .withArgs(0, 2, 3);
    await expect(storageUnits.count(0, p.prove(3, first, first + 2, new Set([first + 1]))))
      .to.be.revertedWithCustomError(storageUnits, "UnitSlotNotProved")
      .withArgs(0, first + 1);
    const good = p.prove(3, first, first + 1);
    await expect(storageUnits.count(0, { ...good, nodes: [...good.nodes].reverse() })).to.be.revertedWithCustomError(
      readingArchive,
      "WrongProof",
    );
    await storageUnits.count(0, good);
    await expect(storageUnits.count(0, good)).to.be.revertedWithCustomError(storageUnits, "UnitOutOfOrder");
    await expect(storageUnits.count(1, good)).to.be.revertedWithCustomError(storageUnits, "UnknownUnit").withArgs(1);
  });

  it("are as efficient as readings allow", async () => {
    const { storageUnits } = p.c;
    expect(await storageUnits.efficiencyOf(0)).to.deep.equal([[0n, 0n, 0n, 0n, 2n ** 256n - 1n], 0n]);
    // 80 % of what goes in comes out: soon nothing that is still stored explains it.
    for (let i = 0; i < 12; i += 1) await charge(2_000, 1_600);
    await ready();
    await storageUnits.count(0, p.prove(3, first, first));
    expect(await storageUnits.efficiencyOf(0)).to.deep.equal([[2_000n, 1_600n, 800_000n, 0n, 1_800_000n], 0n]);
    await storageUnits.count(0, p.prove(3, first + 1, first + 11));
    const high = 800_000n + (2_000n * PPM + 23_999n) / 24_000n;
    expect(await storageUnits.efficiencyOf(0)).to.deep.equal([
      [24_000n, 19_200n, 800_000n, 800_000n - (2_000n * PPM) / 24_000n - 1n, high],
      1n,
    ]);
    // The same from proofs alone, over any span.
    const halves = [p.prove(3, first, first + 5), p.prove(3, first + 6, first + 11)];
    expect((await storageUnits.measure(0, halves))[0][2]).to.equal(800_000n);
    expect((await storageUnits.measure(0, halves))[1]).to.equal(1n);
    expect((await storageUnits.measure(0, [halves[1] as never]))[1]).to.equal(0n);
    await expect(storageUnits.measure(0, [...halves].reverse())).to.be.revertedWithCustomError(
      storageUnits,
      "UnitOutOfOrder",
    );
  });

  it("are measured over what was metered: a reading that is missing brings no energy", async () => {
    const { storageUnits } = p.c;
    await charge(1_000, 800);
    await p.run([reading(0, 0), reading(0, 0), reading(0, 0), reading(500, 500, 3)]);
    await ready();
    const [measured] = await storageUnits.measure(0, [p.prove(3, first, first + 1)]);
    expect(measured.slice(0, 3)).to.deep.equal([1_000n, 800n, 800_000n]);
  });

  it("may be better than declared", async () => {
    const { storageUnits } = p.c;
    await p.of(2).storageUnits.register({ ...TERMS, connection: 2, capacityWh: 10, efficiencyPpm: 500_000 });
    await p.run([reading(0, 0), reading(0, 0), reading(1_000, 900), reading(0, 0)]);
    await ready();
    await storageUnits.count(1, p.prove(2, first, first));
    expect(await storageUnits.efficiencyOf(1)).to.deep.equal([[1_000n, 900n, 900_000n, 890_000n, 910_000n], -1n]);
  });

  it("are registered and retired by the owner of their connection", async () => {
    const { storageUnits } = p.c;
    const { storageUnits: own } = p.of(3);
    await expect(storageUnits.register(TERMS))
      .to.be.revertedWithCustomError(storageUnits, "NotConnectionOwner")
      .withArgs(3, await p.relayer.getAddress());
    for (const wrong of [
      { capacityWh: 0 },
      { powerW: 0 },
      { efficiencyPpm: 499_999 },
      { efficiencyPpm: 1_000_001 },
      { reservePpm: 1_000_001 },
    ])
      await expect(own.register({ ...TERMS, ...wrong })).to.be.revertedWithCustomError(
        storageUnits,
        "UnitTermsOutOfRange",
      );
    await expect(own.register(TERMS)).to.be.revertedWithCustomError(storageUnits, "ConnectionHasUnit").withArgs(3, 0);
    await own.register({ ...TERMS, ownMeter: true });
    await own.register({ ...TERMS, ownMeter: true });
    expect((await storageUnits.unitOf(1)).meter).to.equal(7n * 2n ** 29n);
    expect((await storageUnits.unitOf(2)).meter).to.equal(7n * 2n ** 29n + 1n);
    await expect(storageUnits.retire(0)).to.be.revertedWithCustomError(storageUnits, "NotConnectionOwner");
    await expect(own.retire(0)).to.emit(storageUnits, "UnitRetired").withArgs(0);
    await expect(own.retire(0)).to.be.revertedWithCustomError(storageUnits, "UnitIsRetired").withArgs(0);
    await expect(storageUnits.availableOf(0)).to.be.revertedWithCustomError(storageUnits, "UnitIsRetired");
    await own.retire(1);
    await own.register(TERMS);
    expect(await storageUnits.unitCount()).to.equal(4n);
    await expect(storageUnits.stateOf(4)).to.be.revertedWithCustomError(storageUnits, "UnknownUnit");
  });

  it("have few meters of their own: every report names all of them", async () => {
    const { storageUnits } = p.c;
    const own = p.of(3).storageUnits;
    for (let unit = 0; unit < 8; unit += 1) await own.register({ ...TERMS, ownMeter: true });
    await own.retire(1);
    await expect(own.register({ ...TERMS, ownMeter: true }))
      .to.be.revertedWithCustomError(storageUnits, "TooManyUnitMeters")
      .withArgs(3, 8);
    await p.of(2).storageUnits.register({ ...TERMS, connection: 2, ownMeter: true });
  });

  it("with a meter of their own are proved by its leaf in the report", async () => {
    const { storageUnits } = p.c;
    await p.of(3).storageUnits.register({ ...TERMS, ownMeter: true });
    const meter = FIRST_STORAGE_METER;
    await p.run([reading(0, 0), reading(0, 0), reading(0, 0), reading(400, 0)], [], undefined, [reading(700, 0)]);
    await ready();
    await storageUnits.count(1, p.prove(meter, first, first));
    await storageUnits.count(0, p.prove(3, first, first));
    expect((await stateOf(1)).charged).to.equal(700n);
    expect((await stateOf(0)).charged).to.equal(400n);
  });
});
