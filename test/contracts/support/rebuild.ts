import { expect } from "chai";
import { indexedAddresses } from "../../../services/indexer/catch-up.ts";
import { foldTransaction } from "../../../services/indexer/fold.ts";
import { INDEXER_MIGRATION } from "../../../services/indexer/schema.ts";
import { openStore, type Store } from "../../../services/platform/store.ts";
import { decodeLogs } from "../../../services/protocol/day-events.ts";
import type { ChainEvent } from "../../../services/protocol/events.ts";
import { balanceOf, conservationNano, problems } from "../../../services/protocol/market-store.ts";
import { expectRebuilt } from "./community.ts";
import type { World } from "./world.ts";

/**
 * The indexer's store from the chain's events alone, and that it agrees with the ledger: every balance, every payment, no money made or
 * lost. Close it.
 */
export const rebuild = async (world: World): Promise<Store> => {
  const logs = await world.provider.getLogs({ fromBlock: 0, address: indexedAddresses(world.addresses) });
  const events = decodeLogs(
    logs.map(({ address, topics, data, blockNumber, blockHash, transactionHash, index }) => ({
      ...{ address, topics: [...topics], data, blockHash, transactionHash },
      ...{ blockNumber: String(blockNumber), logIndex: String(index) },
    })),
  );
  const store = openStore(":memory:", [INDEXER_MIGRATION]);
  const groups = new Map<string, ChainEvent[]>();
  for (const event of events) groups.set(event.txHash, [...(groups.get(event.txHash) ?? []), event]);
  for (const group of groups.values()) foldTransaction(store, group);

  expect(problems(store)).to.deep.equal([]);
  expect(conservationNano(store)).to.equal(0n);
  const { ledger } = world.c;
  const points = Array.from({ length: Number(await world.c.meteringPoints.count()) }, (_, point) => point);
  const pools = await Promise.all([ledger.BACKUP(), ledger.OPERATOR(), ledger.MEMBERS(), ledger.DEFAULT_FUND()]);
  for (const account of [...points, ...pools.map(Number)])
    expect(balanceOf(store, account), `account ${account}`).to.equal(await ledger.balanceOf(account));
  await expectRebuilt(world);
  return store;
};
