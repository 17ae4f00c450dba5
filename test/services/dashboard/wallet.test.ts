import { expect } from "chai";
import { verifyTypedData, Wallet } from "ethers";
import type { OrderState, PointSlot } from "../../../services/protocol/api.ts";
import { orderDomain, orderTypes } from "../../../services/protocol/order.ts";
import { billsOf, totalBill } from "../../../services/dashboard/state/bills.ts";
import { hashOf, routeOf } from "../../../services/dashboard/state/route.ts";
import { runningNow, slotClock } from "../../../services/dashboard/state/slot-clock.ts";
import { checkDraft, defaultEnergy, defaultPrice, nextSequence } from "../../../services/dashboard/wallet/draft.ts";
import { filledWh, journey, type Placed } from "../../../services/dashboard/wallet/journey.ts";
import { signOrder } from "../../../services/dashboard/wallet/sign.ts";
import { fakeWorld } from "../../e2e/support/fake-world.ts";

const world = fakeWorld({ homes: 6, zones: 2 });
const point = world.state.points[0]!;
const terms = world.terms(world.state.slot);
const placed: Placed = { id: "1", slot: 7, sequence: 1, sell: true, energyWh: 500, priceMicroPerKwh: 95_000 };
const appended: OrderState = {
  id: "1",
  point: 0,
  slot: 7,
  sequence: 1,
  state: "appended",
  reason: null,
  txHash: `0x${"11".repeat(32)}`,
};
const untouched: PointSlot = {
  ...world.pointSlot(0, world.state.slot),
  positionWh: null,
  importWh: null,
  exportWh: null,
  paymentNano: null,
};

describe("dashboard wallet", () => {
  it("signs what the order book verifies", () => {
    const wallet = Wallet.createRandom();
    const order = {
      point: 3,
      slot: 1_982_016,
      sequence: 5,
      steps: [{ sell: true, green: false, energyWh: 500, priceMicroPerKwh: -95_000 }],
    };
    const orderBook = "0x00000000000000000000000000000000000000AA";
    const body = signOrder(order, { chainId: 31337, orderBook, privateKey: wallet.privateKey });
    expect(verifyTypedData(orderDomain({ chainId: 31337, orderBook }), orderTypes, order, body.signature)).to.equal(
      wallet.address,
    );
    expect(body.delegate).to.equal(null);
  });

  it("proposes prices between the tariffs and energy within the connection", () => {
    for (const sell of [true, false]) {
      expect(defaultPrice(sell, terms)).to.be.within(terms.exportTariff, terms.importTariff);
      expect(defaultEnergy(sell, point)).to.equal(500);
    }
    expect(defaultEnergy(true, { ...point, exportLimitWh: 700 })).to.equal(350);
  });

  it("names the field and the fix of a wrong draft", () => {
    const check = (energy: string, price: string) => checkDraft({ sell: true, energy, price }, point, terms);
    expect(check("500", "0.095")).to.deep.equal({ ok: true, energyWh: 500, priceMicroPerKwh: 95_000 });
    expect(check("49", "0.1")).to.include({ ok: false, field: "energy" });
    expect(check("2001", "0.1")).to.include({
      message: "Your connection carries at most 2000 Wh of export in one slot.",
    });
    expect(check("1.5", "0.1")).to.include({ ok: false, field: "energy" });
    expect(check("500", "cheap")).to.include({ ok: false, field: "price" });
    expect(check("500", "99")).to.include({ ok: false, field: "price" });
    expect([0, 254, 255].map(nextSequence)).to.deep.equal([1, 255, 0]);
  });

  it("follows an order from the signature to the money", () => {
    const states = (order: OrderState | null, slot: PointSlot | null) =>
      journey(order, slot).map((stage) => stage.state);
    expect(states(null, null)).to.deep.equal(["done", "now", "later", "later", "later", "later"]);
    expect(states({ ...appended, state: "pending" }, null)).to.deep.equal([
      "done",
      "done",
      "now",
      "later",
      "later",
      "later",
    ]);
    expect(states(appended, untouched)).to.deep.equal(["done", "done", "done", "now", "later", "later"]);
    expect(states(appended, { ...untouched, positionWh: 400 })).to.deep.equal([
      "done",
      "done",
      "done",
      "done",
      "now",
      "later",
    ]);
    const paid = { ...untouched, positionWh: 400, importWh: 0, exportWh: 390, paymentNano: "1" };
    expect(states(appended, paid)).to.deep.equal(Array(6).fill("done"));
    expect(states({ ...appended, state: "skipped", reason: "margin too low" }, null)).to.deep.equal([
      "done",
      "done",
      "failed",
      "later",
      "later",
      "later",
    ]);
    expect(filledWh(placed, { ...paid })).to.equal(400);
    expect(filledWh({ ...placed, sell: false }, { ...paid })).to.equal(0);
  });

  it("knows which slot takes orders", () => {
    const start = 1_982_016 * 900;
    expect(slotClock(start + 100)).to.deep.include({
      slot: 1_982_016,
      nextPhase: "open",
      secondsLeft: 200,
      openSlot: 1_982_017,
    });
    expect(slotClock(start + 300)).to.deep.include({ nextPhase: "clearing", secondsLeft: 600, openSlot: 1_982_018 });
    expect(runningNow(start, 1_000, 10)).to.equal(start + 90);
    expect(runningNow(start, 60_000, 10)).to.equal(start + 899);
    expect(runningNow(start, 60_000, 0)).to.equal(start);
  });

  it("adds up bills exactly", () => {
    const stories = [
      world.story(world.state.slot - 3),
      world.story(world.state.slot - 4),
      world.story(world.state.slot),
    ];
    const bills = billsOf(stories);
    const all = stories.flatMap((story) => story.settlement?.payments ?? []);
    expect(totalBill(bills.values()).marketNano).to.equal(
      all.reduce((sum, payment) => sum + BigInt(payment.paymentNano), 0n),
    );
    expect(bills.get(0)!.importWh + bills.get(0)!.exportWh).to.equal(
      all
        .filter((payment) => payment.point === 0)
        .reduce((sum, payment) => sum + payment.importWh + payment.exportWh, 0),
    );
  });

  it("finds its screens by address", () => {
    expect(routeOf(hashOf("slots", 1_982_016))).to.deep.equal({ screen: "slots", slot: 1_982_016 });
    expect(routeOf("#/cheat")).to.deep.equal({ screen: "cheat", slot: null });
    expect(routeOf("#/nothing/7")).to.deep.equal({ screen: "grid", slot: null });
    expect(routeOf("")).to.deep.equal({ screen: "grid", slot: null });
  });
});
