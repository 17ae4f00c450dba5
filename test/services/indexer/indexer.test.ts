import { join } from "node:path";
import { expect } from "chai";
import { Interface } from "ethers";
import { createLog } from "../../../services/platform/log.ts";
import { openStore, type Store } from "../../../services/platform/store.ts";
import { createIndexer, indexedAddresses } from "../../../services/indexer/catch-up.ts";
import {
  balances,
  bills,
  conservationNano,
  earnedOf,
  fixedSums,
  gasByKind,
  marketSums,
  problems,
  slotCounts,
} from "../../../services/protocol/market-store.ts";
import { INDEXER_MIGRATION, TABLES } from "../../../services/indexer/schema.ts";
import { abiOf, contractNames } from "../../../services/protocol/contracts.ts";
import { eventTopics } from "../../../services/protocol/events.ts";
import type { Child } from "../../../scripts/local/child.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, TERMS, type LiveMarket } from "../support/live-market.ts";

const log = createLog({ name: "test", level: "silent" });
const range = { first: FIRST_SLOT, last: FIRST_SLOT + 20 };
const slot = FIRST_SLOT + 1;

describe("indexer", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  let auctioneer: Child;
  let store: Store;
  const open = (name: string): Store => openStore(join(market.dir, name), [INDEXER_MIGRATION]);
  const catchUp = (into: Store): Promise<void> =>
    createIndexer({
      provider: market.provider,
      store: into,
      addresses: indexedAddresses(market.addresses),
      startBlock: market.addresses.deployedAtBlock,
      log,
    }).catchUp();
  const dump = (from: Store): string =>
    JSON.stringify([...TABLES, "cursor"].map((table) => [table, from.all(`SELECT * FROM ${table} ORDER BY rowid`)]));
  const at = async (now: number): Promise<void> => {
    await market.chain.setTime(now);
    await auctioneer.tick(now);
    await catchUp(store);
  };
  const post = async (body: unknown): Promise<void> => {
    await fetchJson(`${String(auctioneer.info["url"])}/orders`, { method: "POST", body });
  };
  const rpc = (method: string, params: unknown[]): Promise<unknown> => market.provider.send(method, params);

  before(async () => {
    market = await createLiveMarket();
    store = open("indexer.sqlite");
    auctioneer = await market.auctioneer();
    await at(FIRST_SLOT * 900);
    await post(await market.order(0, slot, 1, [offer(1_000, 100_000)]));
    await post(await market.order(1, slot, 1, [bid(800, 250_000), bid(100, 200_000)]));
    await post(await market.order(2, slot, 1, [bid(500, 260_000)]));
    await at(FIRST_SLOT * 900 + 10);
    await at(FIRST_SLOT * 900 + 330);
    await at((slot + 1) * 900);
    // Point 3 has no reading and point 1 used less than it bought.
    await market.report(slot, [
      { quality: 0, importWh: 0, exportWh: 900 },
      { quality: 1, importWh: 650, exportWh: 0 },
      { quality: 0, importWh: 700, exportWh: 10 },
      { quality: 3, importWh: 0, exportWh: 0 },
    ]);
    await at((slot + 1) * 900 + 60);
  });
  after(async () => {
    store.close();
    await market.close();
  });

  it("decodes events under the contracts' own topics", () => {
    const own = new Set<string>();
    for (const name of contractNames) new Interface(abiOf(name)).forEachEvent(({ topicHash }) => own.add(topicHash));
    expect(eventTopics().filter((topic) => !own.has(topic))).to.deep.equal([]);
  });

  it("recomputes every payment to the nano and finds money conserved", () => {
    expect(problems(store)).to.deep.equal([]);
    expect(conservationNano(store)).to.equal(0n);
    expect(slotCounts(store, range)).to.deep.equal({ cleared: 1, settled: 1, estimated: 0, reports: 1, orders: 3 });
    const found = bills(store, range);
    expect(found.map(({ point, slots }) => [point, slots])).to.deep.equal([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    for (const bill of found) {
      expect(bill.paymentNano).to.equal(bill.energyNano + bill.feeNano + bill.imbalanceNano + bill.wordFeeNano);
      expect(bill.deviationCostNano >= 0n).to.equal(true);
    }
    expect(found.map(({ wordFeeNano }) => wordFeeNano)).to.deep.equal([-1_000n, -2_000n, -1_000n, 0n]);
    // Never worse than the tariff by more than the imbalance times the spread of the tariffs and the fee of its words.
    const spread = BigInt(TERMS.importTariff - TERMS.exportTariff);
    for (const row of store.all<Record<string, string | number>>("SELECT * FROM payments")) {
      const imbalance = BigInt(Math.abs(Number(row["meteredWh"]) - Number(row["positionWh"])));
      const allowedNano = imbalance * spread - BigInt(row["wordFeeNano"] as string);
      expect(BigInt(row["paymentNano"] as string) >= BigInt(row["tariffNano"] as string) - allowedNano).to.equal(true);
    }
    const { backupNano, operatorNano, membersNano, congestionNano, clearerNano } = fixedSums(store, range);
    const points = found.reduce((sum, { paymentNano }) => sum + paymentNano, 0n);
    expect(points + backupNano + operatorNano + membersNano + congestionNano + clearerNano).to.equal(0n);
    expect(clearerNano).to.equal(4_000n);
    const { boughtWh, soldWh, backupSoldWh, backupBoughtWh } = marketSums(store, range);
    expect(soldWh + backupSoldWh).to.equal(boughtWh + backupBoughtWh);
  });

  it("agrees with the ledger's balances and the receipts' gas", async () => {
    for (const { account, balanceNano } of balances(store)) {
      expect(await market.contracts.ledger.balanceOf(account)).to.equal(balanceNano);
    }
    const clearer = market.wallet("auctioneer").address;
    expect(earnedOf(store, clearer)).to.equal(4_000n);
    expect(await market.contracts.ledger.earnedOf(clearer)).to.equal(4_000n);
    const gas = new Map(gasByKind(store).map((row) => [row.kind, row]));
    expect(gas.get("append")).to.deep.include({ transactions: 1, orders: 3, words: 4 });
    expect(gas.get("clear")).to.deep.include({ transactions: 1, words: 4 });
    expect(gas.get("settle")).to.deep.include({ transactions: 1, meterSlots: 4 });
    expect(gas.get("settle")?.gasUsed).to.be.greaterThan(21_000);
  });

  it("is rebuilt byte for byte from the chain", async () => {
    const rebuilt = open("rebuilt.sqlite");
    await catchUp(rebuilt);
    expect(dump(rebuilt)).to.equal(dump(store));
    rebuilt.close();
  });

  it("rolls back to the fork point of a reorganisation", async () => {
    const snapshot = await rpc("evm_snapshot", []);
    const before = dump(store);
    await market.chain.setTime((slot + 2) * 900);
    await (await market.contracts.ledger.deposit(0, 5_000n)).wait();
    await (await market.contracts.meteringPoints.register(market.operator.address, 0, 100, 100)).wait();
    await catchUp(store);
    expect(dump(store)).to.not.equal(before);
    // The other branch is longer and has another deposit.
    await rpc("evm_revert", [snapshot]);
    await market.chain.setTime((slot + 2) * 900 + 1);
    await rpc("hardhat_mine", ["0x3"]);
    await (await market.contracts.ledger.deposit(1, 7_000n)).wait();
    await catchUp(store);
    const rebuilt = open("after-reorganisation.sqlite");
    await catchUp(rebuilt);
    expect(dump(rebuilt)).to.equal(dump(store));
    expect(store.get("SELECT count(DISTINCT point) AS n FROM points")).to.deep.include({ n: 4 });
    rebuilt.close();
  });
});
