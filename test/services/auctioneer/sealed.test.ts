import { expect } from "chai";
import type { Child } from "../../../scripts/local/child.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import type { OrderState } from "../../../services/protocol/api.ts";
import { connectContracts } from "../../../services/protocol/contracts.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, type LiveMarket } from "../support/live-market.ts";

const BOND = 10_000_000n;

describe("auctioneer: sealed batches", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  let auctioneer: Child;
  let relayer: string;
  const url = (path: string): string => `${String(auctioneer.info["url"])}${path}`;
  const at = async (now: number): Promise<void> => {
    await market.chain.setTime(now);
    await auctioneer.tick(now);
  };
  const send = async (point: number, slot: number, sequence = 1): Promise<string> => {
    const steps = [point % 2 === 0 ? offer(1_000, 90_000) : bid(900, 250_000)];
    const body = await market.order(point, slot, sequence, steps);
    return (await fetchJson<{ id: string }>(url("/orders"), { method: "POST", body })).id;
  };
  const stateOf = async (id: string): Promise<string> => (await fetchJson<OrderState>(url(`/orders/${id}`))).state;
  const words = async (slot: number): Promise<number> =>
    Number((await market.contracts.orderBook.bookOf(slot)).wordCount);
  const free = (): Promise<bigint> => market.contracts.sealedBatches.freeOf(relayer);

  before(async () => {
    market = await createLiveMarket();
    relayer = market.wallet("auctioneer").address;
    const { token, sealedBatches } = connectContracts(market.addresses, market.operator);
    await (await token.approve(market.addresses.sealedBatches, 10n * BOND)).wait();
    await (await sealedBatches.deposit(relayer, 2n * BOND)).wait();
    auctioneer = await market.auctioneer({ sealed: true });
  });
  after(() => market.close());

  it("shows hashes until the gate, opens after it and clears", async () => {
    const slot = FIRST_SLOT + 1;
    const gate = slot * 900 - 600;
    await at(gate - 300);
    const ids = [await send(0, slot), await send(1, slot)];
    await at(gate - 299);
    expect(await words(slot)).to.equal(0);
    expect(await free()).to.equal(BOND);
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(["pending", "pending"]);
    await at(gate + 30);
    expect(await words(slot)).to.equal(2);
    expect(await free()).to.equal(2n * BOND);
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(["appended", "appended"]);
    // In the same tick: nothing was left unopened.
    expect(await market.contracts.auction.clearingOf(slot)).to.not.match(/^0x0+$/);
    expect(await fetchJson(url("/status"))).to.deep.include({ failures: [] });
  });

  it("loses neither bond nor order when killed between seal and open", async () => {
    const slot = FIRST_SLOT + 2;
    const gate = slot * 900 - 600;
    await at(gate - 300);
    const ids = [await send(2, slot), await send(3, slot)];
    await market.chain.setTime(gate - 290);
    const sealing = auctioneer.tick(gate - 290);
    // In the middle of sealing: the hash may be sent or not.
    await new Promise((resolve) => setTimeout(resolve, 15));
    await auctioneer.kill();
    await sealing;
    await auctioneer.tick(gate - 280);
    expect(await free()).to.equal(BOND);
    expect(await words(slot)).to.equal(0);
    await auctioneer.kill();
    await market.chain.setTime(gate + 30);
    const opening = auctioneer.tick(gate + 30);
    await new Promise((resolve) => setTimeout(resolve, 15));
    await auctioneer.kill();
    await opening;
    await auctioneer.tick(gate + 40);
    expect(await words(slot)).to.equal(2);
    expect(await free()).to.equal(2n * BOND);
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(["appended", "appended"]);
    await auctioneer.tick(gate + 50);
    expect(await market.contracts.auction.clearingOf(slot)).to.not.match(/^0x0+$/);
  });

  it("appends openly at the last call what no bond is left for", async () => {
    const slot = FIRST_SLOT + 3;
    const gate = slot * 900 - 600;
    await at(gate - 300);
    const sealed = [await send(0, slot)];
    await at(gate - 290);
    sealed.push(await send(1, slot));
    await at(gate - 200);
    expect(await free()).to.equal(0n);
    const open = await send(2, slot);
    await at(gate - 100);
    expect([await words(slot), await stateOf(open)]).to.deep.equal([0, "pending"]);
    await at(gate - 20);
    expect([await words(slot), await stateOf(open)]).to.deep.equal([1, "appended"]);
    await at(gate + 30);
    expect(await words(slot)).to.equal(3);
    expect(await Promise.all(sealed.map(stateOf))).to.deep.equal(["appended", "appended"]);
    expect(await free()).to.equal(2n * BOND);
    expect(await market.contracts.auction.clearingOf(slot)).to.not.match(/^0x0+$/);
  });
});
