import { expect } from "chai";
import { concat, ZeroHash, type Wallet } from "ethers";
import { dayRoot, slotLeaf, type ReadingRange } from "../../../services/protocol/archive.ts";
import { readingProof, readingsHash } from "../../../services/protocol/report.ts";
import { consentToTrade, encodeTradeWord, tradeDomain } from "../../../services/protocol/trade.ts";
import { bid, missing, offer, posting, reading } from "../support/world.ts";
import { createProduction, homes, type Production } from "./support.ts";

const PROVEN = 2n ** 64n;
const SKIPPED = 2n ** 65n;
const SKIPPED_SALES = 2n ** 66n;
const exportOf = (word: bigint): bigint => word & 0x7fffffffn;

describe("the archive of readings", () => {
  let p: Production;
  let first: number;
  before(async () => {
    p = await createProduction();
    first = p.genesisSlot;
    await p.sellGreen(first + 1, [600, -100, 0, -50]);
    await p.run(homes(1_000));
    await p.run(homes(1_100));
    await p.run();
    await p.run([reading(0, 1_300), missing, reading(1, 0), reading(2, 0), reading(3, 0)], [reading(0, 77)]);
    await p.run(homes(1_400));
  });

  it("takes final slots only, as reported and cleared", async () => {
    const { c, day } = p;
    const evidence = p.slots.map(p.evidenceOf);
    await expect(c.readingArchive.archive(day, [], [])).to.be.revertedWithCustomError(
      c.readingArchive,
      "NothingToArchive",
    );
    await expect(c.readingArchive.archive(day, [], evidence))
      .to.be.revertedWithCustomError(c.readingArchive, "SlotNotFinal")
      .withArgs(first + 4, first - 1);
    await p.finalize();
    const many = Array.from({ length: 97 }, () => evidence[0] as (typeof evidence)[0]);
    await expect(c.readingArchive.archive(day, [], many))
      .to.be.revertedWithCustomError(c.readingArchive, "BeyondDay")
      .withArgs(day, 97);
    const wrong = { ...(evidence[0] as object), readingsHash: ZeroHash } as (typeof evidence)[0];
    await expect(c.readingArchive.archive(day, [], [wrong])).to.be.revertedWithCustomError(
      c.readingArchive,
      "EvidenceMismatch",
    );
    // The clearing with green trade cannot be left away or replaced.
    const unsold = { ...(evidence[1] as object), record: "0x" } as (typeof evidence)[0];
    await expect(
      c.readingArchive.archive(day, [], [evidence[0] as typeof unsold, unsold]),
    ).to.be.revertedWithCustomError(c.readingArchive, "SalesMismatch");
  });

  it("grows within a day, one word per day", async () => {
    const { c, day } = p;
    await p.archive(2);
    expect(await c.readingArchive.wordOf(day)).to.equal(BigInt(dayRoot(p.leaves())) * 256n + 2n);
    const next = [p.evidenceOf(p.slotAt(first + 2))];
    await expect(c.readingArchive.archive(day, [], next))
      .to.be.revertedWithCustomError(c.readingArchive, "ArchiveMismatch")
      .withArgs(day, 2, 0);
    await expect(c.readingArchive.archive(day, [ZeroHash, ZeroHash], next)).to.be.revertedWithCustomError(
      c.readingArchive,
      "ArchiveMismatch",
    );
    await p.archive();
    expect(await c.readingArchive.wordOf(day)).to.equal(BigInt(dayRoot(p.leaves())) * 256n + 5n);
    const events = await c.readingArchive.queryFilter(c.readingArchive.filters.Archived());
    expect(events.flatMap(({ args }) => [...args.leaves])).to.deep.equal(p.leaves());
    expect(p.leaves()[2]).to.equal(ZeroHash);
  });

  it("proves any run of slots of any meter", async () => {
    const { c } = p;
    for (let from = 0; from < 5; from += 1) {
      for (let through = from; through < 5; through += 1) {
        const words = await c.readingArchive.readings(p.prove(0, first + from, first + through));
        const expected = [1_000n, 1_100n, 0n, 1_300n, 1_400n].slice(from, through + 1);
        expect([...words].map(exportOf)).to.deep.equal(expected);
        expect([...words].map((word) => word >> 64n)).to.deep.equal(expected.map((wh) => (wh === 0n ? 0n : 1n)));
      }
    }
    const [absent] = await c.readingArchive.readings(p.prove(1, first + 3, first + 3));
    expect(absent).to.equal(PROVEN | (3n << 62n));
    const [own] = await c.readingArchive.readings(p.prove(p.FIRST_OWN_METER, first + 3, first + 3));
    expect(own).to.equal(PROVEN | 77n);
    const [last] = await c.readingArchive.readings(p.prove(4, first + 3, first + 3));
    expect(last).to.equal(PROVEN | (3n << 31n));
  });

  it("tells a slot that is not proved from one without a reading", async () => {
    const given = new Set([first, first + 1, first + 2]);
    const words = await p.c.readingArchive.readings(p.prove(0, first, first + 3, given));
    expect([...words].map((word) => (word >> 64n) << 64n)).to.deep.equal([SKIPPED, SKIPPED_SALES, 0n, PROVEN]);
  });

  it("refuses every other byte of a proof", async () => {
    const { c, day } = p;
    const good = p.prove(0, first + 1, first + 3);
    const refused = async (range: ReadingRange) => {
      const failed = await c.readingArchive.readings(range).then(
        () => false,
        () => true,
      );
      expect(failed, JSON.stringify(range)).to.equal(true);
    };
    const flip = (hex: string, at: number): string =>
      `${hex.slice(0, at)}${(parseInt(hex[at] as string, 16) ^ 1).toString(16)}${hex.slice(at + 1)}`;
    for (let at = 3; at < good.slots.length; at += 1) {
      // What stands beside a leaf that is given does not count, and the slot without a report has no reading.
      const inGiven = at >= 2 + 18 + 2 && at < 2 + 36;
      if (!inGiven) await refused({ ...good, slots: flip(good.slots, at) });
    }
    for (const [i, node] of good.nodes.entries()) {
      for (const at of [2, 33, 64]) {
        await refused({ ...good, nodes: good.nodes.map((other, j) => (i === j ? flip(node, at) : other)) });
      }
      await refused({ ...good, nodes: good.nodes.filter((_, j) => i !== j) });
    }
    await refused({ ...good, meter: 1 });
    await refused({ ...good, firstSlot: first });
    await refused({ ...good, firstSlot: first + 2 });
    await expect(c.readingArchive.readings({ ...good, nodes: [...good.nodes, ZeroHash] }))
      .to.be.revertedWithCustomError(c.readingArchive, "NodesLeftOver")
      .withArgs(good.nodes.length, good.nodes.length + 1);
    await expect(c.readingArchive.readings({ ...good, slots: "0x" })).to.be.revertedWithCustomError(
      c.readingArchive,
      "MalformedRange",
    );
    await expect(
      c.readingArchive.readings({ ...good, slots: concat([good.slots, "0x00"]) }),
    ).to.be.revertedWithCustomError(c.readingArchive, "MalformedRange");
    await expect(c.readingArchive.readings({ ...good, firstSlot: first + 3 }))
      .to.be.revertedWithCustomError(c.readingArchive, "NotArchived")
      .withArgs(first + 5, 5);
    await expect(c.readingArchive.readings({ ...good, meter: 2 })).to.be.revertedWithCustomError(
      c.readingArchive,
      "WrongProof",
    );
    expect(day).to.equal(Math.floor(first / 96));
  });

  it("proves a reading of the ring without the archive", async () => {
    const { c } = p;
    const readings = p.slotAt(first).readings as string;
    const hash = readingsHash(readings);
    const proof = readingProof(first, readings, 0);
    await c.readingArchive.verifyRecent(0, first, 1_000n, hash, proof);
    for (const wrong of [
      c.readingArchive.verifyRecent(0, first, 1_001n, hash, proof),
      c.readingArchive.verifyRecent(1, first, 1_000n, hash, proof),
      c.readingArchive.verifyRecent(0, first, 1_000n, ZeroHash, proof),
      c.readingArchive.verifyRecent(0, first, 1_000n, hash, proof.slice(1)),
    ])
      await expect(wrong).to.be.revertedWithCustomError(c.readingArchive, "EvidenceMismatch");
    await expect(c.readingArchive.verifyRecent(0, first + 2, 0n, hash, proof))
      .to.be.revertedWithCustomError(c.readingArchive, "SlotNotReported")
      .withArgs(first + 2);
  });
});

