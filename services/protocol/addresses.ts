import { z } from "zod";
import { loadConfig } from "../platform/config.ts";
import { wrongInput } from "../platform/errors.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address of 20 bytes, like 0x12..ab");

/** Where the contracts of one market stand: what every process needs to find them. */
export const addressesSchema = z
  .object({
    chainId: z.number().int().positive(),
    /** Block of the first contract: an indexer starts here. */
    deployedAtBlock: z.number().int().nonnegative(),
    accessManager: address,
    token: address,
    meteringPoints: address,
    grid: address,
    tariffs: address,
    ledger: address,
    sealedBatches: address,
    orderBook: address,
    auction: address,
    meterOracle: address,
    settlement: address,
    envelopes: address,
    bilaterals: address,
    emergency: address,
    readingArchive: address,
    generators: address,
    certificates: address,
    incentives: address,
    losses: address,
    peakCharge: address,
    refunds: address,
    dynamicTariffs: address,
    profiles: address,
    demandResponse: address,
    usage: address,
    storageUnits: address,
    communityStorage: address,
  })
  .strict();

export type Addresses = z.infer<typeof addressesSchema>;

/**
 * Reads the contracts' addresses, as deployment wrote them.
 * @throws DaegError exit 1 when the file is missing or wrong, or is another chain's
 */
export const loadAddresses = (path: string, chainId: number): Addresses => {
  const addresses = loadConfig(path, addressesSchema, "addresses file");
  if (addresses.chainId === chainId) return addresses;
  throw wrongInput(`addressesFile: is for chain ${addresses.chainId}, rpcUrls lead to chain ${chainId}`);
};
