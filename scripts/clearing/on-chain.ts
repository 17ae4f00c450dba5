import { readFileSync } from "node:fs";
import { getBytes, isError, Wallet, type TransactionReceipt } from "ethers";
import { explainClearing } from "../../services/core/market/explain.ts";
import { explainTrades } from "../../services/core/market/explain-trades.ts";
import { limitBehind } from "../../services/core/market/mesh/explain.ts";
import { decodeBook } from "../../services/core/market/words.ts";
import { slotStart } from "../../services/platform/clock.ts";
import { loadConfig } from "../../services/platform/config.ts";
import { isRetryable, messageOf, refused, tryAgain, wrongInput } from "../../services/platform/errors.ts";
import { createLog } from "../../services/platform/log.ts";
import { createProvider, type PooledProvider } from "../../services/platform/provider.ts";
import { createSender, SENDER_MIGRATION } from "../../services/platform/sender.ts";
import { openStore } from "../../services/platform/store.ts";
import { addressesSchema, type Addresses } from "../../services/protocol/addresses.ts";
import {
  gateOf,
  solveSlot,
  submissionOf,
  zoneTermsOf,
  type SlotClearing,
  type SlotMarket,
} from "../../services/protocol/clearing.ts";
import { decodeContractError } from "../../services/protocol/contracts.ts";
import { decodeLog } from "../../services/protocol/events.ts";
import { decodeExtras } from "../../services/protocol/extras.ts";
import { unpackLimits } from "../../services/protocol/limits.ts";
import { MOST_GAS, postClearing } from "../../services/protocol/parts.ts";
import { bookStart } from "../../services/protocol/words.ts";
import { createSlotReader, type SlotReader } from "../../services/protocol/slot-market.ts";
import { decodeTradeWords, listedTrades } from "../../services/protocol/trade.ts";

export interface OutsiderOptions {
  readonly slot: number;
  readonly rpcUrl: string;
  readonly keyFile: string;
  readonly addressesFile: string;
}

/** What `daeg clear --chain` prints; money nano-token and large energies as decimal text. */
export interface ClearedOnChain {
  readonly slot: number;
  readonly clearer: string;
  readonly txHash: string;
  readonly gasUsed: number;
  readonly words: number;
  /** By zone. */
  readonly pricesMicroPerKwh: number[];
  /** By zone, where green-only bids are in the book; left out where they trade at the zone prices. */
  readonly greenPricesMicroPerKwh?: number[];
  /** Of every bilateral trade, in order of registration; left out where the slot has none. */
  readonly tradesWh?: string[];
  /** What the welfare may lack of the optimum, on a meshed network; left out where it is 0. */
  readonly gapBoundNano?: string;
  readonly boughtWh: string;
  readonly backupSoldWh: string;
  readonly backupBoughtWh: string;
  readonly congestionRentNano: string;
  readonly welfareNano: string;
}

const RPC_TIMEOUT_MS = 10_000;

/**
 * Clears a slot as a stranger: with an RPC URL, a key that holds some gas money, and the contracts' addresses.
 * @throws DaegError exit 1 where waiting does not help, 75 where it does, 2 when the contract refuses our solution
 */
export const clearOnChain = async (
  options: OutsiderOptions,
): Promise<{ result: ClearedOnChain; market: SlotMarket; clearing: SlotClearing }> => {
  const { slot } = options;
  const addresses = loadConfig(options.addressesFile, addressesSchema, "addresses file");
  const wallet = readWallet(options.keyFile);
  const provider = await connect(options.rpcUrl, addresses, options.addressesFile);
  try {
    const reader = await createSlotReader(provider, addresses);
    await checkTurn(reader, slot);
    const market = await reader.market(slot);
    const clearing = await solveSlot(market);
    const transaction = (data: string) => ({ from: wallet.address, to: addresses.auction, data });
    try {
      const receipt = await postClearing({
        submission: submissionOf(slot, market, clearing),
        zones: zoneTermsOf(market.grid, market.terms),
        clearing,
        bookStart: bookStart(addresses.chainId, addresses.orderBook, slot),
        call: (data) => provider.call(transaction(data)),
        send: async (key, data) => {
          await checkFunds(provider, wallet.address, await provider.estimateGas(transaction(data)));
          return send(provider, wallet, { key, to: addresses.auction, data });
        },
      });
      if (receipt.status !== 1) throw await lateError(reader, slot, receipt.hash);
      const result = describeReceipt(receipt, market);
      if (!result) throw refused(`transaction ${receipt.hash} succeeded without a Cleared event: is that the auction?`);
      return { result, market, clearing };
    } catch (error) {
      throw await inWords(error, reader, slot, wallet.address);
    }
  } finally {
    provider.destroy();
  }
};

