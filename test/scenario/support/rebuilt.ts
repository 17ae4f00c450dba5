import { createIndexer, indexedAddresses } from "../../../services/indexer/catch-up.ts";
import { INDEXER_MIGRATION } from "../../../services/indexer/schema.ts";
import { createLog } from "../../../services/platform/log.ts";
import { openStore, type Store } from "../../../services/platform/store.ts";
import { POINTS } from "./community.ts";
import type { Week } from "./week.ts";

/** The indexer's store made anew from the chain's events alone. Close it. */
export const storeFromEvents = async ({ market }: Week, path = ":memory:"): Promise<Store> => {
  const store = openStore(path, [INDEXER_MIGRATION]);
  await createIndexer({
    provider: market.provider,
    store,
    addresses: indexedAddresses(market.addresses),
    startBlock: 0,
    log: createLog({ name: "week", level: "silent" }),
  }).catchUp();
  return store;
};

/** Everything that the ledger says: accounts, what clearers earned, and the tokens behind it. Nano-token. */
export const ledgerOf = async ({ c, accounts, who, addresses }: Week) => {
  const numbers = [...Array(POINTS).keys(), ...Object.values(accounts)];
  const balances = new Map<number, bigint>();
  for (const account of numbers) balances.set(account, await c.ledger.balanceOf(account));
  const earned = await c.ledger.earnedOf(who.auctioneer.address);
  const heldNano = (await c.token.balanceOf(addresses.ledger)) * 1_000n;
  const sum = [...balances.values()].reduce((a, b) => a + b, 0n) + earned;
  return { balances, earned, heldNano, discrepancyNano: sum - heldNano };
};
