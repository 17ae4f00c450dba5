import { expect } from "chai";
import { fetchJson } from "../../../services/platform/http.ts";
import type { OrderState } from "../../../services/protocol/api.ts";
import type { Child } from "../../../scripts/local/child.ts";
import { solveSlot, submissionOf } from "../../../services/protocol/clearing.ts";
import { countOf, encodeBatches } from "../../../services/protocol/words.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, TERMS, type LiveMarket } from "../support/live-market.ts";

const slot = FIRST_SLOT + 1;
const start = slot * 900;
const gate = start - 600;

describe("auctioneer", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  let auctioneer: Child;
  const post = async (body: unknown): Promise<string> =>
    (await fetchJson<{ id: string }>(`${String(auctioneer.info["url"])}/orders`, { method: "POST", body })).id;
  const stateOf = (id: string): Promise<OrderState> => fetchJson(`${String(auctioneer.info["url"])}/orders/${id}`);
  const at = async (now: number): Promise<void> => {
    await market.chain.setTime(now);
    await auctioneer.tick(now);
  };
  const refusal = async (body: unknown): Promise<string> =>
    post(body).then(
      () => "accepted",
      (error: Error) => error.message,
    );

  before(async () => {
    market = await createLiveMarket();
    auctioneer = await market.auctioneer();
    await at(gate - 300);
  });
  after(() => market.close());

  it("refuses what could never be appended, in words", async () => {
    const good = await market.order(0, slot, 1, [offer(1_000, 100_000)]);
    expect(await refusal({ ...good, colour: "red" })).to.match(/unknown field "colour"/);
    expect(await refusal({ ...good, point: 99 })).to.match(/point: 99 is not registered/);
    expect(await refusal({ ...good, sequence: 2 })).to.match(/signature: is not/);
    expect(await refusal(await market.order(0, slot, 1, [offer(10, 100_000)]))).to.match(/at least 50 Wh/);
    expect(await refusal(await market.order(0, slot, 1, [offer(100, 9_000_000)]))).to.match(/the slot's band/);
    expect(await refusal(await market.order(0, FIRST_SLOT - 1, 1, [offer(100, 9)]))).to.match(/gate of slot .* closed/);
    expect(await refusal(await market.order(0, slot, 1, [offer(100, 9)], market.owners[1]))).to.match(/signature/);
    const delegated = { ...good, delegate: market.owners[1]?.address };
    expect(await refusal(delegated)).to.match(/delegate: .* is not registered/);
  });

  it("relays, clears and settles a slot", async () => {
    const first = await post(await market.order(0, slot, 1, [offer(900, 90_000)]));
    const second = await post(await market.order(0, slot, 2, [offer(1_000, 100_000)]));
    const buyer = await post(await market.order(1, slot, 1, [bid(800, 250_000)]));
    expect(await post(await market.order(1, slot, 1, [bid(800, 250_000)]))).to.equal(buyer);
    expect((await stateOf(first)).state).to.equal("superseded");
    expect((await stateOf(second)).state).to.equal("pending");
    await at(gate - 299);
    expect((await stateOf(second)).state).to.equal("appended");
    expect((await stateOf(buyer)).txHash).to.match(/^0x[0-9a-f]{64}$/);
    // Replaces the one in the book; one that the chain refuses is told in its words.
    const third = await post(await market.order(0, slot, 3, [offer(1_200, 100_000)]));
    const greedy = await post(await market.order(2, slot, 1, [offer(60_000, 100_000)]));
    await at(gate - 20);
    expect((await stateOf(third)).state).to.equal("appended");
    expect(await stateOf(greedy)).to.include({ state: "skipped" });
    expect((await stateOf(greedy)).reason).to.match(/rating/);
    await at(gate + 30);
    expect(await market.contracts.auction.clearingOf(slot)).to.not.match(/^0x0+$/);

    await at(start + 900);
    await market.report(slot, [
      { quality: 0, importWh: 0, exportWh: 1_200 },
      { quality: 0, importWh: 800, exportWh: 0 },
      { quality: 0, importWh: 100, exportWh: 0 },
      { quality: 3, importWh: 0, exportWh: 0 },
    ]);
    await at(start + 1_020);
    expect((await market.contracts.settlement.statusOf(slot)).status).to.equal(2n);
    expect(await fetchJson(`${String(auctioneer.info["url"])}/status`)).to.deep.include({
      failures: [],
      pendingOrders: 0,
    });
  });

  it("is content when a stranger clears first", async () => {
    const other = FIRST_SLOT + 4;
    await at(other * 900 - 890);
    await post(await market.order(0, other, 1, [offer(1_000, 100_000)]));
    await post(await market.order(1, other, 1, [bid(800, 250_000)]));
    await at(other * 900 - 630);
    await market.chain.setTime(other * 900 - 590);
    const appended = await market.contracts.orderBook.queryFilter(market.contracts.orderBook.filters.Appended(other));
    const words = appended[0]?.args.words as string;
    const unlimited = { fromParentWh: 2_000n, toParentWh: 2_000n };
    const grid = [
      { parent: 0, ...unlimited, backupCapacityWh: 100_000n },
      { parent: 0, ...unlimited, backupCapacityWh: 0n },
    ];
    const book = { words, batches: encodeBatches([countOf(words)]), trades: "0x" };
    const clearing = await solveSlot({ ...book, grid, limits: "0x", terms: { ...TERMS, reference: TERMS.reference_ } });
    await (await market.contracts.auction.clear(submissionOf(other, book, clearing))).wait();
    await at(other * 900 - 570);
    expect(await fetchJson(`${String(auctioneer.info["url"])}/status`)).to.deep.include({ failures: [] });
  });

  it("flags a slot without a report as estimated", async () => {
    await at((FIRST_SLOT + 9) * 900 + 30);
    expect((await market.contracts.settlement.statusOf(FIRST_SLOT)).status).to.equal(1n);
  });
});
