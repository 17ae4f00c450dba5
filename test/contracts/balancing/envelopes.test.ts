import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { Envelopes__factory } from "../../../types/contracts/factories/balancing/Envelopes__factory.ts";
import { Tariffs__factory } from "../../../types/contracts/factories/pricing/Tariffs__factory.ts";
import { indexedAddresses } from "../../../services/indexer/catch-up.ts";
import { foldTransaction } from "../../../services/indexer/fold.ts";
import { INDEXER_MIGRATION } from "../../../services/indexer/schema.ts";
import type { ChainLog } from "../../../services/platform/follow.ts";
import { openStore } from "../../../services/platform/store.ts";
import { decodeLogs } from "../../../services/protocol/day-events.ts";
import type { ChainEvent } from "../../../services/protocol/events.ts";
import { problems } from "../../../services/protocol/market-store.ts";
import { beyondWh } from "../../../services/core/settlement/envelopes.ts";
import {
  decodeEnvelopes,
  encodeEnvelopes,
  envelopeOf,
  type EnvelopeEntry,
} from "../../../services/protocol/envelopes.ts";
import { readingsRoot } from "../../../services/protocol/report.ts";
import { packReadings, type PackedReading } from "../../../services/protocol/words.ts";
import {
  bid,
  createWorld,
  emptyRecord,
  missing,
  offer,
  posting,
  reading,
  TERMS,
  type World,
} from "../support/world.ts";
import { expectRebuilt } from "../support/community.ts";

const PENALTY = 100_000;
const RATING = 5_000;

const entry = (
  kind: EnvelopeEntry["kind"],
  index: number,
  importLimitWh: number,
  exportLimitWh: number,
  forecastWh = 0,
): EnvelopeEntry => ({ kind, index, importLimitWh, exportLimitWh, forecastWh });

