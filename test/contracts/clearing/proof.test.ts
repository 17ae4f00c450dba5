import { expect } from "chai";
import { hexlify, keccak256, concat } from "ethers";
import fc from "fast-check";
import { clearBook } from "../../../services/core/market/clear.ts";
import type { ZonePosting, ZoneTerms } from "../../../services/core/market/types.ts";
import { encodeBook } from "../../../services/core/market/words.ts";
import { decodePositions, decodeWordCounts } from "../../../services/protocol/words.ts";
import {
  band,
  columnsOf,
  createStand,
  posting,
  START,
  submissionOf,
  termsOf,
  zone,
  type Stand,
  type Word,
} from "./support/stand.ts";

const long = process.env["DAEG_LONG"] === "1";

describe("ClearingProof", function () {
  this.timeout(long ? 3_600_000 : 60_000);

  let context: Stand;
  before(async () => {
    context = await createStand();
  });
  const prove = (book: string, zones: readonly ZoneTerms[], postings: ZonePosting[]) =>
    context.harness.prove.staticCall(submissionOf(book, { postings }), START, termsOf(zones));
  const proveWords = (words: readonly Word[], zones: readonly ZoneTerms[], postings: ZonePosting[]) =>
    prove(hexlify(encodeBook(columnsOf(words))), zones, postings);
  const refuses = (
    words: readonly Word[],
    zones: ZoneTerms[],
    postings: ZonePosting[],
    error: string,
    ...values: unknown[]
  ) => context.refuses(words, { zones }, { postings }, error, ...values);

  it("folds the book from the start value", async () => {
    const words = [
      { side: "bid", energyWh: 5, price: 3 },
      { side: "offer", energyWh: 5, price: 1 },
    ] as const;
    const book = encodeBook(columnsOf(words));
    const [hash] = await proveWords(words, [zone()], [posting({ price: 2 })]);
    // A running hash keeps 26 bytes.
    const fold = (before: string, part: Uint8Array): string =>
      `${keccak256(concat([before, part])).slice(0, 54)}${"0".repeat(12)}`;
    expect(hash).to.equal(fold(START, book));
    const inBatches = (batches: string) =>
      context.harness.prove(
        { ...submissionOf(hexlify(book), { postings: [posting({ price: 2 })] }), batches },
        START,
        termsOf([zone()], band),
      );
    const [two] = await inBatches("0x00010001");
    expect(two).to.equal(fold(fold(START, book.slice(0, 16)), book.slice(16)));
    for (const [batches, counted] of [
      ["0x0001", 1],
      ["0x00020001", 3],
      ["0x", 0],
      ["0x000200", 2],
    ] as const) {
      await expect(inBatches(batches))
        .to.be.revertedWithCustomError(context.harness, "MalformedBatches")
        .withArgs(counted, 2);
    }
    const [empty] = await prove("0x", [zone()], [posting({ price: 7 })]);
    expect(empty).to.equal(START);
  });

  it("derives the solver's fills where orders replace each other, whatever their sequence bytes", async () => {
    const word = fc.record({
      point: fc.nat(4),
      sequence: fc.constantFrom(1, 2, 255),
      side: fc.constantFrom("bid" as const, "offer" as const),
      energyWh: fc.nat(5),
      price: fc.integer({ min: -3, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 25 }), fc.boolean(), async (drawn, linked) => {
        const words = drawn.map((own) => ({ ...own, zone: own.point % 2 }));
        const zones = [zone(), zone(linked ? { parent: 0, toParentWh: 3, fromParentWh: 2 } : { parent: 1 })];
        const columns = columnsOf(words);
        const clearing = clearBook(columns, zones, band);
        const [, , positions] = await prove(hexlify(encodeBook(columns)), zones, clearing.postings);
        const points = Math.max(-1, ...columns.point) + 1;
        const sold = new Array<number>(points).fill(0);
        clearing.fillsWh.forEach((filledWh, i) => {
          const point = columns.point[i] as number;
          sold[point] = (sold[point] as number) + (words[i]?.side === "offer" ? filledWh : -filledWh);
        });
        expect(decodePositions(positions)).to.deep.equal(sold.map((wh) => wh || 0));
        const counts = sold.map((_, point) => columns.point.filter((of) => of === point).length);
        expect(decodeWordCounts(positions)).to.deep.equal(counts);
      }),
      { numRuns: long ? 10_000 : 150 },
    );
  });

  it("refuses books and zones that are not well-formed", async () => {
    const { harness } = context;
    const good = posting({ price: 7 });
    await expect(prove("0x0102", [zone()], [good]))
      .to.be.revertedWithCustomError(harness, "MalformedBook")
      .withArgs(2);
    const far = { point: 2 ** 32 - 1, side: "bid", energyWh: 1, price: 1 } as const;
    await refuses([far], [zone()], [good], "PointOutOfRange", 2 ** 32 - 1, 2 ** 20);
    await refuses([{ sequence: 0, side: "bid", energyWh: 1, price: 1 }], [zone()], [good], "NoSequence");
    await refuses([{ zone: 1, side: "bid", energyWh: 1, price: 1 }], [zone()], [good], "UnknownZone", 1, 1);
    await refuses([], [zone(), zone({ parent: 0 })], [good], "WrongZoneCount", 1, 2);
    await refuses([], [zone({ parent: 1 }), zone({ parent: 1 })], [good, good], "UnknownZone", 1, 1);
  });

  it("refuses positions that do not fit", async () => {
    const trade = (energyWh: number) =>
      [
        { side: "bid", energyWh, price: 3 },
        { side: "offer", energyWh, price: 3 },
      ] as const;
    const full = (energyWh: number) => [posting({ price: 3, marginalBidWh: energyWh, marginalOfferWh: energyWh })];
    const most = 2 ** 24 - 1;
    const [, , positions] = await proveWords(trade(most), [zone()], full(most));
    expect(positions).to.equal("0x81ffffff01ffffff");
    await refuses(trade(most + 1), [zone()], full(most + 1), "PositionOverflow", 0, -most - 1, 1);
    const many = (count: number) =>
      Array.from(
        { length: count },
        (_, i) => ({ point: 1, sequence: 1 + (i % 2), side: "bid", energyWh: 1, price: 3 }) as const,
      );
    const [, , counted] = await proveWords(many(127), [zone()], [posting({ price: 3 })]);
    expect(counted).to.equal("0x000000007f000000");
    await refuses(many(128), [zone()], [posting({ price: 3 })], "PositionOverflow", 1, 0, 128);
  });

  it("refuses tariffs that contradict each other", async () => {
    const backup = zone({ hasBackup: true, backupSell: 50, backupBuy: 10, backupCapacityWh: 9 });
    const line = { parent: 0, toParentWh: 5, fromParentWh: 5 };
    const two = [posting(), posting()];
    await refuses([], [backup, { ...backup, ...line, backupBuy: 11 }], two, "InconsistentTariffs", 1);
    await refuses([], [backup, zone({ ...line, fee: 1 })], two, "InconsistentTariffs", 1);
    await refuses([], [{ ...backup, fee: 40 }], [posting()], "InconsistentTariffs", 0);
  });

  it("names what is wrong with a posting", async () => {
    const words = [
      { side: "bid", energyWh: 10, price: 30 },
      { side: "offer", energyWh: 8, price: 10 },
    ] as const;
    const alone = [zone()];
    const at = (price: number, change: Partial<ZonePosting> = {}) => [posting({ price, ...change })];
    await proveWords(words, alone, at(30, { marginalBidWh: 8 }));
    await refuses(words, alone, at(30, { marginalBidWh: 11 }), "MarginalBidOverfilled", 0, 11, 10);
    await refuses(words, alone, at(10, { marginalOfferWh: 9 }), "MarginalOfferOverfilled", 0, 9, 8);
    await refuses(words, alone, at(30, { marginalBidWh: 8, backupSoldWh: 1 }), "BackupOverfilled", 0, 1, 0);
    await refuses(words, alone, at(30, { marginalBidWh: 7 }), "IslandNotBalanced", 0, 1);
    await refuses(words, alone, at(40), "IslandNotBalanced", 0, 8);
    const equal = [{ ...words[0], energyWh: 8 }, words[1]];
    await proveWords(equal, alone, at(20));
    await refuses(equal, alone, at(21), "WrongPrice", 0, 21, 20);
    const same = [{ ...words[0], price: 10 }, words[1]];
    await refuses(same, alone, at(10), "VolumeNotMaximal", 0);
  });

  it("refuses a line over its limit, and prices that a line with room contradicts", async () => {
    const zones = [zone(), zone({ parent: 0, toParentWh: 5, fromParentWh: 5 })];
    const words = [
      { zone: 0, side: "bid", energyWh: 10, price: 30 },
      { zone: 1, side: "offer", energyWh: 10, price: 10 },
    ] as const;
    const split = (wh: number) => [
      posting({ price: 30, marginalBidWh: wh }),
      posting({ price: 10, marginalOfferWh: wh }),
    ];
    await proveWords(words, zones, split(5));
    await refuses(words, zones, split(6), "LineOverloaded", 1, 6, 5);
    await refuses(words, zones, split(4), "NotOptimal", 0, 30, 10);
  });

  it("serves the backup last, across lines too", async () => {
    const zones = [
      zone({ hasBackup: true, backupSell: 50, backupBuy: 10, backupCapacityWh: 100 }),
      zone({ parent: 0, toParentWh: 100, fromParentWh: 100 }),
    ];
    const buying = [
      { zone: 0, side: "bid", energyWh: 10, price: 100 },
      { zone: 1, side: "offer", energyWh: 4, price: 50 },
    ] as const;
    const bought = (backupSoldWh: number, marginalOfferWh: number) => [
      posting({ price: 50, marginalBidWh: 10, backupSoldWh }),
      posting({ price: 50, marginalOfferWh }),
    ];
    await proveWords(buying, zones, bought(6, 4));
    await refuses(buying, zones, bought(7, 3), "BackupNotLast", 0);
    const selling = [
      { zone: 0, side: "offer", energyWh: 10, price: -100 },
      { zone: 1, side: "bid", energyWh: 4, price: 10 },
    ] as const;
    const sold = (backupBoughtWh: number, marginalBidWh: number) => [
      posting({ price: 10, marginalOfferWh: 10, backupBoughtWh }),
      posting({ price: 10, marginalBidWh }),
    ];
    await proveWords(selling, zones, sold(6, 4));
    await refuses(selling, zones, sold(7, 3), "BackupNotLast", 1);
    await refuses(
      buying,
      zones,
      [posting({ price: 49, backupSoldWh: 1 }), posting({ price: 49 })],
      "BackupAgainstPrice",
      0,
      1,
      0,
    );
  });

  describe("gas per order word", () => {
    /** A book of a neighbourhood: three zones, a backup, points with some steps each. */
    const bookOf = (count: number, points: number) => {
      const words = Array.from({ length: count }, (_, i): Word => {
        const point = Math.floor((i * points) / count);
        return {
          point,
          sequence: 1,
          zone: point % 3,
          side: point % 5 < 2 ? "offer" : "bid",
          energyWh: 50 + ((i * 7919) % 3000),
          price: 60_000 + ((i * 104_729) % 240_000),
        };
      });
      const zones = [0, 1, 2].map((i) =>
        zone({
          parent: 0,
          toParentWh: 100_000,
          fromParentWh: 100_000,
          fee: 20_000,
          ...(i === 0 && { hasBackup: true, backupSell: 300_000, backupBuy: 60_000, backupCapacityWh: 10_000_000 }),
        }),
      );
      return { columns: columnsOf(words), zones };
    };
    for (const { count, points, most } of [
      { count: 1000, points: 250, most: 700 },
      { count: 1000, points: 1000, most: 1060 },
      { count: 100, points: 100, most: 2050 },
    ]) {
      it(`${count} words of ${points} points`, async () => {
        const { columns, zones } = bookOf(count, points);
        const wide = { min: -1_000_000, max: 10_000_000, reference: 0 };
        const { postings } = clearBook(columns, zones, wide);
        const data = context.harness.interface.encodeFunctionData("prove", [
          submissionOf(hexlify(encodeBook(columns)), { postings }),
          START,
          termsOf(zones, wide),
        ]);
        const [signer] = await context.ethers.getSigners();
        const sent = await signer?.sendTransaction({ to: await context.harness.getAddress(), data });
        const receipt = await sent?.wait();
        expect(Number(receipt?.gasUsed) / count).to.be.lessThan(most);
      });
    }
  });
});
