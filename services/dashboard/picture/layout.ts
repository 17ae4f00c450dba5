import { treeOf, type LinkLike, type ZoneNode } from "./zone-tree.ts";

/** Where everything of the power flow picture stands; CSS pixels, origin at the top left. */
export interface PictureLayout {
  readonly width: number;
  readonly height: number;
  readonly cell: Cell;
  readonly regions: readonly Region[];
  readonly wires: readonly Wire[];
  readonly grid: { readonly x: number; readonly y: number };
  readonly kind: "columns" | "rail";
}

/** How large a home is drawn; `labelled` = its power stands below it. */
export interface Cell {
  readonly width: number;
  readonly height: number;
  readonly glyph: number;
  readonly drop: number;
  readonly labelled: boolean;
}

export interface Region {
  readonly zone: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Feeders: horizontal wires from which a row of homes hangs, and the riser that joins them. */
  readonly feeders: readonly { readonly x1: number; readonly x2: number; readonly y: number }[];
  /** Top centre of each home's drop, in the order of the points given. */
  readonly homes: readonly { readonly point: number; readonly x: number; readonly y: number }[];
}

/** A line (or the grid connection, id null) from the grid's side to the far side. */
export interface Wire {
  readonly id: string | null;
  readonly path: string;
  /** True when `path` runs against the line's own direction from -> to. */
  readonly reversed: boolean;
  /** Where its flow (above) and its limit (below) are written. */
  readonly label: { readonly x: number; readonly y: number; readonly anchor: "middle" | "start" };
  /** Where an arrow shows the direction; it points right for a flow along `path`. */
  readonly arrow: { readonly x: number; readonly y: number; readonly turn: number };
}

export interface PictureInput {
  readonly width: number;
  readonly zones: readonly string[];
  readonly lines: readonly LinkLike[];
  readonly gridZone: string;
  readonly points: readonly { readonly point: number; readonly zone: string }[];
}

export const HEADER = 54;
const PAD = 14;
const GRID_WIDTH = 76;
const GUTTER = 104;
const LANE = 16;
const STACK_GAP = 22;
const RAIL_GAP = 46;
const MIN_REGION = 190;
const MAX_COLUMN_HEIGHT = 480;

const cells: readonly Cell[] = [
  { width: 108, height: 114, glyph: 58, drop: 26, labelled: true },
  { width: 78, height: 84, glyph: 40, drop: 20, labelled: true },
  { width: 62, height: 74, glyph: 32, drop: 18, labelled: true },
  { width: 42, height: 50, glyph: 26, drop: 15, labelled: false },
  { width: 30, height: 38, glyph: 19, drop: 12, labelled: false },
];

/** Columns by distance from the grid where the page is wide enough, else one column with a rail at its left. */
export const layoutPicture = (input: PictureInput): PictureLayout => {
  const tree = treeOf(input.zones, input.lines, input.gridZone);
  const depths = Math.max(...tree.map((node) => node.depth)) + 1;
  const regionWidth = Math.floor((input.width - GRID_WIDTH - depths * GUTTER) / depths);
  return input.width >= 640 && regionWidth >= MIN_REGION
    ? columns(input, tree, depths, regionWidth)
    : rail(input, tree);
};

const members = (input: PictureInput, zone: string): number[] =>
  input.points.filter((point) => point.zone === zone).map((point) => point.point);

const perRow = (cell: Cell, width: number): number => Math.max(1, Math.floor((width - 2 * PAD) / cell.width));

const regionHeight = (cell: Cell, width: number, homes: number): number =>
  HEADER + Math.max(1, Math.ceil(homes / perRow(cell, width))) * cell.height + 10;

const fillRegion = (
  cell: Cell,
  zone: string,
  box: { x: number; y: number; width: number },
  points: number[],
): Region => {
  const inRow = perRow(cell, box.width);
  const rows = Math.max(1, Math.ceil(points.length / inRow));
  /** Rows of equal length look calmer than a full row above a single home. */
  const even = Math.max(1, Math.ceil(points.length / rows));
  const step = Math.min((box.width - 2 * PAD) / even, cell.width * 1.5);
  const left = box.x + (box.width - step * even) / 2;
  const rowY = (row: number): number => box.y + HEADER + row * cell.height;
  return {
    zone,
    ...box,
    height: regionHeight(cell, box.width, points.length),
    feeders: Array.from({ length: rows }, (_, row) => ({ x1: box.x + PAD, x2: box.x + box.width - PAD, y: rowY(row) })),
    homes: points.map((point, at) => ({
      point,
      x: left + step * ((at % even) + 0.5),
      y: rowY(Math.floor(at / even)),
    })),
  };
};

