import { orderDomain } from "../../../services/protocol/order.ts";
import { bodyOfDayOrder, signDayOrder } from "../../../services/protocol/day-order.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { RATING_WH, VAULT, VAULT_FROM, ZONE_OF } from "./community.ts";
import { DAY, DAYS, GENESIS, TOKEN } from "./market.ts";
import type { Week } from "./week.ts";

/** Slots from the genesis slot. */
const MOMENTS = {
  asked: -20,
  /** All slots that had orders when it was asked are settled; two of them are corrected afterwards, so it is marked again. */
  marked: DAY + 38,
  markedAgain: 2 * DAY + 52,
  executed: 3 * DAY + 64,
  redeemed: 3 * DAY + 65,
  redemptionMarked: 5 * DAY + 40,
  redemptionExecuted: 6 * DAY + 60,
};
export const DEPOSITS: [number, bigint][] = [
  [0, 900n],
  [1, 700n],
  [2, 700n],
];
const FIRST_DAY = GENESIS / DAY;

/** Three homes own a battery together: shares by batches, trades by a key, one of them leaves again. */
export const vaultStory = (week: Week) => {
  const { c, who, send, on, byHome, addresses } = week;
  const vault = c.communityStorage;
  const told: Record<string, unknown> = {};

  on(-DAY, async () => {
    const { operator } = who;
    await send(
      operator,
      c.meteringPoints.register.populateTransaction(addresses.communityStorage, ZONE_OF[VAULT], RATING_WH, RATING_WH),
    );
    await send(operator, vault.setPoint.populateTransaction(VAULT));
  });
  on(MOMENTS.asked, async () => {
    for (const [home, tokens] of DEPOSITS) {
      await byHome(home, c.token.approve.populateTransaction(addresses.communityStorage, 2n ** 255n));
      await byHome(home, vault.requestDeposit.populateTransaction(tokens * TOKEN));
    }
  });
  on(MOMENTS.marked, () => send(who.stranger, vault.mark.populateTransaction(FIRST_DAY - 1)).then(() => undefined));
  on(MOMENTS.markedAgain, () =>
    send(who.stranger, vault.execute.populateTransaction(FIRST_DAY - 1)).then(() => undefined),
  );
  on(MOMENTS.executed, async () => {
    await send(who.stranger, vault.execute.populateTransaction(FIRST_DAY - 1));
    for (const [home, tokens] of DEPOSITS)
      await byHome(home, vault.deposit.populateTransaction(tokens * TOKEN, week.ownerOf(home)));
    const key = await week.market.wallet("agent:battery");
    await send(who.operator, vault.appoint.populateTransaction(key.address, 2 ** 39));
    await send(who.operator, vault.fundLedger.populateTransaction(2_200n * TOKEN));
  });
  on(MOMENTS.redeemed, async () => {
    const shares = (await vault.balanceOf(week.ownerOf(1))) / 2n;
    told["redeemed"] = shares;
    await byHome(1, vault.requestRedeem.populateTransaction(shares));
  });
  /** In around noon, out in the evening: as its meter does, so that it earns the difference. */
  for (let day = VAULT_FROM; day < DAYS; day += 1)
    on(day * DAY - 21, async () => {
      const key = await week.market.wallet("agent:battery");
      const energyWh = Array.from(
        { length: DAY },
        (_, at) => week.community.flowsOf(GENESIS + day * DAY + at).net[VAULT] as number,
      );
      const order = {
        ...{ point: VAULT, firstSlot: GENESIS + day * DAY, sequence: 1, green: false, stepsPerSlot: 1, energyWh },
        priceMicroPerKwh: energyWh.map((wh) => (wh > 0 ? 120_000 : 140_000)),
      };
      const signed = await signDayOrder(key, orderDomain(addresses), order, key.address);
      await fetchJson(`${String(week.auctioneer.info["url"])}/day-orders`, {
        method: "POST",
        body: bodyOfDayOrder(signed),
      });
    });
  const batch = FIRST_DAY + 3;
  on(MOMENTS.redemptionMarked, () => send(who.stranger, vault.mark.populateTransaction(batch)).then(() => undefined));
  on(MOMENTS.redemptionExecuted, async () => {
    await send(who.stranger, vault.execute.populateTransaction(batch));
    await send(who.stranger, vault.fetch.populateTransaction());
  });
  /** When what the ledger was asked for is final. */
  const finish = async (): Promise<void> => {
    await send(who.stranger, vault.fetch.populateTransaction());
    await send(who.stranger, vault.pay.populateTransaction());
    const owner = week.ownerOf(1);
    const shares = await vault.maxRedeem(owner);
    const before = await c.token.balanceOf(owner);
    await byHome(1, vault.redeem.populateTransaction(shares, owner, owner));
    told["paid"] = (await c.token.balanceOf(owner)) - before;
  };
  return { told, finish };
};
