import type { PooledProvider } from "../platform/provider.ts";
import { createFollower, rpcBatch, type BlockRef, type ChainLog } from "../platform/follow.ts";
import type { Log } from "../platform/log.ts";
import type { Store } from "../platform/store.ts";
import { decodeLogs } from "../protocol/day-events.ts";
import type { ChainEvent } from "../protocol/events.ts";
import type { Addresses } from "../protocol/addresses.ts";
import { foldTransaction, type TransactionFacts } from "./fold.ts";
import { TABLES } from "./schema.ts";

export interface Indexer {
  /** Brings the store up to the head of the chain; survives reorganisations. Retryable error when the chain does not answer. */
  catchUp(): Promise<void>;
}

const RECEIPTS_PER_BATCH = 100;

/** The contracts whose events the store is made of. */
export const indexedAddresses = (addresses: Addresses): string[] => [
  addresses.meteringPoints,
  addresses.grid,
  addresses.tariffs,
  addresses.ledger,
  addresses.orderBook,
  addresses.auction,
  addresses.meterOracle,
  addresses.settlement,
  addresses.envelopes,
  addresses.bilaterals,
  addresses.emergency,
];

/** Chain events to store. The store alone remembers what was seen, so a crash at any line only repeats a read. */
export const createIndexer = ({
  provider,
  store,
  addresses,
  startBlock,
  log,
}: {
  provider: PooledProvider;
  store: Store;
  /** Contracts whose events count. */
  addresses: readonly string[];
  startBlock: number;
  log: Log;
}): Indexer => {
  const follower = createFollower({ provider, addresses, startBlock });
  const known = new Set(addresses.map((address) => address.toLowerCase()));

  const rollBack = async (): Promise<void> => {
    const candidates = store.all<{ block: number; hash: string }>("SELECT block, hash FROM blocks ORDER BY block DESC");
    const fork = await follower.forkPoint(candidates.map(({ block, hash }): BlockRef => ({ number: block, hash })));
    const above = fork?.number ?? -1;
    store.transaction(() => {
      for (const table of TABLES) store.run(`DELETE FROM ${table} WHERE block > ?`, above);
      store.run("DELETE FROM cursor");
      if (fork) store.run("INSERT INTO cursor VALUES (1, ?, ?, 0)", fork.number, fork.hash);
    });
    log.warn({ forkBlock: above }, "the chain was reorganised: rolled back");
  };

  const gasOf = async (transactions: readonly string[]): Promise<Map<string, number>> => {
    const gasUsed = new Map<string, number>();
    for (let at = 0; at < transactions.length; at += RECEIPTS_PER_BATCH) {
      const part = transactions.slice(at, at + RECEIPTS_PER_BATCH);
      const receipts = (await rpcBatch(
        provider,
        part.map((tx) => ({ method: "eth_getTransactionReceipt", params: [tx] })),
      )) as Array<{ gasUsed: string } | null>;
      part.forEach((tx, index) => gasUsed.set(tx, Number(receipts[index]?.gasUsed ?? 0)));
    }
    return gasUsed;
  };

  const catchUp = async (): Promise<void> => {
    for (;;) {
      const cursor = store.get<BlockRef>("SELECT number, hash FROM cursor");
      const step = await follower.after(cursor);
      if (step.reorganised) {
        await rollBack();
        continue;
      }
      const groups = groupByTransaction(eventsOf(step.logs, known, step.head.number));
      const gasUsed = await gasOf([...groups.keys()]);
      store.transaction(() => {
        for (const events of groups.values()) {
          const [first] = events as [ChainEvent];
          store.run("INSERT OR IGNORE INTO blocks VALUES (?, ?)", first.block, first.blockHash);
          insertFacts(store, foldTransaction(store, events), gasUsed.get(first.txHash) ?? 0);
        }
        const { number, hash, timestamp } = step.head;
        store.run("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?, ?)", number, hash, timestamp);
      });
      if (!step.more) return;
    }
  };
  return { catchUp };
};

const eventsOf = (logs: readonly ChainLog[], known: ReadonlySet<string>, through: number): ChainEvent[] =>
  decodeLogs(logs.filter((log) => known.has(log.address.toLowerCase()) && Number(log.blockNumber) <= through));

const groupByTransaction = (events: readonly ChainEvent[]): Map<string, ChainEvent[]> => {
  const groups = new Map<string, ChainEvent[]>();
  for (const event of events) {
    const group = groups.get(event.txHash);
    if (group) group.push(event);
    else groups.set(event.txHash, [event]);
  }
  return groups;
};

const insertFacts = (store: Store, facts: TransactionFacts, gasUsed: number): void => {
  store.run(
    "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)",
    ...[facts.tx, facts.block, facts.kind, gasUsed, facts.orders, facts.words, facts.meterSlots],
  );
};
