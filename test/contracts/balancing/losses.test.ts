import { expect } from "chai";
import { ZeroHash } from "ethers";
import type { PackedReading } from "../../../services/protocol/words.ts";
import { missing, NANO, reading } from "../support/world.ts";
import { createArchived, type Archived } from "./support.ts";
import { expectRebuilt } from "../support/community.ts";
import { unnoticed } from "../support/unnoticed.ts";

/** Net import 3,200 Wh, of which 300 are fed in. */
const HOMES = [reading(1_000, 0), reading(2_000, 0), reading(500, 0), reading(0, 300)];
const IMPORT_TARIFF = 300_000n;

describe("losses", () => {
  let p: Archived;
  let first: number;
  before(async () => {
    p = await createArchived();
    first = p.genesisSlot;
    await p.run(HOMES, { 0: reading(3_250, 0) }, [reading(700, 0)]);
    await p.run(HOMES, { 0: reading(3_150, 0) });
    await p.run(HOMES, { 0: reading(3_230, 0), 7: reading(9_000, 0) });
    await p.run([missing, ...HOMES.slice(1)], { 0: reading(9_000, 0) });
    await p.run(HOMES, { 0: reading(13_100, 100) });
    await p.run(HOMES);
    await p.run(HOMES, { 0: missing });
    await p.c.token.mint(await p.relayer.getAddress(), 5_000n);
    await p.c.ledger.deposit(await p.c.ledger.OPERATOR(), 5_000n);
    await p.archive();
  });
  afterEach(async () => {
    expect(await p.discrepancyNano(), "conservation").to.equal(0n);
  });
  after(async () => {
    await expectRebuilt(p);
    expect(await unnoticed(p, ["LossesBought", "LossesCarried"])).to.deep.equal([
      // Head meters are in no event, and the fees hold less than this cost.
      "LossesBought.costNano",
      "LossesBought.lossWh",
    ]);
  });

  it("need all readings of the slots that come next", async () => {
    const { losses } = p.c;
    const [range, slots] = p.whole(first, first + 3);
    const readings = slots.map((slot) => ({ ...slot }));
    (readings[1] as { points: string }).points = `0x${"00".repeat(32)}`;
    await expect(losses.buy(range, readings)).to.be.revertedWithCustomError(losses, "WrongReadings");
    for (const other of [
      { ...slots[0], heads: "0x" },
      { ...slots[0], stores: "0x" },
      { ...slots[0], heads: `${slots[0]?.heads}${"00".repeat(9)}` },
      { ...slots[0], own: `0x${"00".repeat(8)}` },
      { ...slots[0], salesHash: `0x${"01".repeat(32)}` },
      { points: "0x", own: "0x", heads: "0x", stores: "0x", salesHash: ZeroHash },
    ])
      await expect(losses.buy(range, [other as never, ...slots.slice(1)])).to.be.revertedWithCustomError(
        losses,
        "WrongReadings",
      );
    await expect(losses.buy(range, slots.slice(1)))
      .to.be.revertedWithCustomError(losses, "SlotCountsDiffer")
      .withArgs(4, 3);
    const open = { ...range, slots: `0x01${range.slots.slice(4)}` };
    await expect(losses.buy(open, slots)).to.be.revertedWithCustomError(losses, "LeafNotGiven").withArgs(first);
    await expect(losses.buy(...p.whole(first + 1, first + 3)))
      .to.be.revertedWithCustomError(losses, "SlotNotNext")
      .withArgs(first + 1, first);
  });

  it("are bought at the import tariff, from the operator's fees first; what is below zero is carried", async () => {
    const { losses } = p.c;
    const before = await p.fixed();
    expect(before.operator).to.equal(5_000n * NANO);
    const cost = 50n * IMPORT_TARIFF;
    await expect(losses.buy(...p.whole(first, first + 1)))
      .to.emit(losses, "LossesBought")
      .withArgs(first, first + 1, 50, cost, 5_000n * NANO, cost - 5_000n * NANO);
    const after = await p.fixed();
    expect(after).to.deep.equal({
      ...before,
      operator: 0n,
      members: before.members - cost + 5_000n * NANO,
      backup: before.backup + cost,
    });
    expect(await losses.carriedWh(0)).to.equal(50n);
    // Thirty of the fifty; the slot in which a point is missing counts for nothing.
    await expect(losses.buy(...p.whole(first + 2, first + 3)))
      .to.emit(losses, "LossesCarried")
      .withArgs(0, 20);
    expect(await losses.boughtThrough()).to.equal(first + 3);
    expect(await p.fixed()).to.deep.equal(after);
    await expect(losses.buy(...p.whole(first + 2, first + 3))).to.be.revertedWithCustomError(losses, "SlotNotNext");
  });

  it("cost at most an eighth of what flowed, and what the fees hold", async () => {
    const { losses } = p.c;
    const before = await p.fixed();
    const wh = 13_400n / 8n;
    expect(wh * IMPORT_TARIFF > before.members, "more than there is").to.equal(true);
    await expect(losses.buy(...p.whole(first + 4, first + 6)))
      .to.emit(losses, "LossesBought")
      .withArgs(first + 4, first + 6, wh, wh * IMPORT_TARIFF, 0, before.members);
    const after = await p.fixed();
    expect(after).to.deep.equal({ ...before, members: 0n, backup: before.backup + before.members });
    // The head meter was missing in the last slot: what the homes drew in it counts against its next reading.
    expect(await losses.carriedWh(0)).to.equal(3_200n);
  });
});

