import { messageOf } from "../platform/errors.ts";
import type { PooledProvider } from "../platform/provider.ts";
import type { Log } from "../platform/log.ts";
import type { Sender } from "../platform/sender.ts";
import type { Store } from "../platform/store.ts";
import { decodeContractError, type ContractError } from "../protocol/contracts.ts";
import type { AuctioneerConfig } from "./config.ts";
import type { ChainView } from "./view.ts";

/** Where the contracts are, as far as the auctioneer calls them. */
export interface MarketAddresses {
  orderBook: string;
  sealedBatches: string;
  auction: string;
  settlement: string;
}

/** What every stage of a tick works with. */
export interface Context {
  config: AuctioneerConfig;
  store: Store;
  provider: PooledProvider;
  view: () => ChainView;
  /** Address of the transactions' sender. */
  sender: string;
  send: Sender["send"];
  chainId: number;
  addresses: MarketAddresses;
  log: Log;
  failures: Failures;
}

export interface Failure {
  stage: string;
  slot: number;
  message: string;
  /** How often in a row. */
  times: number;
}

/** Failures of single slots: told in the status, never in the way of other slots. */
export interface Failures {
  add(stage: string, slot: number, message: string): void;
  clear(stage: string, slot: number): void;
  /** Of slots up to `slot`: they are final, nothing is left to do. */
  forget(slot: number): void;
  list(): Failure[];
}

/** What a contract said, when it was a contract. */
export const contractErrorOf = (error: unknown): ContractError | undefined => decodeContractError(error);

/** A failure in words: the contract's own where it refused. */
export const reasonOf = (error: unknown): string => contractErrorOf(error)?.words ?? messageOf(error);

export const createFailures = (log: Log): Failures => {
  const found = new Map<string, Failure>();
  return {
    add: (stage, slot, message) => {
      const key = `${stage}:${slot}`;
      const times = (found.get(key)?.times ?? 0) + 1;
      found.set(key, { stage, slot, message, times });
      // Powers of two: a slot that keeps failing does not fill the log.
      if ((times & (times - 1)) === 0) log.warn({ stage, slot, times, error: message }, "a slot failed, others go on");
    },
    clear: (stage, slot) => {
      found.delete(`${stage}:${slot}`);
    },
    forget: (slot) => {
      for (const [key, failure] of found) if (failure.slot <= slot) found.delete(key);
    },
    list: () => [...found.values()],
  };
};
