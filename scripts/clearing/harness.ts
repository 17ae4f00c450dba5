import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hexlify, id, Interface } from "ethers";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { GreenPosting, ZonePosting } from "../../services/core/market/types.ts";
import { networkLimits } from "../../services/core/market/mesh/ptdf.ts";
import type { CompiledMarket } from "../../services/core/market/market.ts";
import { encodeBook, WORD_BYTES } from "../../services/core/market/words.ts";
import { tryAgain, wrongInput } from "../../services/platform/errors.ts";
import type { Submission } from "../../services/protocol/clearing.ts";
import { packLimits } from "../../services/protocol/limits.ts";
import { encodeBatches } from "../../services/protocol/words.ts";
import { projectRoot } from "../local/root.ts";

/** What the contract proved of a clearing. Energy Wh, money nano-token; positions: net sold Wh per order. */
export interface ProvenOutcome {
  readonly positionsWh: readonly number[];
  readonly boughtWh: bigint;
  readonly backupSoldWh: bigint;
  readonly backupBoughtWh: bigint;
  readonly backupNano: bigint;
  readonly congestionNano: bigint;
  readonly feesNano: bigint;
  readonly welfareNano: bigint;
  /** Meshed markets; else 0. */
  readonly gapBoundNano: bigint;
  /** Meshed markets: exact price of each island at the index of its root, 1e-12 micro-token per kWh; else empty. */
  readonly lambda: readonly bigint[];
  /** Likewise green premiums. */
  readonly gamma: readonly bigint[];
}

export type Judgement =
  | { readonly accepted: true; readonly gas: number; readonly outcome: ProvenOutcome }
  | { readonly accepted: false; readonly error: string; readonly values: Record<string, string> };

/** A claimed clearing as it is put before the contract. */
export interface Claim {
  /** Order words, 16 bytes each. */
  readonly book: Uint8Array;
  readonly postings: readonly ZonePosting[];
  /** Empty, or one per zone. */
  readonly green?: readonly GreenPosting[];
  /** Fill per bilateral trade of the market; left out: none is filled. */
  readonly tradesWh?: readonly number[];
  readonly fillsWh: readonly number[];
  /** Dual price per limit of a meshed market, 1e-6 micro-token per kWh. */
  readonly mu?: readonly bigint[];
}

/** A contract that has recorded one book. */
export interface RecordedBook {
  /** Puts a claim before the contract. */
  judge(claim: Claim): Promise<Judgement>;
}

export interface Harness {
  /** Deploys the contract and makes it record the market's book. */
  record(market: CompiledMarket): Promise<RecordedBook>;
  close(): Promise<void>;
}

const ARTIFACT = "artifacts/contracts/test/ClearingHarness.sol/ClearingHarness.json";
/** What the contract is linked to. */
const LIBRARIES = ["ClearingMesh"];
/** Words of a batch, recorded by one transaction; far below what one block of this EVM takes. */
const BATCH_WORDS = 20_000;
const GAS = `0x${(2 ** 42).toString(16)}`;
const BLOCK_GAS = 2n ** 43n;

/**
 * Starts an EVM in this process with nothing in it. Every recorded book gets a contract of its own.
 * @throws DaegError exit 1 when the contracts are not compiled
 */
