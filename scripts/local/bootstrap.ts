import { MaxUint256, Signature, Wallet, type Provider, type TypedDataDomain } from "ethers";
import type { Community } from "../../services/core/community/community.ts";
import type { Addresses } from "../../services/protocol/addresses.ts";
import { connectContracts } from "../../services/protocol/contracts.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { deployMarket } from "../deploy/deploy.ts";
import type { ChainControl } from "./chain-control.ts";
import type { TreeZone } from "./grid.ts";
import { BAND, EMERGENCY_PRICE } from "./operator.ts";

const NANO_PER_BASE_UNIT = 1_000n;
/** Margin is deposited for as many slots as can be open at once: orders ahead, the report's deadline, the dispute window. */
const MARGIN_SLOTS = 240n;
/** Local wallets start with this much beside the margin, base units (6 decimals). */
const POCKET_MONEY = 50_000_000n;

/** Two days in which everybody sees what the admin will do, and the guardian may cancel it. */
export const ADMIN_DELAY_SECONDS = 172_800;

const HOMES_AT_ONCE = 8;

/** Delegate keys never expire on a local chain. */
const FOREVER = 2 ** 40 - 1;

export interface Market {
  addresses: Addresses;
  /** Point of each home, by id. */
  pointOf: Map<string, number>;
}

/** Deploys a market on a local chain, registers every home, its agent's key and its deposit. Everything follows from the seed. */
export const bootstrapMarket = async ({
  provider,
  chain,
  community,
  tree,
  tariffBounds,
  seed,
  nodes,
  faults,
  genesisSlot,
}: {
  provider: Provider;
  chain: ChainControl;
  community: Community;
  tree: readonly TreeZone[];
  tariffBounds: { highestImport: number; lowestExport: number };
  seed: number;
  nodes: number;
  faults: number;
  genesisSlot: number;
}): Promise<Market> => {
  const wallet = (role: string): Wallet => new Wallet(deriveKey(seed, role), provider);
  const deployer = wallet("deployer");
  const operator = wallet("operator");
  const nodeWallets = Array.from({ length: nodes }, (_, index) => wallet(`node:${index}`));
  const payers = [
    deployer,
    operator,
    wallet("auctioneer"),
    wallet("guardian"),
    ...[0, 1, 2].map((index) => wallet(`admin:${index}`)),
    wallet("backup"),
    wallet("cheat"),
    ...nodeWallets,
  ];
  for (const { address } of payers) await chain.fund(address);

  const addresses = await deployMarket({
    signer: deployer,
    operator: operator.address,
    guardian: wallet("guardian").address,
    admin: { owners: [0, 1, 2].map((index) => wallet(`admin:${index}`).address), threshold: 2 },
    adminDelaySeconds: ADMIN_DELAY_SECONDS,
    backup: wallet("backup").address,
    committee: nodeWallets.map(({ address }) => address),
    faults,
    zones: tree,
    bounds: {
      highestImportTariff: tariffBounds.highestImport,
      lowestExportTariff: tariffBounds.lowestExport,
      lowestPrice: BAND.min,
      highestPrice: EMERGENCY_PRICE,
    },
    genesisSlot,
  });

  const asOperator = connectContracts(addresses, operator);
  const pointOf = new Map<string, number>();
  for (const home of community.homes) {
    const owner = wallet(`home:${home.id}`);
    await chain.fund(owner.address);
    const zone = tree.findIndex(({ name }) => name === home.zone);
    const registered = await asOperator.meteringPoints.register(
      owner.address,
      zone,
      Math.floor(home.importRatingW / 4),
      Math.floor(home.exportRatingW / 4),
    );
    await registered.wait();
    pointOf.set(home.id, pointOf.size);
  }
  const equip = async (home: Community["homes"][number]): Promise<void> => {
    const point = pointOf.get(home.id) as number;
    const owner = wallet(`home:${home.id}`);
    const agent = wallet(`agent:${home.id}`);
    const asOwner = connectContracts(addresses, owner);
    await (await asOwner.meteringPoints.setDelegate(point, agent.address, FOREVER)).wait();
    const marginNano = (await asOwner.orderBook.marginPerSlot(point)) * MARGIN_SLOTS;
    await deposit({ addresses, owner, account: point, amount: marginNano / NANO_PER_BASE_UNIT + POCKET_MONEY });
  };
  // Each home's wallet is its own queue of transactions: homes need not wait for each other.
  for (let first = 0; first < community.homes.length; first += HOMES_AT_ONCE) {
    await Promise.all(community.homes.slice(first, first + HOMES_AT_ONCE).map(equip));
  }
  const backup = wallet("backup");
  const { ledger } = connectContracts(addresses, provider);
  await deposit({ addresses, owner: backup, account: Number(await ledger.BACKUP()), amount: 1_000_000_000_000n });
  return { addresses, pointOf };
};

/** Mints test tokens to a wallet and deposits them with an ERC-2612 permit: one signature, no approval transaction. */
const deposit = async ({
  addresses,
  owner,
  account,
  amount,
}: {
  addresses: Addresses;
  owner: Wallet;
  account: number;
  amount: bigint;
}): Promise<void> => {
  const { token, ledger } = connectContracts(addresses, owner);
  await (await token.mint(owner.address, amount)).wait();
  const [name, nonce] = await Promise.all([token.name(), token.nonces(owner.address)]);
  const domain: TypedDataDomain = {
    name,
    version: "1",
    chainId: addresses.chainId,
    verifyingContract: addresses.token,
  };
  const types = {
    Permit: [
      { name: "owner", type: "address" },
      { name: "spender", type: "address" },
      { name: "value", type: "uint256" },
      { name: "nonce", type: "uint256" },
      { name: "deadline", type: "uint256" },
    ],
  };
  const message = { owner: owner.address, spender: addresses.ledger, value: amount, nonce, deadline: MaxUint256 };
  const { v, r, s } = Signature.from(await owner.signTypedData(domain, types, message));
  await (await ledger.depositWithPermit(account, amount, MaxUint256, v, r, s)).wait();
};
