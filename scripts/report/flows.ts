import type { TreeZone } from "../local/grid.ts";

export interface GridFlows {
  /** Net import of the whole community through its grid connections per slot, Wh. */
  exchangeWh: Int32Array;
  /** Slots in which a line or the grid connection carried more than its limit. */
  overloadSlots: number;
}

/** Flows of a radial network that given net imports of homes cause. `netImportWh[home][slot]`, Wh. */
export const gridFlows = (
  tree: readonly TreeZone[],
  zoneOfHome: readonly string[],
  netImportWh: readonly ArrayLike<number>[],
  slots: number,
): GridFlows => {
  const zoneIndex = new Map(tree.map(({ name }, index) => [name, index]));
  const exchangeWh = new Int32Array(slots);
  let overloadSlots = 0;
  for (let slot = 0; slot < slots; slot += 1) {
    const subtree = new Float64Array(tree.length);
    netImportWh.forEach((net, home) => {
      const zone = zoneIndex.get(zoneOfHome[home] as string) as number;
      subtree[zone] = (subtree[zone] as number) + (net[slot] as number);
    });
    let overloaded = false;
    // Children stand behind their parents: from the last zone on, each passes its need to its parent.
    for (let zone = tree.length - 1; zone >= 0; zone -= 1) {
      const { parent, fromParentWh, toParentWh, backupCapacityWh } = tree[zone] as TreeZone;
      const need = subtree[zone] as number;
      if (parent === zone) {
        exchangeWh[slot] = (exchangeWh[slot] as number) + need;
        if (Math.abs(need) > Number(backupCapacityWh)) overloaded = true;
      } else {
        subtree[parent] = (subtree[parent] as number) + need;
        if (need > Number(fromParentWh) || -need > Number(toParentWh)) overloaded = true;
      }
    }
    if (overloaded) overloadSlots += 1;
  }
  return { exchangeWh, overloadSlots };
};