describe("losses of several islands", () => {
  const zones = [0, 1].map((parent) => ({ parent, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 }));
  const head = (importWh: number): PackedReading => reading(importWh, 0);

  it("are carried until the island's head meter is read again, which counts once per slot", async () => {
    // Homes 0 and 2 import 1,500 Wh, homes 1 and 3 import 1,700 Wh.
    const p = await createArchived({ zones, zoneOf: (home) => home % 2 });
    const { losses } = p.c;
    const first = p.genesisSlot;
    await p.run(HOMES, { 0: head(1_500), 1: head(1_660) });
    await p.run(HOMES, { 0: head(1_480) });
    await p.run(HOMES, [
      [0, head(1_530)],
      [0, head(1_600)],
    ]);
    await p.archive();
    const carried = async () => [await losses.carriedWh(0), await losses.carriedWh(1)];
    await losses.buy(...p.whole(first, first));
    expect(await carried()).to.deep.equal([0n, 40n]);
    await losses.buy(...p.whole(first + 1, first + 1));
    expect(await carried()).to.deep.equal([20n, 40n]);
    await expect(losses.buy(...p.whole(first + 2, first + 2)))
      .to.emit(losses, "LossesBought")
      .withArgs(first + 2, first + 2, 10, 10n * IMPORT_TARIFF, 0, 10n * IMPORT_TARIFF);
    expect(await carried()).to.deep.equal([0n, 40n]);
  });

  it("stay carried when the network changes between two slots of one call", async () => {
    const zones = [
      { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 },
      { parent: 0, toParentWh: 5_000, fromParentWh: 5_000, backupCapacityWh: 0 },
    ];
    const p = await createArchived({ zones, zoneOf: (home) => home % 2 });
    const { losses, grid } = p.c;
    const first = p.genesisSlot;
    await p.run(HOMES, { 0: head(3_160) });
    await p.asOperator.grid.island(1);
    await p.run(HOMES, { 0: head(3_200) });
    expect((await grid.versionOf(first + 2))[0]).not.to.equal((await grid.versionOf(first + 1))[0]);
    await p.run(HOMES, { 0: head(1_500), 1: head(1_700) });
    await p.run(HOMES, { 0: head(1_530), 1: head(1_695) });
    await p.archive();
    await expect(losses.buy(...p.whole(first, first + 3)))
      .to.emit(losses, "LossesBought")
      .withArgs(first, first + 3, 0, 0, 0, 0);
    // Of the 40 Wh from before the change 30 are used up.
    expect([await losses.carriedWh(0), await losses.carriedWh(1)]).to.deep.equal([10n, 5n]);
  });

  it("know nothing of a point in a zone that was not there yet", async () => {
    const p = await createArchived();
    const { losses, grid, meteringPoints } = p.c;
    const first = p.genesisSlot;
    await p.asOperator.grid.setGrid(first + 120, zones);
    // A fifth reading, of a point that is registered later.
    await p.run([...HOMES, reading(800, 0)], { 0: head(3_250) });
    await p.archive();
    await p.goTo(p.startOf(first + 121));
    await p.asOperator.meteringPoints.register(await p.relayer.getAddress(), 1, 5_000, 5_000);
    expect([await meteringPoints.zones(), await grid.zoneCount()]).to.deep.equal(["0x0000000001", 2n]);
    await expect(losses.buy(...p.whole(first, first)))
      .to.emit(losses, "LossesBought")
      .withArgs(first, first, 50, 50n * IMPORT_TARIFF, 0, 50n * IMPORT_TARIFF);
  });
});
