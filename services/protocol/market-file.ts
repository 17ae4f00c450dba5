import { z } from "zod";
import { compileMarket } from "../core/market/market.ts";
import type { CompiledMarket } from "../core/market/market.ts";
import type { MarketResult } from "../core/market/result.ts";
import { MarketError, PRIORITIES } from "../core/market/types.ts";
import { parseWith } from "../platform/config.ts";
import { wrongInput } from "../platform/errors.ts";

/** MARKET.json and RESULT.json (docs: formats). Energy Wh, prices micro-token per kWh, money nano-token as decimal text. */

/** An order word has 40 bits for a price and a position 31 for energy. */
const PRICE_LIMIT = 2 ** 39 - 1;
const ENERGY_LIMIT = 2 ** 31 - 1;

const integer = (least: number, most: number) =>
  z.number().refine((value) => Number.isSafeInteger(value) && value >= least && value <= most, {
    message: `must be a whole number from ${least} to ${most}`,
  });

const price = integer(-PRICE_LIMIT, PRICE_LIMIT);
const fee = integer(0, PRICE_LIMIT);
const orderEnergy = integer(0, ENERGY_LIMIT);
const capacity = integer(0, Number.MAX_SAFE_INTEGER);

const name = z
  .string()
  .min(1, "must not be empty")
  .refine((id) => id !== "__proto__", { message: "must not be __proto__: choose another name" });

/** A record that keeps every key it was given; zod's own drops "__proto__". */
const record = <T extends z.ZodTypeAny>(value: T) => z.record(name, value);

const marketSchema = z
  .object({
    slot: integer(0, 2 ** 32 - 1).optional(),
    zones: z.array(name).optional(),
    feesMicroPerKwh: record(fee).optional(),
    lines: z
      .array(
        z
          .object({
            id: name,
            from: name,
            to: name,
            capacityWh: capacity,
            reactance: z.number().finite().positive("must be above 0").optional(),
          })
          .strict(),
      )
      .optional(),
    constraints: z
      .array(
        z
          .object({
            id: name,
            weights: record(z.number().finite()),
            maxWh: integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).optional(),
            minWh: integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).optional(),
          })
          .strict(),
      )
      .optional(),
    backup: z
      .array(z.object({ zone: name, sellMicroPerKwh: price, buyMicroPerKwh: price, capacityWh: capacity }).strict())
      .optional(),
    bilaterals: z
      .array(z.object({ id: name, from: name, to: name, energyWh: orderEnergy, maxSpreadMicroPerKwh: price }).strict())
      .optional(),
    orders: z.array(
      z
        .object({
          id: name,
          side: z.enum(["bid", "offer"], {
            errorMap: () => ({ message: 'must be "bid" or "offer"' }),
          }),
          zone: name.optional(),
          energyWh: orderEnergy,
          priceMicroPerKwh: price.nullable(),
          green: z.boolean().optional(),
          account: name.optional(),
          priority: z
            .enum(PRIORITIES, { errorMap: () => ({ message: `must be ${PRIORITIES.join(", ")}` }) })
            .optional(),
        })
        .strict(),
    ),
    priceBand: z.object({ min: price, max: price }).strict().optional(),
  })
  .strict();

const anyInteger = integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const nano = z.string().regex(/^(0|-?[1-9]\d{0,77})$/, "must be a whole number as decimal text");

const resultSchema = z
  .object({
    status: z.enum(["cleared", "no-trade"], { errorMap: () => ({ message: 'must be "cleared" or "no-trade"' }) }),
    pricesMicroPerKwh: record(anyInteger.nullable()),
    greenPremiumMicroPerKwh: anyInteger,
    greenPremiumsMicroPerKwh: record(anyInteger).optional(),
    fillsWh: record(anyInteger),
    backupWh: record(z.object({ sold: anyInteger, bought: anyInteger }).strict()),
    netExportWh: record(anyInteger),
    flowsWh: record(anyInteger),
    shadowPricesMicroPerKwh: record(anyInteger),
    bilateralsWh: record(anyInteger),
    volumeWh: anyInteger,
    feesNano: nano,
    congestionRentNano: nano,
    welfareNano: nano,
    dualNano: nano,
    gapNano: nano,
    gapBoundNano: nano,
    lambdaMicroPerKwh: record(anyInteger).optional(),
    exactDuals: z
      .object({ lambda: record(nano), gamma: record(nano), mu: record(nano) })
      .strict()
      .optional(),
    greenPricesMicroPerKwh: record(anyInteger).optional(),
  })
  .strict();

/**
 * Checks a market file's shape and meaning.
 * @param value the parsed JSON
 * @param what what to call it in the error ("market file m.json")
 * @throws DaegError exit 1 naming the first wrong field and its fix
 */
export const parseMarket = (value: unknown, what: string): CompiledMarket => {
  const market = parseWith(marketSchema, value, what);
  return asWrongInput(what, () => compileMarket(market));
};

/**
 * Checks a result file's shape. Whether it is the right result is the contract's to say.
 * @throws DaegError exit 1 naming the first wrong field
 */
export const parseResult = (value: unknown, what: string): MarketResult => parseWith(resultSchema, value, what);

/** Runs `work`; a `MarketError` becomes wrong input that names the field. */
export const asWrongInput = <T>(what: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw worded(what, error);
  }
};

/** The same for work that takes time. */
export const asWrongInputLater = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw worded(what, error);
  }
};

const worded = (what: string, error: unknown): unknown =>
  error instanceof MarketError ? wrongInput(`${what}: ${error.path}: ${error.message}`, { cause: error }) : error;
