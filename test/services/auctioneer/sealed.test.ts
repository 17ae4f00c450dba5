import { expect } from "chai";
import type { Child } from "../../../scripts/local/child.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import type { OrderState } from "../../../services/protocol/api.ts";
import { orderOfBody, packOrders, sealedCommitment } from "../../../services/protocol/order.ts";
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

  it("seals and opens again what a reorganisation took from the chain", async () => {
    const slot = FIRST_SLOT + 4;
    const gate = slot * 900 - 600;
    const rpc = (method: string, params: unknown[]): Promise<unknown> => market.provider.send(method, params);
    await at(gate - 300);
    const ids = [await send(2, slot), await send(3, slot)];
    await market.chain.setTime(gate - 290);
    const unsealed = await rpc("evm_snapshot", []);
    await auctioneer.tick(gate - 290);
    expect(await free()).to.equal(BOND);
    // Another, longer branch, in which the hash was never sent.
    await rpc("evm_revert", [unsealed]);
    await market.chain.setTime(gate - 289);
    await rpc("hardhat_mine", ["0x4"]);
    expect(await free()).to.equal(2n * BOND);
    await at(gate - 280);
    await at(gate - 20);
    expect([await words(slot), await free()]).to.deep.equal([0, BOND]);
    await market.chain.setTime(gate + 20);
    const unopened = await rpc("evm_snapshot", []);
    await auctioneer.tick(gate + 20);
    expect(await words(slot)).to.equal(2);
    await rpc("evm_revert", [unopened]);
    await market.chain.setTime(gate + 30);
    await rpc("hardhat_mine", ["0x4"]);
    expect(await words(slot)).to.equal(0);
    await at(gate + 40);
    await at(gate + 60);
    expect(await words(slot)).to.equal(2);
    expect(await free()).to.equal(2n * BOND);
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(["appended", "appended"]);
    await at(gate + 70);
    expect(await market.contracts.auction.clearingOf(slot)).to.not.match(/^0x0+$/);
  });

  it("pays the members the bonds of what others sealed and did not open", async () => {
    const slot = FIRST_SLOT + 5;
    const gate = slot * 900 - 600;
    const { token, ledger } = market.contracts;
    const cheat = market.wallet("cheat");
    const theirs = connectContracts(market.addresses, cheat).sealedBatches;
    await (await token.approve(market.addresses.sealedBatches, 10n * BOND)).wait();
    await (await market.contracts.sealedBatches.deposit(cheat.address, 3n * BOND)).wait();
    const members = async (): Promise<bigint> => ledger.balanceOf(await ledger.MEMBERS());
    await at(gate - 300);
    const salt = `0x${"11".repeat(32)}`;
    const body = await market.order(0, slot, 1, [offer(1_000, 90_000)]);
    const orders = packOrders([orderOfBody(body)]);
    const opened = sealedCommitment({ slot, relayer: cheat.address, orders, salt });
    for (const commitment of [opened, `0x${"22".repeat(32)}`, `0x${"33".repeat(32)}`])
      await (await theirs.seal(slot, commitment)).wait();
    await market.chain.setTime(gate + 30);
    await (await theirs.openSealed(slot, orders, salt)).wait();
    await auctioneer.tick(gate + 140);
    const before = await members();
    await at(gate + 150);
    expect(await members()).to.equal(before);
    await at(gate + 160);
    // Nano-token per base unit of a token with 6 decimals: 1,000.
    expect(await members()).to.equal(before + 2n * BOND * 1_000n);
    expect(await market.contracts.sealedBatches.freeOf(cheat.address)).to.equal(BOND);
    await at(gate + 170);
    expect(await members()).to.equal(before + 2n * BOND * 1_000n);
    const { failures } = await fetchJson<{ failures: { stage: string }[] }>(url("/status"));
    expect(failures.filter(({ stage }) => stage === "forfeit")).to.deep.equal([]);
  });
});
