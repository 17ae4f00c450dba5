import { expect } from "chai";
import { solidityPackedKeccak256, type Result, type Wallet } from "ethers";
import {
  addDay,
  creditOf,
  emptyMonth,
  periodOf,
  placeOf,
  type MonthUsage,
} from "../../../services/core/usage/month.ts";
import { FIRST_OWN_METER, SLOTS_PER_DAY } from "../../../services/protocol/archive.ts";
import { Usage__factory } from "../../../types/contracts/factories/consumption/Usage__factory.ts";
import { missing, reading } from "../support/world.ts";
import { createStand, type Stand } from "./stand.ts";
import { expectRebuilt } from "../support/community.ts";
import { unnoticed } from "../support/unnoticed.ts";

const PERIODS = Array.from({ length: 48 }, (_, hour) => (hour * 7) % 4);
const DEFAULT_GRAMS = Array.from({ length: 16 }, () => 450);
/** Sixteen values that differ. */
const GRAMS = Array.from({ length: 16 }, (_, i) => 100 + 37 * i);
const packed = (grams: number[]): bigint =>
  grams.reduce((sum, value, i) => sum + (BigInt(value) << BigInt(16 * i)), 0n);
const dice = (...what: number[]): number => Number(BigInt(solidityPackedKeccak256(["string"], [what.join()])) % 2_000n);

