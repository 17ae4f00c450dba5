import { toBeHex, zeroPadValue } from "ethers";
import { tryAgain, wrongInput } from "../platform/errors.ts";
import { rpcBatch } from "../platform/follow.ts";
import type { PooledProvider } from "../platform/provider.ts";
import type { Addresses } from "./addresses.ts";
import { checkBook, checkTrades, type SlotMarket } from "./clearing.ts";
import { connectContracts } from "./contracts.ts";
import { appendedWords, decodeLogs } from "./day-events.ts";
import type { ChainEvent, RawLog } from "./events.ts";
import { createTradeLists, isTradeEvent } from "./trade-list.ts";
import { tradesHash } from "./trade.ts";
import { countOf, encodeBatches } from "./words.ts";

/** Reads one slot's market from a chain alone: what an outsider has who knows an RPC URL and the contracts' addresses. */
export interface SlotReader {
  /** The newest block: number and chain time, unix seconds. */
  head(): Promise<{ number: number; timestamp: number }>;
  /** Words in the slot's book, and in its list of bilateral trades, as the chain counts them; 0 = nothing to clear. */
  wordCount(slot: number): Promise<number>;
  /** Who cleared the slot; undefined while nobody has. */
  clearedBy(slot: number): Promise<{ clearer: string; txHash: string } | undefined>;
  /**
   * The slot's book rebuilt from events and checked against the chain's hash, its network and its terms.
   * @throws DaegError exit 75 when the node does not have all events
   */
  market(slot: number): Promise<SlotMarket>;
}

const topicOf = (slot: number): string => zeroPadValue(toBeHex(slot), 32);

/** A log's place on the chain, as one number. */
const placeOf = ({ blockNumber, logIndex }: RawLog): number => Number(blockNumber) * 2 ** 20 + Number(logIndex);

/** Blocks in one question for events; nodes refuse longer ranges. */
const BLOCKS = 5_000;

/**
 * @throws DaegError exit 1 when no auction stands at the address
 */
export const createSlotReader = async (provider: PooledProvider, addresses: Addresses): Promise<SlotReader> => {
  for (const name of ["auction", "orderBook", "bilaterals", "grid", "tariffs"] as const) {
    if ((await provider.getCode(addresses[name])) === "0x") {
      throw wrongInput(`addresses file: no contract stands at ${name} ${addresses[name]}: is the file this chain's?`);
    }
  }
  const { auction, orderBook, bilaterals, grid, tariffs } = connectContracts(addresses, provider);

  const head = async (): Promise<{ number: number; timestamp: number }> => {
    const [block] = (await rpcBatch(provider, [{ method: "eth_getBlockByNumber", params: ["latest", false] }])) as [
      { number: string; timestamp: string },
    ];
    return { number: Number(block.number), timestamp: Number(block.timestamp) };
  };

  /** Events behind several filters, in order, the newest blocks read first; `enough` ends the search. */
  const eventsOf = async (
    filters: readonly { address: string; topics: unknown[] }[],
    enough: (found: ChainEvent[]) => boolean,
  ): Promise<ChainEvent[]> => {
    const found: ChainEvent[] = [];
    let through = (await head()).number;
    while (through >= addresses.deployedAtBlock && !enough(found)) {
      const from = Math.max(addresses.deployedAtBlock, through - BLOCKS + 1);
      const range = { fromBlock: `0x${from.toString(16)}`, toBlock: `0x${through.toString(16)}` };
      const answers = await rpcBatch(
        provider,
        filters.map((filter) => ({ method: "eth_getLogs", params: [{ ...filter, ...range }] })),
      );
      const logs = (answers as RawLog[][]).flat();
      found.unshift(...decodeLogs(logs.sort((a, b) => placeOf(a) - placeOf(b))));
      through = from - 1;
    }
    return found;
  };

  /** The slot's list of bilateral trades, which names none of its slots: read back until it is whole. */
  const tradesOf = async (slot: number): Promise<string> => {
    const { hash, count } = await bilaterals.tradesOf(slot);
    if (count === 0n) return "0x";
    const listed = (events: readonly ChainEvent[]): string => {
      const lists = createTradeLists();
      for (const event of events) if (isTradeEvent(event)) lists.add(event);
      return lists.of(slot);
    };
    const filter = { address: addresses.bilaterals, topics: [] };
    const trades = listed(await eventsOf([filter], (found) => tradesHash(listed(found)) === hash));
    checkTrades(slot, trades, hash);
    return trades;
  };

  return {
    head,
    wordCount: async (slot) => {
      const [{ wordCount }, { count }] = await Promise.all([orderBook.bookOf(slot), bilaterals.tradesOf(slot)]);
      return Number(wordCount + count);
    },
    clearedBy: async (slot) => {
      if (/^0x0*$/.test(await auction.clearingOf(slot))) return undefined;
      const topics = [auction.interface.getEvent("Cleared").topicHash, topicOf(slot)];
      const found = await eventsOf([{ address: addresses.auction, topics }], ({ length }) => length > 0);
      const event = found.find((one) => one.name === "Cleared");
      return { clearer: event?.clearer ?? "somebody", txHash: event?.txHash ?? "unknown" };
    },
    market: async (slot) => {
      const { book, wordCount } = await orderBook.bookOf(slot);
      const topic = (name: "Appended" | "DaysAppended" | "ZonesVoided"): string =>
        orderBook.interface.getEvent(name).topicHash;
      const address = addresses.orderBook;
      const filters = [
        { address, topics: [topic("Appended"), topicOf(slot)] },
        { address, topics: [[topic("DaysAppended"), topic("ZonesVoided")]] },
      ];
      const found = await eventsOf(
        filters,
        (events) => countOf(appendedWords(events, slot).words) >= Number(wordCount),
      );
      const { words, batches: appended } = appendedWords(found, slot);
      const batches = encodeBatches(appended);
      let trades: string;
      try {
        trades = await tradesOf(slot);
        checkBook({ chainId: addresses.chainId, orderBook: addresses.orderBook, slot }, { words, batches }, book);
      } catch (cause) {
        throw tryAgain("this node does not have all events of the slot: use another --rpc", { cause });
      }
      const [[zones, limits], own] = await Promise.all([grid.networkOf(slot), tariffs.termsOf(slot)]);
      return {
        words,
        batches,
        trades,
        grid: zones.map(({ parent, toParentWh, fromParentWh, backupCapacityWh }) => ({
          parent: Number(parent),
          toParentWh,
          fromParentWh,
          backupCapacityWh,
        })),
        limits,
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
