/** The api: the market over HTTP for agents, the dashboard and scripts. It reads the indexer's store and forwards orders. */
import { join } from "node:path";
import { Wallet } from "ethers";
import { readJson } from "../platform/config.ts";
import { messageOf } from "../platform/errors.ts";
import { serve } from "../platform/http.ts";
import { runProcess } from "../platform/process.ts";
import { createProvider } from "../platform/provider.ts";
import { openReadOnly } from "../platform/read-store.ts";
import { loadAddresses } from "../protocol/addresses.ts";
import { parseCommunity } from "../protocol/community-schema.ts";
import { connectContracts } from "../protocol/contracts.ts";
import { createBench } from "./cheats/bench.ts";
import { cheats } from "./cheats/cheats.ts";
import { apiConfigSchema } from "./config.ts";
import type { ApiContext } from "./context.ts";
import { createEventFeed } from "./events.ts";
import { createLive } from "./live.ts";
import { createObservations } from "./observations.ts";
import { createOrderDesk } from "./orders.ts";
import { createRoutes, type Parts } from "./routes.ts";
import { staticFiles } from "./static.ts";

const WALLET_WARNING =
  "A burner wallet of a local chain: its key is shown to everybody who opens this page. Never send anything of value to it.";

const localParts = (context: ApiContext): Required<Parts>["local"] | undefined => {
  const { local } = context.config;
  if (!local) return undefined;
  const bench = createBench(context, local);
  let running: Promise<unknown> = Promise.resolve();
  return {
    wallet: {
      point: local.point,
      address: new Wallet(local.walletKey).address,
      privateKey: local.walletKey,
      warning: WALLET_WARNING,
    },
    // One at a time: they share a key and its nonces.
    cheat: (kind) => {
      const result = running.then(async () => ({ kind, ...(await cheats[kind](bench)) }));
      running = result.catch(() => undefined);
      return result;
    },
  };
};

await runProcess({
  name: "api",
  schema: apiConfigSchema,
  start: async ({ config, log, clock }) => {
    const provider = await createProvider({ urls: config.rpcUrls, timeoutMs: config.timeoutMs });
    const { chainId } = await provider.getNetwork();
    const addresses = loadAddresses(config.addressesFile, Number(chainId));
    const communityFile = join(config.communityDir, "community.json");
    const community = parseCommunity(readJson(communityFile, "community file"), communityFile);
    const store = openReadOnly(config.indexerStorePath);
    const context: ApiContext = {
      config,
      store,
      provider,
      addresses,
      community,
      zoneNames: config.zoneNames ?? community.zones,
      clock,
      log,
    };
    const contracts = connectContracts(addresses, provider);
    const [committee] = await contracts.meterOracle.committee();
    const live = createLive(context);
    const feed = createEventFeed(context);
    const local = localParts(context);
    const app = createRoutes({
      context,
      desk: createOrderDesk({ url: config.auctioneerUrl, timeoutMs: config.timeoutMs }),
      live,
      observations: createObservations({ nodes: config.nodes, timeoutMs: config.timeoutMs }),
      feed,
      committee: () => [...committee],
      sequences: async (point, from, count) => (await contracts.orderBook.sequencesOf(point, from, count)).map(Number),
      ...(local ? { local } : {}),
    });
    if (config.dashboardDir !== undefined) app.get("*", staticFiles(config.dashboardDir));
    const server = await serve({ app, ...config.listen });

    const pollLive = async (): Promise<void> => {
      await live.refresh();
      feed.live(live.view());
    };
    let polling = false;
    const timer =
      config.livePollMs > 0
        ? setInterval(() => {
            if (polling) return;
            polling = true;
            void pollLive()
              .catch((error: unknown) => log.warn({ error: messageOf(error) }, "the present power is not known"))
              .finally(() => {
                polling = false;
              });
          }, config.livePollMs)
        : undefined;

    return {
      info: { url: server.url },
      tick: async (now) => feed.tick(now),
      stop: async () => {
        clearInterval(timer);
        await server.close();
        store.close();
        provider.destroy();
      },
    };
  },
});
