import { Transaction, type ContractTransaction, type Wallet } from "ethers";
import { rpcBatch } from "../../../services/platform/follow.ts";
import type { PooledProvider } from "../../../services/platform/provider.ts";
import { decodeContractError } from "../../../services/protocol/contracts.ts";

/** A call that a typed contract prepared: `contract.method.populateTransaction(...)`. */
export type Prepared = Pick<ContractTransaction, "to" | "data"> | { to: string | null; data: string };

/** As `eth_getTransactionReceipt` answers. */
export interface Landed {
  status: string;
  transactionHash: string;
  blockNumber: string;
  contractAddress: string | null;
  gasUsed: string;
  logs: { address: string; topics: string[]; data: string }[];
}

/** EIP-7825: no transaction may ask for more. */
const MOST_GAS = 16_777_216n;
/** Everybody has coins without end: never below the base fee. */
const FEE = 10n ** 12n;
const PER_BATCH = 24;

/**
 * Sends transactions of many keys to a chain that mines each at once: nonces are counted here and nothing is estimated.
 * Everything that is sent must succeed.
 */
export const createActors = (provider: PooledProvider, chainId: number) => {
  const nonces = new Map<string, number>();

  const sign = (wallet: Wallet, { to, data }: Prepared): string => {
    const nonce = nonces.get(wallet.address) ?? 0;
    nonces.set(wallet.address, nonce + 1);
    const transaction = Transaction.from({
      ...{ type: 2, chainId, to: (to as string | null) ?? null, data: data as string, nonce },
      ...{ gasLimit: MOST_GAS, maxFeePerGas: FEE, maxPriorityFeePerGas: 0n },
    });
    transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
    return transaction.serialized;
  };

  /** What a call would be refused with: the contract's error by name, or undefined. */
  const refusal = async (wallet: Wallet, call: Prepared | Promise<Prepared>): Promise<string | undefined> => {
    const { to, data } = await call;
    try {
      await provider.call({ from: wallet.address, to: to as string, data: data as string });
      return undefined;
    } catch (error) {
      return decodeContractError(error)?.name ?? String(error);
    }
  };

  const sendAll = async (calls: readonly [Wallet, Prepared | Promise<Prepared>][]): Promise<Landed[]> => {
    const ready: [Wallet, Prepared][] = [];
    for (const [wallet, call] of calls) ready.push([wallet, await call]);
    const landed: Landed[] = [];
    for (let at = 0; at < ready.length; at += PER_BATCH) {
      const part = ready.slice(at, at + PER_BATCH);
      const raws = part.map(([wallet, call]) => sign(wallet, call));
      // One after the other: the node looks at the calls of one batch in any order.
      for (const raw of raws) {
        const [answer] = await provider._send({
          jsonrpc: "2.0",
          id: 1,
          method: "eth_sendRawTransaction",
          params: [raw],
        });
        if (!answer || !("error" in answer)) continue;
        const { name, words } = decodeContractError(answer.error) ?? { name: "?", words: answer.error.message };
        throw new Error(`a transaction was refused (${name}): ${words}`);
      }
      const hashes = raws.map((raw) => Transaction.from(raw).hash);
      const receipts = await rpcBatch(
        provider,
        hashes.map((hash) => ({ method: "eth_getTransactionReceipt", params: [hash] })),
      );
      landed.push(...(receipts as Landed[]));
    }
    return landed;
  };

  const send = async (wallet: Wallet, call: Prepared | Promise<Prepared>): Promise<Landed> =>
    (await sendAll([[wallet, call]]))[0] as Landed;

  /** For a key that a process uses as well: its nonce is the chain's. */
  const sendShared = async (wallet: Wallet, call: Prepared | Promise<Prepared>): Promise<Landed> => {
    nonces.set(wallet.address, await provider.getTransactionCount(wallet.address));
    return send(wallet, call);
  };

  return { send, sendAll, sendShared, refusal };
};

export type Actors = ReturnType<typeof createActors>;
