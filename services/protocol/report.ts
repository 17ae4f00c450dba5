import {
  AbiCoder,
  concat,
  dataLength,
  dataSlice,
  keccak256,
  Signature,
  toBeHex,
  TypedDataEncoder,
  type TypedDataDomain,
} from "ethers";

/** Report of contracts/interfaces/IMeterOracle.sol. */
export interface Report {
  slot: number;
  version: number;
  attempt: number;
  readingsHash: string;
  root: string;
}

export const reportTypes = {
  Report: [
    { name: "slot", type: "uint32" },
    { name: "version", type: "uint8" },
    { name: "attempt", type: "uint8" },
    { name: "readingsHash", type: "bytes32" },
    { name: "root", type: "bytes32" },
  ],
};

export const reportDomain = (addresses: { chainId: number | bigint; meterOracle: string }): TypedDataDomain => ({
  name: "DAEG",
  version: "1",
  chainId: addresses.chainId,
  verifyingContract: addresses.meterOracle,
});

export const reportDigest = (domain: TypedDataDomain, report: Report): string =>
  TypedDataEncoder.hash(domain, reportTypes, report);

/** Of one packed signature. */
const SIGNATURE_BYTES = 65;

/** Signatures as the contract takes them: per signer, ascending, its index in the committee and 64 bytes (EIP-2098). */
export const packSignatures = (signers: readonly number[], signatures: readonly string[]): string =>
  concat(
    signers.flatMap((signer, at) => [toBeHex(signer, 1), Signature.from(signatures[at] as string).compactSerialized]),
  );

/** A report with its packed signatures, as it is landed. */
export interface SignedReport {
  report: Report;
  signatures: string;
}

/** Many reports as `reportMany` of the contract takes them, one after the other. */
export const packReports = (reports: readonly SignedReport[]): string =>
  concat(
    reports.flatMap(({ report, signatures }) => [
      toBeHex(report.slot, 4),
      toBeHex(report.version, 1),
      toBeHex(report.attempt, 1),
      toBeHex(dataLength(signatures) / SIGNATURE_BYTES, 1),
      report.readingsHash,
      report.root,
      signatures,
    ]),
  );

/** keccak256 of the packed readings. */
export const readingsHash = (readings: string): string => keccak256(readings);

/** What the chain keeps of a report: 28 bytes. */
export const storedDigest = ({ slot, version, readingsHash: hash, root }: Omit<Report, "attempt">): string =>
  dataSlice(keccak256(coder.encode(["uint32", "uint8", "bytes32", "bytes32"], [slot, version, hash, root])), 0, 28);

/** Leaf of one reading: keccak256(bytes.concat(keccak256(abi.encode(uint32 point, uint32 slot, uint64 reading)))). */
export const readingLeaf = (point: number, slot: number, reading: bigint): string =>
  keccak256(keccak256(`0x${word(point)}${word(slot)}${word(reading)}`));

/**
 * Root over all readings of a slot in sorted pairs, as OpenZeppelin's MerkleProof checks it; zero for no reading.
 * @param ownMeters packed readings of generators' own meters, numbers 2^31 and up: leaves behind those of the points
 * @param headMeters 9 bytes per head meter, its root zone and its packed reading, numbers 3 x 2^30 + zone: leaves behind these
 * @param storageMeters packed readings of storage units' own meters, numbers 7 x 2^29 and up: leaves behind all others
 */
export const readingsRoot = (
  slot: number,
  readings: string,
  ownMeters = "0x",
  headMeters = "0x",
  storageMeters = "0x",
): string => levelsOf(slot, readings, ownMeters, headMeters, storageMeters).at(-1)?.[0] ?? `0x${"0".repeat(64)}`;

/** The siblings on the path from the leaf at `index` to the root: a point's number, own meters behind the points. */
export const readingProof = (
  slot: number,
  readings: string,
  index: number,
  ownMeters = "0x",
  headMeters = "0x",
  storageMeters = "0x",
): string[] => {
  const proof: string[] = [];
  for (const level of levelsOf(slot, readings, ownMeters, headMeters, storageMeters).slice(0, -1)) {
    const sibling = level[index ^ 1];
    if (sibling !== undefined) proof.push(sibling);
    index >>= 1;
  }
  return proof;
};

const coder = AbiCoder.defaultAbiCoder();

/** ABI encoding of an unsigned integer, without 0x; by hand, since every node encodes every reading of every slot. */
const word = (value: number | bigint): string => value.toString(16).padStart(64, "0");

const leavesOf = (slot: number, readings: string, first: number): string[] =>
  (readings.slice(2).match(/.{16}/g) ?? []).map((hex, i) => readingLeaf(first + i, slot, BigInt(`0x${hex}`)));

/** Number of the head meter of the island whose root is zone 0. */
export const FIRST_HEAD_METER = 3 * 2 ** 30;
/** Number of the first own meter of a storage unit. */
export const FIRST_STORAGE_METER = 7 * 2 ** 29;

const headLeavesOf = (slot: number, heads: string): string[] =>
  (heads.slice(2).match(/.{18}/g) ?? []).map((hex) =>
    readingLeaf(FIRST_HEAD_METER + Number.parseInt(hex.slice(0, 2), 16), slot, BigInt(`0x${hex.slice(2)}`)),
  );

const levelsOf = (
  slot: number,
  readings: string,
  ownMeters: string,
  headMeters: string,
  storageMeters: string,
): string[][] => {
  const leaves = [
    ...leavesOf(slot, readings, 0),
    ...leavesOf(slot, ownMeters, 2 ** 31),
    ...headLeavesOf(slot, headMeters),
    ...leavesOf(slot, storageMeters, FIRST_STORAGE_METER),
  ];
  const levels = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level)) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => {
      const left = level[2 * pair] as string;
      const right = level[2 * pair + 1];
      return right === undefined
        ? left
        : keccak256(left < right ? `${left}${right.slice(2)}` : `${right}${left.slice(2)}`);
    });
  }
  return levels;
};
