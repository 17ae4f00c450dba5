import { slotAt, type Clock } from "../platform/clock.ts";
import { isRetryable, messageOf, tryAgain } from "../platform/errors.ts";
import type { Log } from "../platform/log.ts";
import type { Running } from "../platform/process.ts";
import { openAgentStore } from "./agent-store.ts";
import type { AgentConfig } from "./config.ts";
import { createPastLoader } from "./history.ts";
import { createHomeAgent, type HomeAgent, type HomeStep, type MarketView } from "./home-agent.ts";
import { createMarketClient } from "./market-client.ts";
import { shareOfRange } from "./prices.ts";

/** Past prices beyond so many slots are forgotten. */
const PRICE_MEMORY_SLOTS = 8 * 96;
const KEEP_SLOTS = 36 * 96;
const PRUNE_EVERY_SLOTS = 96;

/**
 * A process of home agents: at each slot's start it reads meter and battery and sets the battery so that the slot meets its
 * position, soon after it measures the running slot, trims the set-point and orders for the next one. A home whose devices are
 * silent trades nothing and is named in the log; the others are not held up. Whatever it decides is stored before it is done.
 */
export const startAgent = async ({
  config,
  log,
  clock,
}: {
  config: AgentConfig;
  log: Log;
  clock: Clock;
}): Promise<Running> => {
  const store = openAgentStore(config.stateDir);
  const market = createMarketClient(config.api);
  const loadPast = createPastLoader();
  const zones = new Map(config.homes.map(({ zone }) => [zone, new Map<number, number>()]));
  for (const [zone, shares] of zones) for (const { slot, share } of store.prices(zone, 0)) shares.set(slot, share);
  const agents = config.homes.map((home) => {
    const history = loadPast(home.past, home.past?.until ?? clock.now());
    for (const { slot, loadWh, pvWh } of store.metered(home.point, 0)) history.put(slot, loadWh, pvWh);
    return createHomeAgent({ home, config, store, market, history, shares: zones.get(home.zone)!, log });
  });
  let prunedAt = 0;
  let learntSlot = -1;

  /** Clearing of the running slot: positions, and what its prices teach. */
  const lookAtMarket = async (slot: number): Promise<MarketView> => {
    const view = await market.clearing(slot).catch((error: unknown) => {
      log.warn({ slot, error: messageOf(error) }, "positions are not known, the slot is steered by the tariffs");
      return null;
    });
    const terms = market.termsOf(slot);
    if (view && terms && learntSlot < slot) {
      store.transaction(() => {
        for (const [zone, shares] of zones) {
          const price = view.prices[zone];
          if (price === undefined) continue;
          const share = shareOfRange(price, terms);
          shares.set(slot, share);
          store.putPrice(zone, slot, share);
        }
      });
      learntSlot = slot;
      for (const shares of zones.values())
        for (const old of shares.keys()) if (old < slot - PRICE_MEMORY_SLOTS) shares.delete(old);
    }
    return { slot, positions: view?.positions ?? null };
  };

  const guarded = async <T>(agent: HomeAgent, what: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      const level = isRetryable(error) ? "warn" : "error";
      log[level]({ home: agent.home.id, error: messageOf(error) }, what);
      return null;
    }
  };

  const tick = async (now: number): Promise<void> => {
    const due = agents.filter((agent) => agent.isDue(now));
    if (due.length === 0) return;
    const slot = slotAt(now);
    await market.loadTerms(slot).catch((error: unknown) => {
      // Whatever the market answers, it is no reason to end: without terms nothing can be planned yet.
      throw tryAgain("the market's terms are not known", { cause: error });
    });
    const [view, ...snapshots] = await Promise.all([
      lookAtMarket(slot),
      ...due.map((agent) => guarded(agent, "a device does not answer: no set-point, no order", () => agent.read(now))),
    ]);
    const read = due.flatMap((agent, i) => (snapshots[i] ? [{ agent, snapshot: snapshots[i] }] : []));
    store.transaction(() => read.forEach(({ agent, snapshot }) => agent.record(snapshot)));

    const steps: { agent: HomeAgent; step: HomeStep }[] = [];
    for (const { agent, snapshot } of read) {
      const step = await guarded(agent, "no plan", () => agent.plan(snapshot, view));
      if (step) steps.push({ agent, step });
    }
    // Signed orders are durable before anybody sees them: after a crash the same bytes are posted again.
    const orders = steps.flatMap(({ step: { order } }) => (order ? [order] : []));
    if (orders.length > 0) {
      store.transaction(() => {
        for (const order of orders) if (!store.order(order.point, order.slot)) store.putOrder(order);
      });
    }
    const results = await Promise.all(
      steps.map(async ({ agent, step: { setpoint, order } }) => {
        const [isSet, posted] = await Promise.all([
          setpoint ? guarded(agent, "the set-point was not taken", () => agent.apply(setpoint).then(() => true)) : true,
          order ? guarded(agent, "the order did not reach the market", () => agent.post(order)) : null,
        ]);
        return { posted, done: isSet === true && (order === null || posted !== null) };
      }),
    );
    store.transaction(() => {
      steps.forEach(({ agent, step }, i) => {
        const { posted, done } = results[i]!;
        if (step.order && posted) store.setOrder(step.order.point, step.order.slot, posted.state, posted.reason);
        // What failed stays due: the next tick tries again while it makes sense.
        if (done) agent.finish(step);
      });
      if (slot >= prunedAt + PRUNE_EVERY_SLOTS) {
        store.prune(slot - KEEP_SLOTS);
        prunedAt = slot;
      }
    });
  };

  return {
    info: { homes: config.homes.map(({ id, point, mode }) => ({ id, point, mode })) },
    tick,
    stop: async () => {
      await Promise.all(agents.map((agent) => agent.close()));
      store.close();
    },
  };
};
