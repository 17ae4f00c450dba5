import { StorageUnits__factory } from "../../types/contracts/factories/balancing/StorageUnits__factory.ts";
import type { Group } from "./group.ts";

/** Storage units, declared by the owners of their connections: nobody has a role there. */
export const storage: Group = {
  name: "storage",
  creations: () => [
    {
      name: "storageUnits",
      transaction: ({ at }) => new StorageUnits__factory().getDeployTransaction(at.meteringPoints, at.readingArchive),
    },
  ],
};
