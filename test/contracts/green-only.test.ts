import { expect } from "chai";
import { concat, id } from "ethers";
import { solveSlot, submissionOf } from "../../services/protocol/clearing.ts";
import { packOrders } from "../../services/protocol/order.ts";
import { countOf, decodePositions, decodeWords, encodeBatches } from "../../services/protocol/words.ts";
import { appendDays, bookByEvents, dayOrderOf, signedDay } from "./support/days.ts";
import { bid, createWorld, offer, TERMS, TOKEN, type World } from "./support/world.ts";

describe("green-only bids", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 2;
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
  });

  it("come into the book as single, day and sealed orders, and are cleared with what is certified", async () => {
    const { c } = world;
    const relayer = await world.relayer.getAddress();
    await c.token.mint(relayer, 10n * TOKEN);
    await c.token.approve(world.addresses.sealedBatches, 10n * TOKEN);
    await c.sealedBatches.deposit(relayer, 10n * TOKEN);
    // 500 Wh certified, 1,000 Wh not; three want 300 Wh of certified energy each.
    const single = await world.append(slot, [
      await world.order(0, slot, [{ ...offer(500, 90_000), green: true }, offer(1_000, 70_000)]),
      await world.order(1, slot, [{ ...bid(300, 200_000), green: true }]),
    ]);
    expect(single.skipped).to.deep.equal([]);
    const days = await appendDays(world, [
      await signedDay(
        world,
        dayOrderOf(
          2,
          slot,
          [
            [
              [-200, 190_000],
              [-100, 180_000],
            ],
          ],
          1,
          true,
        ),
      ),
    ]);
    expect(days.skippedSlots).to.deep.equal([]);
    const sealed = packOrders([await world.order(3, slot, [{ ...bid(300, 150_000), green: true }])]);
    await c.sealedBatches.seal(slot, await c.sealedBatches.commitmentOf(slot, relayer, sealed, id("s")));
    await world.goTo(world.startOf(slot) - 590);
    await c.sealedBatches.openSealed(slot, sealed, id("s"));

    const { words, matches } = await bookByEvents(world, slot);
    expect(matches).to.equal(true);
    const book = concat(words);
    expect(decodeWords(book).map(({ point, green, sell }) => [point, green, sell])).to.deep.equal([
      [0, true, true],
      [0, false, true],
      [1, true, false],
      [2, true, false],
      [2, true, false],
      [3, true, false],
    ]);
    const market = {
      words: book,
      batches: encodeBatches(words.map(countOf)),
      trades: "0x",
      grid: [{ parent: 0, toParentWh: 0n, fromParentWh: 0n, backupCapacityWh: 1_000_000n }],
      limits: "0x",
      terms: { ...TERMS, reference: TERMS.reference_ },
    };
    const solved = await solveSlot(market);
    await expect(
      c.auction.clear(submissionOf(slot, market, { postings: solved.postings })),
    ).to.be.revertedWithCustomError(c.auction, "GreenNotPosted");
    const receipt = await (await c.auction.clear(submissionOf(slot, market, solved))).wait();
    const record = receipt?.logs.map((log) => c.auction.interface.parseLog(log)).find((log) => log?.name === "Cleared")
      ?.args["record"];
    const positions = decodePositions(record.positions as string);
    // All that is certified goes to those who pay most for it: 300 to point 1, 200 to point 2. The rest goes to the backup.
    expect(positions.slice(1)).to.deep.equal([-300, -200, 0]);
    expect(solved.green[0]?.price).to.be.greaterThan(solved.postings[0]?.price as number);
  });
});
