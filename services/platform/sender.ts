import { isError, Transaction, type Provider, type TransactionReceipt, type Wallet } from "ethers";
import { isRetryable, messageOf, tryAgain } from "./errors.ts";
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
  /** Names the intent, e.g. "clear:1982016": the same key never succeeds twice. */
  key: string;
  to: string;
  data: string;
  /** Skips estimation; the call is still simulated first, so that a revert costs nothing and gives its reason. */
  gasLimit?: bigint;
}

/**
 * A durable transaction sender. Each transaction is signed, stored under its key, then broadcast; after a crash the same
 * key rebroadcasts the same bytes, so nothing is sent twice and no nonce is left as a hole. A transaction that was mined but
 * reverted gives its key up to the next attempt.
 */
export interface Sender {
  address: string;
  /**
   * @returns the receipt (status 1 or 0)
   * @throws ethers CALL_EXCEPTION with the revert data when the simulation reverts (nothing was sent); retryable errors
   *   when the chain does not answer
   */
  send(request: TransactionRequestOfRecord): Promise<TransactionReceipt>;
  /**
   * Broadcasts again what was signed and never seen mined: a nonce left open would hold up all that follow. What the chain
   * refuses is left to the next `send` of its key.
   * @throws retryable errors when the chain does not answer
   */
  resume(): Promise<void>;
}

interface OutgoingRow {
  key: string;
  nonce: number;
  raw: string;
  hash: string;
  state: "signed" | "mined" | "lost";
  /** Of a mined one: 1 = success, 0 = reverted. */
  status: number | null;
}

const COLUMNS = "key, nonce, raw, hash, state, status";
/** EIP-7825: a transaction asking for more is refused, whatever it uses. */
const MOST_GAS = 16_777_216n;

const RECEIPT_TIMEOUT_MS = 60_000;

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
  let chainId: bigint | undefined;

  const sign = async ({ key, to, data, gasLimit }: TransactionRequestOfRecord): Promise<OutgoingRow> => {
    chainId ??= (await provider.getNetwork()).chainId;
    const call = { from: wallet.address, to, data };
    const limit = gasLimit ?? withReserve(await provider.estimateGas(call));
    if (gasLimit !== undefined) await provider.call({ ...call, gasLimit });
    // Asked for each time: what is signed depends on the chain alone, never on when it was signed.
    const [latest, block] = await Promise.all([
      provider.getTransactionCount(wallet.address, "pending"),
      provider.getBlock("latest"),
    ]);
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
      maxFeePerGas: 2n * (block?.baseFeePerGas ?? 0n) + 1_000_000_000n,
      maxPriorityFeePerGas: 0n,
    });
    transaction.signature = wallet.signingKey.sign(transaction.unsignedHash);
    const row: OutgoingRow = {
      key,
      nonce,
      raw: transaction.serialized,
      hash: transaction.hash as string,
      state: "signed",
      status: null,
    };
    store.transaction(() => {
      // What reverted stays on record beside its successor.
      store.run("UPDATE outgoing SET key = key || '#' || nonce WHERE key = ? AND state = 'mined'", row.key);
      store.run(
        "INSERT OR REPLACE INTO outgoing (key, nonce, raw, hash, state) VALUES (?, ?, ?, ?, 'signed')",
        row.key,
        row.nonce,
        row.raw,
        row.hash,
      );
    });
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

  /** Broadcasts one transaction and, in order of nonces, all others that may never have left this machine. */
  const broadcastOpen = async (own?: OutgoingRow): Promise<void> => {
    // Mined on a branch that the chain has left since.
    if (own?.state === "mined") await broadcast(own);
    for (const row of store.all<OutgoingRow>(`SELECT ${COLUMNS} FROM outgoing WHERE state = 'signed' ORDER BY nonce`)) {
      if (row.key === own?.key) {
        await broadcast(row);
        continue;
      }
      const receipt = await provider.getTransactionReceipt(row.hash);
      if (receipt) close(row, receipt);
      else
        await broadcast(row).catch((error: unknown) => {
          if (isRetryable(error)) throw error;
          log.warn({ key: row.key, error: messageOf(error) }, "an earlier transaction cannot be sent again yet");
        });
    }
  };

  const close = (row: OutgoingRow, receipt: TransactionReceipt): void => {
    store.run(
      "UPDATE outgoing SET state = 'mined', status = ?, gasUsed = ? WHERE key = ?",
      receipt.status ?? 0,
      Number(receipt.gasUsed),
      row.key,
    );
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
    const known = store.get<OutgoingRow>(`SELECT ${COLUMNS} FROM outgoing WHERE key = ?`, request.key);
    const spent = known?.state === "lost" || (known?.state === "mined" && known.status === 0);
    const row = known && !spent ? known : await sign(request);
    const before = known && !spent ? await provider.getTransactionReceipt(row.hash) : null;
    if (!before) await broadcastOpen(row);
    const receipt = before ?? (await awaitReceipt(row));
    if (receipt === "lost") {
      // Another transaction took the nonce (a key used by two programs, or a chain that was reset): sign anew.
      log.warn({ key: row.key, nonce: row.nonce }, "transaction was replaced by another one of the same nonce");
      store.run("UPDATE outgoing SET state = 'lost' WHERE key = ?", row.key);
      return sendOne(request);
    }
    close(row, receipt);
    return receipt;
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };
  return {
    address: wallet.address,
    send: (request) => inTurn(() => sendOne(request)),
    resume: () => inTurn(() => broadcastOpen()),
  };
};

/** A fifth more than estimated, within what one transaction may ask for. */
const withReserve = (estimate: bigint): bigint => {
  const limit = (estimate * 6n) / 5n;
  return limit > MOST_GAS && estimate <= MOST_GAS ? MOST_GAS : limit;
};
