import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ZeroAddress, Wallet } from "ethers";
import type { ClearedOnChain } from "../../../scripts/clearing/on-chain.ts";
import type { Child } from "../../../scripts/local/child.ts";
import { createIndexer, indexedAddresses } from "../../../services/indexer/catch-up.ts";
import { INDEXER_MIGRATION, TABLES } from "../../../services/indexer/schema.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { createLog } from "../../../services/platform/log.ts";
import { openStore, type Store } from "../../../services/platform/store.ts";
import * as api from "../../../services/protocol/api.ts";
import { conservationNano, limitsAt, problems } from "../../../services/protocol/market-store.ts";
import { packLimits } from "../../../services/protocol/limits.ts";
import { consentToTrade, tradeDomain, type Trade } from "../../../services/protocol/trade.ts";
import { daeg } from "../../scripts/support/daeg.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, TERMS, type LiveMarket } from "../support/live-market.ts";

/** Three zones with the grid in the first; homes 0 and 3 in zone 0, 1 and 4 in zone 1, 2 and 5 in zone 2. */
const ZONES = [0, 0, 0].map((parent, zone) => ({
  parent,
  toParentWh: zone === 0 ? 0 : 400,
  fromParentWh: zone === 0 ? 0 : 400,
  backupCapacityWh: zone === 0 ? 100_000 : 0,
}));
const LINE = 333_333;
const OPEN = 2n ** 63n - 1n;
/** A triangle of equal lines, of which the one between zones 0 and 1 takes 200 Wh and the last one anything. */
const LIMITS = [
  { minWh: -200, maxWh: 200, weights: [LINE, -LINE, 0] },
  { minWh: -1_000, maxWh: 1_000, weights: [0, LINE, -LINE] },
  { minWh: -OPEN, maxWh: OPEN, weights: [LINE, 0, -LINE] },
];
/** First slot whose network may be set at the start. */
const MESHED_FROM = FIRST_SLOT + 125;
const ZONE_NAMES = ["Grid", "North", "South"];
const home = (id: string, zone: string) => ({ id, zone, importRatingW: 20_000, exportRatingW: 20_000, pvW: 5_000 });
const COMMUNITY = {
  name: "Test lane",
  currency: "EUR",
  zones: ZONE_NAMES,
  lines: ["North", "South"].map((to) => ({ id: `Grid-${to}`, from: "Grid", to, capacityW: 1_600 })),
  gridZone: "Grid",
  gridCapacityW: 400_000,
  feePerKwh: 0.04,
  stepSeconds: 900,
  homes: [..."abcdef"].map((id, i) => home(id, ZONE_NAMES[i % 3] as string)),
};

