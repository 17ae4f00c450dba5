import { computeAddress, getAddress, isAddress } from "ethers";
import { z } from "zod";
import { loadConfig } from "../../services/platform/config.ts";
import { wrongInput } from "../../services/platform/errors.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import type { MarketTerms } from "./options.ts";

const SLOT_MS = 900_000;

const address = z
  .string()
  .refine((text) => isAddress(text), "must be an address of 20 bytes, like 0x12..ab (check its capitals)")
  .transform(getAddress);
const wh = z.number().int("must be whole Wh").min(0, "must not be negative").max(Number.MAX_SAFE_INTEGER);
const price = z.number().int("must be whole micro-token per kWh").safe();
const seconds = z
  .number()
  .int("must be whole seconds")
  .min(0, "must not be negative")
  .max(31_536_000, "must be at most a year");
const units = z
  .string()
  .regex(/^\d{1,30}$/, 'must be a whole number in quotes, like "10000000"')
  .transform(BigInt);

/** Configuration of `daeg deploy`, key by key. */
export const deployConfigSchema = z
  .object({
    /** First slot that can be traded: its start, ISO-8601 UTC on a quarter of an hour. */
    genesis: z
      .string()
      .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/, "must be a time in UTC, like 2026-12-01T00:00:00Z")
      .refine((text) => Date.parse(text) % SLOT_MS === 0, "must be a date that exists and on a quarter of an hour"),
    /** The grid operator: registers points, sets networks, publishes tariffs, names the committee. */
    operator: address,
    /** Seconds that the operator's calls wait after they were scheduled; 0 by default. */
    operatorDelaySeconds: seconds.optional(),
    /** May only pause and cancel what was scheduled. */
    guardian: address,
    /** Grants and revokes roles: an account of several signatures that stands already, or the owners of one to make (Safe 1.4.1). */
    admin: z.union([
      address,
      z.object({ owners: z.array(address).min(1).max(20), threshold: z.number().int().min(1) }).strict(),
    ]),
    /** Seconds that the admin's calls wait after they were scheduled, and can be cancelled by the guardian: at least an hour. */
    adminDelaySeconds: seconds.refine((delay) => delay >= 3_600, "must be at least 3600: an hour"),
    /** Takes money out of the backup supplier's account; the operator by default. */
    backup: address.optional(),
    /** Oracle nodes in the order of their indices: at least 3 x faults + 1, at most 31. */
    committee: z.array(address).min(1).max(31),
    /** How many of them may lie or be dead. */
    faults: z.number().int().min(0).max(10),
    /** Zones in topological order, each with the line to its parent. */
    zones: z
      .array(
        z
          .object({
            /** Index of the parent; a root is its own. */
            parent: z.number().int().min(0).max(127),
            /** Limits of the line in Wh per slot, in each direction. */
            toParentWh: wh,
            fromParentWh: wh,
            /** Rating of the backup supplier's connection in this zone, Wh per slot; 0 = none here. */
            backupCapacityWh: wh,
          })
          .strict(),
      )
      .min(1)
      .max(128),
    /** An ERC-20 with 6 decimals; left out, a worthless test token is deployed. */
    token: address.optional(),
    /** What no tariff or price ever leaves, micro-token per kWh; the tariffs bound the margin. */
    bounds: z
      .object({ highestImportTariff: price, lowestExportTariff: price, lowestPrice: price, highestPrice: price })
      .strict(),
    /** What every word of a cleared book pays to whoever cleared it, nano-token; 1,000 by default. */
    wordFeeNano: z.number().int().min(0).max(1_000_000_000).optional(),
    /** Bond of a sealed batch in base units of the token, in quotes; "10000000" by default. */
    sealedBond: units.optional(),
    production: z
      .object({
        /** Who certifies generators, and who records their maintenance; the operator by default. */
        certifier: address.optional(),
        maintainer: address.optional(),
        /** Wh per generator and month that earn a premium, in quotes. */
        capWhPerMonth: units.optional(),
        /** Premiums in micro-token per kWh through so many Wh of a generator, rising Wh, falling premiums, in quotes. */
        steps: z
          .array(z.object({ throughWh: units, premium: units }).strict())
          .min(1)
          .optional(),
      })
      .strict()
      .optional(),
    /** The community battery: who manages it (the operator by default), name and symbol of its shares. */
    storage: z
      .object({
        manager: address.optional(),
        name: z.string().min(1).max(31).optional(),
        symbol: z.string().min(1).max(11).optional(),
      })
      .strict()
      .optional(),
  })
  .strict();

/** @throws DaegError exit 1 naming the field and what it should be */
export const loadDeployConfig = (path: string): MarketTerms => {
  const { genesis, token, ...rest } = loadConfig(path, deployConfigSchema, "config");
  const { committee, faults, zones, bounds } = rest;
  const wrong = (what: string): Error => wrongInput(`config ${path}: ${what}`);
  if (committee.length < 3 * faults + 1) {
    throw wrong(
      `committee: ${committee.length} nodes bear ${Math.floor((committee.length - 1) / 3)} faults, not ${faults}: name more, or lower faults`,
    );
  }
  if (new Set(committee).size < committee.length)
    throw wrong("committee: names an address twice: each node has its own key");
  if (typeof rest.admin !== "string" && rest.admin.threshold > rest.admin.owners.length) {
    throw wrong(`admin.threshold: ${rest.admin.threshold} of ${rest.admin.owners.length} owners cannot sign: lower it`);
  }
  const early = zones.findIndex(({ parent }, index) => parent > index);
  if (early >= 0)
    throw wrong(`zones[${early}].parent: comes later in the list: name parents first, a root is its own parent`);
  if (bounds.lowestExportTariff >= bounds.highestImportTariff) {
    throw wrong("bounds: lowestExportTariff must be below highestImportTariff");
  }
  if (bounds.lowestPrice >= bounds.highestPrice) throw wrong("bounds: lowestPrice must be below highestPrice");
  const given = token === undefined ? {} : { tokenAddress: token };
  return { ...(rest as Omit<MarketTerms, "genesisSlot">), ...given, genesisSlot: Date.parse(genesis) / SLOT_MS };
};

/** A configuration to start one's own from; its keys are derived from the seed "example", which everybody knows. */
export const exampleConfig = (): unknown => {
  const of = (role: string): string => computeAddress(deriveKey("example", role));
  return {
    genesis: "2030-01-01T00:00:00Z",
    operator: of("operator"),
    operatorDelaySeconds: 0,
    guardian: of("guardian"),
    admin: { owners: [of("admin:0"), of("admin:1"), of("admin:2")], threshold: 2 },
    adminDelaySeconds: 172_800,
    committee: [0, 1, 2, 3].map((index) => of(`node:${index}`)),
    faults: 1,
    zones: [
      { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 100_000 },
      { parent: 0, toParentWh: 12_500, fromParentWh: 12_500, backupCapacityWh: 0 },
    ],
    bounds: { highestImportTariff: 500_000, lowestExportTariff: 0, lowestPrice: -1_000_000, highestPrice: 10_000_000 },
  };
};
