import { rpcBatch } from "./follow.ts";
import type { PooledProvider } from "./provider.ts";

export interface ChainIdentity {
  chainId: number;
  genesisHash: string;
}

/** What a chain is: two chains of one id (a test network that was reset) still differ in their first block. */
export const identifyChain = async (provider: PooledProvider): Promise<ChainIdentity> => {
  const [chainId, genesis] = (await rpcBatch(provider, [
    { method: "eth_chainId", params: [] },
    { method: "eth_getBlockByNumber", params: ["0x0", false] },
  ])) as [string, { hash: string }];
  return { chainId: Number(chainId), genesisHash: genesis.hash };
};

/** Path of a store that belongs to one chain: `name.sqlite` becomes `name-<chain id>-<genesis>.sqlite`. */
export const chainStorePath = (path: string, { chainId, genesisHash }: ChainIdentity): string =>
  `${path.replace(/\.sqlite$/, "")}-${chainId}-${genesisHash.slice(2, 10)}.sqlite`;