describe("usage", () => {
  let s: Stand;
  let friday: number;
  let month: number;
  const metersAt = (day: number) => (index: number) =>
    [0, 1, 2, 3, 4].map((home) =>
      home === 2 && index === 40
        ? missing
        : reading(dice(day, index, home), dice(day, index, home, 1), dice(index) % 3),
    );
  const readingsOf = (day: number, home: number) =>
    Array.from({ length: SLOTS_PER_DAY }, (_, index) => metersAt(day)(index)[home]);
  const dayOf = (home: number, day: number, given?: ReadonlySet<number>) =>
    s.prove(home, day * SLOTS_PER_DAY, SLOTS_PER_DAY, given);

  before(async () => {
    s = await createStand({
      zoneOf: () => 0,
      consumption: { periods: PERIODS, defaultGramsPerKwh: 450, publisher: "0x" + "77".repeat(20) },
    });
    friday = s.firstDay;
    ({ month } = placeOf(friday));
    // The panels of home 0 have a meter of their own, and their certificates go to home 1.
    const panels = {
      ...{ connection: 0, kind: 0, storageBacked: false, ownMeter: true, nameplateW: 8_000 },
      ...{ commissionedSlot: s.genesisSlot - 10, capacityFactorPpm: 125_000, operatingAboveWh: 0 },
      ...{ maintenanceDays: 0, maintenanceHours: 0, locationHash: `0x${"01".repeat(32)}` },
    };
    await s.of(0).generators.register(panels);
    await s.asOperator.generators.certify(0, s.genesisSlot + 10_000, `0x${"00".repeat(32)}`);
    await s.networkHelpers.impersonateAccount("0x" + "77".repeat(20));
    await s.fund("0x" + "77".repeat(20));
    await s.runDay(friday, metersAt(friday), SLOTS_PER_DAY, () => [reading(0, 500)]);
    const saturday = metersAt(friday + 1);
    await s.runDay(friday + 1, saturday, SLOTS_PER_DAY, () => [reading(0, 500)]);
    await s.archiveDay(friday);
    await s.archiveDay(friday + 1);
  });
  after(async () => {
    await expectRebuilt(s);
    expect(await unnoticed(s, ["PeriodsSet", "DayCounted", "Credited", "Claimed"])).to.deep.equal([]);
  });

  const publisher = async () => s.as((await s.ethers.getSigner("0x" + "77".repeat(20))) as never).usage;
  const same = async (home: number, twin: MonthUsage) => {
    const told = (await s.c.usage.monthOf(home, month)) as unknown as Result;
    const { periodWh, creditedMg: _credited, ...usage } = told.toObject();
    const periods = [0n, 40n, 80n, 120n].map((shift) => (periodWh >> shift) & (2n ** 40n - 1n));
    const { periodWh: expected, ...rest } = twin;
    expect(periods).to.deep.equal(expected);
    expect(usage).to.deep.equal(
      Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, BigInt(value as bigint)])),
    );
  };

  it("takes carbon intensities from the publisher, in time, once", async () => {
    const { usage } = s.c;
    const mine = await publisher();
    await expect(usage.publishIntensity(friday, 1n)).to.be.revertedWithCustomError(usage, "AccessManagedUnauthorized");
    await expect(mine.publishIntensity(friday, packed([...GRAMS.slice(1), 2_001])))
      .to.be.revertedWithCustomError(usage, "IntensityTooHigh")
      .withArgs(15, 2_001, 2_000);
    const today = Math.floor((await s.networkHelpers.time.latest()) / 86_400);
    for (const day of [today + 1, today - 8])
      await expect(mine.publishIntensity(day, packed(GRAMS)))
        .to.be.revertedWithCustomError(usage, "IntensityNotDue")
        .withArgs(day, today);
    await expect(usage.count([dayOf(0, friday)]))
      .to.be.revertedWithCustomError(usage, "IntensityMissing")
      .withArgs(friday);
    await expect(mine.publishIntensity(friday, packed(GRAMS)))
      .to.emit(usage, "IntensityPublished")
      .withArgs(friday, packed(GRAMS));
    await expect(mine.publishIntensity(friday, 0n)).to.be.revertedWithCustomError(usage, "IntensityKnown");
    expect(await usage.intensityOf(friday)).to.equal(packed(GRAMS));
    expect(await usage.intensityOf(friday - 30)).to.equal(packed(DEFAULT_GRAMS));
    const { accessManager, readingArchive, certificates } = s.addresses;
    const periods = [...PERIODS.slice(1), 4];
    await expect(
      new Usage__factory(s.deployer).deploy(accessManager, readingArchive, certificates, periods as never, 450),
    )
      .to.be.revertedWithCustomError(usage, "BadPeriod")
      .withArgs(47, 4);
  });

  it("counts whole days of a point, once, as its twin does", async () => {
    const { usage } = s.c;
    const first = friday * SLOTS_PER_DAY;
    await expect(usage.count([s.prove(0, first, 95)]))
      .to.be.revertedWithCustomError(usage, "NotWholeDay")
      .withArgs(first, 95);
    await expect(usage.count([dayOf(0, friday, new Set([first + 7]))]))
      .to.be.revertedWithCustomError(usage, "SlotLeftOut")
      .withArgs(first + 7);
    for (const home of [0, 1, 2]) {
      await usage.count([dayOf(home, friday)]);
      await same(home, addDay(emptyMonth(), friday, readingsOf(friday, home), GRAMS, { periods: PERIODS }));
    }
    await expect(usage.count([dayOf(1, friday)]))
      .to.be.revertedWithCustomError(usage, "DayKnown")
      .withArgs(1, friday);
    // Nobody published the Saturday's.
    await s.goTo((friday + 9) * 86_400);
    await usage.count([dayOf(1, friday + 1)]);
    const twin = [friday, friday + 1].reduce(
      (sum, day) => addDay(sum, day, readingsOf(day, 1), day === friday ? GRAMS : DEFAULT_GRAMS, { periods: PERIODS }),
      emptyMonth(),
    );
    await same(1, twin);
    expect(await usage.loadFactorOf(1, month)).to.equal(
      (twin.importWh * 1_000_000n) / BigInt(twin.peakImportWh * twin.slots),
    );
    expect(await usage.loadFactorOf(4, month)).to.equal(0n);
    expect(await usage.footprintOf(1, month)).to.equal(twin.importedMg);
    expect(await usage.placeOf(friday)).to.deep.equal([BigInt(month), 4n]);
    for (const index of [0, 17, 50, 95])
      for (const day of [friday, friday + 1])
        expect(await usage.periodOf(day * SLOTS_PER_DAY + index)).to.equal(
          BigInt(periodOf(day, index, { periods: PERIODS })),
        );
  });

  it("takes off the carbon of what certificates were claimed for, whenever they are", async () => {
    const { usage, certificates } = s.c;
    const first = friday * SLOTS_PER_DAY;
    await certificates.issue([{ generator: 0, range: s.prove(FIRST_OWN_METER, first, 4), sales: [] }]);
    const to = (s.owners[1] as Wallet).address;
    const ids = [0, 1, 2, 3].map((i) => BigInt(first + i));
    const from = (s.owners[0] as Wallet).address;
    await s.of(0).certificates.safeBatchTransferFrom(from, to, ids, [500, 500, 500, 500], "0x");
    const matched = new Array<bigint>(SLOTS_PER_DAY).fill(0n);
    const claim = async (index: number, wh: bigint) => {
      const claimed = { holder: to, consumption: s.prove(1, first, 4), ids: [BigInt(first + index)], values: [wh] };
      await s.of(1).certificates.claim({ ...claimed, beneficiary: to, purpose: "" });
      matched[index] = (matched[index] as bigint) + wh;
    };
    await expect(usage.credit(1, friday)).to.be.revertedWithCustomError(usage, "NothingToCredit").withArgs(1, friday);
    await expect(usage.credit(4, friday)).to.be.revertedWithCustomError(usage, "DayNotCounted").withArgs(4, friday);
    const metered = [0, 1, 2, 3].filter((index) => dice(index) % 3 < 2 && dice(friday, index, 1) >= 60);
    for (const [i, index] of [...metered, ...metered].slice(0, 3).entries()) {
      await claim(index, BigInt(20 + i));
      const { importedMg } = await usage.monthOf(1, month);
      await usage.credit(1, friday);
      expect(await usage.creditedOf(1, friday)).to.equal(creditOf(matched, GRAMS));
      expect(await usage.footprintOf(1, month)).to.equal(importedMg - creditOf(matched, GRAMS));
    }
    expect(metered.length).to.be.greaterThan(0);
    const told = await usage.queryFilter(usage.filters.Credited());
    expect(told.reduce((sum, { args }) => sum + args.creditedMg, 0n)).to.equal(creditOf(matched, GRAMS));
  });
});
