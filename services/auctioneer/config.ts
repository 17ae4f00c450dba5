import { z } from "zod";

/** Config of the auctioneer, key by key. Every object is strict: an unknown key is refused. */
export const auctioneerConfigSchema = z
  .object({
    /** "system": UTC of this machine, a tick a second. "driven": ticks of the parent process. */
    clock: z.enum(["system", "driven"]),
    logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).optional(),
    /** SQLite file of record (orders promised, transactions sent); chain id and genesis are added to its name. */
    statePath: z.string().min(1),
    /** Where `POST /orders` is served. Port 0 takes a free one (told when ready). */
    listen: z.object({ hostname: z.string().default("127.0.0.1"), port: z.number().int().min(0).max(65535) }).strict(),
    /** JSON-RPC endpoints; the first that answers is used. */
    rpcUrls: z.array(z.string().url()).min(1),
    /** JSON file with the contracts' addresses, as deployment wrote it. */
    addressesFile: z.string().min(1),
    /** First block to read events from; the deployment's by default. */
    startBlock: z.number().int().min(0).optional(),
    /** Key that pays for the transactions; it has no other power. One of the two. */
    privateKey: z
      .string()
      .regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
      .optional(),
    /** File that holds the key alone. */
    privateKeyFile: z.string().optional(),
    /** Oracle nodes, asked for the readings behind a report's hash. */
    nodes: z.array(z.string().url()),
    /** Pending orders of a slot are relayed from this long before its gate on, seconds of chain time. */
    relayBeforeGateSeconds: z.number().int().min(0).default(300),
    /** Orders that come later are relayed in batches at most this often, seconds of chain time. */
    relayEverySeconds: z.number().int().min(0).default(60),
    /** Orders in one transaction. */
    maxOrdersPerTransaction: z.number().int().min(1).max(200).default(100),
    /**
     * Single orders are kept from sight: hashes of batches go to the chain before the gate, the batches after it. Each needs a bond from
     * the deposit of this key (SealedBatches.deposit); what it does not cover, or what comes after the fourth batch of a slot,
     * is appended openly just before the gate. Run it with a tick within 150 s after each gate.
     */
    sealed: z.boolean().default(false),
    /**
     * Bonds of batches that others sealed and did not open are paid to the members where those of one relayer and slot are together
     * at least this, token base units; 0: never.
     */
    forfeitFrom: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1_000_000),
    /** Day orders in one transaction; one of 96 slots takes 60,000 to 90,000 gas, and each slot 12,000 for all of them. */
    maxDayOrdersPerTransaction: z.number().int().min(1).max(200).default(50),
    settle: z
      .object({
        /** Slots settled in one transaction (fewer where many meters would exceed its gas). */
        maxSlotsPerTransaction: z.number().int().min(1).max(96).default(8),
        /** Reported slots are settled when this many wait (one ledger write per account for all of them)... */
        minSlotsPerTransaction: z.number().int().min(1).max(96).default(1),
        /** ... or when the oldest has waited this long, in slots. Below 8, the deadline after which slots are estimated. */
        maxWaitSlots: z.number().int().min(0).max(7).default(4),
      })
      .strict()
      .default({}),
    /** Finality is advanced once in so many slots. */
    finalEverySlots: z.number().int().min(1).default(4),
    /** Limit of each call to the chain. */
    rpcTimeoutMs: z.number().int().min(100).default(10_000),
    /** Limit of each call to an oracle node. */
    nodeTimeoutMs: z.number().int().min(100).default(2_000),
  })
  .strict()
  .refine(({ privateKey, privateKeyFile }) => (privateKey === undefined) !== (privateKeyFile === undefined), {
    message: "give privateKey or privateKeyFile, one of the two",
  });

export type AuctioneerConfig = z.infer<typeof auctioneerConfigSchema>;