describe("an archived slot", () => {
  let p: Production;
  beforeEach(async () => {
    p = await createProduction();
  });
  const leavesOf = async (): Promise<string[]> => {
    await p.finalize();
    await p.c.readingArchive.archive(p.day, [], p.slots.map(p.evidenceOf));
    const [event] = await p.c.readingArchive.queryFilter(p.c.readingArchive.filters.Archived());
    return [...(event?.args.leaves ?? [])];
  };

  it("holds the readings that were settled, not a correction that came to nothing", async () => {
    const slot = await p.run(homes(1_000));
    await p.report(slot, homes(900), 2);
    expect((await p.c.meterOracle.reportOf(slot))[0]).to.equal(2n);
    expect(await leavesOf()).to.deep.equal(p.slots.map(slotLeaf));
  });

  it("proves nothing where the report has no readings", async () => {
    await p.run([]);
    await p.run(homes(1_000));
    const leaves = await leavesOf();
    expect(leaves[0]).to.equal(ZeroHash);
    expect(leaves[1]).to.equal(slotLeaf(p.slotAt(p.genesisSlot + 1)));
  });

  it("has no green sales where bilateral trades are all that its clearing holds besides", async () => {
    const slot = p.genesisSlot;
    const trade = {
      ...{ seller: 0, buyer: 1, energyWh: 50, firstSlot: slot, slots: 1, priceMicroPerKwh: 120_000, nonce: 1n },
      ...{ maxSpreadMicroPerKwh: 50_000, sellerBearsSpread: false },
    };
    const consent = async (point: number) => consentToTrade(p.owners[point] as Wallet, tradeDomain(p.addresses), trade);
    await p.c.bilaterals.register(trade, await consent(0), await consent(1));
    const { words } = await p.append(slot, [
      await p.order(0, slot, [offer(1_000, 100_000)]),
      await p.order(1, slot, [bid(1_000, 250_000)]),
    ]);
    await p.goTo(p.startOf(slot) - 500);
    const trades = encodeTradeWord({ ...trade, from: 0, to: 0, cancels: false });
    const { record } = await p.clear(slot, words as string, [posting(155_000)], p.c, { trades, tradesWh: [50] });
    await p.run(homes(1_000), [], record);
    expect(record.extras).not.to.equal("0x");
    expect(await leavesOf()).to.deep.equal([slotLeaf({ ...p.slotAt(slot), sales: "0x" })]);
  });
});

describe("a slot that nobody archived in time", () => {
  it("is lost for ever, and blocks nothing", async () => {
    const p = await createProduction();
    await p.run(homes(1_000));
    await p.run(homes(1_100));
    await p.finalize();
    // The clearing of slot 256 later takes the place of the first one's before its report does.
    await p.goTo(p.startOf(p.genesisSlot + 255));
    await p.c.readingArchive.archive(p.day, [], p.slots.map(p.evidenceOf));
    const [event] = await p.c.readingArchive.queryFilter(p.c.readingArchive.filters.Archived());
    expect(event?.args.leaves[0]).to.equal(ZeroHash);
    expect(event?.args.leaves[1]).not.to.equal(ZeroHash);
  });
});
