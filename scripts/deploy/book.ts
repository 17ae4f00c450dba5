import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { loadConfig } from "../../services/platform/config.ts";
import { wrongInput } from "../../services/platform/errors.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address");
const hash = z.string().regex(/^0x[0-9a-f]{64}$/, "must be a hash of 32 bytes");
const count = z.number().int().nonnegative();

const bookSchema = z
  .object({
    /** The chain: its id and the hash of its block 0. */
    chainId: z.number().int().positive(),
    genesisHash: hash,
    deployer: address,
    /** Nonce of the first step; step i has this plus i. */
    firstNonce: count,
    planDigest: hash,
    /** Where every contract stands or will stand. */
    addresses: z.record(address),
    steps: z.array(
      z
        .object({
          name: z.string(),
          digest: hash,
          /** Every transaction signed for it, in order; only one can have been mined. */
          transactions: z.array(hash),
        })
        .strict(),
    ),
    /** The signed transaction that may be under way: sent again after a crash. */
    open: z.object({ step: count, raw: z.string() }).strict().nullable(),
    deployedAtBlock: count.nullable(),
    finished: z.boolean(),
  })
  .strict();

/** The record of one deployment: what was meant, and how far it came. */
export type Book = z.infer<typeof bookSchema>;

/** @throws DaegError exit 1 when the file is there and no address book */
export const readBook = (path: string): Book | undefined =>
  existsSync(path) ? loadConfig(path, bookSchema, "address book") : undefined;

/**
 * Replaces the file at once and for good: after it returns, no crash and no loss of power brings the old one back.
 * @throws DaegError exit 1 when it cannot be written
 */
export const writeBook = (path: string, book: Book): void => {
  const fresh = `${path}.new`;
  try {
    const file = openSync(fresh, "w", 0o600);
    try {
      writeSync(file, `${JSON.stringify(book, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw wrongInput(`--book: ${path} cannot be written (${code}): check the folder and its permissions`);
  }
};
