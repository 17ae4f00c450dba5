import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Wallet } from "ethers";
import { daeg, type Ended } from "../../scripts/support/daeg.ts";
import type { ClearedOnChain } from "../../../scripts/clearing/on-chain.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, type LiveMarket } from "../support/live-market.ts";

const slot = FIRST_SLOT + 1;
const start = slot * 900;
const gate = start - 600;

describe("an outsider's solver: daeg clear --chain", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  let keyFile: string;
  let outsider: Wallet;

  const file = (name: string, content: string): string => {
    const path = join(market.dir, name);
    writeFileSync(path, content);
    return path;
  };
  const clear = (more: readonly string[] = [], { at = slot, key = keyFile, addresses = market.addressesFile } = {}) =>
    daeg(["clear", "--chain", String(at), "--rpc", market.url, "--key-file", key, "--addresses", addresses, ...more], {
      cwd: market.dir,
    });
  const says = ({ code, stdout, stderr }: Ended, exit: number, words: RegExp): void => {
    expect(stderr).to.match(words);
    expect(stderr).to.match(/^daeg: [^\n]+\n$/);
    expect({ code, stdout }).to.deep.equal({ code: exit, stdout: "" });
  };

  before(async () => {
    market = await createLiveMarket();
    outsider = new Wallet(Wallet.createRandom().privateKey);
    keyFile = file("key.txt", `${outsider.privateKey}\n`);
    await market.chain.setTime(gate - 100);
    const steps = [
      [0, 1, [offer(900, 90_000)]],
      [1, 1, [bid(400, 250_000)]],
      [0, 2, [offer(600, 90_000), offer(500, 120_000)]],
      [2, 1, [bid(300, 100_000)]],
    ] as const;
    // Two batches: the book has to be put together from several events.
    for (const batch of [steps.slice(0, 2), steps.slice(2)]) {
      const orders = [];
      for (const [point, sequence, own] of batch) {
        const { signature, ...order } = await market.order(point, slot, sequence, [...own]);
        orders.push({ ...order, delegate: `0x${"0".repeat(40)}`, signature });
      }
      await (await market.contracts.orderBook.append(slot, orders as never)).wait();
    }
  });
  after(() => market.close());

  it("says what is missing or wrong before it asks the chain", async () => {
    const cwd = market.dir;
    says(await daeg(["clear"], { cwd }), 1, /no market is given/);
    says(await daeg(["clear", "--chain", "x"], { cwd }), 1, /slot must be a whole number/);
    says(await daeg(["clear", "--chain", "5"], { cwd }), 1, /--chain needs --rpc URL/);
    says(await daeg(["clear", "m.json", "--chain", "5"], { cwd }), 1, /leave "m.json" out/);
    says(await daeg(["clear", "m.json", "--rpc", "http://x"], { cwd }), 1, /belong to --chain/);
    says(await clear([], { key: "/nowhere" }), 1, /--key-file: \/nowhere cannot be read/);
    const bad = await clear([], { key: file("bad.txt", "0x1234secret") });
    says(bad, 1, /must hold a private key alone/);
    expect(bad.stderr).to.not.contain("secret");
    const mute = ["clear", "--chain", "5", "--key-file", keyFile, "--addresses", market.addressesFile, "--rpc"];
    says(await daeg([...mute, "http://127.0.0.1:9"], { cwd }), 75, /does not answer/);
    says(await daeg([...mute, "ftp://x"], { cwd }), 1, /is no URL/);
    const other = file("other.json", JSON.stringify({ ...market.addresses, chainId: 1 }));
    says(await clear([], { addresses: other }), 1, /is for chain 1, --rpc leads to chain 31337/);
    const wrong = file("wrong.json", JSON.stringify({ ...market.addresses, auction: outsider.address }));
    says(await clear([], { addresses: wrong }), 1, /no contract stands at auction/);
  });

  it("waits for the gate", async () => {
    says(await clear(), 75, /takes orders until 2026-01-01T00:05:00Z/);
  });

  it("needs gas money", async () => {
    await market.chain.setTime(gate + 10);
    says(await clear(), 1, new RegExp(`${outsider.address} holds 0 wei`));
  });

  it("clears the slot, and explains every order", async () => {
    await market.chain.fund(outsider.address);
    const { code, stdout, stderr } = await clear(["--explain"]);
    expect(stderr.split("\n")).to.deep.equal([
      "word 1 of point 0 (offer of 900 Wh in zone 0): not filled, since a later order of the same point replaced it.",
      "word 2 of point 1 (bid of 400 Wh in zone 1): filled in full, since buying costs 130000 (price 90000, fee 40000), better than its limit 250000.",
      "word 3 of point 0 (offer of 600 Wh in zone 0): filled with 400 of 600 Wh: selling earns 90000, exactly its limit 90000, where offers of 600 Wh share 400 Wh pro rata (400 Wh).",
      "word 4 of point 0 (offer of 500 Wh in zone 0): not filled, since selling earns 90000, worse than its limit 120000.",
      "word 5 of point 2 (bid of 300 Wh in zone 0): not filled, since buying costs 130000 (price 90000, fee 40000), worse than its limit 100000.",
      "",
    ]);
    expect(code).to.equal(0);
    const { txHash, gasUsed, ...result } = JSON.parse(stdout) as ClearedOnChain;
    expect(result).to.deep.equal({
      slot,
      clearer: outsider.address,
      words: 5,
      pricesMicroPerKwh: [90_000, 90_000],
      boughtWh: "400",
      backupSoldWh: "0",
      backupBoughtWh: "0",
      congestionRentNano: "0",
      welfareNano: String(400 * (250_000 - 40_000 - 90_000)),
    });
    expect(gasUsed).to.be.within(30_000, 500_000);
    expect((await market.provider.getTransactionReceipt(txHash))?.status).to.equal(1);
    expect(await market.contracts.auction.clearingOf(slot)).to.not.match(/^0x0+$/);
  });

  it("says who was first, what is empty and what is too late", async () => {
    says(await clear(), 1, new RegExp(`is cleared already, by ${outsider.address} in transaction 0x[0-9a-f]{64}`));
    await market.chain.setTime(gate + 910);
    says(await clear([], { at: slot + 1 }), 1, /has no orders/);
    says(await clear([], { at: slot - 1 }), 1, /too late to clear it/);
  });
});
