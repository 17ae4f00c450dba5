import { ZeroAddress, type Wallet } from "ethers";
import type { Contracts } from "../../../services/protocol/contracts.ts";
import { decodeLogs } from "../../../services/protocol/day-events.ts";
import {
  packDayOrders,
  signDayOrder,
  type DayOrder,
  type SignedDayOrder,
} from "../../../services/protocol/day-order.ts";
import { eventsOfReceipt } from "../../../services/protocol/events.ts";
import { orderDomain } from "../../../services/protocol/order.ts";
import { expandDays } from "../../../services/protocol/day-events.ts";
import { encodeBatches, bookHash, bookStart } from "../../../services/protocol/words.ts";
import type { World } from "./world.ts";

/** [energy Wh: positive sells, price] of each step, slot by slot; a slot's missing steps are zeros. */
export type DaySteps = [number, number][][];

export const dayOrderOf = (
  point: number,
  firstSlot: number,
  slots: DaySteps,
  sequence = 1,
  green = false,
): DayOrder => {
  const stepsPerSlot = Math.max(1, ...slots.map(({ length }) => length));
  const padded = slots.flatMap((steps) => [
    ...steps,
    ...Array<[number, number]>(stepsPerSlot - steps.length).fill([0, 0]),
  ]);
  return {
    point,
    firstSlot,
    stepsPerSlot,
    sequence,
    green,
    energyWh: padded.map(([energyWh]) => energyWh),
    priceMicroPerKwh: padded.map(([, price]) => price),
  };
};

/** Signed by the point's owner, or by `signer` as its delegate. */
export const signedDay = (
  world: World,
  order: DayOrder,
  signer?: Wallet,
  delegated = false,
  packed = false,
): Promise<SignedDayOrder> => {
  const by = signer ?? (world.owners[order.point] as Wallet);
  return signDayOrder(by, orderDomain(world.addresses), order, delegated ? by.address : ZeroAddress, packed);
};

/** Sends day orders, and tells what the chain said of them. */
export const appendDays = async (world: World, orders: readonly SignedDayOrder[], runner: Contracts = world.c) =>
  sendDays(world, packDayOrders(orders), runner);

export const sendDays = async (world: World, packed: string, runner: Contracts = world.c) => {
  const receipt = await (await runner.orderBook.appendDays(packed, { gasLimit: 16_777_216 })).wait();
  if (!receipt) throw new Error("no receipt");
  const events = expandDays(eventsOfReceipt(receipt, world.addresses.orderBook));
  return {
    gasUsed: receipt.gasUsed,
    /** Words of each slot. */
    words: new Map(events.flatMap((event) => (event.name === "Appended" ? [[event.slot, event.words] as const] : []))),
    skippedSlots: events.flatMap((event) => (event.name === "OrderSkipped" ? [[event.slot, event.reason]] : [])),
    skippedDays: events.flatMap((event) => (event.name === "DaySkipped" ? [[event.point, event.reason]] : [])),
    taken: events.filter(({ name }) => name === "DayOrderAppended").length,
  };
};

/** A slot's whole book by the events of the chain, and whether it folds to what the chain holds. */
export const bookByEvents = async (world: World, slot: number): Promise<{ words: string[]; matches: boolean }> => {
  const logs = (await world.provider.send("eth_getLogs", [
    { address: world.addresses.orderBook, fromBlock: "0x0", toBlock: "latest" },
  ])) as Parameters<typeof decodeLogs>[0];
  const batches = decodeLogs(logs).flatMap((event) =>
    event.name === "Appended" && event.slot === slot ? [event] : [],
  );
  const words = batches.map((batch) => batch.words);
  const all = `0x${words.map((part) => part.slice(2)).join("")}`;
  const counts = encodeBatches(words.map((part) => (part.length - 2) / 32));
  const start = bookStart(world.addresses.chainId, world.addresses.orderBook, slot);
  const [book, wordCount] = await world.c.orderBook.bookOf(slot);
  const last = batches.at(-1);
  const matches =
    bookHash(start, all, counts) === book &&
    wordCount === BigInt((all.length - 2) / 32) &&
    (last === undefined || (last.book === book && BigInt(last.wordCount) === wordCount));
  return { words, matches };
};
