import type { ChainLog } from "../../../services/platform/follow.ts";
import { decodePositions } from "../../../services/protocol/words.ts";
import type { ClearingRecord } from "../../../services/protocol/events.ts";
import type { Community } from "../../../services/protocol/rebuild/community.ts";
import type { Week } from "./week.ts";

const BLOCKS_AT_ONCE = 400;

/** Every log of the market's contracts, from the first block on. */
export const allLogs = async ({ market, addresses }: Week): Promise<ChainLog[]> => {
  const { chainId: _c, deployedAtBlock: _d, ...contracts } = addresses;
  const last = await market.provider.getBlockNumber();
  const logs: ChainLog[] = [];
  const hex = (block: number): string => `0x${block.toString(16)}`;
  for (let from = 0; from <= last; from += BLOCKS_AT_ONCE) {
    const range = { fromBlock: hex(from), toBlock: hex(Math.min(last, from + BLOCKS_AT_ONCE - 1)) };
    logs.push(
      ...((await market.provider.send("eth_getLogs", [{ address: Object.values(contracts), ...range }])) as ChainLog[]),
    );
  }
  return logs;
};

/** Contracts that said nothing since they were deployed: the week did not touch them. */
export const quietContracts = ({ market, addresses }: Week, logs: readonly ChainLog[]): string[] => {
  const { chainId: _c, deployedAtBlock: _d, ...contracts } = addresses;
  const heard = new Set(
    logs
      .filter(({ blockNumber }) => Number(blockNumber) > market.deployedThroughBlock)
      .map(({ address }) => address.toLowerCase()),
  );
  return Object.entries(contracts).flatMap(([name, address]) => (heard.has(address.toLowerCase()) ? [] : [name]));
};

/** Sold less bought of a cleared slot, the backup supplier included, Wh: nothing is made or lost in an auction. */
export const unbalancedWh = ({ positions, backupSoldWh, backupBoughtWh }: ClearingRecord): bigint =>
  decodePositions(positions).reduce((sum, wh) => sum + BigInt(wh), 0n) + backupSoldWh - backupBoughtWh;

/** By money and certificates: all that anybody has in the end. */
export const outcomeOf = ({ balancesNano, earnedNano, certificates, generators }: Community): string =>
  JSON.stringify(
    [[...balancesNano], [...earnedNano.values()], [...certificates.balances].map(([, ids]) => [...ids]), generators],
    (_, value: unknown) => (typeof value === "bigint" ? String(value) : value instanceof Map ? [...value] : value),
  );
