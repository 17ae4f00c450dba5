import { expect } from "chai";
import type { Wallet } from "ethers";
import { TestWallet__factory } from "../../../types/contracts/factories/test/TestWallet__factory.ts";
import type { ReadingRange } from "../../../services/protocol/archive.ts";
import { bid, missing, offer, posting, reading } from "../support/world.ts";
import { checkInvariants } from "./invariants.ts";
import { createProduction, homes, type Production } from "./support.ts";
import { expectRebuilt } from "../support/community.ts";

describe("granular certificates", () => {
  let p: Production;
  let first: number;
  beforeEach(async () => {
    p = await createProduction();
    first = p.genesisSlot;
  });
  afterEach(async () => {
    await checkInvariants(p);
    await expectRebuilt(p);
  });

  const addressOf = (home: number): string => (p.owners[home] as Wallet).address;
  const balance = (home: number, slot: number, generator = 0): Promise<bigint> =>
    p.c.certificates.balanceOf(addressOf(home), p.idOf(generator, slot));
  const ready = async (): Promise<void> => {
    await p.finalize();
    await p.archive();
  };
  const issue = (through = p.slots.length, generator = 0, meter = 0, runner = p.c) =>
    runner.certificates.issue([p.issueOf(generator, meter, first, first + through - 1)]);

  it("are issued for what was measured, to the producer, once", async () => {
    const { certificates } = p.c;
    await p.register();
    await p.run(homes(1_000));
    await p.run(homes(1_100, 1));
    await p.run(homes(1_200, 2));
    await p.run([missing, missing, missing, missing]);
    await p.run();
    // 8,000 W yield at most 2,000 Wh in a slot.
    await p.run(homes(2_001));
    await p.run(homes(0));
    await ready();
    await expect(certificates.issue([])).to.be.revertedWithCustomError(certificates, "NothingToIssue");
    await expect(issue())
      .to.emit(certificates, "TransferBatch")
      .withArgs(
        await p.relayer.getAddress(),
        "0x0000000000000000000000000000000000000000",
        addressOf(0),
        [p.idOf(0, first), p.idOf(0, first + 1), p.idOf(0, first + 5)],
        [1_000, 1_100, 2_000],
      );
    const held = await Promise.all(p.slots.map(({ slot }) => balance(0, slot)));
    expect(held).to.deep.equal([1_000n, 1_100n, 0n, 0n, 0n, 2_000n, 0n]);
    expect(await certificates.idOf(3, first)).to.equal(p.idOf(3, first));
    expect(await certificates.balanceOf(addressOf(0), p.idOf(0, first) + 2n ** 64n)).to.equal(0n);
    await expect(issue()).to.be.revertedWithCustomError(p.c.generators, "SlotsOutOfOrder");
  });

  it("are the producer's own after an ordinary auction, which cannot be left out", async () => {
    await p.register();
    const { words } = await p.append(first, [
      await p.order(0, first, [offer(1_000, 100_000)]),
      await p.order(1, first, [bid(1_000, 250_000)]),
    ]);
    await p.goTo(p.startOf(first) - 500);
    const { record } = await p.clear(first, words as string, [posting(155_000)]);
    await p.run([reading(0, 900), reading(1_000, 0), reading(0, 0), reading(0, 0)], [], record);
    await p.finalize();
    const unsold = { ...p.evidenceOf(p.slotAt(first)), record: "0x" };
    await expect(p.c.readingArchive.archive(p.day, [], [unsold])).to.be.revertedWithCustomError(
      p.c.readingArchive,
      "SalesMismatch",
    );
    await p.archive();
    await issue();
    expect(await balance(0, first)).to.equal(900n);
    expect(await balance(1, first)).to.equal(0n);
  });

  it("keep their sums through any transfers and claims", async () => {
    const random = (
      (state) =>
      (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      }
    )(7);
    await p.register();
    await p.register({ connection: 2 });
    const slots = 12;
    for (let i = 0; i < slots; i += 1)
      await p.run([
        reading(0, random(2_500)),
        reading(random(900), 0),
        reading(random(400), random(900)),
        reading(300, 0),
      ]);
    await ready();
    await p.c.certificates.issue([p.issueOf(0, 0, first, first + 11), p.issueOf(1, 2, first, first + 11)]);
    let done = 0;
    for (let act = 0; act < 200; act += 1) {
      const [from, to, slot] = [random(4), random(4), first + random(slots)];
      const id = p.idOf(random(2), slot);
      const { certificates } = p.of(from);
      const value = random(250);
      const sending =
        random(3) > 0
          ? certificates.safeTransferFrom(addressOf(from), addressOf(to), id, value, "0x")
          : certificates.claim({
              holder: addressOf(from),
              consumption: p.prove(from, slot, slot),
              ids: [id],
              values: [value >> 2],
              beneficiary: addressOf(to),
              purpose: "",
            });
      done += await sending.then(
        () => 1,
        () => 0,
      );
      for (let point = 0; point < 4; point += 1) {
        const [word] = await p.c.readingArchive.readings(p.prove(point, slot, slot));
        const consumed = ((word as bigint) >> 31n) & 0x7fffffffn;
        expect((await p.c.certificates.matchedOf(point, slot)) <= consumed, "matched <= consumed").to.equal(true);
      }
    }
    expect(done).to.be.within(25, 180);
  });

  it("are not issued for slots outside certification", async () => {
    const generator = await p.register({}, false);
    await p.run(homes(100));
    await p.asOperator.generators.certify(generator, first + 4, "0x" + "00".repeat(32));
    await p.run(homes(200));
    await p.run(homes(300));
    await p.run(homes(400));
    await p.run(homes(500));
    await ready();
    await issue();
    // Certified in the second slot: from the third on, until before the fifth.
    const held = await Promise.all(p.slots.map(({ slot }) => balance(0, slot)));
    expect(held).to.deep.equal([0n, 0n, 300n, 400n, 0n]);
  });

  it("of energy sold as green go to its buyers, in proportion to what was certified", async () => {
    const { certificates } = p.c;
    await p.register();
    await p.register({ connection: 2 });
    const both = (a: number, c: number) => [reading(0, a), reading(400, 0), reading(0, c), reading(400, 0)];
    // Home 0 sells 600 and home 2 sells 300; homes 1 and 3 buy 450 of it.
    await p.sellGreen(first, [600, -250, 300, -200]);
    await p.sellGreen(first + 1, [600, -500, 300, -400]);
    // Nobody bought green: it is the producers'.
    await p.sellGreen(first + 2, [600, 0, 300, 0]);
    await p.sellGreen(first + 3, [600, -600, 0, 0]);
    await p.run(both(1_000, 500));
    await p.run(both(300, 500));
    await p.run(both(800, 800));
    await p.run(both(0, 800));
    await ready();
    const mine = p.issueOf(0, 0, first, first + 3);
    await expect(certificates.issue([{ ...mine, sales: [] }])).to.be.revertedWithCustomError(
      certificates,
      "WrongSales",
    );
    await expect(certificates.issue([{ ...mine, sales: [...mine.sales].reverse() }])).to.be.revertedWithCustomError(
      certificates,
      "WrongSales",
    );
    await expect(certificates.issue([{ ...mine, sales: [...mine.sales, "0x"] }]))
      .to.be.revertedWithCustomError(certificates, "SalesLeftOver")
      .withArgs(3, 4);
    await certificates.issue([mine, p.issueOf(1, 2, first, first + 3)]);

    const held = async (generator: number, slot: number) =>
      Promise.all([0, 1, 2, 3].map((home) => balance(home, slot, generator)));
    // Home 0 owes 300 of the 450: home 1's 250 and the first 50 of home 3's.
    expect(await held(0, first)).to.deep.equal([700n, 250n, 0n, 50n]);
    expect(await held(1, first)).to.deep.equal([0n, 0n, 350n, 150n]);
    // Home 0 owes 600 and delivered 300: half to each.
    expect(await held(0, first + 1)).to.deep.equal([0n, 250n, 0n, 50n]);
    expect(await held(1, first + 1)).to.deep.equal([0n, 0n, 200n, 300n]);
    expect(await held(0, first + 2)).to.deep.equal([800n, 0n, 0n, 0n]);
    expect(await held(0, first + 3)).to.deep.equal([0n, 0n, 0n, 0n]);
    expect(await held(1, first + 3)).to.deep.equal([0n, 0n, 800n, 0n]);
  });

  it("that a buyer waits for cannot be passed over, even by the producer", async () => {
    await p.register();
    await p.sellGreen(first, [600, -250, 0, 0]);
    await p.run(homes(1_000));
    await ready();
    const range = p.prove(0, first, first, new Set([first]));
    await expect(p.of(0).certificates.issue([{ generator: 0, range, sales: [] }]))
      .to.be.revertedWithCustomError(p.c.generators, "SlotNotProved")
      .withArgs(0, first);
    // The buyer issues it himself.
    await issue(1, 0, 0, p.of(1));
    expect(await balance(1, first)).to.equal(250n);
    expect(await balance(0, first)).to.equal(750n);
  });

  it("stay within their island", async () => {
    const islands = [0, 1].map((parent) => ({ parent, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 }));
    p = await createProduction({ zones: islands, zoneOf: (home) => home % 2 });
    first = p.genesisSlot;
    await p.register();
    await p.register({ connection: 1 });
    await p.sellGreen(first, [400, 400, -100, -300]);
    await p.run([reading(0, 500), reading(0, 500), reading(300, 0), reading(300, 0)]);
    await ready();
    await p.c.certificates.issue([p.issueOf(0, 0, first, first), p.issueOf(1, 1, first, first)]);
    expect(await Promise.all([0, 1, 2, 3].map((home) => balance(home, first, 0)))).to.deep.equal([400n, 0n, 100n, 0n]);
    expect(await Promise.all([0, 1, 2, 3].map((home) => balance(home, first, 1)))).to.deep.equal([0n, 200n, 0n, 300n]);
  });

  it("behind storage go by the generator's own meter", async () => {
    await p.register({ storageBacked: true, ownMeter: true } as object);
    // The connection feeds in what the battery stored; the panels yield less, then more.
    await p.sellGreen(first, [900, -900, 0, 0]);
    await p.run(homes(900), [reading(0, 200)]);
    await p.run(homes(0), [reading(0, 700)]);
    await ready();
    await expect(issue(1)).to.be.revertedWithCustomError(p.c.generators, "WrongMeter");
    await issue(2, 0, p.FIRST_OWN_METER);
    expect(await Promise.all([0, 1].map((home) => balance(home, first)))).to.deep.equal([0n, 200n]);
    expect(await Promise.all([0, 1].map((home) => balance(home, first + 1)))).to.deep.equal([700n, 0n]);
  });

  it("are transferred as ERC-1155, and issued even to wallets that take no tokens", async () => {
    const { certificates } = p.c;
    const deaf = await new TestWallet__factory(p.relayer).deploy(addressOf(0), 0);
    await p.register();
    for (let i = 0; i < 12; i += 1) await p.run(homes(1_000));
    await p.of(0).generators.changeProducer(0, await deaf.getAddress());
    await ready();
    await issue(1);
    expect(await certificates.balanceOf(await deaf.getAddress(), p.idOf(0, first))).to.equal(1_000n);
    const back = p.c.generators.interface.encodeFunctionData("changeProducer", [0, addressOf(0)]);
    await deaf.execute(p.addresses.generators, back);
    await certificates.issue([p.issueOf(0, 0, first + 1, first + 11)]);

    const mine = p.of(0).certificates;
    const ids = [1, 2, 11].map((i) => p.idOf(0, first + i));
    const move = (values: number[], to = addressOf(1), runner = mine) =>
      runner.safeBatchTransferFrom(addressOf(0), to, ids, values, "0x");
    await expect(move([1, 2, 1_001]))
      .to.be.revertedWithCustomError(certificates, "ERC1155InsufficientBalance")
      .withArgs(addressOf(0), 1_000, 1_001, ids[2]);
    await expect(move([1, 2, 3], addressOf(1), p.of(1).certificates)).to.be.revertedWithCustomError(
      certificates,
      "ERC1155MissingApprovalForAll",
    );
    await expect(move([1, 2, 3], await deaf.getAddress())).to.be.revertedWithCustomError(
      certificates,
      "ERC1155InvalidReceiver",
    );
    await expect(mine.safeBatchTransferFrom(addressOf(0), addressOf(1), ids, [1], "0x")).to.be.revertedWithCustomError(
      certificates,
      "ERC1155InvalidArrayLength",
    );
    await move([1, 0, 1_000]);
    await mine.setApprovalForAll(addressOf(2), true);
    await p.of(2).certificates.safeTransferFrom(addressOf(0), addressOf(0), ids[0] as bigint, 500, "0x");
    await p.of(2).certificates.safeTransferFrom(addressOf(0), addressOf(3), ids[0] as bigint, 500, "0x");
    const accounts = [0, 1, 3].flatMap((home) => ids.map(() => addressOf(home)));
    expect(await certificates.balanceOfBatch(accounts, [...ids, ...ids, ...ids])).to.deep.equal([
      499n,
      1_000n,
      0n,
      1n,
      0n,
      1_000n,
      500n,
      0n,
      0n,
    ]);
    expect(await certificates.supportsInterface("0xd9b67a26")).to.equal(true);
    expect(await certificates.supportsInterface("0x0e89341c")).to.equal(true);
  });

  describe("claimed", () => {
    const claimOf = (home: number, consumption: ReadingRange, slots: number[], values: number[], generator = 0) => ({
      holder: addressOf(home),
      consumption,
      ids: slots.map((slot) => p.idOf(generator, slot)),
      values,
      beneficiary: addressOf(3),
      purpose: "scope 2, 2030",
    });

    beforeEach(async () => {
      await p.register();
      await p.run(homes(1_000));
      await p.run(homes(1_000));
      await p.run([reading(0, 1_000), reading(300, 0, 2), reading(200, 0), reading(100, 0)]);
      await p.run(homes(1_000));
      await ready();
      await issue();
      const ids = [0, 1, 2, 3].map((i) => p.idOf(0, first + i));
      const all = [900, 900, 900, 900];
      await p.of(0).certificates.safeBatchTransferFrom(addressOf(0), addressOf(1), ids, all, "0x");
    });

    it("are burned against consumption of the same slot", async () => {
      const { certificates } = p.c;
      const mine = p.of(1).certificates;
      const day = p.prove(1, first, first + 3);
      const good = claimOf(1, day, [first, first + 1], [300, 100]);
      await expect(mine.claim(good))
        .to.emit(certificates, "Claimed")
        .withArgs(addressOf(1), 1, addressOf(3), good.ids, good.values, "scope 2, 2030");
      expect(await certificates.matchedOf(1, first)).to.equal(300n);
      expect(await certificates.matchedOf(1, first + 1)).to.equal(100n);
      expect(await balance(1, first)).to.equal(600n);
      await expect(mine.claim(claimOf(1, day, [first], [1])))
        .to.be.revertedWithCustomError(certificates, "ConsumptionExceeded")
        .withArgs(1, first, 301, 300);
      // The same slot twice in one claim counts twice.
      await expect(mine.claim(claimOf(1, day, [first + 1, first + 1], [150, 51])))
        .to.be.revertedWithCustomError(certificates, "ConsumptionExceeded")
        .withArgs(1, first + 1, 301, 300);
      await mine.claim(claimOf(1, day, [first + 1, first + 1], [150, 50]));
      expect(await balance(1, first + 1)).to.equal(600n);
    });

    it("only by their holder, for his own point, where consumption was measured", async () => {
      const { certificates } = p.c;
      const mine = p.of(1).certificates;
      const day = p.prove(1, first, first + 3);
      await expect(p.of(2).certificates.claim(claimOf(1, day, [first], [1])))
        .to.be.revertedWithCustomError(certificates, "NotHolder")
        .withArgs(addressOf(1), addressOf(2));
      await expect(mine.claim(claimOf(1, p.prove(2, first, first), [first], [1])))
        .to.be.revertedWithCustomError(certificates, "NotConsumer")
        .withArgs(2, addressOf(1));
      await expect(mine.claim(claimOf(1, day, [], []))).to.be.revertedWithCustomError(certificates, "NothingToClaim");
      await expect(mine.claim(claimOf(1, day, [first], []))).to.be.revertedWithCustomError(
        certificates,
        "ClaimLengthsDiffer",
      );
      for (const slot of [first - 1, first + 4])
        await expect(mine.claim(claimOf(1, day, [slot], [1])))
          .to.be.revertedWithCustomError(certificates, "SlotOutsideRange")
          .withArgs(slot, first, 4);
      await expect(mine.claim(claimOf(1, day, [first + 2], [1])))
        .to.be.revertedWithCustomError(certificates, "ConsumptionNotMetered")
        .withArgs(1, first + 2);
      const skipped = p.prove(1, first, first + 3, new Set([first + 3]));
      await expect(mine.claim(claimOf(1, skipped, [first + 3], [1]))).to.be.revertedWithCustomError(
        certificates,
        "ConsumptionNotMetered",
      );
      // Home 2 consumed, but holds nothing.
      await expect(p.of(2).certificates.claim(claimOf(2, p.prove(2, first, first), [first], [1])))
        .to.be.revertedWithCustomError(certificates, "ERC1155InsufficientBalance")
        .withArgs(addressOf(2), 0, 1, p.idOf(0, first));
      await mine.setApprovalForAll(addressOf(2), true);
      await p.of(2).certificates.claim(claimOf(1, day, [first], [1]));
      expect(await balance(1, first)).to.equal(899n);
    });
  });

  it("show themselves in a wallet without any server", async () => {
    const { certificates } = p.c;
    const kinds = ["solar", "wind", "hydro", "conventional", "microgrid"];
    for (const kind of kinds.keys()) await p.c.generators.register(p.terms({ kind }));
    const slot = Math.floor(Date.UTC(2028, 1, 29, 13, 45) / 900_000);
    const colours: unknown[] = [];
    for (const [generator, kind] of kinds.entries()) {
      const data = await certificates.uri(p.idOf(generator, slot));
      expect(data).to.match(/^data:application\/json;base64,/);
      const json = JSON.parse(Buffer.from(data.split(",")[1] as string, "base64").toString()) as {
        name: string;
        decimals: number;
        image: string;
        properties: object;
      };
      expect(json.name).to.equal(`Wh of ${kind} ${generator}, 2028-02-29T13:45Z`);
      expect(json.decimals).to.equal(0);
      expect(json.properties).to.deep.equal({
        generator,
        kind,
        slot,
        start: "2028-02-29T13:45Z",
        seconds: 900,
        Wh: 1,
      });
      const svg = Buffer.from(json.image.split(",")[1] as string, "base64").toString();
      expect(svg).to.match(/^<svg xmlns[^]*<\/svg>$/);
      colours.push(/fill="#(\w{6})"/.exec(svg)?.[1]);
    }
    expect(colours).to.deep.equal(["e0a100", "3f7fb5", "14607a", "4c8a3f", "4c8a3f"]);
    await expect(certificates.uri(p.idOf(99, slot))).to.be.revertedWithCustomError(p.c.generators, "UnknownGenerator");
  });
});
