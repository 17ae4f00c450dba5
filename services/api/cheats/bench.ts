import { keccak256, Wallet } from "ethers";
import { slotAt, slotStart } from "../../platform/clock.ts";
import { messageOf, tryAgain } from "../../platform/errors.ts";
import type { CheatKind, CheatResult } from "../../protocol/api.ts";
import { gateOf } from "../../protocol/clearing.ts";
import { connectContracts, decodeContractError, type ContractError, type Contracts } from "../../protocol/contracts.ts";
import type { ApiConfig } from "../config.ts";
import type { ApiContext } from "../context.ts";
import { solvedSlot, type Solved } from "../market.ts";

export type LocalConfig = NonNullable<ApiConfig["local"]>;

/** What a cheat tells; its kind is known to the caller. */
export type CheatOutcome = Omit<CheatResult, "kind">;

/** One way to cheat: builds a transaction that breaks a rule, really sends it, and tells what the contract said. */
export type Cheat = (bench: Bench) => Promise<CheatOutcome>;

export type Cheats = Record<CheatKind, Cheat>;

export interface Bench {
  context: ApiContext;
  local: LocalConfig;
  contracts: Contracts;
  /** Sends a transaction that is bound to fail: gas is given, so that it lands and reverts. */
  send(transaction: { to: string; data: string }): Promise<Landed>;
  /** A cleared market with the moment at which to attack it. */
  stage(): Promise<Stage>;
}

export interface Landed {
  txHash: string;
  reverted: boolean;
  error: ContractError | undefined;
}

export interface Stage {
  slot: number;
  solved: Solved;
  /** What the auction would say to this calldata, without sending it. */
  probe(data: string): Promise<ContractError | undefined>;
  /** Attacks with this calldata to the auction. */
  attack(data: string): Promise<Landed & { when: string }>;
}

const GAS_LIMIT = 5_000_000n;
const POLL_MS = 15;

export const createBench = (context: ApiContext, local: LocalConfig): Bench => {
  const { provider, addresses, store } = context;
  const wallet = new Wallet(local.cheatKey, provider);
  const contracts = connectContracts(addresses, provider);

  const simulate = async (
    transaction: { to: string; data: string },
    blockTag?: number,
  ): Promise<ContractError | undefined> => {
    try {
      await provider.call({
        ...transaction,
        from: wallet.address,
        gasLimit: GAS_LIMIT,
        ...(blockTag === undefined ? {} : { blockTag }),
      });
      return undefined;
    } catch (error) {
      const decoded = decodeContractError(error);
      if (!decoded) throw tryAgain(`the chain did not say why: ${messageOf(error)}`, { cause: error });
      return decoded;
    }
  };

  const send = async (transaction: { to: string; data: string }): Promise<Landed> => {
    const error = await simulate(transaction);
    const populated = await wallet.populateTransaction({ ...transaction, gasLimit: GAS_LIMIT });
    const raw = await wallet.signTransaction(populated);
    const txHash = keccak256(raw);
    // A development node answers a transaction that it mined and that reverted with an error; the receipt decides.
    await provider.broadcastTransaction(raw).catch(() => undefined);
    const deadline = Date.now() + context.config.timeoutMs;
    for (;;) {
      const receipt = await provider.getTransactionReceipt(txHash);
      if (receipt) return { txHash, reverted: receipt.status === 0, error };
      if (Date.now() > deadline) throw tryAgain(`transaction ${txHash} is not mined yet`);
      await sleep(POLL_MS);
    }
  };

  /** The slot that could be cleared at this very moment, if its book is not empty and nobody has cleared it. */
  const clearable = async (): Promise<{ slot: number; block: number } | undefined> => {
    const block = await provider.getBlock("latest");
    const now = block?.timestamp ?? 0;
    const slot = slotAt(now) + 1;
    if (now <= gateOf(slot) || now >= slotStart(slot)) return undefined;
    const at = { blockTag: block?.number ?? 0 };
    const [clearing, book] = await Promise.all([
      contracts.auction.clearingOf(slot, at),
      contracts.orderBook.bookOf(slot, at),
    ]);
    return /^0x0+$/.test(clearing) && book.wordCount > 0n ? { slot, block: at.blockTag } : undefined;
  };

  /** Waits for the moment between a gate and the honest clearing: there nothing but the proof stands against a cheat. */
  const stage = async (): Promise<Stage> => {
    const deadline = Date.now() + local.cheatWaitMs;
    for (;;) {
      const moment = await clearable();
      if (moment !== undefined) return stageAt(moment, "after the gate, ahead of the honest auctioneer");
      if (Date.now() >= deadline) break;
      await sleep(POLL_MS);
    }
    const last = store.get<{ slot: number; block: number }>(
      "SELECT slot, block FROM clearings ORDER BY block DESC LIMIT 1",
    );
    if (!last) throw tryAgain("no slot was cleared yet: try again in a moment");
    return stageAt({ slot: last.slot, block: last.block - 1 }, "as of the block before the honest clearing");
  };

  /**
   * The market of `slot` as it stood at `block`, after the gate and before anybody cleared. The attack really lands; where
   * the honest clearing won the race meanwhile, being late is no proof, so what counts is the contract's word at that block.
   */
  const stageAt = async ({ slot, block }: { slot: number; block: number }, when: string): Promise<Stage> => ({
    slot,
    solved: await solvedSlot(context, slot, true),
    probe: (data) => simulate({ to: addresses.auction, data }, block),
    attack: async (data) => {
      const transaction = { to: addresses.auction, data };
      const error = await simulate(transaction, block);
      const landed = await send(transaction);
      return { ...landed, error: error ?? landed.error, when };
    },
  });

  return { context, local, contracts, send, stage };
};

/** A cheat's outcome from what landed. */
export const outcomeOf = (sent: string, { txHash, reverted, error }: Landed): CheatOutcome => ({
  sent,
  txHash,
  refused: reverted,
  error: error ? { name: error.name, values: error.values } : null,
  words: error?.words ?? (reverted ? "The contract refused it." : "The contract took it: this must not happen."),
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
