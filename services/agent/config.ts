import { z } from "zod";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address: 0x and 40 hex digits");
const watts = z.number().int("must be whole W").nonnegative();
const unit = z.number().int().min(1).max(247);

/** One home of an agent process. Power in W, energy in Wh. */
export const homeConfigSchema = z
  .object({
    /** Name for logs and the store. */
    id: z.string().min(1),
    /** Its metering point. */
    point: z.number().int().nonnegative(),
    /** Name of the point's zone. */
    zone: z.string().min(1),
    /** `auto` trades; `manual` places no order but steers the battery so that the meter meets the position. */
    mode: z.enum(["auto", "manual"]).default("auto"),
    /** Key that signs the orders; `delegate`: registered by the owner, `owner`: the owner's own. */
    privateKey: z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be a private key: 0x and 64 hex digits"),
    signer: z.enum(["delegate", "owner"]).default("delegate"),
    /** Where the home's devices speak Modbus TCP, and their unit ids. */
    device: z
      .object({
        host: z.string().default("127.0.0.1"),
        port: z.number().int().min(1).max(65_535),
        meterUnit: unit.default(1),
        inverterUnit: unit.default(2),
        batteryUnit: unit.default(3),
      })
      .strict(),
    importRatingW: watts,
    exportRatingW: watts,
    /** Installed solar power; 0 without panels. */
    pvW: watts.default(0),
    /** Left out: no battery. `efficiency` is round trip. */
    battery: z
      .object({
        capacityWh: z.number().int().positive(),
        powerW: z.number().int().positive(),
        efficiency: z.number().positive().max(1),
      })
      .strict()
      .optional(),
    /** The home's own past: rows of a community folder that end by `until` (unix seconds). */
    past: z
      .object({ dir: z.string().min(1), home: z.string().min(1), until: z.number().int().nonnegative() })
      .strict()
      .optional(),
  })
  .strict();

export const agentSchema = z
  .object({
    clock: z.enum(["system", "driven"]),
    logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).optional(),
    /** Folder of the agent's store; one per process. */
    stateDir: z.string().min(1),
    /** Base URL of the market's API. */
    api: z.string().url(),
    /** What orders are signed for. */
    chainId: z.number().int().positive(),
    orderBook: address,
    /** Seconds after a slot's start at which the set-point is trimmed. */
    trimAtSeconds: z.number().int().min(30).max(600).default(120),
    /**
     * When the order for the next slot is placed: `trim` = with the running slot measured, which makes it more exact;
     * `boundary` = at the slot's start.
     */
    orderAt: z.enum(["trim", "boundary"]).default("trim"),
    /** Gate closure before a slot's start, seconds. */
    gateSeconds: z.number().int().min(0).max(900).default(600),
    homes: z.array(homeConfigSchema).min(1),
  })
  .strict();

export type HomeConfig = z.infer<typeof homeConfigSchema>;
export type AgentConfig = z.infer<typeof agentSchema>;
