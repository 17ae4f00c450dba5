import { z } from "zod";

/**
 * The public HTTP API: what agents, the dashboard and the day report read and write. Energy in Wh, power in W, prices in
 * micro-token per kWh, money as decimal strings of nano-token (it exceeds 2^53), chain time in unix seconds. A zone is named
 * by its name, a point by its number. Net quantities are positive for export.
 */
export const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address: 0x and 40 hex digits");
export const bytes32 = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits");
export const hexBytes = z.string().regex(/^0x([0-9a-fA-F]{2})*$/, "must be 0x and an even number of hex digits");
const nano = z.string().regex(/^-?\d+$/);
const unixSeconds = z.number().int().nonnegative();
const wh = z.number().int();
const micro = z.number().int();
export const uint = (bits: number): z.ZodNumber =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** bits - 1);
export const int40 = z
  .number()
  .int()
  .min(-(2 ** 39))
  .max(2 ** 39 - 1);

/** Every answer outside 2xx. */
export const apiErrorSchema = z.object({ error: z.string() });

// Orders

export const stepSchema = z
  .object({ sell: z.boolean(), green: z.boolean(), energyWh: uint(32), priceMicroPerKwh: int40 })
  .strict();

/** Body of `POST /orders`: `SignedOrder` of IOrderBook. No step cancels the live order. */
export const orderBodySchema = z
  .object({
    point: uint(32),
    slot: uint(32),
    sequence: uint(8),
    steps: z.array(stepSchema).max(8, "an order has at most 8 steps"),
    /** null: signed by the owner; else by this registered delegate. */
    delegate: address.nullable(),
    signature: hexBytes,
  })
  .strict();

/** 202 of `POST /orders` and `POST /day-orders`: the order is durable. Posting the same bytes again answers the same id. */
export const orderAcceptedSchema = z.object({ id: z.string() });

export const orderStateSchema = z.object({
  id: z.string(),
  point: uint(32),
  slot: uint(32),
  sequence: uint(8),
  /** `superseded`: a later order of the same point and slot took its place before it was appended. */
  state: z.enum(["pending", "appended", "skipped", "superseded"]),
  /** Why it was skipped, in words; null otherwise. */
  reason: z.string().nullable(),
  txHash: bytes32.nullable(),
});

/** `GET /points/:point/sequences?from&count`: highest sequence byte in use per slot, chain and pending orders together. */
export const sequencesSchema = z.array(uint(8));

export const healthSchema = z.object({
  ok: z.boolean(),
  now: unixSeconds,
  indexedBlock: z.number().int(),
  gridStates: z.array(z.string()),
  marketState: z.string(),
  problem: z.string().nullable(),
});

export const lineSchema = z.object({ id: z.string(), from: z.string(), to: z.string(), capacityWh: wh });

export const pointSchema = z.object({
  point: uint(32),
  /** Name of the home; null for a point that the community file does not know. */
  home: z.string().nullable(),
  zone: z.string(),
  owner: address,
  importLimitWh: wh,
  exportLimitWh: wh,
  pvW: z.number().int(),
  batteryWh: z.number().int(),
  vehicle: z.boolean(),
});

export const nodeSchema = z.object({ index: z.number().int(), url: z.string(), address: address.nullable() });

export const stateSchema = z.object({
  chainId: z.number().int(),
  now: unixSeconds,
  slot: uint(32),
  addresses: z.record(address),
  community: z.object({ name: z.string(), currency: z.string() }),
  /** Wall seconds in which a slot plays; 0 = as fast as it goes. */
  slotSeconds: z.number().nonnegative(),
  zones: z.array(z.string()),
  lines: z.array(lineSchema),
  gridZone: z.string(),
  points: z.array(pointSchema),
  nodes: z.array(nodeSchema),
});

export const termsSchema = z.object({
  slot: uint(32),
  importTariff: micro,
  exportTariff: micro,
  fee: micro,
  bandMin: micro,
  bandMax: micro,
});

// One point

export const orderStepViewSchema = z.object({
  sequence: uint(8),
  sell: z.boolean(),
  energyWh: wh,
  priceMicroPerKwh: micro,
});

/** One slot of one point; nulls where it has not happened yet. */
export const pointSlotSchema = z.object({
  slot: uint(32),
  orders: z.array(orderStepViewSchema),
  priceMicroPerKwh: micro.nullable(),
  positionWh: wh.nullable(),
  importWh: wh.nullable(),
  exportWh: wh.nullable(),
  quality: z.enum(["measured", "interpolated", "estimated", "missing"]).nullable(),
  /** Positive = earned. */
  paymentNano: nano.nullable(),
  /** Parts of `paymentNano`: position at the zone price, fee (<= 0), imbalance at the tariffs, fee on order words (<= 0). */
  energyNano: nano.nullable(),
  feeNano: nano.nullable(),
  imbalanceNano: nano.nullable(),
  wordFeeNano: nano.nullable(),
  /** What the same metered energy would have earned (cost, when negative) at the tariffs without a market. */
  tariffNano: nano.nullable(),
  appendTx: bytes32.nullable(),
  clearTx: bytes32.nullable(),
  reportTx: bytes32.nullable(),
  settleTx: bytes32.nullable(),
});

