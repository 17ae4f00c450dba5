import { toBeHex, zeroPadValue } from "ethers";
import { tryAgain, wrongInput } from "../platform/errors.ts";
import { rpcBatch } from "../platform/follow.ts";
import type { PooledProvider } from "../platform/provider.ts";
import type { Addresses } from "./addresses.ts";
import { checkBook, type SlotMarket } from "./clearing.ts";
import { connectContracts } from "./contracts.ts";
import { decodeLog, type ChainEvent, type RawLog } from "./events.ts";
import { countOf, encodeBatches } from "./words.ts";

/** Reads one slot's market from a chain alone: what an outsider has who knows an RPC URL and the contracts' addresses. */
export interface SlotReader {
  /** The newest block: number and chain time, unix seconds. */
  head(): Promise<{ number: number; timestamp: number }>;
  /** Words in the slot's book as the chain counts them; 0 = no orders. */
  wordCount(slot: number): Promise<number>;
  /** Who cleared the slot; undefined while nobody has. */
  clearedBy(slot: number): Promise<{ clearer: string; txHash: string } | undefined>;
  /**
   * The slot's book rebuilt from events and checked against the chain's hash, its network and its terms.
   * @throws DaegError exit 75 when the node does not have all events
   */
  market(slot: number): Promise<SlotMarket>;
}

/** Blocks in one question for events; nodes refuse longer ranges. */
const BLOCKS = 5_000;

/**
 * @throws DaegError exit 1 when no auction stands at the address
 */
export const createSlotReader = async (provider: PooledProvider, addresses: Addresses): Promise<SlotReader> => {
  for (const name of ["auction", "orderBook", "grid", "tariffs"] as const) {
    if ((await provider.getCode(addresses[name])) === "0x") {
      throw wrongInput(`addresses file: no contract stands at ${name} ${addresses[name]}: is the file this chain's?`);
    }
  }
  const { auction, orderBook, grid, tariffs } = connectContracts(addresses, provider);

  const head = async (): Promise<{ number: number; timestamp: number }> => {
    const [block] = (await rpcBatch(provider, [{ method: "eth_getBlockByNumber", params: ["latest", false] }])) as [
      { number: string; timestamp: string },
    ];
    return { number: Number(block.number), timestamp: Number(block.timestamp) };
  };

  /** A slot's events of one kind, in order, the newest blocks read first; `enough` ends the search. */
  const eventsOf = async <Name extends ChainEvent["name"]>(
    name: Name,
    topic: string,
    address: string,
    slot: number,
    enough: (found: Extract<ChainEvent, { name: Name }>[]) => boolean,
  ): Promise<Extract<ChainEvent, { name: Name }>[]> => {
    const found: Extract<ChainEvent, { name: Name }>[] = [];
    let through = (await head()).number;
    while (through >= addresses.deployedAtBlock && !enough(found)) {
      const from = Math.max(addresses.deployedAtBlock, through - BLOCKS + 1);
      const filter = {
        address,
        topics: [topic, zeroPadValue(toBeHex(slot), 32)],
        fromBlock: `0x${from.toString(16)}`,
        toBlock: `0x${through.toString(16)}`,
      };
      const [logs] = (await rpcBatch(provider, [{ method: "eth_getLogs", params: [filter] }])) as [RawLog[]];
      const events = logs.map(decodeLog).filter((event) => event?.name === name);
      found.unshift(...(events as Extract<ChainEvent, { name: Name }>[]));
      through = from - 1;
    }
    return found;
  };

  return {
    head,
    wordCount: async (slot) => Number((await orderBook.bookOf(slot)).wordCount),
    clearedBy: async (slot) => {
      if (/^0x0*$/.test(await auction.clearingOf(slot))) return undefined;
      const topic = auction.interface.getEvent("Cleared").topicHash;
      const [event] = await eventsOf("Cleared", topic, addresses.auction, slot, ({ length }) => length > 0);
      return { clearer: event?.clearer ?? "somebody", txHash: event?.txHash ?? "unknown" };
    },
    market: async (slot) => {
      const { book, wordCount } = await orderBook.bookOf(slot);
      const topic = orderBook.interface.getEvent("Appended").topicHash;
      const wordsOf = (found: readonly { words: string }[]): string =>
        `0x${found.map(({ words }) => words.slice(2)).join("")}`;
      const complete = (found: readonly { words: string }[]): boolean =>
        wordsOf(found).length >= 2 + 32 * Number(wordCount);
      const appended = await eventsOf("Appended", topic, addresses.orderBook, slot, complete);
      const words = wordsOf(appended);
      const batches = encodeBatches(appended.map((event) => countOf(event.words)));
      try {
        checkBook({ chainId: addresses.chainId, orderBook: addresses.orderBook, slot }, { words, batches }, book);
      } catch (cause) {
        throw tryAgain("this node does not have all events of the slot: use another --rpc", { cause });
      }
      const [zones, own] = await Promise.all([grid.gridOf(slot), tariffs.termsOf(slot)]);
      return {
        words,
        batches,
        grid: zones.map(({ parent, toParentWh, fromParentWh, backupCapacityWh }) => ({
          parent: Number(parent),
          toParentWh,
          fromParentWh,
          backupCapacityWh,
        })),
        terms: {
          importTariff: Number(own.importTariff),
          exportTariff: Number(own.exportTariff),
          fee: Number(own.fee),
          bandMin: Number(own.bandMin),
          bandMax: Number(own.bandMax),
          reference: Number(own.reference_),
        },
      };
    },
  };
};
