import { expect } from "chai";
import { createLog } from "../../../services/platform/log.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { openStore } from "../../../services/platform/store.ts";
import { createIndexer, indexedAddresses } from "../../../services/indexer/catch-up.ts";
import { conservationNano, problems } from "../../../services/protocol/market-store.ts";
import { INDEXER_MIGRATION } from "../../../services/indexer/schema.ts";
import type { OrderState } from "../../../services/protocol/api.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, type LiveMarket } from "../support/live-market.ts";

const SLOTS = 3;
const HOMES = 4;

/** A small seeded generator: the moments of the kills differ, but from run to run they are drawn alike. */
const randomOf = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

describe("auctioneer killed with kill -9", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  before(async () => {
    market = await createLiveMarket({ homes: HOMES });
  });
  after(() => market.close());

  it("loses no promised order and doubles nothing", async () => {
    const random = randomOf(7);
    const auctioneer = await market.auctioneer();
    let kills = 0;
    const tick = async (now: number): Promise<void> => {
      await market.chain.setTime(now);
      const ticking = auctioneer.tick(now);
      if (kills < 6 && random() < 0.4) {
        await new Promise((resolve) => setTimeout(resolve, random() * 30));
        await auctioneer.kill();
        kills += 1;
      }
      await ticking;
      // When the kill came after the tick: the next one waits for the restart.
      await auctioneer.tick(now);
    };
    const ids: string[] = [];
    const send = async (slot: number, sequence: number, points: number[]): Promise<void> => {
      for (const point of points) {
        const steps = [point % 2 === 0 ? offer(1_000, 90_000 + sequence) : bid(900, 250_000 + sequence)];
        const body = await market.order(point, slot, sequence, steps);
        const url = `${String(auctioneer.info["url"])}/orders`;
        ids.push((await fetchJson<{ id: string }>(url, { method: "POST", body })).id);
      }
    };
    for (let slot = FIRST_SLOT; slot < FIRST_SLOT + SLOTS + 2; slot += 1) {
      const traded = slot + 1;
      await tick(slot * 900);
      if (traded <= FIRST_SLOT + SLOTS) await send(traded, 1, [0, 1, 2, 3]);
      await tick(slot * 900 + 60);
      if (traded <= FIRST_SLOT + SLOTS) await send(traded, 2, [0, 3]);
      await tick(slot * 900 + 280);
      await tick(slot * 900 + 330);
      const readings = Array.from({ length: HOMES }, (_, point) => ({
        quality: 0,
        importWh: point % 2 === 0 ? 0 : 850,
        exportWh: point % 2 === 0 ? 1_000 : 0,
      }));
      if (slot > FIRST_SLOT) await market.report(slot - 1, readings);
    }
    await tick((FIRST_SLOT + SLOTS + 2) * 900);
    await tick((FIRST_SLOT + SLOTS + 2) * 900 + 10);
    expect(kills).to.equal(6);

    const url = String(auctioneer.info["url"]);
    const states = await Promise.all(ids.map((id) => fetchJson<OrderState>(`${url}/orders/${id}`)));
    expect(states.map(({ state }) => state)).to.deep.equal(ids.map(() => "appended"));

    const store = openStore(":memory:", [INDEXER_MIGRATION]);
    await createIndexer({
      provider: market.provider,
      store,
      addresses: indexedAddresses(market.addresses),
      startBlock: 0,
      log: createLog({ name: "test", level: "silent" }),
    }).catchUp();
    const words = store.all<{ n: number }>("SELECT count(*) AS n FROM orders GROUP BY slot, point, sequence");
    expect(words.map(({ n }) => n)).to.deep.equal(ids.map(() => 1));
    expect(store.all("SELECT * FROM skipped")).to.deep.equal([]);
    expect(store.get("SELECT count(*) AS n FROM clearings")).to.deep.include({ n: SLOTS });
    expect(store.all<{ n: number }>("SELECT count(*) AS n FROM settlements GROUP BY slot").every(({ n }) => n === 1)).to
      .be.true;
    expect(store.get("SELECT count(*) AS n FROM settlements")).to.deep.include({ n: SLOTS + 1 });
    expect(problems(store)).to.deep.equal([]);
    expect(conservationNano(store)).to.equal(0n);
    store.close();
  });
});
