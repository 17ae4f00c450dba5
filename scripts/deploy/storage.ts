import { CommunityStorage__factory } from "../../types/contracts/factories/balancing/CommunityStorage__factory.ts";
import { StorageUnits__factory } from "../../types/contracts/factories/balancing/StorageUnits__factory.ts";
import type { Group } from "./group.ts";

export interface StorageOptions {
  /** Who manages the community battery; the operator by default. */
  manager?: string | undefined;
  /** Name and symbol of its shares. */
  name?: string | undefined;
  symbol?: string | undefined;
}

/** Storage units, declared by the owners of their connections, and the vault of a community battery, which waits for its metering point. */
export const storage: Group = {
  name: "storage",
  creations: ({ storage: { name = "DAEG community battery", symbol = "dSTORE" } = {} }) => [
    {
      name: "storageUnits",
      transaction: ({ at }) => new StorageUnits__factory().getDeployTransaction(at.meteringPoints, at.readingArchive),
    },
    {
      name: "communityStorage",
      transaction: ({ at }) =>
        new CommunityStorage__factory().getDeployTransaction(
          at.accessManager,
          at.ledger,
          at.meteringPoints,
          name,
          symbol,
        ),
    },
  ],
  restrictions: ({ at }) => [
    {
      target: at.communityStorage,
      role: "STORAGE_MANAGER",
      abi: CommunityStorage__factory.createInterface(),
      functions: ["setPoint", "appoint", "setTradeLimit", "fundLedger", "nameHeir"],
    },
  ],
  holders: ({ operator, storage: { manager = operator } = {} }) => [{ role: "STORAGE_MANAGER", account: manager }],
};
