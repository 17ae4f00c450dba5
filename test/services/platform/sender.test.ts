import { expect } from "chai";
import { Interface, isError, Wallet } from "ethers";
import { createProvider, type PooledProvider } from "../../../services/platform/provider.ts";
import { createLog } from "../../../services/platform/log.ts";
import { createSender, SENDER_MIGRATION, type Sender } from "../../../services/platform/sender.ts";
import { openStore, type Store } from "../../../services/platform/store.ts";
import { createLiveMarket, type LiveMarket } from "../support/live-market.ts";

const token = new Interface([
  "function mint(address,uint256)",
  "function transfer(address,uint256) returns (bool)",
  "function balanceOf(address) view returns (uint256)",
]);

describe("sending transactions", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  let provider: PooledProvider;
  let store: Store;
  let sender: Sender;
  let to: string;
  const wallet = new Wallet(`0x${"5e".repeat(32)}`);
  const other = Wallet.createRandom().address;
  const call = (method: "mint" | "transfer", address: string, amount: bigint): string =>
    token.encodeFunctionData(method, [address, amount]);
  const balanceOf = async (address: string): Promise<bigint> =>
    BigInt(await provider.call({ to, data: token.encodeFunctionData("balanceOf", [address]) }));
  const rows = (): unknown[] => store.all("SELECT key, nonce, state, status FROM outgoing ORDER BY nonce");

  before(async () => {
    market = await createLiveMarket({ homes: 1 });
    provider = await createProvider({ urls: [market.url] });
    to = market.addresses.token;
    await market.chain.fund(wallet.address);
    store = openStore(":memory:", [SENDER_MIGRATION]);
    sender = createSender({ provider, wallet, store, log: createLog({ name: "test", level: "silent" }) });
  });
  after(async () => {
    provider.destroy();
    store.close();
    await market.close();
  });

  it("spends one transaction on a key", async () => {
    const first = await sender.send({ key: "mint", to, data: call("mint", wallet.address, 10n) });
    const again = await sender.send({ key: "mint", to, data: call("mint", wallet.address, 10n) });
    expect(again.hash).to.equal(first.hash);
    expect(await balanceOf(wallet.address)).to.equal(10n);
  });

  it("sends nothing that would revert", async () => {
    const data = call("transfer", other, 1_000n);
    const error: unknown = await sender.send({ key: "too much", to, data }).catch((thrown: unknown) => thrown);
    expect(isError(error, "CALL_EXCEPTION")).to.equal(true);
    expect(rows()).to.have.length(1);
  });

  it("gives the key of a transaction that reverted to the next attempt, and keeps both on record", async () => {
    const { hash } = await sender.send({ key: "race", to, data: call("transfer", other, 8n) });
    const nonce = (await provider.getTransaction(hash))?.nonce ?? -1;
    // As it is left behind when another transaction comes in between simulation and block.
    store.run("UPDATE outgoing SET status = 0 WHERE key = 'race'");
    await sender.send({ key: "race", to, data: call("transfer", other, 1n) });
    expect(rows().slice(-2)).to.deep.equal([
      { key: `race#${nonce}`, nonce, state: "mined", status: 0 },
      { key: "race", nonce: nonce + 1, state: "mined", status: 1 },
    ]);
  });

  it("sends again what a reorganisation took off the chain", async () => {
    const snapshot = (await provider.send("evm_snapshot", [])) as string;
    const before = await balanceOf(other);
    const first = await sender.send({ key: "kept", to, data: call("mint", other, 5n) });
    await provider.send("evm_revert", [snapshot]);
    expect(await balanceOf(other)).to.equal(before);
    const again = await sender.send({ key: "kept", to, data: call("mint", other, 5n) });
    expect(again.hash).to.equal(first.hash);
    expect(await balanceOf(other)).to.equal(before + 5n);
  });

  it("closes a hole that a crash left before the next transaction", async () => {
    const before = await balanceOf(other);
    // Signed and stored, never broadcast: as after kill -9 between the two.
    const snapshot = (await provider.send("evm_snapshot", [])) as string;
    await sender.send({ key: "hole", to, data: call("mint", other, 1n) });
    await provider.send("evm_revert", [snapshot]);
    store.run("UPDATE outgoing SET state = 'signed', status = NULL WHERE key = 'hole'");
    await sender.send({ key: "after the hole", to, data: call("mint", other, 2n) });
    expect(await balanceOf(other)).to.equal(before + 3n);
    await sender.resume();
    expect(store.all("SELECT key FROM outgoing WHERE state = 'signed'")).to.deep.equal([]);
  });
});
