import { expect } from "chai";
import type { Signer } from "ethers";
import { solveSlot, submissionOf, zoneTermsOf } from "../../services/protocol/clearing.ts";
import { postClearing } from "../../services/protocol/parts.ts";
import { countOf, encodeBatches } from "../../services/protocol/words.ts";
import { bid, createWorld, offer, TERMS, type World } from "./support/world.ts";

describe("a clearing in several transactions", () => {
  let world: World;
  let slot: number;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 1;
  });

  /** A book of three batches, solved, past its gate. */
  const stage = async () => {
    const steps = [
      [
        [0, [offer(1_000, 100_000)]],
        [1, [bid(700, 250_000)]],
      ],
      [[2, [bid(900, 250_000), bid(300, 120_000)]]],
      [
        [3, [offer(400, 90_000)]],
        [1, [bid(600, 250_000)]],
      ],
    ] as const;
    const appended: string[] = [];
    for (const [at, batch] of steps.entries()) {
      const orders = await Promise.all(batch.map(([home, own]) => world.order(home, slot, [...own], at + 1)));
      appended.push((await world.append(slot, orders)).words as string);
    }
    await world.goTo(world.startOf(slot) - 500);
    const book = {
      words: `0x${appended.map((words) => words.slice(2)).join("")}`,
      batches: encodeBatches(appended.map(countOf)),
      trades: "0x",
    };
    const grid = [{ parent: 0, toParentWh: 0n, fromParentWh: 0n, backupCapacityWh: 1_000_000n }];
    const terms = { ...TERMS, reference: TERMS.reference_ };
    const clearing = await solveSlot({ ...book, grid, limits: "0x", terms });
    return { submission: submissionOf(slot, book, clearing), zones: zoneTermsOf(grid, terms), clearing };
  };

  const post = async (staged: Awaited<ReturnType<typeof stage>>, signer: Signer, plannedGas?: number) => {
    const to = world.addresses.auction;
    const from = await signer.getAddress();
    const sent: string[] = [];
    const receipt = await postClearing({
      ...staged,
      bookStart: await world.c.orderBook.bookStart(slot),
      ...(plannedGas === undefined ? {} : { plannedGas }),
      call: (data) => world.provider.call({ from, to, data }),
      send: async (key, data) => {
        sent.push(key);
        const landed = await (await signer.sendTransaction({ to, data })).wait();
        if (!landed) throw new Error("not mined");
        return landed;
      },
    });
    return { receipt, sent };
  };

  it("is the same as in one", async () => {
    const staged = await stage();
    const before = await world.networkHelpers.takeSnapshot();
    const one = await post(staged, world.relayer);
    expect(one.sent).to.deep.equal([`clear:${slot}`]);
    const digest = await world.c.auction.clearingOf(slot);
    await before.restore();
    const { sent, receipt } = await post(staged, world.relayer, 1);
    expect(sent).to.deep.equal([0, 1, 2].map((part) => `clear:${slot}:1:${part}`));
    expect(await world.c.auction.clearingOf(slot)).to.equal(digest);
    expect(receipt.logs.map((log) => world.c.auction.interface.parseLog(log)?.name)).to.deep.equal(["Cleared"]);
  });

  it("is won by the first that is complete, and begins anew where the state is lost", async () => {
    const staged = await stage();
    const [, , , stranger] = (await world.ethers.getSigners()) as unknown as Signer[];
    if (!stranger) throw new Error("too few signers");
    // A process that died after its first part knows no state any more: keys of parts that landed give their old receipts.
    let died = false;
    const landed = new Map<string, unknown>();
    const to = world.addresses.auction;
    const from = await world.relayer.getAddress();
    const run = async () =>
      postClearing({
        ...staged,
        bookStart: await world.c.orderBook.bookStart(slot),
        plannedGas: 1,
        call: (data) => world.provider.call({ from, to, data }),
        send: async (key, data) => {
          if (landed.has(key)) return landed.get(key) as never;
          const receipt = await (await world.relayer.sendTransaction({ to, data })).wait();
          landed.set(key, receipt);
          if (!died && landed.size === 2) {
            died = true;
            throw new Error("killed");
          }
          return receipt as never;
        },
      });
    await run().then(
      () => expect.fail("it was to die"),
      (error: Error) => expect(error.message).to.equal("killed"),
    );
    await world.networkHelpers.takeSnapshot().then(async (before) => {
      await run();
      expect([...landed.keys()].at(-1)).to.equal(`clear:${slot}:2:2`);
      expect(await world.c.auction.clearingOf(slot)).not.to.match(/^0x0+$/);
      await before.restore();
    });
    await post(staged, stranger, 1);
    const { c } = world;
    await expect(run()).to.be.revertedWithCustomError(c.auction, "AlreadyCleared");
  });
});
