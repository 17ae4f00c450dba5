import { z } from "zod";

/** Config of the indexer, key by key. */
export const indexerConfigSchema = z
  .object({
    /** "system": UTC of this machine, a tick a second. "driven": ticks of the parent process. */
    clock: z.enum(["system", "driven"]),
    logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).optional(),
    /** SQLite file; chain id and genesis are added to its name. It can be deleted at any time: the chain rebuilds it. */
    statePath: z.string().min(1),
    /** JSON-RPC endpoints; the first that answers is used. */
    rpcUrls: z.array(z.string().url()).min(1),
    /** JSON file with the contracts' addresses, as deployment wrote it. */
    addressesFile: z.string().min(1),
    /** Limit of each call to the chain. */
    rpcTimeoutMs: z.number().int().min(100).default(10_000),
  })
  .strict();
