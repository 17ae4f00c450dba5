import { AbiCoder, concat, dataLength, dataSlice, keccak256, ZeroHash } from "ethers";
import { EXTRAS } from "./extras.ts";
import { FIRST_STORAGE_METER, readingProof, readingsRoot } from "./report.ts";
import { decodePositions, hexOf } from "./words.ts";

/** Slots of one UTC day, and the depth of the tree of their leaves (contracts/libraries/ReadingProof.sol). */
export const SLOTS_PER_DAY = 96;
const DEPTH = 7;
const LEAF_GIVEN = 0xff;
const HAS_SALES = 0x40;

/** ReadingRange of contracts/interfaces/IReadingArchive.sol. */
export interface ReadingRange {
  meter: number;
  firstSlot: number;
  slots: string;
  nodes: string[];
}

/** What a slot's leaf is made of: readings of the last report (own meters behind the points), and its green sales. */
export interface ArchivedSlot {
  slot: number;
  /** Packed readings of the points, 8 bytes each; undefined for a slot without a settled report. */
  readings?: string;
  /** Packed readings of the generators' own meters, from number 2^31 on. */
  ownMeters?: string;
  /** Readings of the islands' head meters, 9 bytes each: root zone, packed reading. */
  headMeters?: string;
  /** Packed readings of the storage units' own meters, from number 7 x 2^29 on. */
  storageMeters?: string;
  /** List of green sales (`salesList`); undefined or 0x without. */
  sales?: string;
}

/** Number of the first meter that is no metering point. */
export const FIRST_OWN_METER = 2 ** 31;

/**
 * Who sold green energy to whom, as the archive keeps it: 9 bytes per point with green energy.
 * @param green net green energy of every point, 4 bytes each (ClearingExtras.green)
 * @param zoneOf zone of every point
 * @param parentOf parent of every zone; a root is its own
 * @returns 0x when no green-only bid was filled
 */
export const salesList = (green: string, zoneOf: readonly number[], parentOf: readonly number[]): string => {
  const roots: number[] = [];
  parentOf.forEach((parent, zone) => roots.push(parent === zone ? zone : (roots[parent] as number)));
  const sold = decodePositions(green);
  if (!sold.some((wh) => wh < 0)) return "0x";
  return concat(
    sold.flatMap((wh, point) =>
      wh === 0 ? [] : [`0x${hexOf(point, 4)}${hexOf(roots[zoneOf[point] as number] as number, 1)}${packEnergy(wh)}`],
    ),
  );
};

/** The net green energy of a clearing record's extras, 4 bytes per point; 0x without. */
export const greenOf = (extras: string): string => {
  if (extras === "0x") return "0x";
  const [{ green }] = AbiCoder.defaultAbiCoder().decode([EXTRAS], extras) as unknown as [{ green: string }];
  return green;
};

/** A record as `ReadingArchive.archive` takes it: abi.encode(ClearingRecord). */
export const encodeRecord = (record: object): string =>
  AbiCoder.defaultAbiCoder().encode(
    [
      "tuple(uint32 slot, address clearer, int64[] prices, uint64 backupSoldWh, uint64 backupBoughtWh, int128 backupNano, int128 congestionNano, bytes positions, bytes extras)",
    ],
    [record],
  );

/** Leaf of a slot in its day's tree. */
export const slotLeaf = ({
  slot,
  readings,
  ownMeters,
  headMeters,
  storageMeters,
  sales = "0x",
}: ArchivedSlot): string => {
  if (readings === undefined) return ZeroHash;
  return leafOfRoot(readingsRoot(slot, readings, ownMeters, headMeters, storageMeters), sales);
};

/** Leaf of a slot by its report's root and its list of green sales. */
export const leafOfRoot = (root: string, sales: string): string => {
  if (root === ZeroHash) return ZeroHash;
  if (sales === "0x") return withLowestBit(root, 0n);
  return withLowestBit(pair(root, keccak256(sales)), 1n);
};

/** SlotReadings of contracts/libraries/WholeSlots.sol: everything that was read in a slot. */
export interface SlotReadings {
  points: string;
  own: string;
  heads: string;
  stores: string;
  salesHash: string;
}

/** All readings of consecutive slots of one day, as losses, peak charge and refunds take them: the day's leaves, and what they are made of. */
export const proveWhole = (
  slots: readonly ArchivedSlot[],
  leaves: readonly string[],
): { range: ReadingRange; slots: SlotReadings[] } => ({
  range: proveRange(0, slots, leaves, new Set(slots.map(({ slot }) => slot))),
  slots: slots.map(
    ({ slot, readings = "0x", ownMeters = "0x", headMeters = "0x", storageMeters = "0x", sales = "0x" }) =>
      leaves[slot % SLOTS_PER_DAY] === ZeroHash
        ? { points: "0x", own: "0x", heads: "0x", stores: "0x", salesHash: ZeroHash }
        : {
            ...{ points: readings, own: ownMeters, heads: headMeters, stores: storageMeters },
            salesHash: sales === "0x" ? ZeroHash : keccak256(sales),
          },
  ),
});

