/** The auctioneer: relays signed orders, clears, settles. Anyone may run another one; whatever it does the contracts check. */
import { Wallet } from "ethers";
import { chainStorePath, identifyChain } from "../platform/chain-store.ts";
import { messageOf } from "../platform/errors.ts";
import { serve } from "../platform/http.ts";
import { readPrivateKey } from "../platform/private-key.ts";
import { runProcess } from "../platform/process.ts";
import { createProvider } from "../platform/provider.ts";
import { createSender, SENDER_MIGRATION } from "../platform/sender.ts";
import { openStore } from "../platform/store.ts";
import { loadAddresses } from "../protocol/addresses.ts";
import { orderDomain } from "../protocol/order.ts";
import { encodeView } from "./calls.ts";
import { createClear } from "./clear.ts";
import { auctioneerConfigSchema } from "./config.ts";
import { createFailures, type Context } from "./context.ts";
import { createDayOrders } from "./days.ts";
import { createFinish } from "./finish.ts";
import { createForfeits } from "./forfeits.ts";
import { createIntake } from "./intake.ts";
import { createReadings } from "./readings.ts";
import { createRelay } from "./relay.ts";
import { createRoutes } from "./routes.ts";
import { AUCTIONEER_MIGRATION, DAYS_MIGRATION, SEALED_MIGRATION } from "./schema.ts";
import { createSealing, secretOf } from "./sealing.ts";
import { createSettle } from "./settle.ts";
import { createView } from "./view.ts";

await runProcess({
  name: "auctioneer",
  schema: auctioneerConfigSchema,
  start: async ({ config, log, clock }) => {
    const provider = await createProvider({ urls: config.rpcUrls, timeoutMs: config.rpcTimeoutMs });
    const chain = await identifyChain(provider);
    const addresses = loadAddresses(config.addressesFile, chain.chainId);
    const store = openStore(chainStorePath(config.statePath, chain), [
      SENDER_MIGRATION,
      AUCTIONEER_MIGRATION,
      DAYS_MIGRATION,
      SEALED_MIGRATION,
    ]);
    const wallet = new Wallet(readPrivateKey(config));
    const sender = createSender({ provider, wallet, store, log });
    const genesisSlot = Number(await provider.call({ to: addresses.settlement, data: encodeView("genesisSlot") }));
    const { meteringPoints, grid, tariffs, orderBook, auction, meterOracle, settlement, bilaterals, sealedBatches } =
      addresses;
    const source = await createView({
      provider,
      addresses: [
        meteringPoints,
        grid,
        tariffs,
        orderBook,
        auction,
        meterOracle,
        settlement,
        bilaterals,
        sealedBatches,
        addresses.emergency,
      ],
      startBlock: config.startBlock ?? addresses.deployedAtBlock,
      genesisSlot,
    });
    const failures = createFailures(log);
    const context: Context = {
      config,
      store,
      provider,
      view: () => source.view,
      sender: sender.address,
      send: sender.send,
      chainId: chain.chainId,
      addresses: { orderBook, auction, settlement, sealedBatches },
      log,
      failures,
    };
    const sealing = createSealing(context, {
      relayer: wallet.address,
      secret: secretOf((digest) => wallet.signingKey.sign(digest)),
    });
    const relay = createRelay(context, sealing);
    const days = createDayOrders(context, orderDomain(addresses));
    const clear = createClear(context);
    const settle = createSettle(context, createReadings({ nodes: config.nodes, timeoutMs: config.nodeTimeoutMs }));
    const finish = createFinish(context, genesisSlot);
    const forfeits = createForfeits(context);

    const chainTime = (): number => Math.max(clock.now(), source.view.head.timestamp);
    const intake = createIntake({ store, provider, view: () => source.view, domain: orderDomain(addresses) });
    const app = createRoutes({
      intake,
      days,
      now: chainTime,
      status: () => ({
        now: chainTime(),
        address: wallet.address,
        block: source.view.head.number,
        finalThrough: source.view.finalThrough,
        pendingOrders: store.get<{ n: number }>("SELECT count(*) AS n FROM orders WHERE state = 'pending'")?.n ?? 0,
        failures: failures.list(),
      }),
      log,
    });
    const server = await serve({ app, ...config.listen });

    let resumed = false;
    let marketState = source.view.marketState;
    const tellMarketState = (): void => {
      const state = source.view.marketState;
      if (state === marketState) return;
      marketState = state;
      log.warn(
        { marketState },
        state === "open" ? "the market is open: work goes on" : "the market is halted: work waits",
      );
    };
    const refresh = async (now: number): Promise<void> => {
      const { reorganised } = await source.refresh();
      if (!reorganised) return;
      relay.reopen(now);
      days.reopen(now);
    };
    /** A stage that fails as a whole (no chain, no node) does not keep the others from their work. */
    const stage = async (work: () => Promise<void>, errors: unknown[]): Promise<void> => {
      try {
        await work();
      } catch (error) {
        errors.push(error);
      }
    };

    return {
      info: { url: server.url, address: wallet.address },
      tick: async (now) => {
        if (!resumed) {
          await sender.resume();
          resumed = true;
        }
        await refresh(now);
        tellMarketState();
        const errors: unknown[] = [];
        await stage(async () => {
          // The book has changed since the view was read: the clearing needs it whole.
          if (await sealing.run(now)) await refresh(now);
        }, errors);
        await stage(() => days.run(now), errors);
        await stage(() => relay.run(now), errors);
        await stage(() => clear.run(now), errors);
        await stage(() => settle.run(now), errors);
        await stage(() => finish.run(now), errors);
        await stage(() => forfeits.run(now), errors);
        failures.forget(source.view.finalThrough);
        if (errors.length > 1) log.warn({ errors: errors.map(messageOf) }, "several stages failed");
        if (errors.length > 0) throw errors[0];
      },
      stop: async () => {
        await server.close();
        store.close();
      },
    };
  },
});
