import { getBytes, Interface, type TransactionReceipt } from "ethers";
import { claimsOf, type GroupClaim } from "../core/market/claims.ts";
import type { Clearing, ZoneTerms } from "../core/market/types.ts";
import { decodeBook } from "../core/market/words.ts";
import { decodeContractError } from "./contracts.ts";
import { encodeClear, SUBMISSION, type Submission } from "./clearing.ts";
import { bookHash, decodeBatches, encodeBatches, withoutVoided } from "./words.ts";

/** Clearings in several transactions, for books beyond the gas of one (`Auction.clearPart`). */
export interface ClearingPart {
  /** `book` and `batches` of this part alone. */
  submission: Submission;
  claims: GroupClaim[];
  hashBefore: string;
}

/** EIP-7825: the most gas that one transaction may use. */
export const MOST_GAS = 16_777_216;
/** Of which a plan uses so much: estimates are rough. */
const PLANNED_GAS = 14_000_000;
const GAS_PER_WORD = 900;
/** A point's share of the state that goes in and out of a part. */
const GAS_PER_POINT = 1_600;
const GAS_PER_ZONE = 60_000;
/** Of a limit of a meshed network: its weight in each zone, and what it costs once (measured by `mesh-parts.test.ts`). */
const GAS_PER_WEIGHT = 3_000;
const GAS_PER_LIMIT = 25_000;
const WORD_HEX = 32;

/** Rough gas of a part; a whole book costs no more as one. */
export const partGas = (words: number, points: number, zones: number, limits = 0): number =>
  200_000 +
  words * GAS_PER_WORD +
  points * GAS_PER_POINT +
  zones * GAS_PER_ZONE +
  limits * (GAS_PER_LIMIT + zones * GAS_PER_WEIGHT);

/**
 * Cuts a clearing between its batches.
 * @param bookStart hash before the first word
 * @param plannedGas most gas of a part, by the rough estimate; a batch is never cut
 * @returns the parts in the order of posting: from the end of the book; one where all fits in a transaction
 */
export const planParts = (
  submission: Submission,
  zones: readonly ZoneTerms[],
  clearing: Pick<Clearing, "postings" | "green">,
  bookStart: string,
  plannedGas: number = PLANNED_GAS,
): ClearingPart[] => {
  const columns = decodeBook(getBytes(withoutVoided(submission.book, submission.batches)));
  const claims = claimsOf(columns, zones, clearing);
  const points = columns.point.reduce((most, point) => Math.max(most, point + 1), 0);
  // A dual price is posted for every limit.
  const limits = submission.duals.mu.length;
  const parts: ClearingPart[] = [];
  let words = 0;
  let from = 2;
  let hash = bookStart;
  let next = { book: "0x", batches: "0x", hashBefore: bookStart };
  const close = (): void => {
    if (words === 0) return;
    const { book, batches, hashBefore } = next;
    parts.unshift({ submission: { ...submission, book, batches }, claims, hashBefore });
    next = { book: "0x", batches: "0x", hashBefore: hash };
    words = 0;
  };
  for (const batch of decodeBatches(submission.batches)) {
    // A void goes with the batch before it: no part is without words.
    const count = typeof batch === "bigint" ? 0 : batch;
    if (count !== 0 && partGas(words + count, points, zones.length, limits) > plannedGas) close();
    const own = submission.book.slice(from, from + WORD_HEX * count);
    from += WORD_HEX * count;
    next.book += own;
    const encoded = encodeBatches([batch]);
    next.batches += encoded.slice(2);
    words += count;
    hash = bookHash(hash, `0x${own}`, encoded);
  }
  close();
  return parts;
};

/** ClearingPart in the ABI. */
export const PART = `tuple(${SUBMISSION} submission,tuple(uint64 availableWh,uint32 words,uint64 restWh)[] claims,bytes32 hashBefore,bytes state)`;

const iface = new Interface([`function clearPart(${PART} part) returns (bytes next)`]);

/** Calldata of `Auction.clearPart`. `state`: what the part before left, "0x" for the first one. */
export const encodeClearPart = (part: ClearingPart, state: string): string =>
  iface.encodeFunctionData("clearPart", [{ ...part, state }]);

/** The state for the next part, from what a call of `clearPart` returned; "0x" when the clearing is complete. */
export const decodeNextState = (returned: string): string =>
  iface.decodeFunctionResult("clearPart", returned)[0] as string;

/** How a clearing is posted. */
export interface Posting {
  submission: Submission;
  zones: readonly ZoneTerms[];
  clearing: Pick<Clearing, "postings" | "green">;
  bookStart: string;
  /** As `planParts`. */
  plannedGas?: number;
  /** eth_call to the auction by the submitter. */
  call(data: string): Promise<string>;
  /** Sends to the auction; the same key never succeeds twice. */
  send(key: string, data: string): Promise<TransactionReceipt>;
}

/** Of one start of a process: after that many somebody interferes, or the chain does not keep what it said. */
const MOST_ATTEMPTS = 3;

/**
 * Posts a clearing, in parts where one transaction is too small. A process that was killed between parts has lost the state that the
 * chain wants next: it begins anew.
 * @returns the receipt of the transaction that cleared the slot, or of one that reverted (status 0)
 * @throws what `call` and `send` throw
 */
export const postClearing = async (posting: Posting): Promise<TransactionReceipt> => {
  const { submission, zones, clearing, bookStart, call, send } = posting;
  const parts = planParts(submission, zones, clearing, bookStart, posting.plannedGas);
  const key = `clear:${submission.slot}`;
  if (parts.length < 2) return send(key, encodeClear(submission));
  for (let attempt = 1; ; attempt += 1) {
    let state = "0x";
    let last: TransactionReceipt | undefined;
    try {
      for (const [i, part] of parts.entries()) {
        const data = encodeClearPart(part, state);
        state = decodeNextState(await call(data));
        last = await send(`${key}:${attempt}:${i}`, data);
        if (last.status !== 1) return last;
      }
    } catch (error) {
      if (decodeContractError(error)?.name === "StaleProgress" && attempt < MOST_ATTEMPTS) continue;
      throw error;
    }
    return last as TransactionReceipt;
  }
};
