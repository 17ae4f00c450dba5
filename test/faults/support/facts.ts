import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { LocalSystem } from "../../../scripts/local/system.ts";
import { openReadOnly } from "../../../services/platform/read-store.ts";
import type { Store } from "../../../services/platform/store.ts";
import type { OrderBody } from "../../../services/protocol/api.ts";
import {
  clearingOf,
  paymentsOf,
  problems,
  type ClearingRow,
  type PaymentRow,
} from "../../../services/protocol/market-store.ts";

/** An order that an agent was told is accepted (202). */
export interface AcceptedOrder {
  point: number;
  slot: number;
  sequence: number;
  body: OrderBody;
}

export interface OrderFate {
  point: number;
  slot: number;
  sequence: number;
  state: string;
}

export interface BookWord {
  slot: number;
  point: number;
  sequence: number;
  sell: number;
  energyWh: number;
  price: number;
}

/** What is left on disk and on chain after a run. */
export interface RunFacts {
  firstSlot: number;
  lastSlot: number;
  payments: PaymentRow[];
  clearings: Map<number, ClearingRow>;
  /** Every settlement of a slot of the run, in the order of the chain. */
  settlements: { slot: number; status: string; version: number }[];
  estimatedSlots: number[];
  reports: { slot: number; version: number }[];
  /** Differences that the indexer found between the contract's money and its own. */
  problems: string[];
  accepted: AcceptedOrder[];
  fates: OrderFate[];
  book: BookWord[];
  /** Transactions of the auctioneer: intents in its store, and its nonce on chain. */
  outgoing: { key: string; nonce: number; mined: boolean }[];
  auctioneerNonce: number;
}

const storesIn = (dir: string, pattern: RegExp): string[] =>
  (readdirSync(dir, { recursive: true }) as string[])
    .filter((path) => pattern.test(path))
    .map((path) => join(dir, path));

/** Reads the stores of indexer, auctioneer and agents at the end of a run. */
export const collectFacts = async (system: LocalSystem, store: Store): Promise<RunFacts> => {
  const { plan, wiring, provider, children } = system;
  const range = { first: plan.firstSlot, last: plan.firstSlot + plan.slots - 1 };
  const of = <T>(sql: string): T[] => store.all<T>(sql, range.first, range.last);
  const clearings = new Map<number, ClearingRow>();
  for (let slot = range.first; slot <= range.last; slot += 1) {
    const clearing = clearingOf(store, slot);
    if (clearing) clearings.set(slot, clearing);
  }

  const auctioneer = openReadOnly(storesIn(wiring.storeDir, /^auctioneer.*\.sqlite$/)[0] as string);
  const fates = auctioneer.all<OrderFate>("SELECT point, slot, sequence, state FROM orders");
  const intents = auctioneer.all<{ key: string; nonce: number; hash: string }>("SELECT key, nonce, hash FROM outgoing");
  auctioneer.close();
  const outgoing = await Promise.all(
    intents.map(async ({ key, nonce, hash }) => {
      const receipt = await provider.getTransactionReceipt(hash);
      return { key, nonce, mined: receipt !== null };
    }),
  );
  const accepted = storesIn(wiring.storeDir, /^agent-.*\.sqlite$/).flatMap((path) => {
    const agent = openReadOnly(path);
    const rows = agent.all<{ point: number; slot: number; body: string }>(
      "SELECT point, slot, body FROM orders WHERE state = 'posted'",
    );
    agent.close();
    return rows.map(({ point, slot, body }) => {
      const order = JSON.parse(body) as OrderBody;
      return { point, slot, sequence: order.sequence, body: order };
    });
  });
  const address = children.get("auctioneer")?.info["address"] as string;
  return {
    firstSlot: range.first,
    lastSlot: range.last,
    payments: paymentsOf(store, range),
    clearings,
    settlements: of("SELECT slot, status, version FROM settlements WHERE slot BETWEEN ? AND ? ORDER BY block, log"),
    estimatedSlots: of<{ slot: number }>("SELECT slot FROM estimates WHERE slot BETWEEN ? AND ? ORDER BY slot").map(
      ({ slot }) => slot,
    ),
    reports: of("SELECT slot, version FROM reports WHERE slot BETWEEN ? AND ? ORDER BY slot, version"),
    problems: problems(store).map(({ message }) => message),
    accepted,
    fates,
    book: store.all<BookWord>("SELECT slot, point, sequence, sell, energyWh, price FROM orders ORDER BY slot, at"),
    outgoing,
    auctioneerNonce: await provider.getTransactionCount(address, "latest"),
  };
};