export const pointDetailSchema = z.object({
  point: uint(32),
  home: z.string().nullable(),
  zone: z.string(),
  owner: address,
  balanceNano: nano,
  /** Newest first. */
  slots: z.array(pointSlotSchema),
});

// One slot

/** What green orders trade at, by zone name; empty where that is the zone price. */
const greenPrices = z.record(micro);
const mined = { txHash: bytes32, gasUsed: z.number().int() };
export const clearingViewSchema = z.object({
  slot: uint(32),
  cleared: z.boolean(),
  /** Zone price by zone name, micro-token per kWh; empty when not cleared. */
  prices: z.record(micro),
  greenPrices,
  /** Signed Wh by point (sold positive), one entry per point; zeros when not cleared. */
  positions: z.array(wh),
});

/** Where a slot stands. `void`: it started without a clearing; `estimated`: no report by the deadline. */
export const slotPhaseSchema = z.enum([
  "open",
  "closed",
  "cleared",
  "void",
  "delivery",
  "awaiting-report",
  "reported",
  "estimated",
  "settled",
  "final",
]);

export const observationViewSchema = z.object({
  node: z.number().int(),
  /** Metered energy of the slot by point as this node saw it; null = it could not read that meter. */
  readings: z.array(z.object({ point: uint(32), importWh: wh, exportWh: wh }).nullable()),
});

export const slotStorySchema = z.object({
  slot: uint(32),
  phase: slotPhaseSchema,
  start: unixSeconds,
  gate: unixSeconds,
  terms: termsSchema.nullable(),
  orders: z.array(
    z.object({
      point: uint(32),
      home: z.string().nullable(),
      zone: z.string(),
      sequence: uint(8),
      sell: z.boolean(),
      green: z.boolean(),
      energyWh: wh,
      priceMicroPerKwh: micro,
      /** False: a later order of the same point replaced it. */
      live: z.boolean(),
      /** null before the clearing. */
      filledWh: wh.nullable(),
      txHash: bytes32,
    }),
  ),
  skipped: z.array(z.object({ point: uint(32), sequence: uint(8), reason: z.string(), txHash: bytes32 })),
  book: z.object({ hash: bytes32.nullable(), words: z.number().int(), appendTxs: z.array(bytes32) }),
  clearing: z
    .object({
      prices: z.record(micro),
      greenPrices,
      /** Positive from `from` to `to`, Wh. On a meshed network one per limit, with the limit in its direction. */
      flows: z.array(z.object({ id: z.string(), flowWh: wh, capacityWh: wh })),
      positions: z.array(wh),
      trades: z.array(z.object({ seller: uint(32), buyer: uint(32), filledWh: wh, priceMicroPerKwh: micro })),
      boughtWh: wh,
      backupSoldWh: wh,
      backupBoughtWh: wh,
      welfareNano: nano,
      congestionNano: nano,
      clearer: address,
      ...mined,
    })
    .nullable(),
  report: z
    .object({
      version: z.number().int(),
      attempt: z.number().int(),
      readingsHash: bytes32,
      root: bytes32,
      /** Indices of the committee that signed. */
      signers: z.array(z.number().int()),
      readings: z.array(
        z.object({
          point: uint(32),
          importWh: wh,
          exportWh: wh,
          quality: z.enum(["measured", "interpolated", "estimated", "missing"]),
        }),
      ),
      /** What each node saw, fetched from a node; empty when no node answers. */
      observations: z.array(observationViewSchema),
      ...mined,
    })
    .nullable(),
  settlement: z
    .object({
      status: z.enum(["estimated", "settled"]),
      payments: z.array(
        z.object({
          point: uint(32),
          home: z.string().nullable(),
          positionWh: wh,
          importWh: wh,
          exportWh: wh,
          paymentNano: nano,
          energyNano: nano,
          feeNano: nano,
          imbalanceNano: nano,
          wordFeeNano: nano,
          tariffNano: nano,
        }),
      ),
      backupNano: nano,
      operatorNano: nano,
      membersNano: nano,
      congestionNano: nano,
      /** What the clearer earned by the words of the book. */
      clearerNano: nano,
      ...mined,
    })
    .nullable(),
});