/** Four homes of 5,000 Wh in two zones, 0 and 1 in the first. */
describe("operating envelopes", () => {
  let world: World;
  let slot: number;
  before(async () => {
    world = await createWorld({
      ...{ penaltyPrice: PENALTY, zoneOf: (home: number) => home >> 1 },
      zones: [
        { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
        { parent: 0, toParentWh: 9_000, fromParentWh: 9_000, backupCapacityWh: 0 },
      ],
    });
    slot = world.genesisSlot + 3;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
    await expectRebuilt(world);
  });

  const frozenAt = (of: number): number => of * 900 - 1_500;
  const set = (first: number, ...lists: EnvelopeEntry[][]) =>
    world.asOperator.envelopes.set(first, lists.map(encodeEnvelopes));
  /** Settles a slot that was not cleared, and tells what everybody got. */
  const settle = async (of: number, meters: PackedReading[], version = 1) => {
    await world.goTo(world.startOf(of + 1));
    const { readings, root } = await world.report(of, meters, version);
    const [before, fixed] = [await world.balances(), await world.fixed()];
    const receipt = await (await world.c.settlement.settle([{ record: emptyRecord(of), readings, root }])).wait();
    const [after, later] = [await world.balances(), await world.fixed()];
    return {
      paid: after.map((nano, point) => nano - (before[point] as bigint)),
      congestion: later.congestion - fixed.congestion,
      gasUsed: receipt?.gasUsed ?? 0n,
    };
  };
  const tariff = ({ importWh, exportWh }: PackedReading): bigint =>
    exportWh >= importWh
      ? BigInt((exportWh - importWh) * TERMS.exportTariff)
      : BigInt((exportWh - importWh) * TERMS.importTariff);

  it("are set by the operator, replaced until they are frozen, and never after", async () => {
    const { c } = world;
    const lists = [[entry("zone", 0, 100, 100)], [entry("zone", 0, 100, 100)], []].map(encodeEnvelopes);
    await expect(c.envelopes.set(slot, lists)).to.be.revertedWithCustomError(c.envelopes, "AccessManagedUnauthorized");
    await expect(world.asOperator.envelopes.set(slot, lists))
      .to.emit(c.envelopes, "EnvelopesSet")
      .withArgs(slot, lists);
    for (const [i, list] of lists.entries()) expect(await c.envelopes.listOf(slot + i)).to.equal(list);
    expect(await c.envelopes.listOf(slot + 3)).to.equal("0x");
    const page = await c.envelopes.pageOf(slot >> 8);
    expect(
      [0, 1, 2, 3].map((i) => (slot + i) >> 8 === slot >> 8 && (page >> BigInt((slot + i) % 256)) & 1n),
    ).to.deep.equal([
      1n,
      ...[1, 2].map((i) => ((slot + i) >> 8 === slot >> 8 ? 1n : false)),
      (slot + 3) >> 8 === slot >> 8 ? 0n : false,
    ]);
    await set(slot, [entry("zone", 0, 200, 100)]);
    expect(decodeEnvelopes(await c.envelopes.listOf(slot))).to.deep.equal([entry("zone", 0, 200, 100)]);

    expect(await c.envelopes.frozenAt(slot)).to.equal(frozenAt(slot));
    await world.at(frozenAt(slot));
    await expect(set(slot, []))
      .to.be.revertedWithCustomError(c.envelopes, "EnvelopeFrozen")
      .withArgs(slot, frozenAt(slot));
  });

  it("are refused when they are malformed, too far ahead, or none", async () => {
    const { c, asOperator } = world;
    const refused = (first: number, lists: string[]) => expect(asOperator.envelopes.set(first, lists)).to.be;
    await refused(slot + 2, []).revertedWithCustomError(c.envelopes, "NothingToSet");
    await refused(slot + 2, ["0x00"])
      .revertedWithCustomError(c.envelopes, "MalformedEnvelopes")
      .withArgs(slot + 2, 1);
    const one = encodeEnvelopes([entry("point", 1, 1, 1)]);
    await refused(slot + 2, ["0x", `${one}${one.slice(2)}`])
      .revertedWithCustomError(c.envelopes, "EnvelopesNotAscending")
      .withArgs(slot + 3, 1);
    const latest = world.genesisSlot + 121;
    await world.goTo(world.startOf(world.genesisSlot + 1));
    await refused(latest, ["0x", "0x"])
      .revertedWithCustomError(c.envelopes, "EnvelopeTooFarAhead")
      .withArgs(latest + 1, latest);
    const [{ addresses }, deployer] = [world, new Envelopes__factory(world.relayer)];
    await expect(deployer.deploy(addresses.accessManager, addresses.settlement)).to.be.revertedWithCustomError(
      c.envelopes,
      "WrongWiring",
    );
    await expect(
      new Tariffs__factory(world.relayer).deploy(
        addresses.accessManager,
        2,
        1,
        0,
        1,
        0,
        10_000_001,
        ZeroAddress,
        ZeroAddress,
      ),
    )
      .to.be.revertedWithCustomError(c.tariffs, "PenaltyTooHigh")
      .withArgs(10_000_001, 10_000_000);
  });

  it("charge what was metered beyond them, to the congestion account, in the same write", async () => {
    const of = slot + 4;
    await set(of, [
      entry("zone", 0, 1_000, 400, -250),
      entry("line", 1, 0, 0, 4_000),
      entry("point", 1, 300, 6_000, 120),
      entry("point", 9, 0, 0),
    ]);
    // 0: 1,500 beyond its zone's import; 1: its own entry is above its rating, which binds; 2: the rating; 3: within the rating.
    const meters = [reading(2_600, 100), reading(0, 5_250), reading(0, 5_001), reading(5_000, 0)];
    const { paid, congestion } = await settle(of, meters);
    const wh = [1_500n, 250n, 1n, 0n];
    expect(paid).to.deep.equal(meters.map((meter, i) => tariff(meter) - (wh[i] as bigint) * BigInt(PENALTY)));
    expect(congestion).to.equal(1_751n * BigInt(PENALTY));
    const entries = decodeEnvelopes(await world.c.envelopes.listOf(of));
    const rating = { importLimitWh: BigInt(RATING), exportLimitWh: BigInt(RATING) };
    const again = meters.map(({ importWh, exportWh }, point) =>
      beyondWh(
        { importWh: BigInt(importWh), exportWh: BigInt(exportWh), missing: false },
        rating,
        envelopeOf(entries, point, point >> 1),
      ),
    );
    expect(again).to.deep.equal(wh);
  });

  it("charge nothing where there are none, where nothing was read, or in an estimated slot", async () => {
    const plain = await settle(slot + 5, [reading(6_000, 0), reading(0, 6_000), reading(0, 0), missing]);
    expect(plain.congestion).to.equal(0n);
    await set(slot + 8, [entry("zone", 0, 0, 0)]);
    const absent = await settle(slot + 8, [missing, missing, reading(5_000, 0), reading(0, 5_000)]);
    expect(absent.congestion).to.equal(0n);
  });

  it("go with a cleared slot as well, and every point is bound by its rating under an empty list", async () => {
    const of = slot + 11;
    await set(of, []);
    const { words } = await world.append(of, [
      await world.order(0, of, [offer(4_000, 100_000)]),
      await world.order(1, of, [bid(4_000, 250_000)]),
    ]);
    await world.goTo(world.startOf(of) - 500);
    const { record } = await world.clear(of, words as string, [posting(155_000), posting(155_000)]);
    await world.goTo(world.startOf(of + 1));
    const { readings, root } = await world.report(of, [
      reading(0, 5_500),
      reading(4_000, 0),
      reading(0, 0),
      reading(5_100, 0),
    ]);
    const [before, fixed] = [await world.balances(), await world.fixed()];
    await world.c.settlement.settle([{ record, readings, root }]);
    const [after, later] = [await world.balances(), await world.fixed()];
    expect(later.congestion - fixed.congestion).to.equal(600n * BigInt(PENALTY));
    expect((after[0] as bigint) - (before[0] as bigint)).to.equal(
      4_000n * 155_000n + 1_500n * 60_000n - 500n * BigInt(PENALTY) - 1_000n,
    );
  });

  it("never cost more than the margin holds", async () => {
    const of = slot + 14;
    await set(of, [entry("zone", 0, 0, 0), entry("zone", 1, 0, 0)]);
    const far = 2 ** 31 - 1;
    const { congestion } = await settle(of, [reading(far, 0), reading(0, far), reading(5_001, 0), reading(0, 0)]);
    expect(congestion).to.equal(3n * BigInt(RATING) * BigInt(PENALTY));
    const words = 120n * 1_000n;
    expect(await world.c.orderBook.marginPerSlot(0)).to.equal(
      2n * 5_000n * 400_000n + words + BigInt(RATING) * BigInt(PENALTY),
    );
  });

  it("charge anew by the readings of a higher version", async () => {
    const of = slot + 4;
    const settledReadings = packReadings([
      reading(2_600, 100),
      reading(0, 5_250),
      reading(0, 5_001),
      reading(5_000, 0),
    ]);
    const { readings, root } = await world.report(
      of,
      [reading(1_200, 100), reading(0, 5_250), reading(0, 5_001), reading(5_002, 0)],
      2,
    );
    const before = await world.fixed();
    await world.c.settlement.resettle([
      { record: emptyRecord(of), settledReadings, settledRoot: readingsRoot(of, settledReadings), readings, root },
    ]);
    expect((await world.fixed()).congestion - before.congestion).to.equal((100n - 1_500n + 2n) * BigInt(PENALTY));
  });

  it("are rebuilt from events alone: every penalty, and every balance", async () => {
    const store = openStore(":memory:", [INDEXER_MIGRATION]);
    const known = new Set(indexedAddresses(world.addresses).map((address) => address.toLowerCase()));
    const logs = (await world.provider.send("eth_getLogs", [{ fromBlock: "0x0", toBlock: "latest" }])) as ChainLog[];
    const groups = new Map<string, ChainEvent[]>();
    for (const event of decodeLogs(logs.filter(({ address }) => known.has(address.toLowerCase()))))
      groups.set(event.txHash, [...(groups.get(event.txHash) ?? []), event]);
    for (const events of groups.values()) foldTransaction(store, events);
    expect(problems(store)).to.deep.equal([]);
    const rows = store.all<{ penaltyNano: string }>(
      "SELECT penaltyNano FROM payments p WHERE NOT EXISTS (SELECT 1 FROM payments q WHERE q.slot = p.slot AND q.version > p.version)",
    );
    const charged = rows.reduce((sum, { penaltyNano }) => sum - BigInt(penaltyNano), 0n);
    expect(charged).to.equal((await world.fixed()).congestion);
    expect(charged).to.equal((353n + 15_000n + 600n) * BigInt(PENALTY));
    store.close();
  });

  it("are not set beyond the ring of a market that is not settled", async () => {
    const first = Number(await world.c.settlement.finalThrough()) + 1;
    await world.goTo(world.startOf(first + 150));
    await expect(set(first + 256, [])).to.be.revertedWithCustomError(world.c.envelopes, "EnvelopeRingFull");
    await set(first + 255, []);
  });
});