describe("a market with green-only bids and bilateral trades, on both kinds of network", function () {
  this.timeout(120_000);
  let market: LiveMarket;
  let auctioneer: Child;
  let indexer: Child;
  let server: Child;
  let store: Store;
  let keyFile: string;
  let outsider: Wallet;
  let nonce = 0n;

  const tick = async (now: number): Promise<void> => {
    await market.chain.setTime(now);
    await auctioneer.tick(now);
    await indexer.tick(now);
    await server.tick(now);
  };
  const catchUp = (into: Store): Promise<void> =>
    createIndexer({
      provider: market.provider,
      store: into,
      addresses: indexedAddresses(market.addresses),
      startBlock: market.addresses.deployedAtBlock,
      log: createLog({ name: "test", level: "silent" }),
    }).catchUp();
  const register = async (seller: number, buyer: number, firstSlot: number, slots: number): Promise<void> => {
    nonce += 1n;
    const trade: Trade = {
      ...{ seller, buyer, firstSlot, slots, nonce, energyWh: 150, priceMicroPerKwh: 120_000 },
      ...{ maxSpreadMicroPerKwh: 400_000, sellerBearsSpread: false },
    };
    const domain = tradeDomain(market.addresses);
    const consent = (point: number) => consentToTrade(market.owners[point] as Wallet, domain, trade);
    await (await market.contracts.bilaterals.register(trade, await consent(seller), await consent(buyer))).wait();
  };
  /** Green and other orders whose lines are full, in two batches. */
  const append = async (slot: number): Promise<void> => {
    const green = { green: true };
    const batches = [
      [
        { point: 0, steps: [offer(1_000, 100_000)] },
        { point: 3, steps: [{ ...offer(300, 110_000), ...green }] },
      ],
      [
        { point: 1, steps: [bid(700, 250_000)] },
        { point: 4, steps: [{ ...bid(350, 280_000), ...green }] },
        { point: 2, steps: [offer(100, 140_000)] },
      ],
    ];
    for (const batch of batches) {
      const orders = [];
      for (const { point, steps } of batch) {
        const { signature, ...order } = await market.order(point, slot, 1, steps);
        orders.push({ ...order, delegate: ZeroAddress, signature });
      }
      await (await market.contracts.orderBook.append(slot, orders as never)).wait();
    }
  };
  const clearedBy = async (slot: number) => {
    const { auction } = market.contracts;
    const [found] = await auction.queryFilter(auction.filters.Cleared(slot));
    const { clearer, record } = found?.args ?? {};
    return { clearer, prices: [...(record?.prices ?? [])].map(Number), extras: record?.extras };
  };
  const daegClear = (slot: number) =>
    daeg(
      [
        ...["clear", "--chain", String(slot), "--rpc", market.url, "--key-file", keyFile],
        ...["--addresses", market.addressesFile, "--explain"],
      ],
      { cwd: market.dir },
    );
  const failures = async (): Promise<unknown> =>
    (await fetchJson<{ failures: unknown }>(`${String(auctioneer.info["url"])}/status`)).failures;
  const discrepancyNano = async (): Promise<bigint> => {
    const { ledger, token } = market.contracts;
    const fixed = [
      await ledger.BACKUP(),
      await ledger.OPERATOR(),
      await ledger.MEMBERS(),
      await ledger.CONGESTION(),
      await ledger.DEFAULT_FUND(),
    ];
    const clearers = [market.wallet("auctioneer").address, outsider.address];
    const parts = await Promise.all([
      ...[0, 1, 2, 3, 4, 5, ...fixed].map((account) => ledger.balanceOf(account)),
      ...clearers.map((clearer) => ledger.earnedOf(clearer)),
    ]);
    return parts.reduce((a, b) => a + b, 0n) - (await token.balanceOf(market.addresses.ledger)) * 1_000n;
  };

  before(async () => {
    market = await createLiveMarket({ homes: 6, zones: ZONES });
    await (await market.contracts.grid.setMesh(MESHED_FROM, ZONES, LIMITS)).wait();
    outsider = new Wallet(Wallet.createRandom().privateKey);
    keyFile = join(market.dir, "key.txt");
    writeFileSync(keyFile, outsider.privateKey);
    await market.chain.fund(outsider.address);
    const communityDir = join(market.dir, "community");
    mkdirSync(communityDir);
    writeFileSync(join(communityDir, "community.json"), JSON.stringify(COMMUNITY));
    const dashboardDir = join(market.dir, "dashboard");
    mkdirSync(dashboardDir);
    writeFileSync(join(dashboardDir, "index.html"), "<h1>DAEG</h1>");
    auctioneer = await market.auctioneer();
    indexer = await market.indexer();
    server = await market.child("api", "services/api/main.ts", {
      ...{ clock: "driven", logLevel: "warn", listen: { port: 0 }, slotSeconds: 0, communityDir, dashboardDir },
      ...{ indexerStorePath: indexer.info["storePath"], rpcUrls: [market.url], addressesFile: market.addressesFile },
      ...{ auctioneerUrl: auctioneer.info["url"], nodes: [market.nodeUrl], zoneNames: ZONE_NAMES },
    });
    store = openStore(join(market.dir, "own.sqlite"), [INDEXER_MIGRATION]);
  });
  after(async () => {
    store.close();
    await market.close();
  });

  const life = (first: number, limitWords: RegExp): void => {
    const [own, strange, bare] = [first, first + 1, first + 2];

    it("is cleared by the auctioneer", async () => {
      await tick(own * 900 - 1_500);
      await register(2, 4, own, 3);
      await append(own);
      await append(strange);
      await tick(own * 900 - 590);
      const { clearer, prices } = await clearedBy(own);
      expect(clearer).to.equal(market.wallet("auctioneer").address);
      expect(new Set(prices).size).to.be.greaterThan(1);
      expect(await failures()).to.deep.equal([]);
    });

    it("is cleared by an outsider, to the same prices and fills", async () => {
      await market.chain.setTime(strange * 900 - 590);
      const { code, stdout, stderr } = await daegClear(strange);
      expect({ code, stderr: code === 0 ? "" : stderr }).to.deep.equal({ code: 0, stderr: "" });
      const result = JSON.parse(stdout) as ClearedOnChain;
      const same = await clearedBy(own);
      expect(await clearedBy(strange)).to.deep.equal({ ...same, clearer: outsider.address });
      expect(result.pricesMicroPerKwh).to.deep.equal(same.prices);
      expect(result.greenPricesMicroPerKwh?.[1]).to.be.greaterThan(same.prices[1] as number);
      expect(Number(result.tradesWh?.[0])).to.be.within(1, 150);
      const sentences = stderr.trim().split("\n");
      expect(sentences).to.have.length(6);
      expect(sentences[3]).to.match(/word 4 of point 4 \(green-only bid of 350 Wh in zone 1\): .*green premium/);
      expect(sentences[5]).to.match(/^trade 1 of points 2 and 4 \(trade of 150 Wh from zone 2 to zone 1\): /);
      expect(stderr).to.match(limitWords);
    });

    it("is cleared where it has a trade and no order", async () => {
      await tick(bare * 900 - 590);
      expect((await clearedBy(bare)).clearer).to.equal(market.wallet("auctioneer").address);
      expect(await failures()).to.deep.equal([]);
    });

    it("settles to a sum of zero", async () => {
      for (const [i, slot] of [own, strange, bare].entries()) {
        await market.chain.setTime((bare + 1) * 900 + 60 * i);
        await market.report(
          slot,
          [900, 0, 240, 290, 0, 0].map((exportWh, point) => ({
            ...{ quality: 0, exportWh, importWh: [0, 650, 0, 0, 480, 20][point] as number },
          })),
        );
        await tick((bare + 1) * 900 + 60 * i + 30);
        expect((await market.contracts.settlement.statusOf(slot)).status).to.equal(2n);
      }
      expect(await failures()).to.deep.equal([]);
      expect(await discrepancyNano()).to.equal(0n);
      await catchUp(store);
      expect(problems(store)).to.deep.equal([]);
      expect(conservationNano(store)).to.equal(0n);
      const rebuilt = openStore(":memory:", [INDEXER_MIGRATION]);
      await catchUp(rebuilt);
      const dump = (from: Store): unknown[] => TABLES.map((table) => from.all(`SELECT * FROM ${table} ORDER BY rowid`));
      expect(dump(rebuilt)).to.deep.equal(dump(store));
      rebuilt.close();
    });

    it("is told by the api with green prices, fills and trades", async () => {
      const url = String(server.info["url"]);
      const { prices } = await clearedBy(own);
      const story = api.slotStorySchema.parse(await fetchJson(`${url}/slots/${own}`));
      expect(story.clearing?.prices["North"]).to.equal(prices[1]);
      expect(story.clearing?.greenPrices["North"]).to.be.greaterThan(prices[1] as number);
      expect(story.clearing?.trades).to.deep.include({
        ...{ seller: 2, buyer: 4, priceMicroPerKwh: 120_000 },
        filledWh: story.clearing?.trades[0]?.filledWh,
      });
      expect(story.orders.map(({ green }) => green)).to.deep.equal([false, true, false, true, false]);
      const fills = story.orders.map(({ sell, filledWh }) => (filledWh as number) * (sell ? 1 : -1));
      expect([0, 3, 1, 4, 2].map((point) => story.clearing?.positions[point])).to.deep.equal(fills);
      expect(story.clearing?.flows.some(({ flowWh }) => flowWh !== 0)).to.equal(true);
      const empty = api.slotStorySchema.parse(await fetchJson(`${url}/slots/${bare}`));
      expect(empty).to.deep.include({ phase: "settled", orders: [] });
      const list = (await fetchJson<unknown[]>(`${url}/slots?last=8`)).map((row) => api.slotSummarySchema.parse(row));
      expect(list.find(({ slot }) => slot === own)?.greenPrices).to.deep.equal(story.clearing?.greenPrices);
    });
  };

  describe("lines", () => life(FIRST_SLOT + 1, /the line between zones 1 and 0 is full with 400 Wh/));

  describe("a mesh", () => {
    before(async () => {
      await market.chain.setTime((MESHED_FROM - 2) * 900);
      const terms = Array.from({ length: 10 }, () => TERMS);
      await (await market.contracts.tariffs.publish(MESHED_FROM, terms)).wait();
    });
    life(MESHED_FROM + 1, /; limit 1 is full with 200 Wh, which/);

    it("is in the indexer's store", () => {
      expect(limitsAt(store, MESHED_FROM)).to.equal(packLimits(LIMITS));
      expect(limitsAt(store, MESHED_FROM - 1)).to.equal("0x");
    });
  });
});
