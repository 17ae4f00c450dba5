import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Wallet } from "ethers";
import type { ZodType } from "zod";
import { fetchJson } from "../../../services/platform/http.ts";
import * as api from "../../../services/protocol/api.ts";
import type { ApiEvent, CheatKind, CheatResult, PointDetail, SlotStory } from "../../../services/protocol/api.ts";
import { dayOrderStateSchema, type DayOrderState } from "../../../services/protocol/day-schema.ts";
import { bodyOfDayOrder, signDayOrder } from "../../../services/protocol/day-order.ts";
import { orderDomain } from "../../../services/protocol/order.ts";
import type { Child } from "../../../scripts/local/child.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, type LiveMarket } from "../support/live-market.ts";
import { z } from "zod";

const slot = FIRST_SLOT + 1;
const home = (id: string, zone: string) => ({ id, zone, importRatingW: 20_000, exportRatingW: 20_000, pvW: 5_000 });
const COMMUNITY = {
  name: "Test lane",
  currency: "EUR",
  zones: ["North", "Grid"],
  lines: [{ id: "North-Grid", from: "North", to: "Grid", capacityW: 8_000 }],
  gridZone: "Grid",
  gridCapacityW: 400_000,
  feePerKwh: 0.04,
  stepSeconds: 900,
  homes: [home("a", "Grid"), home("b", "North"), home("c", "Grid"), home("d", "North")],
};