const readWallet = (path: string): Wallet => {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw wrongInput(`--key-file: ${path} cannot be read: check path and permissions`, { cause });
  }
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw wrongInput(`--key-file: ${path} must hold a private key alone: 0x and 64 hex digits`);
  }
  try {
    return new Wallet(text);
  } catch {
    // The cause would show the key.
    throw wrongInput(`--key-file: ${path} holds no valid private key`);
  }
};

const connect = async (url: string, addresses: Addresses, file: string): Promise<PooledProvider> => {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw wrongInput(`--rpc: "${url}" is no URL: use one like http://127.0.0.1:8545`);
  }
  const provider = await createProvider({ urls: [url], timeoutMs: RPC_TIMEOUT_MS });
  const { chainId } = await provider.getNetwork();
  if (Number(chainId) === addresses.chainId) return provider;
  provider.destroy();
  throw wrongInput(`addresses file ${file} is for chain ${addresses.chainId}, --rpc leads to chain ${chainId}`);
};

const iso = (unixSeconds: number): string => new Date(unixSeconds * 1000).toISOString().replace(".000", "");

/** Is there something to clear, and is it the time for it? */
const checkTurn = async (reader: SlotReader, slot: number): Promise<void> => {
  const done = await reader.clearedBy(slot);
  if (done) throw alreadyCleared(slot, done);
  const { timestamp } = await reader.head();
  const gate = gateOf(slot);
  const start = slotStart(slot);
  if (timestamp >= start) {
    throw wrongInput(
      `slot ${slot} started at ${iso(start)}, it is ${iso(timestamp)} on the chain: too late to clear it`,
    );
  }
  if (timestamp <= gate) {
    throw tryAgain(
      `slot ${slot} takes orders until ${iso(gate)}, it is ${iso(timestamp)} on the chain: clear it after that and before ${iso(start)}`,
    );
  }
  if ((await reader.wordCount(slot)) === 0) throw wrongInput(`slot ${slot} has no orders: there is nothing to clear`);
};

const alreadyCleared = (slot: number, { clearer, txHash }: { clearer: string; txHash: string }): Error =>
  wrongInput(`slot ${slot} is cleared already, by ${clearer} in transaction ${txHash}: nothing is left to do`);

const lateError = async (reader: SlotReader, slot: number, txHash: string): Promise<Error> => {
  const done = await reader.clearedBy(slot);
  return done
    ? alreadyCleared(slot, done)
    : tryAgain(`transaction ${txHash} reverted, and nobody cleared slot ${slot}`);
};

const checkFunds = async (provider: PooledProvider, address: string, gas: bigint): Promise<void> => {
  if (gas > MOST_GAS) {
    throw wrongInput(
      `a part of this book needs ${gas} gas, one transaction takes ${MOST_GAS}: one batch of orders is too large`,
    );
  }
  const block = await provider.getBlock("latest");
  // What the sender bids, with its reserve of a fifth.
  const mostWei = ((gas * 6n) / 5n) * (2n * (block?.baseFeePerGas ?? 0n) + 1_000_000_000n);
  const balanceWei = await provider.getBalance(address);
  if (balanceWei < mostWei) throw noFunds(address, `holds ${balanceWei} wei, the transaction may cost ${mostWei}`);
};

const noFunds = (address: string, what: string): Error =>
  wrongInput(`--key-file: ${address} ${what}: send it some of the chain's own coin`);

