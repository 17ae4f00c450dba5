import { expect } from "chai";
import { AbiCoder, keccak256, toBeHex, ZeroAddress, type Wallet } from "ethers";
import { signalsOf, tariffOf, type TariffParameters } from "../../services/core/tariffs/dynamic.ts";
import { encodeRecord } from "../../services/protocol/archive.ts";
import {
  encodeParameters,
  packWeather,
  weatherDomain,
  weatherTypes,
  type Weather,
} from "../../services/protocol/dynamic-tariffs.ts";
import type { ClearingRecord } from "../../services/protocol/events.ts";
import { packSignatures } from "../../services/protocol/report.ts";
import { bid, createWorld, emptyRecord, offer, posting, TERMS, type World } from "./support/world.ts";

/** Half an hour before a Sunday's midnight: the genesis slot is that midnight. */
const START = Date.UTC(2030, 5, 30) / 1_000 - 1_800;
const DAY_SLOTS = 96;

const hours = (importTariff: number, exportTariff: number) =>
  Array.from({ length: 24 }, (_, hour) => ({ importTariff: importTariff + 1_000 * hour, exportTariff }));

const PARAMETERS: TariffParameters = {
  importMin: 150_000,
  importMax: 390_000,
  exportMin: 10_000,
  exportMax: 120_000,
  maxChange: 25_000,
  fee: 40_000,
  bandMin: -500_000,
  bandMax: 1_000_000,
  importPerScarcity: 90_000,
  exportPerScarcity: 30_000,
  importPerCongestion: 50_000,
  exportPerCongestion: -20_000,
  importPerWeather: 40_000,
  exportPerWeather: 5_000,
  fullRent: 20_000,
  utcOffsetQuarters: 8,
  leadSlots: 8,
  stepSlots: 4,
  windowSlots: 4,
  weekday: hours(220_000, 60_000),
  weekend: hours(200_000, 50_000),
};