const columns = (input: PictureInput, tree: readonly ZoneNode[], depths: number, width: number): PictureLayout => {
  const byDepth = Array.from({ length: depths }, (_, depth) => tree.filter((node) => node.depth === depth));
  const heightOf = (cell: Cell, nodes: readonly ZoneNode[]): number =>
    nodes.reduce(
      (sum, node) => sum + regionHeight(cell, width, members(input, node.zone).length) + STACK_GAP,
      -STACK_GAP,
    );
  const tallest = (cell: Cell): number => Math.max(...byDepth.map((nodes) => heightOf(cell, nodes)));
  const cell = cells.find((candidate) => tallest(candidate) <= MAX_COLUMN_HEIGHT) ?? cells.at(-1)!;
  const height = tallest(cell) + 4;
  const regions = new Map<string, Region>();
  byDepth.forEach((nodes, depth) => {
    let y = 2 + (height - 4 - heightOf(cell, nodes)) / 2;
    const x = GRID_WIDTH + GUTTER + depth * (width + GUTTER);
    for (const node of nodes) {
      const region = fillRegion(cell, node.zone, { x, y, width }, members(input, node.zone));
      regions.set(node.zone, region);
      y += region.height + STACK_GAP;
    }
  });
  const grid = { x: GRID_WIDTH / 2 + 4, y: height / 2 };
  const wires = tree.flatMap((node): Wire[] => {
    const to = regions.get(node.zone)!;
    const endY = to.y + to.height / 2;
    const siblings = tree.filter((other) => other.parent === node.parent);
    if (node.parent === null && node.zone !== input.gridZone) return [];
    const from = node.parent === null ? null : regions.get(node.parent)!;
    const startX = from ? from.x + from.width : grid.x + 30;
    const spread = (siblings.indexOf(node) - (siblings.length - 1) / 2) * 26;
    const startY = from ? from.y + from.height / 2 + spread : grid.y;
    const laneX =
      startX + LANE * (1 + laneOf(siblings, node, (other) => centreOf(regions.get(other.zone)!), startY - spread));
    return [
      {
        id: node.link?.id ?? null,
        path: elbow({ startX, startY, laneX, endX: to.x, endY }),
        reversed: node.reversed,
        label: { x: (laneX + to.x) / 2, y: endY, anchor: "middle" },
        arrow: { x: to.x - 9, y: endY, turn: 0 },
      },
    ];
  });
  return {
    width: input.width,
    height,
    cell,
    regions: tree.map((node) => regions.get(node.zone)!),
    wires,
    grid,
    kind: "columns",
  };
};

const centreOf = (region: Region): number => region.y + region.height / 2;

/** Upright parts of sibling lines stand side by side, the farthest one nearest to the parent, so that none cross. */
const laneOf = (
  siblings: readonly ZoneNode[],
  node: ZoneNode,
  endOf: (node: ZoneNode) => number,
  startY: number,
): number => {
  const up = endOf(node) < startY;
  const sameWay = siblings.filter((other) => endOf(other) < startY === up);
  const rank = sameWay.indexOf(node);
  return Math.min(2, up ? rank : sameWay.length - 1 - rank);
};

/** Across, up or down, and across again, with round corners; a straight line where both ends are level. */
const elbow = ({
  startX,
  startY,
  laneX,
  endX,
  endY,
}: {
  startX: number;
  startY: number;
  laneX: number;
  endX: number;
  endY: number;
}): string => {
  const rise = endY - startY;
  if (Math.abs(rise) < 1) return `M${startX} ${startY}H${endX}`;
  const r = Math.min(10, Math.abs(rise) / 2, laneX - startX);
  const turn = Math.sign(rise) * r;
  return `M${startX} ${startY}H${laneX - r}Q${laneX} ${startY} ${laneX} ${startY + turn}V${endY - turn}Q${laneX} ${endY} ${laneX + r} ${endY}H${endX}`;
};

const rail = (input: PictureInput, tree: readonly ZoneNode[]): PictureLayout => {
  const links = tree.filter((node) => node.parent !== null);
  const railWidth = links.length === 0 ? 2 : 16 + 14 * Math.min(links.length, 5);
  const width = input.width - railWidth - 2;
  const homes = input.points.length;
  const cell = homes > 150 ? cells[4]! : homes > 40 ? cells[3]! : cells[2]!;
  const regions = new Map<string, Region>();
  let y = 86;
  for (const node of tree) {
    const region = fillRegion(cell, node.zone, { x: railWidth, y, width }, members(input, node.zone));
    regions.set(node.zone, region);
    y += region.height + RAIL_GAP;
  }
  const grid = { x: railWidth + 32, y: 28 };
  const wires = tree.flatMap((node): Wire[] => {
    const to = regions.get(node.zone)!;
    if (node.parent === null) {
      if (node.zone !== input.gridZone) return [];
      return [
        {
          id: null,
          path: `M${grid.x} ${grid.y + 24} V${to.y}`,
          reversed: false,
          label: { x: grid.x + 34, y: grid.y + 2, anchor: "start" },
          arrow: { x: grid.x, y: to.y - 9, turn: 90 },
        },
      ];
    }
    const from = regions.get(node.parent)!;
    const lane = links.indexOf(node) % 5;
    const laneX = railWidth - 16 - 14 * lane;
    const startY = from.y + 40 + 12 * tree.filter((other) => other.parent === node.parent).indexOf(node);
    const endY = to.y + 20;
    return [
      {
        id: node.link?.id ?? null,
        path: `M${from.x} ${startY} H${laneX + 8} Q${laneX} ${startY} ${laneX} ${startY + 8} V${endY - 8} Q${laneX} ${endY} ${laneX + 8} ${endY} H${to.x}`,
        reversed: node.reversed,
        label: { x: railWidth + 4, y: to.y - 17, anchor: "start" },
        arrow: { x: to.x - 7, y: endY, turn: 0 },
      },
    ];
  });
  return {
    width: input.width,
    height: y - RAIL_GAP + 4,
    cell,
    regions: tree.map((node) => regions.get(node.zone)!),
    wires,
    grid,
    kind: "rail",
  };
};
