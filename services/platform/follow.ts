import type { PooledProvider } from "./provider.ts";
import { tryAgain } from "./errors.ts";

export interface RpcCall {
  method: string;
  params: unknown[];
}

/**
 * Several JSON-RPC calls in one round trip.
 * @returns their results in order
 * @throws retryable error when the node answers one of them with an error
 */
export const rpcBatch = async (provider: PooledProvider, calls: readonly RpcCall[]): Promise<unknown[]> => {
  if (calls.length === 0) return [];
  const answers = await provider._send(
    calls.map(({ method, params }, id) => ({ jsonrpc: "2.0" as const, id: id + 1, method, params })),
  );
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  return calls.map(({ method }, at) => {
    const answer = byId.get(at + 1);
    if (!answer || "error" in answer) {
      throw tryAgain(
        `the chain refused ${method}: ${answer && "error" in answer ? answer.error.message : "no answer"}`,
      );
    }
    return answer.result;
  });
};

export interface BlockRef {
  number: number;
  hash: string;
}

export interface ChainHead extends BlockRef {
  /** Chain time, unix seconds. */
  timestamp: number;
}

/** A log as `eth_getLogs` answers it. */
export interface ChainLog {
  address: string;
  topics: string[];
  data: string;
  blockNumber: string;
  blockHash: string;
  transactionHash: string;
  logIndex: string;
}

export interface Step {
  /** Everything up to this block is in `logs`: the head of the chain, or as far as one step goes. */
  head: ChainHead;
  logs: ChainLog[];
  /** The chain goes on beyond `head`: ask again. */
  more: boolean;
  /** The block given is no longer on the chain: roll back to `forkPoint` of older blocks, then ask again. */
  reorganised: boolean;
}

export interface Follower {
  /** Logs after `from` (exclusive), of a bounded number of blocks, so that a long history never stands in memory at once. */
  after(from: BlockRef | undefined): Promise<Step>;
  /** The newest of `candidates` (newest first) that is still on the chain; undefined when none is. */
  forkPoint(candidates: readonly BlockRef[]): Promise<BlockRef | undefined>;
}

interface RpcBlock {
  number: string;
  hash: string;
  timestamp: string;
}

const MAX_BLOCKS = 5_000;
const FORK_BATCH = 32;

const hex = (value: number): string => `0x${value.toString(16)}`;
const blockCall = (number: number | "latest"): RpcCall => ({
  method: "eth_getBlockByNumber",
  params: [number === "latest" ? number : hex(number), false],
});

/** Follows the logs of some contracts; it keeps nothing, so its caller's store decides what was seen. */
export const createFollower = ({
  provider,
  addresses,
  startBlock = 0,
  maxBlocks = MAX_BLOCKS,
}: {
  provider: PooledProvider;
  addresses: readonly string[];
  /** First block of interest: the deployment's. */
  startBlock?: number;
  /** Most blocks in one step; nodes refuse longer ranges. */
  maxBlocks?: number;
}): Follower => {
  const logsCall = (fromBlock: number, toBlock: number): RpcCall => ({
    method: "eth_getLogs",
    params: [{ address: addresses, fromBlock: hex(fromBlock), toBlock: hex(toBlock) }],
  });
  const headOf = (block: RpcBlock): ChainHead => ({
    number: Number(block.number),
    hash: block.hash,
    timestamp: Number(block.timestamp),
  });

  /** The step that begins with block `first`, when the chain's head is `latest`. */
  const stepFrom = async (first: number, latest: ChainHead): Promise<Step> => {
    if (first > latest.number) return { head: latest, logs: [], more: false, reorganised: false };
    const last = first + maxBlocks - 1;
    if (last >= latest.number) {
      const [logs] = await rpcBatch(provider, [logsCall(first, latest.number)]);
      return { head: latest, logs: logs as ChainLog[], more: false, reorganised: false };
    }
    const [logs, block] = await rpcBatch(provider, [logsCall(first, last), blockCall(last)]);
    if (!block) throw tryAgain(`the chain does not know its block ${last}`);
    return { head: headOf(block as RpcBlock), logs: logs as ChainLog[], more: true, reorganised: false };
  };

  return {
    after: async (from) => {
      if (!from) {
        const [latest] = await rpcBatch(provider, [blockCall("latest")]);
        return stepFrom(startBlock, headOf(latest as RpcBlock));
      }
      const [known, latest] = (await rpcBatch(provider, [blockCall(from.number), blockCall("latest")])) as [
        RpcBlock | null,
        RpcBlock,
      ];
      const head = headOf(latest);
      if (known?.hash !== from.hash) return { head, logs: [], more: true, reorganised: true };
      return stepFrom(from.number + 1, head);
    },
    forkPoint: async (candidates) => {
      for (let at = 0; at < candidates.length; at += FORK_BATCH) {
        const part = candidates.slice(at, at + FORK_BATCH);
        const blocks = (await rpcBatch(
          provider,
          part.map(({ number }) => blockCall(number)),
        )) as Array<RpcBlock | null>;
        const match = part.findIndex((candidate, index) => blocks[index]?.hash === candidate.hash);
        if (match >= 0) return part[match];
      }
      return undefined;
    },
  };
};
