import {
  isError,
  Transaction,
  type Provider,
  type TransactionLike,
  type TransactionReceipt,
  type Wallet,
} from "ethers";
import { slotStart } from "../../services/platform/clock.ts";
import { isRetryable, messageOf, tryAgain, wrongInput } from "../../services/platform/errors.ts";
import type { Addresses } from "../../services/protocol/addresses.ts";
import { decodeContractError } from "../../services/protocol/contracts.ts";
import { readBook, writeBook, type Book } from "./book.ts";
import { addressesOf } from "./deploy.ts";
import type { MarketTerms } from "./options.ts";
import { buildPlan, type Plan, type Step } from "./plan.ts";

export interface DurableOptions {
  provider: Provider;
  /** Pays; its nonces are the steps. */
  wallet: Wallet;
  terms: MarketTerms;
  /** Record of the deployment (book.ts). */
  bookFile: string;
  log?: (message: string) => void;
}

/** EIP-7825: a transaction asking for more is refused, whatever it uses. */
const MOST_GAS = 16_777_216n;
const RECEIPT_TIMEOUT_MS = 120_000;

/**
 * Deploys a market, or goes on with a deployment that was broken off at any point, or finds it finished and sends nothing. What is signed is in the book
 * before the chain sees it, so each step is made once, by bytes that are known: a step counts as done when the chain knows one of its own transactions as successful.
 * @throws DaegError exit 1 when chain, key or terms are not the book's, when a step would revert, or when the deployer's key was used beside the plan;
 *   75 when the chain does not answer
 */
export const deployDurably = async (options: DurableOptions): Promise<Addresses> => {
  const { provider, wallet, bookFile, log = () => undefined } = options;
  const { book, plan } = await openBook(options);
  const save = (): void => writeBook(bookFile, book);
  let sent = 0;
  for (const [index, step] of plan.steps.entries()) {
    const used = await provider.getTransactionCount(wallet.address, "latest");
    if (used < book.firstNonce && index === 0) {
      throw wrongInput(
        `the chain has ${used} transactions of ${wallet.address}, the book starts at ${book.firstNonce}`,
      );
    }
    if (used > step.nonce) {
      await checkDone({ provider, book, bookFile, step, index });
      continue;
    }
    const receipt = await land({ provider, wallet, book, save, step, index, of: plan.steps.length });
    book.deployedAtBlock ??= receipt.blockNumber;
    book.open = null;
    save();
    sent += 1;
    log(`${index + 1} of ${plan.steps.length}: ${step.name}${step.creates === null ? "" : ` ${step.creates}`}`);
  }
  if (book.deployedAtBlock === null) {
    // Broken off after the first transaction was sent and before its receipt was seen.
    book.deployedAtBlock = (await minedOf(provider, book, 0))?.blockNumber ?? 0;
  }
  if (!book.finished || sent > 0) {
    book.finished = true;
    save();
  }
  if (sent === 0) log("the market stands already: no transaction was sent");
  return addressesOf(plan, book.chainId, book.deployedAtBlock);
};

const openBook = async ({ provider, wallet, terms, bookFile }: DurableOptions): Promise<{ book: Book; plan: Plan }> => {
  const [{ chainId }, genesis, latest, pending] = await Promise.all([
    provider.getNetwork(),
    provider.getBlock(0),
    provider.getTransactionCount(wallet.address, "latest"),
    provider.getTransactionCount(wallet.address, "pending"),
  ]);
  const genesisHash = genesis?.hash;
  if (!genesisHash) throw tryAgain("the chain does not give its block 0");
  const deployer = wallet.address;
  const kept = readBook(bookFile);
  if (!kept) {
    if (pending > latest)
      throw tryAgain(`${pending - latest} transactions of ${deployer} are under way: wait for them`);
    if (latest > 0) {
      throw wrongInput(
        `${deployer} has sent ${latest} transactions on chain ${chainId} and ${bookFile} does not exist: name the book of its deployment by --book, or deploy with a fresh key`,
      );
    }
    const now = (await provider.getBlock("latest"))?.timestamp ?? 0;
    if (slotStart(terms.genesisSlot) <= now) {
      throw wrongInput(`genesis: slot ${terms.genesisSlot} has begun on the chain (it is ${now}): choose a later one`);
    }
    const plan = await buildPlan(terms, { deployer, firstNonce: latest });
    const book: Book = {
      chainId: Number(chainId),
      genesisHash,
      deployer,
      firstNonce: latest,
      planDigest: plan.digest,
      addresses: { ...plan.at },
      steps: plan.steps.map(({ name, digest }) => ({ name, digest, transactions: [] })),
      open: null,
      deployedAtBlock: null,
      finished: false,
    };
    writeBook(bookFile, book);
    return { book, plan };
  }
  const other = (what: string): Error =>
    wrongInput(`address book ${bookFile} is of ${what}: use the same again, or another --book for another market`);
  if (kept.chainId !== Number(chainId)) throw other(`chain ${kept.chainId}, --rpc-url leads to chain ${chainId}`);
  if (kept.genesisHash !== genesisHash) throw other("another chain with the same id (its first block differs)");
  if (kept.deployer !== deployer) throw other(`deployer ${kept.deployer}, the key is that of ${deployer}`);
  const plan = await buildPlan(terms, { deployer, firstNonce: kept.firstNonce });
  if (plan.digest !== kept.planDigest) {
    const at = plan.steps.findIndex(({ digest }, index) => kept.steps[index]?.digest !== digest);
    const name = plan.steps[at]?.name ?? kept.steps[plan.steps.length]?.name;
    throw other(`another plan (step ${at < 0 ? plan.steps.length + 1 : at + 1}, ${name}, differs)`);
  }
  return { book: kept, plan };
};

