import { concat, keccak256, AbiCoder } from "ethers";
import { wrongInput } from "../platform/errors.ts";

/** Packed words of the contracts as numbers, and back (contracts/libraries: OrderWord, PackedEnergy, PackedReadings). */
export interface BookWord {
  point: number;
  sequence: number;
  zone: number;
  sell: boolean;
  green: boolean;
  energyWh: number;
  /** Limit, micro-token per kWh. */
  price: number;
  /** The 16 bytes, hex without 0x. */
  word: string;
}

const WORD_HEX = 32;

export const decodeWords = (words: string): BookWord[] => {
  const result: BookWord[] = [];
  for (let at = 2; at + WORD_HEX <= words.length; at += WORD_HEX) {
    const word = words.slice(at, at + WORD_HEX);
    const field = (from: number, to: number): number => parseInt(word.slice(from, to), 16);
    const flags = field(12, 14);
    result.push({
      point: field(0, 8),
      sequence: field(8, 10),
      zone: field(10, 12),
      sell: (flags & 1) !== 0,
      green: (flags & 2) !== 0,
      energyWh: field(14, 22),
      price: signed40(field(22, 32)),
      word,
    });
  }
  return result;
};

const signed40 = (raw: number): number => (raw >= 2 ** 39 ? raw - 2 ** 40 : raw);

/** Signed Wh by point, sold positive; points beyond the end are zero. Bits 30..24 of a position count its words (`decodeWordCounts`). */
export const decodePositions = (positions: string): number[] => {
  const result: number[] = [];
  for (let at = 2; at + 8 <= positions.length; at += 8) {
    const raw = parseInt(positions.slice(at, at + 8), 16);
    const energyWh = raw & 0xffffff;
    result.push(raw >= 2 ** 31 ? -energyWh : energyWh);
  }
  return result;
};

/** Words of each point in the slot's book, superseded ones and cancellations too; points beyond the end have none. */
export const decodeWordCounts = (positions: string): number[] => {
  const result: number[] = [];
  for (let at = 2; at + 8 <= positions.length; at += 8) result.push(parseInt(positions.slice(at, at + 2), 16) & 0x7f);
  return result;
};

export const qualities = ["measured", "interpolated", "estimated", "missing"] as const;

export interface PackedReading {
  importWh: number;
  exportWh: number;
  /** Index into `qualities`. */
  quality: number;
}

export const decodeReadings = (readings: string): PackedReading[] => {
  const result: PackedReading[] = [];
  for (let at = 2; at + 16 <= readings.length; at += 16) {
    const raw = BigInt(`0x${readings.slice(at, at + 16)}`);
    result.push({
      quality: Number(raw >> 62n),
      importWh: Number((raw >> 31n) & 0x7fffffffn),
      exportWh: Number(raw & 0x7fffffffn),
    });
  }
  return result;
};

export type WordFields = Omit<BookWord, "word"> & {
  /** Class of the point, 0 to 3. */
  priority?: number;
};

const inRange = (value: number, lowest: number, highest: number, field: string): number => {
  if (Number.isSafeInteger(value) && value >= lowest && value <= highest) return value;
  throw wrongInput(`${field}: ${value} must be an integer from ${lowest} to ${highest}`);
};

/** An unsigned integer in so many bytes, hex without 0x. */
export const hexOf = (value: number, bytes: number): string => value.toString(16).padStart(2 * bytes, "0");

/** The 16 bytes of one priced step, 0x and 32 hex digits. */
const encodeWord = ({ point, sequence, zone, sell, green, priority = 0, energyWh, price }: WordFields): string => {
  const signed = inRange(price, -(2 ** 39), 2 ** 39 - 1, "price");
  return `0x${[
    hexOf(inRange(point, 0, 2 ** 32 - 1, "point"), 4),
    hexOf(inRange(sequence, 0, 255, "sequence"), 1),
    hexOf(inRange(zone, 0, 255, "zone"), 1),
    hexOf((sell ? 1 : 0) | (green ? 2 : 0) | (priority << 2), 1),
    hexOf(inRange(energyWh, 0, 2 ** 32 - 1, "energyWh"), 4),
    hexOf(signed < 0 ? signed + 2 ** 40 : signed, 5),
  ].join("")}`;
};

