import { slotsOf, splitDayOrders, stepsBySlot, unpackDayOrder } from "./day-order.ts";
import { decodeLog, type ChainEvent, type RawLog } from "./events.ts";
import { expandSlots } from "./settling.ts";
import { countOf, encodeBook, type Batch } from "./words.ts";

type DayOrderAppended = Extract<ChainEvent, { name: "DayOrderAppended" }>;
type DaysAppended = Extract<ChainEvent, { name: "DaysAppended" }>;
type Appended = Extract<ChainEvent, { name: "Appended" }>;

/**
 * DAEG's events among the logs of whole transactions, in order, with every day order's words as `Appended` of their slots, and what was
 * settled packed as `Settled`.
 */
export const decodeLogs = (logs: readonly RawLog[]): ChainEvent[] =>
  expandDays(logs.flatMap((log) => decodeLog(log) ?? []).flatMap(expandSlots));

/**
 * Puts in the place of `DaysAppended` what it tells: a `DayOrderAppended` for each order that was taken, then an `Appended` for each
 * slot, the batch that `OrderBook.appendDays` folded into its book. What knows single orders then knows day orders.
 */
export const expandDays = (events: readonly ChainEvent[]): ChainEvent[] =>
  events.flatMap((event) => {
    if (event.name !== "DaysAppended") return [event];
    const orders = ordersOf(event);
    return [...orders, ...batchesOf(event, orders)];
  });

/** Flags of an outcome: 4 bytes slot of the margin, 32 bytes slots that were taken and got words, follow. */
const MARGINED = 32;
const PARTLY = 64;

const ordersOf = ({ outcomes, orders, block, blockHash, txHash, logIndex }: DaysAppended): DayOrderAppended[] => {
  let at = 2;
  const take = (bytes: number): bigint => {
    at += 2 * bytes;
    return BigInt(`0x${outcomes.slice(at - 2 * bytes, at)}`);
  };
  return splitDayOrders(orders).map((order) => {
    const [zone, flags] = [Number(take(1)), Number(take(1))];
    if (flags & MARGINED) take(4);
    const all = (1n << BigInt(slotsOf(unpackDayOrder(order)))) - 1n;
    const [taken, worded] = flags & PARTLY ? [take(16), take(16)] : [all, all];
    const place = { block, blockHash, txHash, logIndex };
    return { name: "DayOrderAppended", zone, priority: flags & 3, taken, worded, order, ...place };
  });
};

/** 32 bytes hash and 4 bytes count. */
const RECORD_HEX = 72;

const batchesOf = (end: DaysAppended, orders: readonly DayOrderAppended[]): Appended[] => {
  const words = new Map<number, string>();
  for (const order of orders) {
    for (const [slot, added] of wordsOf(order)) words.set(slot, (words.get(slot) ?? "") + added);
  }
  const batches: Appended[] = [];
  for (let at = 2; at < end.books.length; at += RECORD_HEX) {
    const slot = end.firstSlot + (at - 2) / RECORD_HEX;
    const added = words.get(slot);
    if (added === undefined) continue;
    const book = `0x${end.books.slice(at, at + 64)}`;
    const wordCount = parseInt(end.books.slice(at + 64, at + RECORD_HEX), 16);
    const { block, blockHash, txHash, logIndex } = end;
    batches.push({ name: "Appended", slot, words: `0x${added}`, book, wordCount, block, blockHash, txHash, logIndex });
  }
  return batches;
};

/** The words that a day order added to each slot, hex without 0x. */
const wordsOf = ({ zone, priority, worded, order: packed }: DayOrderAppended): Map<number, string> => {
  const order = unpackDayOrder(packed);
  const { point, sequence, firstSlot } = order;
  const words = new Map<number, string>();
  stepsBySlot(order).forEach((steps, at) => {
    if (((worded >> BigInt(at)) & 1n) === 0n) return;
    const cancels = [{ sell: false, green: false, energyWh: 0, priceMicroPerKwh: 0 }];
    const fields = (steps.length === 0 ? cancels : steps).map(({ priceMicroPerKwh: price, ...step }) => ({
      point,
      sequence,
      zone,
      // A cancellation has no flags.
      priority: steps.length === 0 ? 0 : priority,
      price,
      ...step,
    }));
    words.set(firstSlot + at, encodeBook(fields).slice(2));
  });
  return words;
};

/** What names a day order: no other of these three is ever taken for the same slots. */
export const dayKeyOf = ({
  point,
  firstSlot,
  sequence,
}: {
  point: number;
  firstSlot: number;
  sequence: number;
}): string => `${point}:${firstSlot}:${sequence}`;

/** Slots of a day order that were taken: its sequence is theirs now, with words or without. */
export const takenSlotsOf = ({
  taken,
  order,
}: DayOrderAppended): { point: number; firstSlot: number; sequence: number; slots: number[] } => {
  const { point, sequence, firstSlot } = unpackDayOrder(order);
  const slots: number[] = [];
  for (let at = 0; taken >> BigInt(at) > 0n; at += 1) if ((taken >> BigInt(at)) & 1n) slots.push(firstSlot + at);
  return { point, firstSlot, sequence, slots };
};

/** Words of a slot that events of whole transactions have, and the batches they came in, with voids of zones between them. */
export const appendedWords = (events: readonly ChainEvent[], slot: number): { words: string; batches: Batch[] } => {
  let words = "0x";
  const batches: Batch[] = [];
  for (const event of events) {
    if (event.name === "Appended" && event.slot === slot) {
      words += event.words.slice(2);
      batches.push(countOf(event.words));
    } else if (event.name === "ZonesVoided" && isVoidedBy(event, slot)) {
      // An empty book has nothing to void.
      if (batches.length > 0) batches.push(event.zones);
    }
  }
  return { words, batches };
};

/** Whether the slot's book, if it has words, was voided for the event's zones. */
export const isVoidedBy = (
  { firstSlot, throughSlot }: Extract<ChainEvent, { name: "ZonesVoided" }>,
  slot: number,
): boolean => slot >= firstSlot && slot <= throughSlot;