/** The receipt of whichever transaction of a step was mined. */
const minedOf = async (provider: Provider, book: Book, index: number): Promise<TransactionReceipt | undefined> => {
  for (const transaction of book.steps[index]?.transactions ?? []) {
    const receipt = await provider.getTransactionReceipt(transaction);
    if (receipt) return receipt;
  }
  return undefined;
};

/** A hash commits to target, data and constructor arguments: a success of it is the step's effect, exactly. */
const checkDone = async ({
  provider,
  book,
  bookFile,
  step,
  index,
}: {
  provider: Provider;
  book: Book;
  bookFile: string;
  step: Step;
  index: number;
}): Promise<void> => {
  const receipt = await minedOf(provider, book, index);
  // A node that keeps no old receipts is believed about what the book saw finished, as long as the code stands.
  if (!receipt && !book.finished) {
    throw wrongInput(
      `transaction ${step.nonce} of ${book.deployer} is none that ${bookFile} knows (step ${index + 1}, ${step.name}): somebody else used the key, deploy with a fresh one and a fresh book`,
    );
  }
  if (receipt && receipt.status !== 1) throw reverted(step, index);
  if (step.creates !== null && (await provider.getCode(step.creates)) === "0x") {
    throw wrongInput(`no contract stands at ${step.creates} (${step.name}), where ${bookFile} says it does`);
  }
};

const reverted = (step: Step, index: number): Error =>
  wrongInput(`step ${index + 1} (${step.name}) reverted on chain: deploy with a fresh key and a fresh book`);

interface Landing {
  provider: Provider;
  wallet: Wallet;
  book: Book;
  save(): void;
  step: Step;
  index: number;
  of: number;
}

const land = async (landing: Landing): Promise<TransactionReceipt> => {
  const { provider, book, step, index } = landing;
  const raw = book.open?.step === index ? await refreshed(landing, book.open.raw) : await sign(landing);
  try {
    await provider.broadcastTransaction(raw);
  } catch (error) {
    if (isError(error, "INSUFFICIENT_FUNDS")) throw tooPoor(landing);
    const known = isError(error, "NONCE_EXPIRED") || /already known|known transaction|nonce/i.test(messageOf(error));
    if (!known) throw isRetryable(error) ? tryAgain(messageOf(error), { cause: error }) : error;
  }
  const deadline = Date.now() + RECEIPT_TIMEOUT_MS;
  for (let waitMs = 5; Date.now() < deadline; waitMs = Math.min(2 * waitMs, 2_000)) {
    const receipt = await minedOf(provider, book, index);
    if (receipt) {
      if (receipt.status !== 1) throw reverted(step, index);
      return receipt;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  throw tryAgain(
    `step ${index + 1} (${step.name}) is not mined after ${RECEIPT_TIMEOUT_MS / 1000} s: run the same command again`,
  );
};

const tooPoor = ({ wallet }: Landing): Error =>
  wrongInput(
    `${wallet.address} holds too little for the next step: send it some of the chain's own coin, then run the same command again`,
  );

/** Signs a step and writes it down; only then may anybody see it. */
const sign = async (landing: Landing, leastFees?: { max: bigint; priority: bigint }): Promise<string> => {
  const { provider, wallet, book, save, step, index, of } = landing;
  const { to, data, nonce } = step;
  let estimate: bigint;
  try {
    estimate = await provider.estimateGas({ from: wallet.address, to, data });
  } catch (error) {
    if (isError(error, "INSUFFICIENT_FUNDS")) throw tooPoor(landing);
    if (!isError(error, "CALL_EXCEPTION")) throw error;
    const told = decodeContractError(error)?.words ?? error.shortMessage;
    throw wrongInput(`step ${index + 1} of ${of} (${step.name}) would revert: ${told} Nothing was sent.`);
  }
  const fees = await provider.getFeeData();
  const price =
    fees.maxFeePerGas === null
      ? { type: 0, gasPrice: fees.gasPrice ?? 0n }
      : {
          type: 2,
          maxFeePerGas: higher(fees.maxFeePerGas, leastFees?.max),
          maxPriorityFeePerGas: higher(fees.maxPriorityFeePerGas ?? 0n, leastFees?.priority),
        };
  const reserve = (estimate * 6n) / 5n;
  const transaction = await wallet.populateTransaction({
    to,
    data,
    nonce,
    chainId: book.chainId,
    gasLimit: reserve > MOST_GAS && estimate <= MOST_GAS ? MOST_GAS : reserve,
    ...price,
  });
  const { from: _, ...unsigned } = transaction;
  const signed = Transaction.from({ ...(unsigned as TransactionLike<string>), to });
  signed.signature = wallet.signingKey.sign(signed.unsignedHash);
  book.steps[index]?.transactions.push(signed.hash as string);
  book.open = { step: index, raw: signed.serialized };
  save();
  return signed.serialized;
};

/** What was signed before a crash, or the same at a higher fee where the chain has become dearer since. */
const refreshed = async (landing: Landing, raw: string): Promise<string> => {
  const { maxFeePerGas, maxPriorityFeePerGas } = Transaction.from(raw);
  const block = await landing.provider.getBlock("latest");
  if (maxFeePerGas === null || (block?.baseFeePerGas ?? 0n) <= maxFeePerGas) return raw;
  // Nodes replace a transaction by one that pays at least a tenth more.
  const more = (fee: bigint): bigint => (fee * 9n) / 8n + 1n;
  return sign(landing, { max: more(maxFeePerGas), priority: more(maxPriorityFeePerGas ?? 0n) });
};

const higher = (a: bigint, b = 0n): bigint => (a > b ? a : b);
