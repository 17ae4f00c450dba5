import { ZeroAddress } from "ethers";
import { wrongInput } from "../platform/errors.ts";
import type { ChainEvent, ClearingRecord } from "./events.ts";
import { decodeWordCounts, hexOf } from "./words.ts";

/** One slot of `ISettlement.settlePacked`, where the packed format is described. */
export interface SlotToSettle {
  /** Of a slot that was not cleared: one without a clearer. */
  record: ClearingRecord;
  /** 8 bytes per point. */
  readings: string;
  /** Root of the report. */
  root: string;
}

const READING_HEX = 16;
/** Point and reading. */
const OTHER_HEX = 24;
const POSITION_HEX = 8;
const BLOCK_HEX = 64;

/** 32 bytes of short values: row after row, written column by column, so that the contract reads a row by one mask. */
interface Block {
  columns: number;
  rows: number;
  /** Hex digits of a value, and zeros in front of each column. */
  digits: number;
  zeros: number;
  /** Highest bit of a value: imported or bought. */
  highest: number;
}

const READINGS: Block = { columns: 4, rows: 5, digits: 3, zeros: 1, highest: 0x800 };
const POSITIONS: Block = { columns: 8, rows: 2, digits: 4, zeros: 0, highest: 0x8000 };
const SUMS_HEX = 138;

/** Whether the readings are 8 bytes per point: `settle` takes whatever a quorum has signed. */
export const isPackable = ({ readings }: SlotToSettle): boolean => (readings.length - 2) % READING_HEX === 0;

export const packSlots = (slots: readonly SlotToSettle[]): string => {
  const readings = slots.map((slot) => packedReadings(slot.readings)).join("");
  const numbers = slots.map(({ record }) => hexOf(record.slot, 4)).join("");
  let clearer: string | undefined;
  const records = slots.map(({ record, root }) => {
    const head = root.slice(2);
    if (record.clearer === ZeroAddress) return `${head}00`;
    const same = record.clearer === clearer;
    clearer = record.clearer;
    return head + (same ? "02" : `01${clearer.slice(2).toLowerCase()}`) + packedRecord(record);
  });
  return `0x${hexOf(slots.length, 2)}${hexOf(readings.length / 2, 4)}${numbers}${readings}${records.join("")}`;
};

/** One `Settled` for each slot in the place of `SlotsSettled`; any other event as it is. */
export const expandSlots = (event: ChainEvent): ChainEvent[] => {
  if (event.name !== "SlotsSettled") return [event];
  const { sums, readings, block, blockHash, txHash, logIndex } = event;
  const slots: ChainEvent[] = [];
  let from = 2;
  for (let at = 2; at + SUMS_HEX <= sums.length; at += SUMS_HEX) {
    const nano = (index: number): bigint =>
      BigInt.asIntN(128, BigInt(`0x${sums.slice(at + 10 + 32 * index, at + 42 + 32 * index)}`));
    const unpacked = unpackReadings(readings, from);
    from = unpacked.end;
    slots.push({
      ...{ name: "Settled", block, blockHash, txHash, logIndex, status: "settled" },
      slot: parseInt(sums.slice(at, at + 8), 16),
      version: parseInt(sums.slice(at + 8, at + 10), 16),
      readings: unpacked.readings,
      ...{ backupNano: nano(0), operatorNano: nano(1), membersNano: nano(2), congestionNano: nano(3) },
    });
  }
  return slots;
};

/** In 12 bits per point, where that is cheaper: homes mostly take or feed in within a slot, not both. */
const packedReadings = (readings: string): string => {
  const given = split(readings, READING_HEX);
  if (given.some((reading) => reading.length !== READING_HEX)) throw wrongInput("readings: must be 8 bytes per point");
  const narrow = narrowed(
    given.map((reading) => narrowReading(BigInt(`0x${reading}`))),
    READINGS,
  );
  const others = given.flatMap((reading, point) => (narrow.others.has(point) ? hexOf(point, 4) + reading : []));
  if (!isCheaper(narrow, given.length)) return `00${hexOf(given.length, 4)}${readings.slice(2)}`;
  return `01${hexOf(given.length, 4)}${hexOf(others.length, 2)}${narrow.hex}${others.join("")}`;
};

/** A measured reading of import or export only, in 12 bits; undefined where they do not hold it. */
const narrowReading = (reading: bigint): number | undefined => {
  const { highest } = READINGS;
  if (reading < highest) return Number(reading);
  const importWh = reading >> 31n;
  return importWh < highest && (reading & 0x7fffffffn) === 0n ? highest + Number(importWh) : undefined;
};

