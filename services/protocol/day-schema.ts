import { z } from "zod";
import { address, bytes32, hexBytes, int40, uint } from "./api.ts";

const int24 = z
  .number()
  .int()
  .min(-(2 ** 23))
  .max(2 ** 23 - 1);

/** Body of `POST /day-orders`: up to 120 slots under one signature. Per slot `stepsPerSlot` energies (positive sells) and prices. */
export const dayOrderBodySchema = z
  .object({
    point: uint(32),
    firstSlot: uint(32),
    stepsPerSlot: z.number().int().min(1).max(8),
    sequence: uint(8),
    green: z.boolean(),
    energyWh: z.array(int24).min(1).max(960),
    priceMicroPerKwh: z.array(int40).min(1).max(960),
    delegate: address.nullable(),
    /** Signed as `PackedDayOrder`. */
    packed: z.boolean().default(false),
    signature: hexBytes,
  })
  .strict();

export const dayOrderStateSchema = z.object({
  id: z.string(),
  point: uint(32),
  firstSlot: uint(32),
  slots: z.number().int(),
  sequence: uint(8),
  /** `appended`: in the book of at least one slot. */
  state: z.enum(["pending", "appended", "skipped"]),
  reason: z.string().nullable(),
  txHash: bytes32.nullable(),
});

export type DayOrderBody = z.infer<typeof dayOrderBodySchema>;
export type DayOrderState = z.infer<typeof dayOrderStateSchema>;
