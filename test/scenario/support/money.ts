import { ZeroAddress, type Wallet } from "ethers";
import { encodeEnvelopes } from "../../../services/protocol/envelopes.ts";
import { orderDomain, signOrder, type SignedOrder } from "../../../services/protocol/order.ts";
import { consentToCancel, consentToTrade, tradeDomain, tradeId, type Trade } from "../../../services/protocol/trade.ts";
import { BATTERY, CONTRACT_WALLET, IDLE, POOR } from "./community.ts";
import { ISLAND } from "./island.ts";
import { DAY, GENESIS, TOKEN } from "./market.ts";
import { EARLY, LAST, type Week } from "./week.ts";

export const MONEY = {
  suspended: DAY + 60,
  /** Its order is refused. */
  refused: DAY + 62,
  covered: 2 * DAY + 72,
  paidBack: 2 * DAY + 80,
  trade: { first: DAY + 40, slots: 20 },
  cancelled: { first: 2 * DAY + 50, slots: 6 },
  released: 2 * DAY + 75,
  /** Two zones may take little for a while. */
  envelopes: { first: 2 * DAY + 20, slots: 10, limitWh: 120 },
  requested: ISLAND.guarded + 1,
  withdrawn: 5 * DAY + 70,
  /** A stranger seals something for this slot and never opens it. */
  sealed: 2 * DAY + 11,
  /** A home that asks nobody: its own transaction, without a signature. */
  direct: DAY + 80,
};
/** Tokens. */
export const AMOUNTS = { credit: 4n, fund: 2n, rescue: 2_500n, withdrawal: 400n };

/** Credit and default, bilateral trades, envelopes, withdrawals, bonds: what moves money beside settlement's daily round. */
export const moneyStory = (week: Week) => {
  const { c, who, send, on, byHome, addresses, homes } = week;
  const told: Record<string, unknown> = {};
  const nano = 1_000n * TOKEN;

  on(-DAY, async () => {
    await send(who.backup, c.ledger.setCredit.populateTransaction(POOR, AMOUNTS.credit * nano));
    await week.pay(week.accounts.fund, AMOUNTS.fund * TOKEN);
  });
  on(MONEY.suspended, async () => {
    told["short"] = await c.ledger.balanceOf(POOR);
    await send(who.stranger, c.ledger.suspend.populateTransaction(POOR));
  });
  on(MONEY.refused - 2, async () => {
    const order = { point: POOR, slot: GENESIS + MONEY.refused, sequence: 1 };
    const steps = [{ sell: false, green: false, energyWh: 100, priceMicroPerKwh: 300_000 }];
    const signed = await signOrder(homes[POOR] as Wallet, orderDomain(addresses), { ...order, steps });
    await send(who.stranger, c.orderBook.append.populateTransaction(order.slot, [signed]));
  });
  on(MONEY.covered, async () => {
    await send(who.stranger, c.ledger.cover.populateTransaction(POOR));
    told["covered"] = await c.ledger.standingOf(POOR);
    // What was lost after the mark is a mark of its own.
    await send(who.stranger, c.ledger.suspend.populateTransaction(POOR));
  });
  on(MONEY.paidBack, async () => {
    await week.pay(POOR, AMOUNTS.rescue * TOKEN);
    told["paidBack"] = await c.ledger.standingOf(POOR);
  });

  const base = {
    seller: 4,
    buyer: CONTRACT_WALLET,
    energyWh: 250,
    maxSpreadMicroPerKwh: 60_000,
    sellerBearsSpread: false,
  };
  const { trade: first, cancelled } = MONEY;
  const trade: Trade = {
    ...base,
    firstSlot: GENESIS + first.first,
    slots: first.slots,
    priceMicroPerKwh: 140_000,
    nonce: 1n,
  };
  const undone: Trade = {
    ...base,
    firstSlot: GENESIS + cancelled.first,
    slots: cancelled.slots,
    priceMicroPerKwh: 150_000,
    nonce: 2n,
  };
  const both = async (of: Trade, consent: typeof consentToTrade) =>
    Promise.all([of.seller, of.buyer].map((home) => consent(homes[home] as Wallet, tradeDomain(addresses), of)));
  for (const [of, at] of [
    [trade, first.first - 30],
    [undone, cancelled.first - 30],
  ] as const)
    on(at, async () => {
      const [seller, buyer] = await both(of, consentToTrade);
      await send(who.stranger, c.bilaterals.register.populateTransaction(of, seller as never, buyer as never));
    });
  on(cancelled.first - 10, async () => {
    const [seller, buyer] = await both(undone, consentToCancel);
    await send(who.stranger, c.bilaterals.cancel.populateTransaction(undone, seller as never, buyer as never));
  });
  on(MONEY.released, () => send(who.stranger, c.bilaterals.release.populateTransaction(trade)).then(() => undefined));

  on(MONEY.envelopes.first - 12, async () => {
    const entry = { exportLimitWh: 4_000, forecastWh: -900 };
    const list = encodeEnvelopes([
      { ...entry, kind: "zone", index: 0, importLimitWh: MONEY.envelopes.limitWh },
      { ...entry, kind: "point", index: IDLE, importLimitWh: 60 },
      { ...entry, kind: "line", index: 2, importLimitWh: 0, exportLimitWh: 0 },
    ]);
    const lists = Array.from({ length: MONEY.envelopes.slots }, () => list);
    await send(who.operator, c.envelopes.set.populateTransaction(GENESIS + MONEY.envelopes.first, lists));
  });

  on(MONEY.requested, async () => {
    for (const home of [4, BATTERY])
      await byHome(home, c.ledger.requestWithdrawal.populateTransaction(home, AMOUNTS.withdrawal * TOKEN));
    told["tooSoon"] = await week.market.refusal(homes[4] as Wallet, c.ledger.withdraw.populateTransaction(4));
  });
  on(MONEY.withdrawn, async () => {
    for (const home of [4, BATTERY]) {
      const owner = week.ownerOf(home);
      const before = await c.token.balanceOf(owner);
      await byHome(home, c.ledger.withdraw.populateTransaction(home));
      told[`withdrawn${home}`] = (await c.token.balanceOf(owner)) - before;
    }
    await week.market.sendShared(who.auctioneer, c.ledger.withdrawEarned.populateTransaction());
  });

  on(MONEY.sealed - 2, async () => {
    const commitment = await c.sealedBatches.commitmentOf(
      GENESIS + MONEY.sealed,
      who.stranger.address,
      "0x1234",
      `0x${"07".repeat(32)}`,
    );
    await send(who.stranger, c.sealedBatches.seal.populateTransaction(GENESIS + MONEY.sealed, commitment));
    told["boundBefore"] = await c.sealedBatches.freeOf(who.stranger.address);
  });
  // The book waits for what is sealed: it is cleared when the time to open it is over.
  on(MONEY.sealed - 1, async () => undefined, LAST);
  on(
    MONEY.direct - 1,
    async () => {
      const steps = [{ sell: true, green: false, energyWh: 150, priceMicroPerKwh: 100_000 }];
      const order: SignedOrder = {
        ...{ point: BATTERY, slot: GENESIS + MONEY.direct, sequence: 3, steps, delegate: ZeroAddress, signature: "0x" },
      };
      await byHome(BATTERY, c.orderBook.append.populateTransaction(order.slot, [order]));
    },
    EARLY,
  );
  return { told, trade, undone, ids: [tradeId(trade), tradeId(undone)] };
};