/** Root of a day whose first slots have these leaves, in the 31 bytes that the chain keeps. */
export const dayRoot = (leaves: readonly string[]): string => dataSlice(treeOf(leaves).at(-1)?.[0] as string, 0, 31);

/**
 * Proof of a meter's readings in consecutive slots of one day.
 * @param leaves all archived leaves of the day
 * @param slots what is known of each slot of the range, in order; a slot in `given` is passed over with its leaf alone
 * @throws RangeError when the slots are not consecutive slots of one day
 */
export const proveRange = (
  meter: number,
  slots: readonly ArchivedSlot[],
  leaves: readonly string[],
  given: ReadonlySet<number> = new Set(),
): ReadingRange => {
  const firstSlot = slots[0]?.slot ?? 0;
  const index = firstSlot % SLOTS_PER_DAY;
  if (slots.length === 0 || index + slots.length > leaves.length)
    throw new RangeError(
      `slots: ${slots.length} from ${firstSlot} on do not lie in the ${leaves.length} archived ones`,
    );
  const steps: string[] = [];
  const nodes: string[] = [];
  for (const [i, slot] of slots.entries()) {
    if (slot.slot !== firstSlot + i) throw new RangeError(`slots: ${slot.slot} does not follow ${firstSlot + i - 1}`);
    const reading = given.has(slot.slot) ? undefined : readingAt(slot, meter);
    if (reading === undefined) {
      steps.push(`0x${hexOf(LEAF_GIVEN, 1)}${hexOf(0, 8)}`);
      nodes.push(leaves[index + i] as string);
      continue;
    }
    const proof = readingProof(
      slot.slot,
      slot.readings as string,
      indexOf(slot, meter),
      slot.ownMeters,
      slot.headMeters,
      slot.storageMeters,
    );
    const sold = slot.sales !== undefined && slot.sales !== "0x";
    steps.push(`0x${hexOf(proof.length | (sold ? HAS_SALES : 0), 1)}`, reading);
    nodes.push(...proof, ...(sold ? [keccak256(slot.sales as string)] : []));
  }
  let from = index;
  let through = index + slots.length - 1;
  for (const level of treeOf(leaves).slice(0, -1)) {
    if (from % 2 === 1) nodes.push(level[from - 1] as string);
    if (through % 2 === 0) nodes.push(level[through + 1] as string);
    from >>= 1;
    through >>= 1;
  }
  return { meter, firstSlot, slots: concat(steps), nodes };
};

const packEnergy = (wh: number): string => hexOf(wh < 0 ? 2 ** 31 - wh : wh, 4);

/** Place of a meter's leaf in the report's tree. */
const indexOf = ({ readings = "0x", ownMeters = "0x", headMeters = "0x" }: ArchivedSlot, meter: number): number => {
  if (meter < FIRST_OWN_METER) return meter;
  const points = dataLength(readings) / 8;
  if (meter < FIRST_STORAGE_METER) return points + meter - FIRST_OWN_METER;
  return points + dataLength(ownMeters) / 8 + dataLength(headMeters) / 9 + meter - FIRST_STORAGE_METER;
};

/** The 8 bytes of one meter's reading. */
const readingAt = (slot: ArchivedSlot, meter: number): string | undefined => {
  const isStorage = meter >= FIRST_STORAGE_METER;
  const all = (isStorage ? slot.storageMeters : concat([slot.readings ?? "0x", slot.ownMeters ?? "0x"])) ?? "0x";
  const at = 8 * (isStorage ? meter - FIRST_STORAGE_METER : indexOf(slot, meter));
  return slot.readings === undefined || at + 8 > dataLength(all) ? undefined : dataSlice(all, at, at + 8);
};

const pair = (left: string, right: string): string => keccak256(concat([left, right]));

const withLowestBit = (hash: string, bit: bigint): string =>
  `0x${((BigInt(hash) & ~1n) | bit).toString(16).padStart(64, "0")}`;

/** All levels of a day's tree, padded with zeros to 128 leaves. */
const treeOf = (leaves: readonly string[]): string[][] => {
  const levels = [Array.from({ length: 2 ** DEPTH }, (_, i) => leaves[i] ?? ZeroHash)];
  for (let level = levels[0] as string[]; level.length > 1; levels.push(level)) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, i) =>
      pair(below[2 * i] as string, below[2 * i + 1] as string),
    );
  }
  return levels;
};
