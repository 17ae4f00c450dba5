import { getAddress, isAddress } from "ethers";
import { z } from "zod";
import { meterProfileNames } from "../services/devices/meter.ts";

const index = z.number().int().min(0).max(30);
const port = z.number().int().min(0).max(65_535);
const unit = z.number().int().min(0).max(255);
const timeoutMs = z.number().int().min(1).max(600_000);
const host = z.string().min(1);
const profile = z
  .string()
  .default("sunspec")
  .refine((name) => meterProfileNames.includes(name), `is not known: use one of ${meterProfileNames.join(", ")}`);
const address = z
  .string()
  .refine((text) => isAddress(text), "must be an address, like 0x00…")
  .transform(getAddress);

const peer = z
  .object({
    /** Place in the committee on chain, from 0. */
    index,
    /** Where the node listens, e.g. http://10.0.0.7:7101. */
    url: z.string().url(),
    /** Address of its key, as registered on chain. */
    address,
  })
  .strict();

const meter = z
  .object({
    /** Metering point on chain. */
    point: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1),
    host,
    port,
    /** Modbus unit id. */
    unit,
    /** How its registers are laid out. */
    profile,
  })
  .strict();

const head = z
  .object({
    /** Zone on chain whose exchange with the rest of the grid it measures. */
    zone: z.number().int().min(0).max(255),
    host,
    port,
    unit,
    profile,
  })
  .strict();

/** The configuration of one oracle node, key by key. */
export const configSchema = z
  .object({
    /** "system": UTC of this machine, one tick a second. "driven": ticks of the parent process. */
    clock: z.enum(["system", "driven"]).default("system"),
    logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
    /** This node's own place in the committee. */
    index,
    /** File with the node's private key, 0x and 64 hex digits; keep it readable by the node's user only. */
    privateKeyFile: z.string().min(1).optional(),
    /** The key itself, where no file is wanted (tests). Give one of the two. */
    privateKey: z
      .string()
      .regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits")
      .optional(),
    /** SQLite file: samples, signed observations and proposals, reports, outgoing transactions. Never share it between nodes. */
    statePath: z.string().min(1),
    /** Where the other nodes, the auctioneer and the api reach this node. Port 0 takes any free one. */
    listen: z.object({ hostname: host.default("127.0.0.1"), port }).strict(),
    /** The whole committee, this node included. */
    peers: z.array(peer).min(1).max(31),
    /** Faulty nodes that are tolerated, f; the committee has more than 3f nodes and decides with 2f + 1. */
    faults: z.number().int().min(0).max(10),
    /** Endpoints of the chain, tried in this order. */
    rpcUrls: z.array(z.string().url()).min(1),
    /** JSON file with the contracts' addresses, as the deployment wrote it. */
    addressesFile: z.string().min(1),
    /** Meters that this node reads. */
    meters: z.array(meter),
    /** Head meters of the zones; their sums are compared, they are never money. */
    heads: z.array(head).default([]),
    /** Chain seconds between two readings of the present power for `GET /live`, besides those at the slots' boundaries; 0 = none. */
    livePollSeconds: z.number().int().min(0).max(86_400).default(0),
    /**
     * Slots whose reports land in one transaction, the same at all nodes: each so many slots (counted from slot 0) are reported when the
     * last of them ends. 1 = each slot at its own end. A report is due 8 slots after its slot; 6 leave the first one 3 of them.
     */
    gatherSlots: z.number().int().min(1).max(6).default(1),
    /** Wall-clock limits of external calls, ms. */
    timeouts: z
      .object({
        /** One Modbus request. */
        modbusMs: timeoutMs.default(1_000),
        /** One request to another node; it waits half as long for its own meters before it answers. */
        peerMs: timeoutMs.default(4_000),
        /** How long a leader's work on a slot is waited for before the next one takes over. */
        turnMs: timeoutMs.default(15_000),
        /** One JSON-RPC call. */
        rpcMs: timeoutMs.default(10_000),
      })
      .strict()
      .default({}),
    /** First slot of the market (its genesis): reports begin with it. */
    firstSlot: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 2),
    /**
     * Makes this node LIE, to demonstrate and test that the others outvote it: every register it observes is multiplied by
     * `factor`, at all points or those listed. Never set it in a real deployment.
     */
    lie: z
      .object({ factor: z.number().min(0).max(1_000), points: z.array(z.number().int().min(0)).optional() })
      .strict()
      .optional(),
  })
  .strict()
  .superRefine((config, context) => {
    const issue = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: z.ZodIssueCode.custom, path, message });
    if ((config.privateKeyFile === undefined) === (config.privateKey === undefined)) {
      issue(["privateKeyFile"], "give either privateKeyFile or privateKey");
    }
    const indices = config.peers.map((each) => each.index).sort((a, b) => a - b);
    if (indices.some((each, at) => each !== at)) issue(["peers"], "must hold each index from 0 once");
    if (!indices.includes(config.index)) issue(["index"], "is not among peers: add this node itself");
    if (config.peers.length <= 3 * config.faults) {
      issue(
        ["faults"],
        `is too high: ${config.peers.length} nodes tolerate ${Math.floor((config.peers.length - 1) / 3)}`,
      );
    }
    const points = new Set(config.meters.map(({ point }) => point));
    if (points.size < config.meters.length) issue(["meters"], "must name each point once");
    const zones = new Set(config.heads.map(({ zone }) => zone));
    if (zones.size < config.heads.length) issue(["heads"], "must name each zone once");
  });

export type OracleConfig = z.infer<typeof configSchema>;
