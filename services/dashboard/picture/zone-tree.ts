export interface LinkLike {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

/** A zone seen from the grid: `parent` is one line nearer to it. */
export interface ZoneNode {
  readonly zone: string;
  readonly depth: number;
  readonly parent: string | null;
  readonly link: LinkLike | null;
  /** True when the line is defined from this zone to its parent. */
  readonly reversed: boolean;
}

/**
 * Zones ordered by distance from the grid's zone (breadth first), every island's first zone as a further root. Lines that
 * close a ring are not part of the tree.
 */
export const treeOf = (zones: readonly string[], lines: readonly LinkLike[], gridZone: string): ZoneNode[] => {
  const nodes = new Map<string, ZoneNode>();
  const grow = (root: string): void => {
    nodes.set(root, { zone: root, depth: 0, parent: null, link: null, reversed: false });
    const queue = [root];
    for (let zone = queue.shift(); zone !== undefined; zone = queue.shift())
      for (const link of lines) {
        const other = link.from === zone ? link.to : link.to === zone ? link.from : null;
        if (other === null || nodes.has(other)) continue;
        nodes.set(other, {
          zone: other,
          depth: nodes.get(zone)!.depth + 1,
          parent: zone,
          link,
          reversed: link.to === zone,
        });
        queue.push(other);
      }
  };
  for (const zone of [gridZone, ...zones]) if (zones.includes(zone) && !nodes.has(zone)) grow(zone);
  return [...nodes.values()];
};
