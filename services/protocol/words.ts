import { concat, keccak256, AbiCoder } from "ethers";
import { wrongInput } from "../platform/errors.ts";
import { decodeWords, type BookWord, type PackedReading } from "./packed.ts";

/** Encoders of the contracts' packed words; the decoders stand in packed.ts (contracts/libraries: OrderWord, PackedEnergy). */
export type WordFields = Omit<BookWord, "word">;

const inRange = (value: number, lowest: number, highest: number, field: string): number => {
  if (Number.isSafeInteger(value) && value >= lowest && value <= highest) return value;
  throw wrongInput(`${field}: ${value} must be an integer from ${lowest} to ${highest}`);
};

const hexOf = (value: number, bytes: number): string => value.toString(16).padStart(2 * bytes, "0");

/** The 16 bytes of one priced step, 0x and 32 hex digits. */
export const encodeWord = ({ point, sequence, zone, sell, green, energyWh, price }: WordFields): string => {
  const signed = inRange(price, -(2 ** 39), 2 ** 39 - 1, "price");
  return `0x${[
    hexOf(inRange(point, 0, 2 ** 32 - 1, "point"), 4),
    hexOf(inRange(sequence, 0, 255, "sequence"), 1),
    hexOf(inRange(zone, 0, 255, "zone"), 1),
    hexOf((sell ? 1 : 0) | (green ? 2 : 0), 1),
    hexOf(inRange(energyWh, 0, 2 ** 32 - 1, "energyWh"), 4),
    hexOf(signed < 0 ? signed + 2 ** 40 : signed, 5),
  ].join("")}`;
};

export const decodeWord = (word: string): BookWord => {
  const [decoded] = decodeWords(word);
  if (!decoded || word.length !== 34) throw wrongInput(`an order word has 16 bytes, not ${(word.length - 2) / 2}`);
  return decoded;
};

/** A whole book as calldata of `Auction.clear`. */
export const encodeBook = (words: readonly WordFields[]): string => concat(words.map(encodeWord));

/** Hash of a slot's empty book. */
export const bookStart = (chainId: number | bigint, orderBook: string, slot: number): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "address", "uint32"], [chainId, orderBook, slot]));

/** Running hash after `words` (16 bytes each, one hex string). */
export const bookHash = (start: string, words: string): string => {
  let book = start;
  for (let at = 2; at < words.length; at += 32) book = keccak256(concat([book, `0x${words.slice(at, at + 32)}`]));
  return book;
};

/** 4 bytes per point from point 0; sold positive, Wh. */
export const packPositions = (positionsWh: readonly number[]): string =>
  `0x${positionsWh
    .map((wh) => hexOf(inRange(Math.abs(wh), 0, 2 ** 31 - 1, "position") + (wh < 0 ? 2 ** 31 : 0), 4))
    .join("")}`;

/** 8 bytes per point from point 0. */
export const packReadings = (readings: readonly PackedReading[]): string =>
  `0x${readings.map((reading) => packReading(reading).toString(16).padStart(16, "0")).join("")}`;

export const packReading = ({ quality, importWh, exportWh }: PackedReading): bigint =>
  (BigInt(inRange(quality, 0, 3, "quality")) << 62n) |
  (BigInt(inRange(importWh, 0, 2 ** 31 - 1, "importWh")) << 31n) |
  BigInt(inRange(exportWh, 0, 2 ** 31 - 1, "exportWh"));

export { decodePositions as unpackPositions, decodeReadings as unpackReadings } from "./packed.ts";