describe("dynamic tariffs", () => {
  let world: World;
  /** First slot that the parameters govern: two midnights after the genesis slot's. */
  let from: number;
  beforeEach(async () => {
    world = await createWorld({ startAt: START, publish: 0, homes: 4 });
    expect(world.genesisSlot % DAY_SLOTS).to.equal(0);
    from = world.genesisSlot + 2 * DAY_SLOTS;
  });

  const announce = (slot = from, more: Partial<TariffParameters> = {}) =>
    world.asOperator.dynamicTariffs.announce(slot, encodeParameters({ ...PARAMETERS, ...more }));

  /** Writes clearings into the auction's ring, as the auction does when it accepts one. */
  const cleared = async (slot: number, positionsWh: number[], congestionNano: bigint): Promise<ClearingRecord> => {
    const positions = `0x${positionsWh.map((wh) => (wh < 0 ? 2 ** 31 - wh : wh).toString(16).padStart(8, "0")).join("")}`;
    const record = { ...emptyRecord(slot), clearer: ZeroAddress, prices: [90_000n], positions, congestionNano };
    const entry = BigInt(keccak256(encodeRecord(record))) & ~0xffffffffn;
    const key = keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [slot % 256, 0]));
    await world.networkHelpers.setStorageAt(world.addresses.auction, key, toBeHex(entry | BigInt(slot), 32));
    return record;
  };

  const signWeather = async (weather: Weather, signers = [0, 1, 2]): Promise<string[]> =>
    Promise.all(
      signers.map((i) =>
        (world.nodes[i] as Wallet).signTypedData(weatherDomain(world.addresses), weatherTypes, weather),
      ),
    );
  const index = async (weather: Weather, signers = [0, 1, 2]) =>
    world.c.dynamicTariffs.index(
      weather.day,
      weather.version,
      weather.percentByHour,
      packSignatures(signers, await signWeather(weather, signers)),
    );

  const publishedOf = async (slot: number) => {
    const terms = await world.c.tariffs.termsOf(slot);
    return {
      importTariff: Number(terms.importTariff),
      exportTariff: Number(terms.exportTariff),
      fee: Number(terms.fee),
      bandMin: Number(terms.bandMin),
      bandMax: Number(terms.bandMax),
      reference: Number(terms.reference_),
    };
  };

  /** Switched on, with a day's weather and three clearings that the first step reads. */
  const toFirstStep = async () => {
    await announce();
    await world.goTo(world.startOf(from - 40));
    await world.publishTerms(from - 1, 1, { importTariff: 260_000, exportTariff: 90_000 });
    const day = from / DAY_SLOTS;
    const percents = Array.from({ length: 24 }, (_, hour) => (hour % 2 ? -128 : 40 + 20 * hour));
    await index({ day, version: 1, percentByHour: packWeather(percents) });
    const books: [number[], bigint][] = [
      [[-1_000, 400, 100, 0], 0n],
      [[-2_000, 400, 0, -7], 30_000_000n],
      [[500, -400, 100, 0], -5_000n],
    ];
    const window = [from - 12, from - 11, from - 9];
    const records: ClearingRecord[] = [];
    for (const [i, slot] of window.entries()) records.push(await cleared(slot, ...(books[i] as [number[], bigint])));
    return { percents, books, records };
  };

  it("publish what the preview says, which is what the function gives, step by step", async () => {
    const { c } = world;
    const { percents, books, records } = await toFirstStep();
    await world.goTo(world.startOf(from - 8) - 5);
    expect((await c.dynamicTariffs.nextStep()).map(Number)).to.deep.equal([
      from,
      from + 3,
      world.startOf(from - 8),
      from - 12,
      4,
    ]);
    await expect(c.dynamicTariffs.preview(records)).to.be.revertedWithCustomError(c.dynamicTariffs, "TooEarly");
    await world.goTo(world.startOf(from - 8));

    const signals = signalsOf(
      books.map(([positionsWh, congestionNano]) => ({ positionsWh, congestionNano })),
      PARAMETERS.fullRent,
    );
    expect(signals.scarcityPpm).to.be.within(100_000, 900_000);
    expect(signals.congestionPpm).to.be.within(100_000, 900_000);
    let previous = { importTariff: 260_000, exportTariff: 90_000 };
    const expected = Array.from({ length: 4 }, (_, i) => {
      const percent = Math.max(-100, Math.min(100, percents[Math.floor(i / 4)] as number));
      const terms = tariffOf(PARAMETERS, { slot: from + i, ...signals, weatherPpm: percent * 10_000, previous });
      previous = terms;
      return terms;
    });
    const preview = await c.dynamicTariffs.preview(records);
    expect(preview.signals.map(Number)).to.deep.equal([signals.scarcityPpm, signals.congestionPpm]);
    const receipt = await (await c.dynamicTariffs.publishNext(records)).wait();
    const logs = receipt?.logs.map((log) => c.dynamicTariffs.interface.parseLog(log)).filter((log) => log !== null);
    expect(logs?.at(-1)?.args.toArray().slice(0, 2)).to.deep.equal([BigInt(from), BigInt(from + 3)]);
    for (let i = 0; i < 4; i += 1) {
      expect(await publishedOf(from + i)).to.deep.equal(expected[i]);
      expect(Number(preview.terms[i]?.importTariff)).to.equal(expected[i]?.importTariff);
    }
    expect(await c.dynamicTariffs.weatherOf(from + 5)).to.equal(-1_000_000n);
    expect(await c.dynamicTariffs.weatherOf(from + 16)).to.equal(1_000_000n);
    expect(await c.dynamicTariffs.weatherOf(from)).to.equal(400_000n);
    expect(await c.dynamicTariffs.lastSlot()).to.equal(BigInt(from + 3));
  });

  it("take little gas for a step", async () => {
    const { records } = await toFirstStep();
    await world.goTo(world.startOf(from - 8));
    const receipt = await (await world.c.dynamicTariffs.publishNext(records)).wait();
    expect(Number(receipt?.gasUsed)).to.be.within(1, 400_000);
  });

  it("are published by anybody, one step at a time, and go on from where they were", async () => {
    const { c } = world;
    await announce(from, { maxChange: 3_000 });
    await world.goTo(world.startOf(from - 8));
    await expect(c.dynamicTariffs.publishNext([]))
      .to.emit(c.dynamicTariffs, "DynamicTermsPublished")
      .withArgs(from, from + 3, [0, 0]);
    await expect(c.dynamicTariffs.publishNext([]))
      .to.be.revertedWithCustomError(c.dynamicTariffs, "TooEarly")
      .withArgs(from + 4, (value: bigint) => value > 0n, world.startOf(from - 4));
    await world.goTo(world.startOf(from - 4));
    // All sold: a surplus lowers the tariffs, by as much as the rate allows.
    const record = await cleared(from - 5, [900, 0, 0, 0], 0n);
    await c.dynamicTariffs.publishNext([record]);
    const [before, after] = [await publishedOf(from + 3), await publishedOf(from + 4)];
    expect(before.importTariff - after.importTariff).to.equal(3_000);
    // Nobody published for half a day: the step that has begun is completed from now on, with the bound to what was last.
    await world.goTo(world.startOf(from + 50) + 10);
    expect((await c.dynamicTariffs.nextStep()).slice(0, 2).map(Number)).to.deep.equal([from + 50, from + 51]);
    await c.dynamicTariffs.publishNext([]);
    const late = await publishedOf(from + 50);
    expect(Math.abs(late.importTariff - (await publishedOf(from + 7)).importTariff)).to.be.at.most(3_000);
    expect(await c.tariffs.isPublished(from + 49)).to.equal(false);
  });

  it("read real clearings, all of them and no others", async () => {
    const { c } = world;
    await announce();
    const slot = from - 10;
    await world.goTo(world.startOf(slot - 3));
    await world.publishTerms(slot - 1, 4);
    const { words } = await world.append(slot, [
      await world.order(0, slot, [offer(1_000, 100_000)]),
      await world.order(1, slot, [bid(1_000, 250_000)]),
    ]);
    await world.goTo(world.startOf(slot) - 500);
    const { record } = await world.clear(slot, words as string, [posting(155_000)]);
    const forged = await cleared(slot + 1, [0, -300, 0, 0], 0n);
    await world.goTo(world.startOf(from - 8));
    const { dynamicTariffs } = c;
    const missing = (records: ClearingRecord[]) =>
      expect(dynamicTariffs.preview(records)).to.be.revertedWithCustomError(dynamicTariffs, "RecordMismatch");
    await missing([]);
    await missing([record]);
    await missing([forged]);
    await missing([forged, record]);
    await missing([{ ...record, congestionNano: 1n }, forged]);
    await expect(dynamicTariffs.preview([record, forged, record]))
      .to.be.revertedWithCustomError(dynamicTariffs, "RecordsLeftOver")
      .withArgs(2, 3);
    const { signals } = await dynamicTariffs.preview([record, forged]);
    expect(signals.scarcityPpm).to.equal(BigInt(Math.floor((300 * 1_000_000) / 2_300)));
    await dynamicTariffs.publishNext([record, forged]);
  });

  it("keep everybody else from publishing where they are switched on, and nowhere else", async () => {
    const { c, asOperator } = world;
    const terms = Array.from({ length: 3 }, () => TERMS);
    await announce();
    await world.goTo(world.startOf(from - 100));
    for (const first of [from - 1, from, from - 2])
      await expect(asOperator.tariffs.publish(first, terms))
        .to.be.revertedWithCustomError(c.tariffs, "GovernedSlot")
        .withArgs(first, first + 2);
    await asOperator.tariffs.publish(from - 3, terms);
    await asOperator.tariffs.publish(from, []);
    await expect(c.tariffs.publish(from - 6, terms)).to.be.revertedWithCustomError(
      c.tariffs,
      "AccessManagedUnauthorized",
    );
    await world.goTo(world.startOf(from));
    const off = from + 3 * DAY_SLOTS;
    await asOperator.dynamicTariffs.switchOff(off);
    await world.goTo(world.startOf(off - 3));
    // The market slept: nothing is final, so nobody can publish.
    await expect(c.dynamicTariffs.publishNext([])).to.be.revertedWithCustomError(c.tariffs, "TooManyOpenSlots");
    await expect(asOperator.tariffs.publish(off - 1, terms)).to.be.revertedWithCustomError(c.tariffs, "GovernedSlot");
    expect(await c.dynamicTariffs.governs(off, off + 5)).to.equal(false);
    expect(await c.dynamicTariffs.governs(off - 1, off - 1)).to.equal(true);
    await world.goTo(world.startOf(off));
    await expect(c.dynamicTariffs.publishNext([]))
      .to.be.revertedWithCustomError(c.dynamicTariffs, "NotSwitchedOn")
      .withArgs(off);
  });

  it("are cut where the oldest slot is not final", async () => {
    await announce();
    // finalThrough is the slot before genesis: 256 slots from genesis on can have terms.
    const last = world.genesisSlot + 255;
    await world.goTo(world.startOf(last - 1));
    await world.c.dynamicTariffs.publishNext([]);
    expect(await world.c.dynamicTariffs.lastSlot()).to.equal(BigInt(last));
    await expect(world.c.dynamicTariffs.publishNext([])).to.be.revertedWithCustomError(
      world.c.tariffs,
      "TooManyOpenSlots",
    );
  });

  it("change with notice, at midnight, one change at a time", async () => {
    const { c, asOperator } = world;
    const { dynamicTariffs } = c;
    await expect(dynamicTariffs.announce(from, encodeParameters(PARAMETERS))).to.be.revertedWithCustomError(
      dynamicTariffs,
      "AccessManagedUnauthorized",
    );
    await expect(dynamicTariffs.switchOff(from)).to.be.revertedWithCustomError(
      dynamicTariffs,
      "AccessManagedUnauthorized",
    );
    await expect(dynamicTariffs.parametersOf(from)).to.be.revertedWithCustomError(dynamicTariffs, "NotSwitchedOn");
    await expect(announce(from + 1))
      .to.be.revertedWithCustomError(dynamicTariffs, "NotMidnight")
      .withArgs(from + 1);
    await expect(announce(from - DAY_SLOTS))
      .to.be.revertedWithCustomError(dynamicTariffs, "NoticeTooShort")
      .withArgs(from - DAY_SLOTS, world.genesisSlot - 1 + 192);
    await expect(announce(from + DAY_SLOTS)).to.emit(dynamicTariffs, "ParametersAnnounced");
    // Still far away: replaced.
    await announce(from, { fee: 30_000 });
    await world.goTo(world.startOf(world.genesisSlot + 1));
    await expect(announce(from + 2 * DAY_SLOTS))
      .to.be.revertedWithCustomError(dynamicTariffs, "ChangePending")
      .withArgs(from);
    await world.goTo(world.startOf(from));
    await announce(from + 2 * DAY_SLOTS, { fee: 20_000 });
    const feeOf = async (slot: number) => (await dynamicTariffs.parametersOf(slot)).fee;
    expect([await feeOf(from), await feeOf(from + 191), await feeOf(from + 192)]).to.deep.equal([
      30_000n,
      30_000n,
      20_000n,
    ]);
    await expect(asOperator.dynamicTariffs.switchOff(from + 3 * DAY_SLOTS))
      .to.emit(dynamicTariffs, "SwitchedOff")
      .withArgs(from + 3 * DAY_SLOTS);
    expect(await feeOf(from + 200)).to.equal(30_000n);
  });

  it("take sound parameters only", async () => {
    const { dynamicTariffs: d, tariffs } = world.c;
    const timing: Partial<TariffParameters>[] = [
      { stepSlots: 0 },
      { stepSlots: 5 },
      { leadSlots: 0 },
      { leadSlots: 117 },
      { windowSlots: 0 },
      { windowSlots: 33 },
    ];
    for (const wrong of timing)
      await expect(announce(from, wrong)).to.be.revertedWithCustomError(d, "TimingOutOfRange");
    await expect(announce(from, { weekday: hours(1, 1).slice(1) }))
      .to.be.revertedWithCustomError(d, "WrongTableLength")
      .withArgs(376);
    const outside: Partial<TariffParameters>[] = [
      { importMax: 400_001 },
      { importMin: 390_001 },
      { exportMin: -1 },
      { exportMin: 120_001 },
      { exportMax: 400_001 },
      { bandMin: -1_000_001 },
      { bandMax: 10_000_001 },
      { bandMax: -500_001 },
    ];
    for (const wrong of outside)
      await expect(announce(from, wrong)).to.be.revertedWithCustomError(tariffs, "OutsideBounds");
    // The band with the fee must be one that Tariffs takes: nobody could publish a single slot otherwise.
    await expect(announce(from, { bandMax: 9_960_001 }))
      .to.be.revertedWithCustomError(tariffs, "OutsideBounds")
      .withArgs(from, 10_000_001, PARAMETERS.bandMin, 10_000_000);
    await announce(from, { bandMax: 9_960_000 });
    await expect(announce(from, { fee: 140_000 }))
      .to.be.revertedWithCustomError(tariffs, "TariffsCross")
      .withArgs(from, 150_000, 140_000, 10_000);
    await announce(from, { leadSlots: 116, fee: 139_999, windowSlots: 32 });
  });

  it("take the weather of a quorum, newer versions only, once each", async () => {
    const { dynamicTariffs: d, meterOracle } = world.c;
    const day = world.genesisSlot / DAY_SLOTS - 1;
    const weather = (more: Partial<Weather> = {}): Weather => ({
      day,
      version: 1,
      percentByHour: packWeather([7]),
      ...more,
    });
    await expect(index(weather()))
      .to.emit(d, "WeatherIndexed")
      .withArgs(day, 1, packWeather([7]), 7);
    await expect(index(weather())).to.be.revertedWithCustomError(d, "WeatherNotNewer").withArgs(day, 1, 1);
    await index(weather({ version: 3, percentByHour: packWeather([9]) }), [0, 2, 3]);
    await expect(index(weather({ version: 2 }))).to.be.revertedWithCustomError(d, "WeatherNotNewer");
    expect(await d.weatherOfDay(day)).to.deep.equal([3n, packWeather([9])]);
    expect(await d.weatherOfDay(day + 4)).to.deep.equal([0n, packWeather([])]);
    for (const other of [day - 1, day + 3])
      await expect(index(weather({ day: other })))
        .to.be.revertedWithCustomError(d, "DayOutside")
        .withArgs(other, day, day + 2);
    const next = weather({ day: day + 2 });
    await expect(index(next, [0, 1])).to.be.revertedWithCustomError(meterOracle, "TooFewSignatures");
    await expect(index(next, [1, 0, 2])).to.be.revertedWithCustomError(meterOracle, "SignersNotAscending");
    const given = [next.day, next.version, next.percentByHour] as const;
    const signatures = await signWeather(next);
    await expect(d.index(...given, packSignatures([0, 1, 4], signatures))).to.be.revertedWithCustomError(
      meterOracle,
      "UnknownSigner",
    );
    await expect(d.index(...given, packSignatures([0, 1, 2], signatures).slice(0, -2)))
      .to.be.revertedWithCustomError(meterOracle, "MalformedSignatures")
      .withArgs(194);
    await expect(d.index(...given, packSignatures([0, 1, 3], signatures))).to.be.revertedWithCustomError(
      meterOracle,
      "WrongSignature",
    );
    // Another day's signatures do not do.
    await expect(
      d.index(day + 1, 1, next.percentByHour, packSignatures([0, 1, 2], signatures)),
    ).to.be.revertedWithCustomError(meterOracle, "WrongSignature");
    await d.index(...given, packSignatures([0, 1, 2], signatures));
  });
});
