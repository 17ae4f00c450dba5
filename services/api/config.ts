import { z } from "zod";

const privateKey = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits");

/** Config of the api, key by key. */
export const apiConfigSchema = z
  .object({
    /** "system": UTC of this machine, a tick a second. "driven": ticks of the parent process. */
    clock: z.enum(["system", "driven"]),
    logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).optional(),
    /** Where the dashboard and the API are served. Port 0 takes a free one (told when ready). */
    listen: z.object({ hostname: z.string().default("127.0.0.1"), port: z.number().int().min(0).max(65535) }).strict(),
    /** The indexer's SQLite file, as the indexer told it (`storePath`); read only. */
    indexerStorePath: z.string().min(1),
    /** JSON-RPC endpoints; the first that answers is used. */
    rpcUrls: z.array(z.string().url()).min(1),
    /** JSON file with the contracts' addresses, as deployment wrote it. */
    addressesFile: z.string().min(1),
    /** Orders are forwarded there. */
    auctioneerUrl: z.string().url(),
    /** Oracle nodes in the order of the committee. */
    nodes: z.array(z.string().url()),
    /** Folder with community.json; its i-th home is metering point i. */
    communityDir: z.string().min(1),
    /** Names of the zones in the order of the chain; the community's order by default. */
    zoneNames: z.array(z.string()).optional(),
    /** Wall seconds in which a slot plays, for the dashboard; 0 = as fast as it goes. */
    slotSeconds: z.number().min(0).default(900),
    /** Folder with the built dashboard, or absent. */
    dashboardDir: z.string().optional(),
    /** Wall time between two looks at the nodes' present power and status, ms; 0 = never (nothing then waits for a node). */
    livePollMs: z.number().int().min(0).default(0),
    /** Limit of each call to the chain, a node or the auctioneer. */
    timeoutMs: z.number().int().min(100).default(5_000),
    /** Only on a local chain without value: a wallet for whoever opens the dashboard, and the stage for cheating. */
    local: z
      .object({
        /** Point whose owner's key the dashboard gets. */
        point: z.number().int().min(0),
        /** That owner's key: handed out to every visitor. */
        walletKey: privateKey,
        /** A burner key that pays for the cheating transactions. */
        cheatKey: privateKey,
        /** The key of one oracle node, for "lying node": what one dishonest operator could do. */
        nodeKey: privateKey,
        nodeIndex: z.number().int().min(0).max(30).default(0),
        /** How long a cheat waits for the moment at which only the proof stands against it, ms of wall time. */
        cheatWaitMs: z.number().int().min(0).max(25_000).default(15_000),
      })
      .strict()
      .optional(),
  })
  .strict();

export type ApiConfig = z.infer<typeof apiConfigSchema>;