export const createHarness = async (): Promise<Harness> => {
  const { abi, bytecode } = readArtifact(ARTIFACT);
  const environment = await createHardhatRuntimeEnvironment(
    {
      networks: {
        clearing: {
          type: "edr-simulated",
          chainType: "l1",
          hardfork: "prague",
          blockGasLimit: BLOCK_GAS,
          transactionGasCap: false,
          initialBaseFeePerGas: 0,
        },
      },
    },
    {},
    projectRoot,
  );
  const connection = await environment.network.create("clearing");
  const provider = connection.provider;
  const [from] = (await provider.request({ method: "eth_accounts" })) as string[];

  const send = async (transaction: {
    to?: string;
    data: string;
  }): Promise<{ contractAddress: string; gasUsed: number }> => {
    const hash = await provider.request({
      method: "eth_sendTransaction",
      params: [{ from, gas: GAS, gasPrice: "0x0", ...transaction }],
    });
    const receipt = (await provider.request({ method: "eth_getTransactionReceipt", params: [hash] })) as {
      contractAddress: string;
      gasUsed: string;
      status: string;
    } | null;
    if (!receipt || receipt.status !== "0x1") throw tryAgain("the local EVM did not take a transaction");
    return { contractAddress: receipt.contractAddress, gasUsed: Number(receipt.gasUsed) };
  };

  let linked = bytecode;
  for (const name of LIBRARIES) {
    const path = `contracts/libraries/${name}.sol`;
    const { contractAddress } = await send({ data: readArtifact(`artifacts/${path}/${name}.json`).bytecode });
    // The compiler leaves a placeholder of the address's length.
    const placeholder = `__$${id(`project/${path}:${name}`).slice(2, 36)}$__`;
    linked = linked.replaceAll(placeholder, contractAddress.slice(2));
  }

  return {
    async record(market) {
      const { contractAddress: to } = await send({ data: linked });
      const recorded = encodeBook(market.columns);
      for (let at = 0; at < recorded.length; at += BATCH_WORDS * WORD_BYTES) {
        const words = recorded.subarray(at, at + BATCH_WORDS * WORD_BYTES);
        await send({ to, data: abi.encodeFunctionData("append", [words, batchesOf(words)]) });
      }
      const limits = networkLimits(market);
      const judge = async (claim: Claim): Promise<Judgement> => {
        const submission: Submission = {
          slot: 0,
          book: hexlify(claim.book),
          batches: batchesOf(claim.book),
          postings: [...claim.postings],
          green: [...(claim.green ?? [])],
          trades: "0x",
          tradesWh: [...(claim.tradesWh ?? market.trades.map(() => 0))],
          duals: { mu: [...(claim.mu ?? [])] },
        };
        const { min, max, reference } = market.band;
        const terms = {
          zones: market.terms,
          band: { min, max, reference_: reference },
          trades: market.trades,
          limits: packLimits(limits),
        };
        const data = abi.encodeFunctionData("verify", [submission, terms, claim.fillsWh]);
        let returned: string;
        try {
          const call = { from, to, gas: GAS, data };
          returned = (await provider.request({ method: "eth_call", params: [call, "latest"] })) as string;
        } catch (error) {
          const refusal = decodeRefusal(abi, error);
          if (refusal) return refusal;
          throw error;
        }
        const { gasUsed } = await send({ to, data });
        return { accepted: true, gas: gasUsed, outcome: decodeOutcome(abi, returned) };
      };
      return { judge };
    },
    close: () => connection.close(),
  };
};

const readArtifact = (path: string): { abi: Interface; bytecode: string } => {
  try {
    const artifact = JSON.parse(readFileSync(join(projectRoot, path), "utf8")) as {
      abi: ConstructorParameters<typeof Interface>[0];
      bytecode: string;
    };
    return { abi: new Interface(artifact.abi), bytecode: artifact.bytecode };
  } catch (cause) {
    throw wrongInput("the contracts are not compiled: run `npm run build` in the project's folder", { cause });
  }
};

/** Batches of a book as `record` appends it. */
const batchesOf = (book: Uint8Array): string => {
  const counts: number[] = [];
  for (let left = book.length / WORD_BYTES; left > 0; left -= BATCH_WORDS) counts.push(Math.min(left, BATCH_WORDS));
  return encodeBatches(counts);
};

const decodeOutcome = (abi: Interface, returned: string): ProvenOutcome => {
  const [outcome, soldWh] = abi.decodeFunctionResult("verify", returned);
  return {
    positionsWh: (soldWh as bigint[]).map(Number),
    boughtWh: outcome.boughtWh as bigint,
    backupSoldWh: outcome.backupSoldWh as bigint,
    backupBoughtWh: outcome.backupBoughtWh as bigint,
    backupNano: outcome.backupNano as bigint,
    congestionNano: outcome.congestionNano as bigint,
    feesNano: outcome.feesNano as bigint,
    welfareNano: outcome.welfareNano as bigint,
    gapBoundNano: outcome.gapBoundNano as bigint,
    lambda: [...(outcome.lambda as Iterable<bigint>)],
    gamma: [...(outcome.gamma as Iterable<bigint>)],
  };
};

/** The contract's own error, wherever the provider puts the revert data. */
const decodeRefusal = (abi: Interface, error: unknown): Judgement | undefined => {
  const data = revertData(error);
  if (data === undefined) return undefined;
  const parsed = abi.parseError(data);
  if (!parsed) return undefined;
  const values = parsed.fragment.inputs.map((input, i) => [input.name, String(parsed.args[i])]);
  return { accepted: false, error: parsed.name, values: Object.fromEntries(values) as Record<string, string> };
};

const revertData = (error: unknown): string | undefined => {
  for (let at: unknown = error; at !== null && typeof at === "object"; at = (at as { cause?: unknown }).cause) {
    const { data } = at as { data?: unknown };
    if (typeof data === "string") return data;
    if (data !== null && typeof data === "object" && "data" in data && typeof data.data === "string") return data.data;
  }
  return undefined;
};
