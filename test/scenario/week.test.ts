import { expect } from "chai";
import { fetchJson } from "../../services/platform/http.ts";
import type { Store } from "../../services/platform/store.ts";
import { balanceOf, conservationNano, problems } from "../../services/protocol/market-store.ts";
import { HOMES } from "./support/community.ts";
import { FAULTS, faultsStory } from "./support/faults.ts";
import { DAY, DAYS, GENESIS } from "./support/market.ts";
import { createMeters } from "./support/metering.ts";
import { ledgerOf, storeFromEvents } from "./support/rebuilt.ts";
import { tradingStory } from "./support/trading.ts";
import { createWeek, type Week } from "./support/week.ts";

const LAST = GENESIS + DAYS * DAY - 1;

describe("a week of ten homes", function () {
  this.timeout(600_000);
  let week: Week;
  let store: Store;
  let trading: ReturnType<typeof tradingStory>;
  let faults: ReturnType<typeof faultsStory>;

  before(async () => {
    week = await createWeek("week");
    const meters = createMeters(week, { islanded: () => false, cut: () => false });
    trading = tradingStory(week, { islanded: () => false });
    faults = faultsStory(week, meters);
    await trading.announce();
    await week.play();
    // Everything becomes final.
    for (const at of [DAYS * DAY + 1, DAYS * DAY + 105, DAYS * DAY + 110, DAYS * DAY + 115]) {
      await week.goTo((GENESIS + at) * 900 + 10);
      await week.tick();
    }
    store = await storeFromEvents(week);
  });
  after(async () => {
    store?.close();
    await week?.close();
  });

  it("takes every promised order, clears every slot but those whose gate nobody was there for, and settles all", async () => {
    expect(await trading.states()).to.deep.equal(trading.posted.map(() => "appended"));
    expect(store.all("SELECT * FROM skipped")).to.deep.equal([]);
    const cleared = store
      .all<{ slot: number }>("SELECT slot FROM clearings ORDER BY slot")
      .map(({ slot }) => slot - GENESIS);
    const all = Array.from({ length: DAYS * DAY }, (_, at) => at);
    expect(cleared).to.deep.equal(all.filter((at) => !FAULTS.uncleared.includes(at)));
    expect(Number(await week.c.settlement.finalThrough())).to.be.at.least(LAST);
    const url = String(week.auctioneer.info["url"]);
    expect((await fetchJson<{ failures: unknown[] }>(`${url}/status`)).failures).to.deep.equal([]);
  });

  it("was killed in the middle of its work, and did nothing twice", () => {
    expect(week.killed()).to.equal(faults.killsPlanned);
    expect(week.auctioneer.restarts).to.be.at.least(6);
    const versions = store.all<{ slot: number; version: number; n: number }>(
      "SELECT slot, version, count(*) AS n FROM settlements WHERE slot <= ? GROUP BY slot, version HAVING n > 1",
      LAST,
    );
    expect(versions).to.deep.equal([]);
    const words = store.all("SELECT count(*) AS n FROM orders GROUP BY slot, point, sequence, sell HAVING n > 2");
    expect(words).to.deep.equal([]);
  });

  it("rebuilds every balance from events alone", async () => {
    const { balances, earned, heldNano, discrepancyNano } = await ledgerOf(week);
    expect(problems(store)).to.deep.equal([]);
    expect(conservationNano(store)).to.equal(0n);
    expect(discrepancyNano).to.equal(0n);
    expect(heldNano > 0n && earned > 0n).to.equal(true);
    for (const [account, nano] of balances) expect(balanceOf(store, account), `account ${account}`).to.equal(nano);
    expect(balances.size).to.equal(HOMES + 5);
  });
});
