import { isError, Transaction, type Provider, type TransactionReceipt, type Wallet } from "ethers";
import { tryAgain } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store.ts";

/** SQL of the sender's table: put it among the owning store's migrations. */
export const SENDER_MIGRATION = `
  CREATE TABLE outgoing (
    key TEXT PRIMARY KEY,
    nonce INTEGER NOT NULL,
    raw TEXT NOT NULL,
    hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('signed', 'mined', 'lost')),
    status INTEGER,
    gasUsed INTEGER
  );
`;

export interface TransactionRequestOfRecord {
  /** Names the intent, e.g. "clear:1982016": the same key never spends two transactions. */
  key: string;
  to: string;
  data: string;
  /** Skips estimation; the call is still simulated first, so that a revert costs nothing and gives its reason. */
  gasLimit?: bigint;
}

/**
 * A durable transaction sender. Each transaction is signed, stored under its key, then broadcast; after a crash the same
 * key rebroadcasts the same bytes, so nothing is sent twice and no nonce is left as a hole.
 */
export interface Sender {
  address: string;
  /**
   * @returns the receipt (status 1 or 0)
   * @throws ethers CALL_EXCEPTION with the revert data when the simulation reverts (nothing was sent); retryable errors
   *   when the chain does not answer
   */
  send(request: TransactionRequestOfRecord): Promise<TransactionReceipt>;
}

interface OutgoingRow {
  key: string;
  nonce: number;
  raw: string;
  hash: string;
  state: "signed" | "mined" | "lost";
}

const RECEIPT_TIMEOUT_MS = 60_000;
const FEE_CACHE_MS = 15_000;

export const createSender = ({
  provider,
  wallet,
  store,
  log,
}: {
  provider: Provider;
  wallet: Wallet;
  store: Store;
  log: Log;
}): Sender => {
  let queue: Promise<unknown> = Promise.resolve();
  let fee: { at: number; maxFeePerGas: bigint } | undefined;
  let chainId: bigint | undefined;

  const maxFeePerGas = async (): Promise<bigint> => {
    if (!fee || Date.now() - fee.at > FEE_CACHE_MS) {
      const block = await provider.getBlock("latest");
      fee = { at: Date.now(), maxFeePerGas: 2n * (block?.baseFeePerGas ?? 0n) + 1_000_000_000n };
    }
    return fee.maxFeePerGas;
  };

  const sign = async ({ key, to, data, gasLimit }: TransactionRequestOfRecord): Promise<OutgoingRow> => {
    chainId ??= (await provider.getNetwork()).chainId;
    const call = { from: wallet.address, to, data };
    const limit = gasLimit === undefined ? ((await provider.estimateGas(call)) * 6n) / 5n : gasLimit;
    if (gasLimit !== undefined) await provider.call({ ...call, gasLimit });
    const latest = await provider.getTransactionCount(wallet.address, "pending");
    const stored = store.get<{ next: number | null }>(
      "SELECT max(nonce) + 1 AS next FROM outgoing WHERE state = 'signed'",
    );
    const nonce = Math.max(latest, stored?.next ?? 0);
    const transaction = Transaction.from({
      type: 2,
      chainId,
      to,
      data,
      nonce,
      gasLimit: limit,
      maxFeePerGas: await maxFeePerGas(),
      maxPriorityFeePerGas: 0n,
    });
    transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
    const row: OutgoingRow = {
      key,
      nonce,
      raw: transaction.serialized,
      hash: transaction.hash as string,
      state: "signed",
    };
    store.run(
      "INSERT OR REPLACE INTO outgoing (key, nonce, raw, hash, state) VALUES (?, ?, ?, ?, 'signed')",
      row.key,
      row.nonce,
      row.raw,
      row.hash,
    );
    return row;
  };

  /** Broadcasts; a node that knows the bytes already, or has mined them, is fine. */
  const broadcast = async (row: OutgoingRow): Promise<void> => {
    try {
      await provider.broadcastTransaction(row.raw);
    } catch (error) {
      if (isError(error, "NONCE_EXPIRED") || /already known|known transaction|nonce/i.test((error as Error).message))
        return;
      throw error;
    }
  };

  const awaitReceipt = async (row: OutgoingRow): Promise<TransactionReceipt | "lost"> => {
    const deadline = Date.now() + RECEIPT_TIMEOUT_MS;
    for (let waitMs = 5; Date.now() < deadline; waitMs = Math.min(waitMs * 2, 1_000)) {
      const receipt = await provider.getTransactionReceipt(row.hash);
      if (receipt) return receipt;
      const mined = await provider.getTransactionCount(wallet.address, "latest");
      if (mined > row.nonce && !(await provider.getTransactionReceipt(row.hash))) return "lost";
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    throw tryAgain(`transaction ${row.key} (${row.hash}) is not mined after ${RECEIPT_TIMEOUT_MS / 1000} s`);
  };

  const sendOne = async (request: TransactionRequestOfRecord): Promise<TransactionReceipt> => {
    const known = store.get<OutgoingRow>(
      "SELECT key, nonce, raw, hash, state FROM outgoing WHERE key = ?",
      request.key,
    );
    const row = known && known.state !== "lost" ? known : await sign(request);
    if (row.state === "signed") await broadcast(row);
    const receipt = await awaitReceipt(row);
    if (receipt === "lost") {
      // Another transaction took the nonce (a key used by two programs, or a chain that was reset): sign anew.
      log.warn({ key: row.key, nonce: row.nonce }, "transaction was replaced by another one of the same nonce");
      store.run("UPDATE outgoing SET state = 'lost' WHERE key = ?", row.key);
      return sendOne(request);
    }
    store.run(
      "UPDATE outgoing SET state = 'mined', status = ?, gasUsed = ? WHERE key = ?",
      receipt.status ?? 0,
      Number(receipt.gasUsed),
      row.key,
    );
    return receipt;
  };

  return {
    address: wallet.address,
    send: (request) => {
      const result = queue.then(() => sendOne(request));
      queue = result.catch(() => undefined);
      return result;
    },
  };
};
