import type { Wallet } from "ethers";
import { TestWallet__factory } from "../../../types/contracts/factories/test/TestWallet__factory.ts";
import { messageOf } from "../../../services/platform/errors.ts";
import { connectContracts } from "../../../services/protocol/contracts.ts";
import { CONTRACT_WALLET, createCommunity, HOMES, POOR, RATING_WH, ZONE_OF } from "./community.ts";
import { createMarket, DAY, DAYS, GENESIS, TOKEN } from "./market.ts";
import { createReports } from "./reports.ts";

/** What the stories do at a moment of the week: slots counted from the genesis slot, negative before it. */
type Action = () => Promise<void>;
/** Seconds into a slot: before the next slot's gate closes, and after it closed (it closes 300 s into a slot). */
export const EARLY = 100;
export const LATE = 330;
/** When nobody can open a sealed batch of the next slot any more. */
export const LAST = 470;
/** Reports come four slots at a time. */
const REPORT_EVERY = 4;
const FIRST = -DAY;

/**
 * The week's clock, its chain and its people. Stories say what happens when (`on`); the clock drives reports and the auctioneer through every slot.
 */
export const createWeek = async (seed: string) => {
  const market = await createMarket(seed);
  const { c, who, send, sendAll, addresses, chain } = market;
  const community = createCommunity(seed);
  const reports = createReports(market);
  const homes: Wallet[] = [];
  for (let home = 0; home < HOMES; home += 1) homes.push(await market.wallet(`home:${home}`));

  const made = await send(
    who.stranger,
    new TestWallet__factory().getDeployTransaction((homes[CONTRACT_WALLET] as Wallet).address, 0).then(({ data }) => ({
      ...{ to: null, data: data as string },
    })),
  );
  const contractWallet = TestWallet__factory.connect(made.contractAddress as string, market.provider);
  const ownerOf = (home: number): string =>
    home === CONTRACT_WALLET ? (contractWallet.target as string) : (homes[home] as Wallet).address;
  /** A call by a home's owner: the contract wallet's key has the wallet make it. */
  const byHome = async (home: number, call: Promise<{ to?: string | null; data?: string | null }>) => {
    const { to, data } = (await call) as { to: string; data: string };
    if (home !== CONTRACT_WALLET) return send(homes[home] as Wallet, { to, data });
    return send(homes[home] as Wallet, contractWallet.execute.populateTransaction(to, data));
  };

  await sendAll([
    ...homes.map((_, home): [Wallet, ReturnType<typeof c.meteringPoints.register.populateTransaction>] => [
      who.operator,
      c.meteringPoints.register.populateTransaction(ownerOf(home), ZONE_OF[home] as number, RATING_WH, RATING_WH),
    ]),
  ]);
  const rich = [who.stranger, who.sponsor, who.backup, who.operator, ...homes];
  for (const one of rich) await send(who.deployer, c.token.mint.populateTransaction(one.address, 100_000n * TOKEN));
  for (const one of [who.stranger, ...homes])
    await send(one, c.token.approve.populateTransaction(addresses.ledger, 2n ** 255n));
  const pay = (account: number, amount: bigint): Promise<unknown> =>
    send(who.stranger, c.ledger.deposit.populateTransaction(account, amount));
  for (let home = 0; home < HOMES; home += 1) await pay(home, home === POOR ? 3n * TOKEN : 5_000n * TOKEN);
  const accounts = {
    backup: Number(await c.ledger.BACKUP()),
    operator: Number(await c.ledger.OPERATOR()),
    members: Number(await c.ledger.MEMBERS()),
    congestion: Number(await c.ledger.CONGESTION()),
    fund: Number(await c.ledger.DEFAULT_FUND()),
  };
  await pay(accounts.backup, 20_000n * TOKEN);
  for (let relayed = 0; relayed < 2; relayed += 1) {
    if (relayed === 0)
      await send(who.stranger, c.token.approve.populateTransaction(addresses.sealedBatches, 2n ** 255n));
    const call = c.sealedBatches.deposit.populateTransaction(
      relayed === 0 ? who.auctioneer.address : who.stranger.address,
      30_000_000n,
    );
    await send(who.stranger, call);
  }

  const auctioneer = await market.auctioneer();
  const plans = new Map<string, Action[]>();
  const on = (at: number, action: Action, when: typeof EARLY | typeof LATE | typeof LAST = LATE): void => {
    const key = `${at}:${when}`;
    plans.set(key, [...(plans.get(key) ?? []), action]);
  };
  const daily = (at: number, action: (day: number) => Promise<void>, from = 0, through = DAYS - 1): void => {
    for (let day = from; day <= through; day += 1) on(day * DAY + at, () => action(day));
  };

  let now = GENESIS * 900 - 2.5 * 86_400;
  const goTo = async (seconds: number): Promise<void> => {
    now = Math.max(now + 1, seconds);
    // Once more where the connection was closed meanwhile: two blocks may have one time.
    await chain.setTime(now).catch(() => chain.setTime(now));
  };
  /** Kills of the auctioneer that are to come in its next ticks: milliseconds after the tick began. */
  const kills: number[] = [];
  let killed = 0;
  const tick = async (): Promise<void> => {
    const ticking = auctioneer.tick(now);
    const after = kills.shift();
    if (after !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, after));
      await auctioneer.kill();
      killed += 1;
    }
    await ticking;
    // When the kill came after the tick: the next one waits for the restart.
    if (after !== undefined) await auctioneer.tick(now);
  };
  const run = async (key: string): Promise<void> => {
    for (const action of plans.get(key) ?? [])
      await action().catch((error: unknown) => {
        throw new Error(`at slot and second ${key} of the week: ${messageOf(error)}`, { cause: error });
      });
  };

  /** Reads what the meters say of a slot: replaced by the stories where something is wrong with them. */
  let readingsOf: (slot: number) => Parameters<typeof reports.report>[1] | undefined = () => undefined;
  const reportThrough = async (last: number): Promise<void> => {
    for (let slot = Math.max(GENESIS, last - REPORT_EVERY + 1); slot <= last; slot += 1) {
      const content = readingsOf(slot);
      if (content) await reports.report(slot, content);
    }
  };

  /** Plays the slots from the preparation through the week's last slot and a little beyond. */
  const play = async (untilAt = DAYS * DAY): Promise<void> => {
    for (let at = FIRST; at <= untilAt; at += 1) {
      const slot = GENESIS + at;
      const planned = async (when: number): Promise<void> => {
        if (!plans.has(`${at}:${when}`)) return;
        await goTo(slot * 900 + when);
        await run(`${at}:${when}`);
        await tick();
      };
      await planned(EARLY);
      if (at < -1 && !plans.has(`${at}:${LATE}`)) continue;
      await goTo(slot * 900 + LATE);
      if (at > 0 && at % REPORT_EVERY === 0) await reportThrough(slot - 1);
      await run(`${at}:${LATE}`);
      await tick();
      await planned(LAST);
    }
  };

  return {
    ...{ seed, market, c, who, send, sendAll, addresses, community, reports, homes, contractWallet, ownerOf, byHome },
    ...{ pay, accounts, auctioneer, on, daily, goTo, tick, play, kills },
    now: (): number => now,
    killed: (): number => killed,
    meters: (read: typeof readingsOf): void => void (readingsOf = read),
    as: (signer: Wallet) => connectContracts(addresses, signer),
    close: market.close,
  };
};

export type Week = Awaited<ReturnType<typeof createWeek>>;
