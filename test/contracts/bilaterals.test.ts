import { expect } from "chai";
import { ZeroAddress, type Wallet } from "ethers";
import { TestWallet__factory } from "../../types/contracts/factories/test/TestWallet__factory.ts";
import { createTradeLists } from "../../services/protocol/trade-list.ts";
import { eventsOfReceipt } from "../../services/protocol/events.ts";
import {
  consentToCancel,
  consentToTrade,
  encodeTradeWord,
  tradeDomain,
  tradeId,
  tradesHash,
  type Consent,
  type Trade,
} from "../../services/protocol/trade.ts";
import { BOUNDS, NANO, TERMS, TOKEN, bid, createWorld, emptyRecord, type World } from "./support/world.ts";

const T = BigInt(BOUNDS.highestImportTariff);
/** TradeRules.TOLERANCE. */
const TOLERANCE = 2n;
const NOBODY: Consent = { delegate: ZeroAddress, signature: "0x" };

describe("bilateral trades: the registry", () => {
  let world: World;
  let slot: number;
  let trade: Trade;
  beforeEach(async () => {
    world = await createWorld();
    slot = world.genesisSlot + 1;
    trade = {
      ...{ seller: 0, buyer: 1, firstSlot: slot, slots: 3, energyWh: 800, priceMicroPerKwh: 120_000 },
      ...{ maxSpreadMicroPerKwh: 20_000, sellerBearsSpread: false, nonce: 7n },
    };
  });

  const owner = (point: number): Wallet => world.owners[point] as Wallet;
  const both = async (what: Trade): Promise<[Consent, Consent]> => {
    const domain = tradeDomain(world.addresses);
    return [
      await consentToTrade(owner(what.seller), domain, what),
      await consentToTrade(owner(what.buyer), domain, what),
    ];
  };
  const register = async (what: Trade) => world.c.bilaterals.register(what, ...(await both(what)));
  const cancel = async (what: Trade) => {
    const domain = tradeDomain(world.addresses);
    return world.c.bilaterals.cancel(
      what,
      await consentToCancel(owner(what.seller), domain, what),
      await consentToCancel(owner(what.buyer), domain, what),
    );
  };
  const refused = async (what: Trade, error: string) =>
    expect(register(what)).to.be.revertedWithCustomError(world.c.bilaterals, error);
  const wordOf = (what: Trade, cancels = false): string => encodeTradeWord({ ...what, from: 0, to: 0, cancels });

  it("lists a trade in each of its slots, under one running hash that everybody rebuilds from events", async () => {
    const { c } = world;
    const lists = createTradeLists();
    const later = { ...trade, firstSlot: slot + 2, nonce: 8n, sellerBearsSpread: true };
    for (const send of [() => register(trade), () => register(later), () => cancel(trade)]) {
      const receipt = await (await send()).wait();
      if (!receipt) throw new Error("not mined");
      for (const event of eventsOfReceipt(receipt, world.addresses.bilaterals))
        if (event.name === "TradeRegistered" || event.name === "TradeCancelled") lists.add(event);
    }
    const words = (...all: string[]): string => `0x${all.map((word) => word.slice(2)).join("")}`;
    const expected = new Map([
      [slot - 1, "0x"],
      [slot, words(wordOf(trade), wordOf(trade, true))],
      [slot + 2, words(wordOf(trade), wordOf(later), wordOf(trade, true))],
      [slot + 4, words(wordOf(later))],
      [slot + 5, "0x"],
    ]);
    for (const [at, list] of expected) {
      expect(lists.of(at)).to.equal(list);
      const [hash, count] = await c.bilaterals.tradesOf(at);
      expect([hash, count]).to.deep.equal([tradesHash(list), BigInt((list.length - 2) / 64)]);
    }
    expect(await c.bilaterals.idOf(trade)).to.equal(tradeId(trade));
  });

  it("takes the yes of owners, delegates, contract wallets and callers, and of nobody else", async () => {
    const { c } = world;
    const domain = tradeDomain(world.addresses);
    const [seller, buyer] = await both(trade);
    const no = async (a: Consent, b: Consent, runner = c) =>
      expect(runner.bilaterals.register(trade, a, b)).to.be.revertedWithCustomError(c.bilaterals, "NoConsent");
    await no(buyer, buyer);
    await no(seller, seller);
    await no(NOBODY, buyer);
    await no(seller, { ...buyer, signature: `${buyer.signature}00` });
    // What was signed is this trade and no other, and a yes to cancelling is none to trading.
    const dearer = await both({ ...trade, priceMicroPerKwh: 130_000 });
    await no(dearer[0], buyer);
    await no(await consentToCancel(owner(0), domain, trade), buyer);
    const toNobody = { ...trade, buyer: 99 };
    const sells = await consentToTrade(owner(0), domain, toNobody);
    await expect(c.bilaterals.register(toNobody, sells, NOBODY))
      .to.be.revertedWithCustomError(c.bilaterals, "NoConsent")
      .withArgs(99);

    const agent = world.wallet("agent");
    const asAgent = await consentToTrade(agent, domain, trade, agent.address);
    await no(asAgent, buyer);
    await world.fund(owner(0).address);
    await world.as(owner(0)).meteringPoints.setDelegate(0, agent.address, 2 ** 39);
    await c.bilaterals.register.staticCall(trade, asAgent, buyer);
    await world.as(owner(0)).bilaterals.register.staticCall(trade, NOBODY, buyer);

    await world.fund(owner(1).address);
    const wallet = await new TestWallet__factory(world.relayer).deploy(owner(1).address, 0);
    await world.as(owner(1)).meteringPoints.changeOwner(1, await wallet.getAddress());
    await c.bilaterals.register(trade, seller, buyer);
    await expect(c.bilaterals.register(trade, seller, buyer)).to.be.revertedWithCustomError(c.bilaterals, "TradeKnown");
  });

  it("refuses what breaks a rule", async () => {
    await refused({ ...trade, buyer: 0 }, "TradeWithItself");
    await refused({ ...trade, energyWh: 49 }, "TradeTooSmall");
    await refused({ ...trade, slots: 0 }, "TradeTooSmall");
    await refused({ ...trade, energyWh: 5_001 }, "TradeBeyondRating");
    // A buyer with less than the seller.
    const small = world.wallet("small");
    await world.asOperator.meteringPoints.register(small.address, 0, 799, 5_000);
    const point = Number(await world.c.meteringPoints.count()) - 1;
    const beyond = { ...trade, buyer: point };
    const domain = tradeDomain(world.addresses);
    const consents = [owner(0), small].map((signer) => consentToTrade(signer, domain, beyond));
    const [sells, buys] = (await Promise.all(consents)) as [Consent, Consent];
    await expect(world.c.bilaterals.register(beyond, sells, buys))
      .to.be.revertedWithCustomError(world.c.bilaterals, "TradeBeyondRating")
      .withArgs(point, 800, 799);
    await refused({ ...trade, priceMicroPerKwh: TERMS.bandMax + 1 }, "PriceOutside");
    await refused({ ...trade, priceMicroPerKwh: TERMS.bandMin - 1 }, "PriceOutside");
    await refused({ ...trade, slots: 121 }, "SlotTooFarAhead");
    await refused({ ...trade, firstSlot: slot + 90, slots: 20 }, "TermsNotPublished");
    await world.goTo(world.startOf(slot) - 599);
    await refused(trade, "GateClosed");
    const next = { ...trade, firstSlot: slot + 1 };
    await register({ ...next, priceMicroPerKwh: TERMS.bandMax, maxSpreadMicroPerKwh: -5 });
    await expect(world.c.bilaterals.cancel(trade, NOBODY, NOBODY)).to.be.revertedWithCustomError(
      world.c.bilaterals,
      "UnknownTrade",
    );
    await expect(world.c.bilaterals.release(trade)).to.be.revertedWithCustomError(world.c.bilaterals, "UnknownTrade");
  });

  it("lets a delegate agree to nothing that is worse than the tariffs", async () => {
    const { c } = world;
    const agent = world.wallet("agent");
    for (const point of [0, 1]) {
      await world.fund(owner(point).address);
      await world.as(owner(point)).meteringPoints.setDelegate(point, agent.address, 2 ** 39);
    }
    const attempt = async (what: Trade, agents: "seller" | "buyer") => {
      const domain = tradeDomain(world.addresses);
      const [seller, buyer] = await both(what);
      const delegated = await consentToTrade(agent, domain, what, agent.address);
      const consents: [Consent, Consent] = agents === "seller" ? [delegated, buyer] : [seller, delegated];
      return c.bilaterals.register.staticCall(what, ...consents);
    };
    const cases: [Trade, "seller" | "buyer"][] = [
      [{ ...trade, priceMicroPerKwh: TERMS.exportTariff }, "seller"],
      [{ ...trade, priceMicroPerKwh: TERMS.exportTariff + 20_000, sellerBearsSpread: true }, "seller"],
      [{ ...trade, priceMicroPerKwh: TERMS.importTariff - 20_000 }, "buyer"],
      [{ ...trade, priceMicroPerKwh: TERMS.importTariff, sellerBearsSpread: true }, "buyer"],
    ];
    for (const [what, agents] of cases) {
      await attempt(what, agents);
      const worse = agents === "seller" ? -1 : 1;
      await expect(
        attempt({ ...what, priceMicroPerKwh: what.priceMicroPerKwh + worse }, agents),
      ).to.be.revertedWithCustomError(c.bilaterals, "PriceOutside");
    }
  });

  it("binds what the trade may cost beyond what orders bind, until it is final or undone", async () => {
    world = await createWorld({ homes: 2, depositTokens: 0 });
    const { c } = world;
    await c.token.mint(await world.relayer.getAddress(), 10n ** 15n);
    await c.token.approve(world.addresses.ledger, 2n ** 255n);
    const seller = 800n * (T - 120_000n + TOLERANCE);
    const buyer = 800n * (140_000n + TOLERANCE);
    const base = await c.orderBook.requiredMargin(0);
    await c.ledger.deposit(0, (base + 3n * seller) / NANO);
    await c.ledger.deposit(1, (base + 3n * buyer) / NANO + 1n);
    await refused(trade, "MarginMissing");
    await c.ledger.deposit(0, 1n);
    await expect(register(trade)).to.emit(c.bilaterals, "TradeRegistered");
    await world.fund(owner(1).address);
    const mine = world.as(owner(1));
    await mine.ledger.requestWithdrawal(1, 10n ** 15n);
    expect(await c.bilaterals.boundOf(0)).to.deep.equal([3n * seller, 1n]);
    expect(await c.bilaterals.boundOf(1)).to.deep.equal([3n * buyer, 1n]);
    expect(await c.ledger.unboundOf(0)).to.equal((await c.ledger.balanceOf(0)) - 3n * seller);

    // Orders have their margin beside it.
    const perSlot = await c.orderBook.marginPerSlot(0);
    expect((await world.append(slot, [await world.order(0, slot, [bid(100, 7)])])).skipped).to.deep.equal([13]);
    await c.ledger.deposit(0, (2n * perSlot) / NANO);
    expect((await world.append(slot, [await world.order(0, slot, [bid(100, 7)])])).skipped).to.deep.equal([]);

    // The first slot's gate closes: two slots are left to undo.
    await world.goTo(world.startOf(slot) - 599);
    await expect(cancel(trade))
      .to.emit(c.bilaterals, "TradeCancelled")
      .withArgs(tradeId(trade), slot + 1);
    await expect(cancel(trade)).to.be.revertedWithCustomError(c.bilaterals, "AlreadyCancelled");
    expect(await c.bilaterals.boundOf(0)).to.deep.equal([seller, 1n]);
    expect(await c.bilaterals.boundOf(1)).to.deep.equal([buyer, 1n]);

    await expect(c.bilaterals.release(trade)).to.be.revertedWithCustomError(c.bilaterals, "TradeNotFinal");
    const last = slot + 2;
    await world.goTo(world.startOf(last + 9 + 96));
    for (let s = world.genesisSlot; s <= last; s += 1) {
      await c.settlement.estimate(s);
      await c.settlement.settleEstimated(emptyRecord(s));
    }
    await c.settlement.advanceFinal(100);
    // A withdrawal leaves the trade's margin as long as it is bound.
    const required = await c.orderBook.requiredMargin(1);
    await c.ledger.deposit(1, required / NANO + 5n * TOKEN);
    const free = (await c.ledger.balanceOf(1)) - required;
    expect(await mine.ledger.withdraw.staticCall(1)).to.equal((free - buyer) / NANO);
    await expect(c.bilaterals.release(trade)).to.emit(c.bilaterals, "TradeReleased").withArgs(tradeId(trade));
    expect(await c.bilaterals.boundOf(0)).to.deep.equal([0n, 0n]);
    expect(await c.bilaterals.boundOf(1)).to.deep.equal([0n, 0n]);
    expect(await mine.ledger.withdraw.staticCall(1)).to.equal(free / NANO);
    await expect(c.bilaterals.release(trade)).to.be.revertedWithCustomError(c.bilaterals, "UnknownTrade");
    await refused(trade, "GateClosed");
  });

  it("binds nothing where an agreed price is beyond all others, and takes a balance of exactly what is bound", async () => {
    world = await createWorld({ homes: 2, depositTokens: 0 });
    const { c } = world;
    await c.token.mint(await world.relayer.getAddress(), 10n ** 15n);
    await c.token.approve(world.addresses.ledger, 2n ** 255n);
    const one = { ...trade, slots: 1, energyWh: 1_000, maxSpreadMicroPerKwh: 0 };
    const base = await c.orderBook.requiredMargin(0);
    expect(base % NANO).to.equal(0n);
    // Sold for a unit less than what a missing Wh may cost, tolerance included: one micro-token per kWh is bound.
    const above = { ...one, priceMicroPerKwh: Number(T + TOLERANCE) - 1 };
    const buyer = 1_000n * (T + 2n * TOLERANCE - 1n);
    await c.ledger.deposit(0, (base + 1_000n) / NANO);
    await c.ledger.deposit(1, (base + buyer) / NANO - 1n);
    await refused(above, "MarginMissing");
    await c.ledger.deposit(1, 1n);
    await register(above);
    expect(await c.bilaterals.boundOf(0)).to.deep.equal([1_000n, 1n]);
    expect(await c.bilaterals.boundOf(1)).to.deep.equal([buyer, 1n]);
    // And the buyer, at a price as far below zero.
    const below = { ...one, priceMicroPerKwh: 1 - Number(TOLERANCE), nonce: 8n };
    await c.ledger.deposit(0, 10n ** 12n);
    await c.ledger.deposit(1, 1n);
    await register(below);
    expect(await c.bilaterals.boundOf(1)).to.deep.equal([buyer + 1_000n, 2n]);
    await world.goTo(world.startOf(slot) - 599);
    await expect(cancel(above))
      .to.be.revertedWithCustomError(c.bilaterals, "GateClosed")
      .withArgs(slot, world.startOf(slot) - 600);
  });

  it("binds for imbalance at any zone price, the widest fee included, where there is no backup supplier", async () => {
    const bounds = { ...BOUNDS, lowestExportTariff: 50_000 };
    world = await createWorld({
      homes: 2,
      bounds,
      zones: [{ parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 }],
    });
    slot = world.genesisSlot + 1;
    await register({ ...trade, firstSlot: slot });
    const fee = T - 50_000n;
    const seller = BigInt(bounds.highestPrice) + fee - 120_000n + TOLERANCE;
    const buyer = 140_000n - (BigInt(bounds.lowestPrice) - fee) + TOLERANCE;
    expect(await world.c.bilaterals.boundOf(0)).to.deep.equal([3n * 800n * seller, 1n]);
    expect(await world.c.bilaterals.boundOf(1)).to.deep.equal([3n * 800n * buyer, 1n]);
  });

  it("bounds the trades of a slot and of a point", async () => {
    world = await createWorld({ homes: 10 });
    slot = world.genesisSlot + 1;
    const one = { ...trade, firstSlot: slot, slots: 1, energyWh: 50 };
    for (let nonce = 0n; nonce < 8n; nonce += 1n) await register({ ...one, nonce });
    await refused({ ...one, nonce: 8n }, "TooManyOpenTrades");
    await refused({ ...one, seller: 2, nonce: 8n }, "TooManyOpenTrades");
    // To undo a trade makes no room: its words stay in the list.
    await cancel({ ...one, nonce: 0n });
    await refused({ ...one, nonce: 8n }, "TooManyOpenTrades");
    for (const [seller, buyer] of [
      [2, 3],
      [4, 5],
      [6, 7],
    ])
      for (let nonce = 0n; nonce < 8n; nonce += 1n)
        if (nonce < 7n || seller !== 6)
          await register({ ...one, seller: seller as number, buyer: buyer as number, nonce });
    expect((await world.c.bilaterals.tradesOf(slot))[1]).to.equal(32n);
    await refused({ ...one, seller: 8, buyer: 9 }, "TooManyTrades");
  });
});
