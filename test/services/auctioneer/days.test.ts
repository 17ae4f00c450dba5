import { expect } from "chai";
import type { Wallet } from "ethers";
import type { Child } from "../../../scripts/local/child.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import type { OrderState } from "../../../services/protocol/api.ts";
import type { DayOrderBody, DayOrderState } from "../../../services/protocol/day-schema.ts";
import { bodyOfDayOrder, signDayOrder, type DayOrder } from "../../../services/protocol/day-order.ts";
import { orderDomain } from "../../../services/protocol/order.ts";
import { createSlotReader } from "../../../services/protocol/slot-market.ts";
import { decodeWords } from "../../../services/protocol/words.ts";
import { bid, createLiveMarket, FIRST_SLOT, offer, TERMS, type LiveMarket } from "../support/live-market.ts";

const slot = FIRST_SLOT + 1;
const gate = slot * 900 - 600;

/** Kept out of another test's way: a market of its own. */
describe("auctioneer: day orders", function () {
  this.timeout(60_000);
  let market: LiveMarket;
  let auctioneer: Child;
  const url = (path: string): string => `${String(auctioneer.info["url"])}${path}`;
  const post = async (body: unknown): Promise<string> =>
    (await fetchJson<{ id: string }>(url("/day-orders"), { method: "POST", body })).id;
  const stateOf = (id: string): Promise<DayOrderState> => fetchJson(url(`/day-orders/${id}`));
  const at = async (now: number): Promise<void> => {
    await market.chain.setTime(now);
    await auctioneer.tick(now);
  };
  const day = async (
    point: number,
    steps: [number, number][],
    rest: Partial<DayOrder> = {},
    signer = market.owners[point] as Wallet,
  ): Promise<DayOrderBody> =>
    bodyOfDayOrder(
      await signDayOrder(
        signer,
        orderDomain(market.addresses),
        {
          point,
          firstSlot: slot,
          stepsPerSlot: 1,
          sequence: 1,
          green: false,
          energyWh: steps.map(([energyWh]) => energyWh),
          priceMicroPerKwh: steps.map(([, price]) => price),
          ...rest,
        },
        undefined,
        // Every other point signs bytes.
        point % 2 === 1,
      ),
    );
  const refusal = (body: unknown): Promise<string> =>
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

  it("refuses what no slot could take, in words", async () => {
    const good = await day(0, [[100, 90_000]]);
    expect(await refusal({ ...good, colour: "red" })).to.match(/unknown field "colour"/);
    expect(await refusal({ ...good, point: 99 })).to.match(/point: 99 is not registered/);
    expect(await refusal({ ...good, energyWh: [100, 100] })).to.match(/priceMicroPerKwh: 1 prices for 2 energies/);
    expect(await refusal({ ...good, stepsPerSlot: 3 })).to.match(/energyWh: 1 steps are not/);
    expect(await refusal({ ...good, sequence: 16 })).to.match(/sequence: must be from 1 to 15/);
    expect(await refusal({ ...good, sequence: 2 })).to.match(/signature: is not/);
    expect(await refusal({ ...good, packed: true })).to.match(/signature: is not/);
    expect(await refusal({ ...good, energyWh: [2 ** 23] })).to.match(/energyWh/);
    expect(await refusal(await day(0, [[49, 90_000]]))).to.match(/below 50 Wh/);
    expect(await refusal(await day(0, [[100, TERMS.bandMax + 1]]))).to.match(/its band/);
    expect(await refusal(await day(0, [[100, 90_000]], { firstSlot: slot - 9 }))).to.match(/no slot from .* takes it/);
    expect(await refusal(await day(0, [[100, 90_000]], { firstSlot: slot + 59 }))).to.match(/terms not published/);
  });

  it("relays many accounts at once, survives kill -9, and clears what the chain rebuilt", async () => {
    const orders = [
      await day(
        0,
        Array.from({ length: 20 }, (_, i): [number, number] => [900 + i, 90_000 + i]),
      ),
      await day(1, [
        [-800, 250_000],
        [-700, 250_000],
        [0, 0],
      ]),
      await day(2, [
        [60_000, 90_000],
        [500, 80_000],
      ]),
      await day(3, [[60_000, 90_000]]),
    ];
    const ids = [];
    for (const body of orders) ids.push(await post(body));
    expect(await post(orders[0])).to.equal(ids[0]);
    await auctioneer.kill();
    await at(gate - 290);
    await at(gate - 200);
    const states = await Promise.all(ids.map(stateOf));
    expect(states.map(({ state }) => state)).to.deep.equal(["appended", "appended", "appended", "skipped"]);
    expect(new Set(states.map(({ txHash }) => txHash)).size).to.equal(1);
    expect(states[3]?.reason).to.match(/rating/);
    expect(states[0]).to.include({ point: 0, firstSlot: slot, slots: 20, sequence: 1 });
    expect(await refusal(await day(0, [[100, 90_000]], { firstSlot: slot + 1 }))).to.match(/sequence 1 is used there/);

    // A single order on top, by the same book.
    const body = await market.order(1, slot + 1, 2, [bid(750, 260_000)]);
    const single = (await fetchJson<{ id: string }>(url("/orders"), { method: "POST", body })).id;
    const low = await market.order(0, slot + 1, 1, [offer(750, 90_000)]);
    const refused = await fetchJson(url("/orders"), { method: "POST", body: low }).catch(
      (error: Error) => error.message,
    );
    expect(refused).to.match(/must be above 1/);
    await at(gate + 30);
    await at(gate + 600);
    await at(gate + 930);
    expect((await fetchJson<OrderState>(url(`/orders/${single}`))).state).to.equal("appended");
    const reader = await createSlotReader(market.provider, market.addresses);
    for (const cleared of [slot, slot + 1])
      expect(await market.contracts.auction.clearingOf(cleared), `slot ${cleared}`).to.not.match(/^0x0+$/);
    const { words, batches } = await reader.market(slot + 1);
    expect(decodeWords(words).map(({ point, energyWh }) => [point, energyWh])).to.deep.equal([
      [0, 901],
      [1, 700],
      [2, 500],
      [1, 750],
    ]);
    expect(batches).to.equal("0x00030001");
    expect(await fetchJson(url("/status"))).to.deep.include({ failures: [] });
  });
});
