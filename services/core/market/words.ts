import type { OrderColumns } from "./types.ts";

/** Bytes of one order word (contracts/libraries/OrderWord.sol). */
export const WORD_BYTES = 16;

const INT40 = 2 ** 40;

/**
 * Decodes a book: words of 16 bytes, in order of append.
 * @throws RangeError when the length is no multiple of 16
 */
export const decodeBook = (book: Uint8Array): OrderColumns & { point: Uint32Array; sequence: Uint8Array } => {
  if (book.length % WORD_BYTES !== 0)
    throw new RangeError(`a book of ${book.length} bytes is no whole number of words`);
  const count = book.length / WORD_BYTES;
  const view = new DataView(book.buffer, book.byteOffset, book.byteLength);
  const columns = {
    count,
    point: new Uint32Array(count),
    sequence: new Uint8Array(count),
    zone: new Uint8Array(count),
    flags: new Uint8Array(count),
    energyWh: new Uint32Array(count),
    price: new Float64Array(count),
  };
  for (let i = 0, at = 0; i < count; i += 1, at += WORD_BYTES) {
    columns.point[i] = view.getUint32(at);
    columns.sequence[i] = view.getUint8(at + 4);
    columns.zone[i] = view.getUint8(at + 5);
    columns.flags[i] = view.getUint8(at + 6);
    columns.energyWh[i] = view.getUint32(at + 7);
    columns.price[i] = view.getInt8(at + 11) * 2 ** 32 + view.getUint32(at + 12);
  }
  return columns;
};

/** Encodes columns as a book. Without `point` and `sequence` every order is a point of its own. */
export const encodeBook = (columns: OrderColumns): Uint8Array => {
  const book = new Uint8Array(columns.count * WORD_BYTES);
  const view = new DataView(book.buffer);
  for (let i = 0, at = 0; i < columns.count; i += 1, at += WORD_BYTES) {
    const price = columns.price[i] as number;
    const raw = price < 0 ? price + INT40 : price;
    view.setUint32(at, columns.point?.[i] ?? i);
    view.setUint8(at + 4, columns.sequence?.[i] ?? 1);
    view.setUint8(at + 5, columns.zone[i] as number);
    view.setUint8(at + 6, columns.flags[i] as number);
    view.setUint32(at + 7, columns.energyWh[i] as number);
    view.setUint8(at + 11, Math.floor(raw / 2 ** 32));
    view.setUint32(at + 12, raw >>> 0);
  }
  return book;
};

/**
 * Marks the live orders. A later order of a point replaces its earlier one: the live words of a point are the last run of
 * equal sequence among its words (as in ClearingBook.sol). Words without energy are cancellations and never live.
 * @returns 1 = live, per order
 */
export const liveOrders = (columns: OrderColumns): Uint8Array => {
  const { count, point, sequence, energyWh } = columns;
  const live = new Uint8Array(count);
  if (!point || !sequence) {
    for (let i = 0; i < count; i += 1) live[i] = energyWh[i] ? 1 : 0;
    return live;
  }
  const runs = new Map<number, { sequence: number; start: number }>();
  for (let i = 0; i < count; i += 1) {
    const owner = point[i] as number;
    const run = runs.get(owner);
    const own = sequence[i] as number;
    if (!run) runs.set(owner, { sequence: own, start: i });
    else if (run.sequence !== own) {
      run.sequence = own;
      run.start = i;
    }
  }
  for (let i = 0; i < count; i += 1) {
    const run = runs.get(point[i] as number);
    live[i] = energyWh[i] && run && i >= run.start ? 1 : 0;
  }
  return live;
};
