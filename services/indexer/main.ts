/** The indexer: every event of the contracts in a store that answers questions; nothing in it is of record. */
import { chainStorePath, identifyChain } from "../platform/chain-store.ts";
import { runProcess } from "../platform/process.ts";
import { createProvider } from "../platform/provider.ts";
import { openStore } from "../platform/store.ts";
import { loadAddresses } from "../protocol/addresses.ts";
import { problems } from "../protocol/market-store.ts";
import { createIndexer, indexedAddresses } from "./catch-up.ts";
import { indexerConfigSchema } from "./config.ts";
import { INDEXER_MIGRATION } from "./schema.ts";

await runProcess({
  name: "indexer",
  schema: indexerConfigSchema,
  start: async ({ config, log }) => {
    const provider = await createProvider({ urls: config.rpcUrls, timeoutMs: config.rpcTimeoutMs });
    const chain = await identifyChain(provider);
    const addresses = loadAddresses(config.addressesFile, chain.chainId);
    const storePath = chainStorePath(config.statePath, chain);
    const store = openStore(storePath, [INDEXER_MIGRATION]);
    const indexer = createIndexer({
      provider,
      store,
      addresses: indexedAddresses(addresses),
      startBlock: addresses.deployedAtBlock,
      log,
    });
    await indexer.catchUp();
    let told = 0;
    return {
      info: { storePath },
      tick: async () => {
        await indexer.catchUp();
        const found = problems(store);
        for (const problem of found.slice(told))
          log.error(problem, "the chain's money differs from the recomputed one");
        told = found.length;
      },
      stop: async () => store.close(),
    };
  },
});