/** A whole book as calldata of `Auction.clear`. */
export const encodeBook = (words: readonly WordFields[]): string => concat(words.map(encodeWord));

/** Hash of a slot's empty book. */
export const bookStart = (chainId: number | bigint, orderBook: string, slot: number): string =>
  shortened(keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "address", "uint32"], [chainId, orderBook, slot])));

/** A book's hash keeps 26 bytes: its entry in the ring is one storage word (contracts/libraries/BookRing.sol). */
const shortened = (hash: string): string => `${hash.slice(0, 54)}${"0".repeat(12)}`;

/** A batch by its number of words, or a void by its zones, a bit each (IOrderBook.ZonesVoided). */
export type Batch = number | bigint;

const VOID_HEX = 64;

/** `batches` as the contracts take them: 2 bytes per batch, its number of words; of a void 2 zero bytes and 32 of its zones. */
export const encodeBatches = (batches: readonly Batch[]): string =>
  `0x${batches
    .map((batch) =>
      typeof batch === "bigint"
        ? `0000${batch.toString(16).padStart(VOID_HEX, "0")}`
        : hexOf(inRange(batch, 1, 2 ** 16 - 1, "words of a batch"), 2),
    )
    .join("")}`;

export const decodeBatches = (batches: string): Batch[] => {
  const result: Batch[] = [];
  for (let at = 2; at < batches.length; at += 4) {
    const count = parseInt(batches.slice(at, at + 4), 16);
    if (count === 0) {
      result.push(BigInt(`0x${batches.slice(at + 4, at + 4 + VOID_HEX)}`));
      at += VOID_HEX;
    } else result.push(count);
  }
  return result;
};

/**
 * A book in which words that were voided are cancellations: same point and sequence, no energy. What reads it finds the live words
 * that the contract finds.
 */
export const withoutVoided = (words: string, batches: string): string => {
  const voids: { before: number; zones: bigint }[] = [];
  let count = 0;
  for (const batch of decodeBatches(batches)) {
    if (typeof batch === "bigint") voids.push({ before: count, zones: batch });
    else count += batch;
  }
  if (voids.length === 0) return words;
  let result = "0x";
  for (let i = 0; i < countOf(words); i += 1) {
    const word = words.slice(2 + i * WORD_HEX, 2 + (i + 1) * WORD_HEX);
    const zone = BigInt(parseInt(word.slice(10, 12), 16));
    const isVoid = voids.some(({ before, zones }) => i < before && ((zones >> zone) & 1n) === 1n);
    result += isVoid ? word.slice(0, 14) + "0".repeat(8) + word.slice(22) : word;
  }
  return result;
};

/** Words of one batch as an event has it (0x and 16 bytes each). */
export const countOf = (words: string): number => (words.length - 2) / WORD_HEX;

/** Running hash after `words` (16 bytes each, one hex string), appended in `batches` (`encodeBatches`). */
export const bookHash = (start: string, words: string, batches: string): string => {
  let book = start;
  let from = 2;
  for (const batch of decodeBatches(batches)) {
    if (typeof batch === "bigint") {
      book = shortened(keccak256(concat([book, `0x${batch.toString(16).padStart(VOID_HEX, "0")}00`])));
      continue;
    }
    const to = from + WORD_HEX * batch;
    book = shortened(keccak256(concat([book, `0x${words.slice(from, to)}`])));
    from = to;
  }
  return book;
};

/** 8 bytes per point from point 0. */
export const packReadings = (readings: readonly PackedReading[]): string =>
  `0x${readings.map((reading) => packReading(reading).toString(16).padStart(16, "0")).join("")}`;

const packReading = ({ quality, importWh, exportWh }: PackedReading): bigint =>
  (BigInt(inRange(quality, 0, 3, "quality")) << 62n) |
  (BigInt(inRange(importWh, 0, 2 ** 31 - 1, "importWh")) << 31n) |
  BigInt(inRange(exportWh, 0, 2 ** 31 - 1, "exportWh"));