/** The readings packed from hex digit `at` on, 8 bytes per point, and where they end. As the contract reads them. */
const unpackReadings = (packed: string, at: number): { readings: string; end: number } => {
  const count = parseInt(packed.slice(at + 2, at + 10), 16);
  if (packed.slice(at, at + 2) === "00") {
    const end = at + 10 + READING_HEX * count;
    return { readings: `0x${packed.slice(at + 10, end)}`, end };
  }
  const { digits, highest } = READINGS;
  const first = at + 14;
  const rest = first + hexDigits(count, READINGS);
  const readings = Array.from({ length: count }, (_, point) => {
    const place = first + placeOf(point, READINGS);
    const short = parseInt(packed.slice(place, place + digits), 16);
    const wide = short < highest ? BigInt(short) : BigInt(short - highest) << 31n;
    return wide.toString(16).padStart(READING_HEX, "0");
  });
  const end = rest + OTHER_HEX * parseInt(packed.slice(at + 10, first), 16);
  for (const other of split(`0x${packed.slice(rest, end)}`, OTHER_HEX)) {
    const point = parseInt(other.slice(0, 8), 16);
    if (point < count) readings[point] = other.slice(8);
  }
  return { readings: `0x${readings.join("")}`, end };
};

const packedPositions = (positions: string): string => {
  const given = split(positions, POSITION_HEX);
  const counts = decodeWordCounts(positions);
  const words = mostCommon(counts);
  const narrow = narrowed(
    given.map((position) =>
      position.length === POSITION_HEX ? narrowPosition(parseInt(position, 16), words) : undefined,
    ),
    POSITIONS,
  );
  if (given.length !== counts.length || !isCheaper(narrow, given.length)) return `00${withLength(positions)}`;
  const others = given.flatMap((position, point) => (narrow.others.has(point) ? hexOf(point, 4) + position : []));
  return `01${hexOf(given.length, 4)}${hexOf(words, 1)}${hexOf(others.length, 2)}${narrow.hex}${others.join("")}`;
};

const narrowPosition = (position: number, words: number): number | undefined => {
  const energyWh = position & 0xffffff;
  if (energyWh >= POSITIONS.highest || ((position >>> 24) & 0x7f) !== words) return undefined;
  return energyWh + (position >>> 31) * POSITIONS.highest;
};

const mostCommon = (values: readonly number[]): number => {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best), [0, 0])[0];
};

interface Narrowed {
  /** Points whose value does not fit. */
  others: Set<number>;
  hex: string;
}

const narrowed = (values: readonly (number | undefined)[], block: Block): Narrowed => {
  const hex = new Array<string>(hexDigits(values.length, block)).fill("0");
  const others = new Set<number>();
  values.forEach((value, point) => {
    if (value === undefined) others.add(point);
    else
      [...value.toString(16).padStart(block.digits, "0")].forEach(
        (digit, at) => (hex[placeOf(point, block) + at] = digit),
      );
  });
  return { others, hex: hex.join("") };
};

const hexDigits = (points: number, { columns, rows }: Block): number =>
  BLOCK_HEX * Math.ceil(points / (columns * rows));

/** First hex digit of a point's value. */
const placeOf = (point: number, { columns, rows, digits, zeros }: Block): number => {
  const at = point % (columns * rows);
  const column = at % columns;
  const row = (at - column) / columns;
  return BLOCK_HEX * Math.floor(point / (columns * rows)) + (BLOCK_HEX / columns) * column + zeros + digits * row;
};

const isCheaper = ({ others }: Narrowed, count: number): boolean => others.size * 4 <= count && others.size <= 0xffff;

const split = (bytes: string, digits: number): string[] => {
  const parts: string[] = [];
  for (let at = 2; at < bytes.length; at += digits) parts.push(bytes.slice(at, at + digits));
  return parts;
};

/** Without its slot and its clearer. */
const packedRecord = (record: ClearingRecord): string =>
  [
    signedHex(record.backupSoldWh, 8),
    signedHex(record.backupBoughtWh, 8),
    signedHex(record.backupNano, 16),
    signedHex(record.congestionNano, 16),
    hexOf(record.prices.length, 2),
    ...record.prices.map((price) => signedHex(price, 8)),
    packedPositions(record.positions),
    withLength(record.extras),
  ].join("");

const withLength = (bytes: string): string => hexOf((bytes.length - 2) / 2, 4) + bytes.slice(2);

/** In two's complement. */
const signedHex = (value: bigint | number, bytes: number): string =>
  BigInt.asUintN(8 * bytes, BigInt(value))
    .toString(16)
    .padStart(2 * bytes, "0");