/** One entry of `GET /slots?last=N`, oldest first. */
export const slotSummarySchema = z.object({
  slot: uint(32),
  phase: slotPhaseSchema,
  prices: z.record(micro),
  greenPrices,
  importTariff: micro.nullable(),
  exportTariff: micro.nullable(),
  /** Everything that bids bought, Wh. */
  volumeWh: wh,
  /** The part of it that came from homes, Wh. */
  localWh: wh,
  backupSoldWh: wh,
  backupBoughtWh: wh,
  /** Sum of |metered - position| over the points; null before settlement. */
  imbalanceWh: wh.nullable(),
  orders: z.number().int(),
});

// Live view

export const liveSchema = z.object({
  now: unixSeconds,
  /** Positive = import from the grid. */
  points: z.array(z.object({ point: uint(32), powerW: z.number(), at: unixSeconds })),
  heads: z.array(z.object({ zone: z.string(), powerW: z.number() })),
  lines: z.array(z.object({ id: z.string(), flowW: z.number() })),
  /** No node answered lately, or live polling is off. */
  stale: z.boolean(),
});

export const nodeStatusSchema = z.object({
  index: z.number().int(),
  url: z.string(),
  address: address.nullable(),
  reachable: z.boolean(),
  lastReportedSlot: z.number().int().nullable(),
  /** Proposals or observations of other nodes that this node found wrong. */
  deviations: z.number().int().nullable(),
  /** The node's own status, as it tells it. */
  status: z.record(z.unknown()).nullable(),
});

/** `GET /transactions/:hash`: a mined transaction, whoever sent it. */
export const transactionSchema = z.object({
  hash: bytes32,
  block: z.number().int(),
  gasUsed: z.number().int(),
  status: z.enum(["success", "reverted"]),
});

// Local system only

export const localWalletSchema = z.object({
  point: uint(32),
  address,
  privateKey: bytes32,
  warning: z.string(),
});

export const cheatKinds = [
  "price-off-by-one",
  "dropped-order",
  "lying-node",
  "doubled-report",
  "replayed-order",
] as const;
export const cheatKindSchema = z.enum(cheatKinds);

export const cheatResultSchema = z.object({
  kind: cheatKindSchema,
  /** What was sent, in words. */
  sent: z.string(),
  /** The reverted transaction (an order's replay is skipped with an event instead; see `error`). */
  txHash: bytes32,
  refused: z.boolean(),
  error: z.object({ name: z.string(), values: z.record(z.string()) }).nullable(),
  /** One sentence: what the contract said. */
  words: z.string(),
});

/** Server-sent events of `GET /events`: the event's name is `type`, its data this object. */
export const apiEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("tick"), now: unixSeconds, slot: uint(32) }),
  z.object({ type: z.literal("appended"), slot: uint(32), words: z.number().int(), txHash: bytes32 }),
  z.object({ type: z.literal("skipped"), slot: uint(32), point: uint(32), reason: z.string() }),
  z.object({ type: z.literal("cleared"), slot: uint(32), prices: z.record(micro), txHash: bytes32 }),
  z.object({ type: z.literal("reported"), slot: uint(32), version: z.number().int(), txHash: bytes32 }),
  z.object({ type: z.literal("settled"), slot: uint(32), status: z.enum(["estimated", "settled"]), txHash: bytes32 }),
  z.object({ type: z.literal("live"), live: liveSchema }),
]);

export type ApiError = z.infer<typeof apiErrorSchema>;
export type OrderBody = z.infer<typeof orderBodySchema>;
export type OrderAccepted = z.infer<typeof orderAcceptedSchema>;
export type OrderState = z.infer<typeof orderStateSchema>;
export type Health = z.infer<typeof healthSchema>;
export type ApiState = z.infer<typeof stateSchema>;
export type ApiLine = z.infer<typeof lineSchema>;
export type ApiPoint = z.infer<typeof pointSchema>;
export type ApiTerms = z.infer<typeof termsSchema>;
export type PointSlot = z.infer<typeof pointSlotSchema>;
export type PointDetail = z.infer<typeof pointDetailSchema>;
export type ClearingView = z.infer<typeof clearingViewSchema>;
export type SlotPhase = z.infer<typeof slotPhaseSchema>;
export type ObservationView = z.infer<typeof observationViewSchema>;
export type SlotStory = z.infer<typeof slotStorySchema>;
export type SlotSummary = z.infer<typeof slotSummarySchema>;
export type LiveView = z.infer<typeof liveSchema>;
export type NodeStatus = z.infer<typeof nodeStatusSchema>;
export type LocalWallet = z.infer<typeof localWalletSchema>;
export type CheatKind = (typeof cheatKinds)[number];
export type CheatResult = z.infer<typeof cheatResultSchema>;
export type ApiEvent = z.infer<typeof apiEventSchema>;