const send = (
  provider: PooledProvider,
  wallet: Wallet,
  { key, to, data }: { key: string; to: string; data: string },
) => {
  const store = openStore(":memory:", [SENDER_MIGRATION]);
  const log = createLog({ name: "clear", level: "warn" });
  return createSender({ provider, wallet, store, log })
    .send({ key, to, data })
    .finally(() => store.close());
};

/** The auction's own event in the receipt, as the command prints it. */
const describeReceipt = (receipt: TransactionReceipt, { words }: SlotMarket): ClearedOnChain | undefined => {
  for (const { address, topics, data, blockNumber, blockHash, index } of receipt.logs) {
    const event = decodeLog({
      address,
      topics: [...topics],
      data,
      blockNumber: String(blockNumber),
      blockHash,
      transactionHash: receipt.hash,
      logIndex: String(index),
    });
    if (event?.name !== "Cleared") continue;
    const { greenPrices, trades, gapBoundNano } = decodeExtras(event.record.extras);
    return {
      slot: event.slot,
      clearer: event.clearer,
      txHash: receipt.hash,
      gasUsed: Number(receipt.gasUsed),
      words: (words.length - 2) / 32,
      pricesMicroPerKwh: event.record.prices.map(Number),
      ...(greenPrices.length > 0 ? { greenPricesMicroPerKwh: greenPrices.map(Number) } : {}),
      ...(trades.length > 0 ? { tradesWh: trades.map(({ filledWh }) => String(filledWh)) } : {}),
      ...(gapBoundNano > 0n ? { gapBoundNano: String(gapBoundNano) } : {}),
      boughtWh: String(event.boughtWh),
      backupSoldWh: String(event.record.backupSoldWh),
      backupBoughtWh: String(event.record.backupBoughtWh),
      congestionRentNano: String(event.record.congestionNano),
      welfareNano: String(event.welfareNano),
    };
  }
  return undefined;
};

/** One sentence per order word and per bilateral trade, why it was or was not filled. */
export const explainSlot = (
  { words, trades, grid, limits, terms }: SlotMarket,
  { postings, green, fillsWh, tradesWh, mu }: SlotClearing,
): string[] => {
  const columns = decodeBook(getBytes(words));
  const cleared = {
    columns,
    terms: zoneTermsOf(grid, terms),
    zoneNames: grid.map((_, zone) => `zone ${zone}`),
    prices: postings.map(({ price }) => price),
  };
  const full = unpackLimits(limits, grid.length).flatMap((limit, l) => {
    const own = mu[l] ?? 0n;
    return own === 0n ? [] : [{ ...limit, name: `limit ${l + 1}`, mu: own }];
  });
  return [
    ...explainClearing({
      ...cleared,
      orderNames: Array.from(columns.point, (point, i) => `word ${i + 1} of point ${point}`),
      lineName: (child) => `the line between zones ${child} and ${grid[child]?.parent}`,
      premiums: postings.map(({ price }, zone) => (green[zone]?.price ?? price) - price),
      ...(limits === "0x" ? {} : { behind: limitBehind(full) }),
      fillsWh,
    }),
    ...explainTrades({
      ...cleared,
      trades: listedTrades(trades),
      tradeNames: decodeTradeWords(trades).map(
        ({ seller, buyer }, i) => `trade ${i + 1} of points ${seller} and ${buyer}`,
      ),
      tradesWh,
    }),
  ];
};

/** What went wrong between the simulation and the receipt, in words. */
const inWords = async (error: unknown, reader: SlotReader, slot: number, address: string): Promise<unknown> => {
  const told = decodeContractError(error);
  if (told?.name === "AlreadyCleared") return lateError(reader, slot, "of ours");
  if (told?.name === "NotBetweenGateAndStart")
    return checkTurn(reader, slot).then(
      () => tryAgain(told.words),
      (e) => e,
    );
  if (told) return refused(`the auction refuses this solution: ${told.words}`, { cause: error });
  if (isError(error, "INSUFFICIENT_FUNDS")) return noFunds(address, "holds too little for the transaction");
  return isRetryable(error) ? tryAgain(messageOf(error), { cause: error }) : error;
};