describe("api", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  let indexer: Child;
  let auctioneer: Child;
  let server: Child;
  let url: string;
  const events: ApiEvent[] = [];
  const listening = new AbortController();

  const tick = async (now: number): Promise<void> => {
    await market.chain.setTime(now);
    await indexer.tick(now);
    await auctioneer.tick(now);
    await indexer.tick(now);
    await server.tick(now);
  };
  const get = async <T>(path: string, schema: ZodType<T>): Promise<T> => schema.parse(await fetchJson(`${url}${path}`));
  const post = async (body: unknown): Promise<string> =>
    (await fetchJson<{ id: string }>(`${url}/orders`, { method: "POST", body })).id;
  const cheat = async (kind: CheatKind): Promise<CheatResult> =>
    api.cheatResultSchema.parse(await fetchJson(`${url}/local/cheats/${kind}`, { method: "POST", timeoutMs: 20_000 }));
  const message = (asking: Promise<unknown>): Promise<string> =>
    asking.then(
      () => "accepted",
      (error: Error) => error.message,
    );
  const listen = async (): Promise<void> => {
    const response = await fetch(`${url}/events`, { signal: listening.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const read = async (): Promise<void> => {
      let text = "";
      for (;;) {
        const part = await reader?.read();
        if (!part || part.done) return;
        text += part.value;
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data) events.push(api.apiEventSchema.parse(JSON.parse(data)));
        }
      }
    };
    read().catch(() => undefined);
  };

  before(async () => {
    market = await createLiveMarket();
    const communityDir = join(market.dir, "community");
    mkdirSync(communityDir);
    writeFileSync(join(communityDir, "community.json"), JSON.stringify(COMMUNITY));
    const dashboardDir = join(market.dir, "dashboard");
    mkdirSync(dashboardDir);
    writeFileSync(join(dashboardDir, "index.html"), "<h1>DAEG</h1>");
    indexer = await market.indexer();
    auctioneer = await market.auctioneer();
    server = await market.child("api", "services/api/main.ts", {
      clock: "driven",
      logLevel: "warn",
      listen: { port: 0 },
      indexerStorePath: indexer.info["storePath"],
      rpcUrls: [market.url],
      addressesFile: market.addressesFile,
      auctioneerUrl: auctioneer.info["url"],
      nodes: [market.nodeUrl],
      communityDir,
      zoneNames: ["Grid", "North"],
      slotSeconds: 0,
      dashboardDir,
      local: {
        point: 3,
        walletKey: market.owners[3]?.privateKey,
        cheatKey: market.wallet("cheat").privateKey,
        nodeKey: market.nodes[2]?.privateKey,
        nodeIndex: 2,
        cheatWaitMs: 0,
      },
    });
    url = String(server.info["url"]);
    await listen();
    await tick(FIRST_SLOT * 900);
  });
  after(async () => {
    listening.abort();
    await market.close();
  });

  it("tells the market as it stands", async () => {
    const state = await get("/state", api.stateSchema);
    expect(state).to.deep.include({ slot: FIRST_SLOT, zones: ["Grid", "North"], gridZone: "Grid", slotSeconds: 0 });
    expect(state.lines).to.deep.equal([{ id: "North-Grid", from: "North", to: "Grid", capacityWh: 2_000 }]);
    expect(state.points.map(({ home, zone, importLimitWh }) => [home, zone, importLimitWh])).to.deep.equal([
      ["a", "Grid", 5_000],
      ["b", "North", 5_000],
      ["c", "Grid", 5_000],
      ["d", "North", 5_000],
    ]);
    expect(
      (await get(`/terms?from=${FIRST_SLOT}&count=3`, z.array(api.termsSchema))).map(({ fee }) => fee),
    ).to.deep.equal([40_000, 40_000, 40_000]);
    expect(await get("/health", api.healthSchema)).to.include({ ok: true, problem: null });
  });

  it("forwards orders and says what is wrong with them", async () => {
    await post(await market.order(0, slot, 1, [offer(1_000, 100_000)]));
    await post(await market.order(1, slot, 1, [bid(800, 250_000)]));
    const id = await post(await market.order(3, slot, 5, [bid(400, 220_000)]));
    expect(await get(`/points/3/sequences?from=${slot}&count=2`, api.sequencesSchema)).to.deep.equal([5, 0]);
    expect(await get(`/orders/${id}`, api.orderStateSchema)).to.include({ state: "pending", reason: null });
    expect(await message(post({ point: 0 }))).to.match(/slot: is missing/);
    expect(await message(post(await market.order(0, slot, 1, [offer(900, 1)])))).to.match(/sequence: must be/);
    expect(await message(get("/points/77", api.pointDetailSchema))).to.match(/no metering point 77/);
    expect(await message(post({ point: 0, note: "x".repeat(70_000) }))).to.match(/larger than 65536 bytes/);
    expect(await message(get("/nowhere", api.healthSchema))).to.match(/no such address/);
  });

  it("forwards day orders, and what became of them", async () => {
    const days = (body: unknown): Promise<{ id: string }> =>
      fetchJson(`${url}/day-orders`, { method: "POST", body, timeoutMs: 20_000 });
    const signed = await signDayOrder(market.owners[2] as Wallet, orderDomain(market.addresses), {
      ...{ point: 2, firstSlot: slot + 20, stepsPerSlot: 1, sequence: 1, green: false },
      ...{ energyWh: [700, 0, -600], priceMicroPerKwh: [90_000, 0, 200_000] },
    });
    const body = bodyOfDayOrder(signed);
    expect(await message(days({ ...body, sequence: 2 }))).to.match(/signature: is not/);
    expect(await message(days({ ...body, colour: "red" }))).to.match(/colour/);
    expect(await message(days({ ...body, note: "x".repeat(70_000) }))).to.match(/larger than 65536 bytes/);
    const { id } = await days(body);
    expect(await days(body)).to.deep.equal({ id });
    const state = (): Promise<DayOrderState> => get(`/day-orders/${id}`, dayOrderStateSchema);
    expect(await state()).to.deep.include({ point: 2, firstSlot: slot + 20, slots: 3, state: "pending", txHash: null });
    await tick(FIRST_SLOT * 900 + 30);
    expect(await state()).to.include({ state: "appended", reason: null });
    expect((await state()).txHash).to.match(/^0x[0-9a-f]{64}$/);
    const mined = await get(`/transactions/${(await state()).txHash}`, api.transactionSchema);
    expect(mined).to.be.an("object");
    expect(await get(`/points/2/sequences?from=${slot + 19}&count=5`, api.sequencesSchema)).to.deep.equal([
      0, 1, 1, 1, 0,
    ]);
    expect(await message(get("/day-orders/unknown", dayOrderStateSchema))).to.match(/no such day order/);
  });

  it("tells the story of a slot, each step with its transaction", async () => {
    await tick(FIRST_SLOT * 900 + 60);
    expect(await cheat("replayed-order")).to.deep.include({
      refused: true,
      words: "The book skipped every copy: its sequence number was used already.",
    });
    await tick(FIRST_SLOT * 900 + 330);
    expect(await get(`/slots/${slot}/clearing`, api.clearingViewSchema)).to.deep.include({ slot, cleared: true });
    await tick((slot + 1) * 900);
    await market.report(slot, [
      { quality: 0, importWh: 0, exportWh: 1_000 },
      { quality: 0, importWh: 800, exportWh: 0 },
      { quality: 0, importWh: 50, exportWh: 0 },
      { quality: 0, importWh: 300, exportWh: 0 },
    ]);
    await tick((slot + 1) * 900 + 60);
    const story: SlotStory = await get(`/slots/${slot}`, api.slotStorySchema);
    expect(story.phase).to.equal("settled");
    expect(story.orders.map(({ point, filledWh }) => [point, filledWh])).to.deep.equal([
      [0, 1_000],
      [1, 800],
      [3, 200],
    ]);
    expect(story.clearing?.flows).to.deep.equal([{ id: "North-Grid", flowWh: -1_000, capacityWh: 2_000 }]);
    expect(story.report?.signers).to.deep.equal([0, 1, 2]);
    expect(story.settlement?.payments.map(({ point }) => point)).to.deep.equal([0, 1, 2, 3]);
    for (const tx of [
      story.clearing?.txHash,
      story.report?.txHash,
      story.settlement?.txHash,
      ...story.book.appendTxs,
    ]) {
      expect(await market.provider.getTransactionReceipt(tx as string)).to.have.property("status", 1);
    }
    const point: PointDetail = await get("/points/1", api.pointDetailSchema);
    expect(point.balanceNano).to.equal(String(await market.contracts.ledger.balanceOf(1)));
    expect(point.slots[0]).to.deep.include({ slot, positionWh: -800, importWh: 800, imbalanceNano: "0" });
    const summaries = await get("/slots?last=4", z.array(api.slotSummarySchema));
    expect(summaries.find((summary) => summary.slot === slot)).to.include({
      volumeWh: 1_000,
      localWh: 1_000,
      orders: 3,
    });
  });

  it("streams what happened", () => {
    expect(new Set(events.map(({ type }) => type))).to.include.all.keys(
      "tick",
      "appended",
      "skipped",
      "cleared",
      "reported",
      "settled",
    );
  });

  it("really cheats, and the contracts refuse with their own errors", async () => {
    const expected: Record<Exclude<CheatKind, "replayed-order">, string> = {
      "price-off-by-one": "WrongPrice",
      "dropped-order": "BookMismatch",
      "lying-node": "TooFewSignatures",
      "doubled-report": "VersionNotHigher",
    };
    for (const [kind, name] of Object.entries(expected)) {
      const result = await cheat(kind as CheatKind);
      expect(result, kind).to.deep.include({ kind, refused: true });
      expect(result.error?.name, kind).to.equal(name);
      expect(result.words, kind).to.match(/\.$/);
      expect(await market.provider.getTransactionReceipt(result.txHash), kind).to.have.property("status", 0);
    }
  });

  it("attacks between the gate and the honest clearing when it may wait", async () => {
    await post(await market.order(0, slot + 2, 1, [offer(1_000, 100_000)]));
    await post(await market.order(1, slot + 2, 1, [bid(800, 250_000)]));
    await tick((slot + 1) * 900 + 120);
    await market.chain.setTime((slot + 1) * 900 + 330);
    const result = await cheat("price-off-by-one");
    expect(result.sent).to.match(/ahead of the honest auctioneer/);
    expect(result).to.deep.include({ refused: true });
    expect(result.error?.name).to.be.oneOf(["WrongPrice", "MarginalOfferOverfilled"]);
    await tick((slot + 1) * 900 + 331);
    expect(await get(`/slots/${slot + 2}/clearing`, api.clearingViewSchema)).to.deep.include({ cleared: true });
  });

  it("serves dashboard, OpenAPI and the local wallet, but not to other sites", async () => {
    expect(await (await fetch(`${url}/`)).text()).to.equal("<h1>DAEG</h1>");
    expect((await fetch(`${url}/..%2faddresses.json`)).status).to.equal(404);
    const document = await fetchJson<{ paths: object }>(`${url}/openapi.json`);
    expect(Object.keys(document.paths)).to.include.members(["/state", "/orders", "/slots/{slot}", "/live"]);
    expect(await get("/local/wallet", api.localWalletSchema)).to.include({
      point: 3,
      address: market.owners[3]?.address,
    });
    const foreign = await fetch(`${url}/local/wallet`, { headers: { origin: "https://evil.example" } });
    expect(foreign.status).to.equal(400);
    const [node] = await get("/nodes", z.array(api.nodeStatusSchema));
    expect(node).to.deep.include({ index: 0, reachable: true, address: market.nodes[0]?.address });
    expect(await get("/live", api.liveSchema)).to.deep.include({ stale: true, points: [] });
  });
});
