/** What the nodes of the committee say to each other: signed observations and signed proposals. */
import { keccak256, toUtf8Bytes, TypedDataEncoder, type TypedDataDomain } from "ethers";
import { z } from "zod";

/** Quality of one register reading, as in the packed readings of a report. */
export const MEASURED = 0;
export const INTERPOLATED = 1;
/** Read by fewer nodes than a median needs (single-source), within the connection's bounds. */
export const ESTIMATED = 2;
export const MISSING = 3;

export type RegisterQuality = typeof MEASURED | typeof INTERPOLATED;

/** Cumulative registers of one meter at one instant, Wh; quality says whether they were read exactly then. */
export interface Registers {
  importWh: number;
  exportWh: number;
  quality: RegisterQuality;
}

/** One meter at both boundaries of a slot; null where the node has no value. */
export interface MeterObservation {
  start: Registers | null;
  end: Registers | null;
}

/** One node's observation of a slot as it travels. `registers` is `packObservation` in hex. */
export interface SignedObservation {
  node: number;
  slot: number;
  /** Rises when a meter that had no value got one; a value once given never changes. */
  revision: number;
  registers: string;
  signature: string;
}

const BYTES_PER_METER = 25;
const LARGEST_WH = 2 ** 48 - 1;

/**
 * Packs an observation, dense from point 0, 25 bytes per meter: quality (bits 0..1 start, 2..3 end; 3 = none), then start import,
 * start export, end import, end export, Wh, 48 bits each.
 */
export const packObservation = (meters: readonly MeterObservation[]): string => {
  const bytes = Buffer.alloc(meters.length * BYTES_PER_METER);
  meters.forEach(({ start, end }, point) => {
    const at = point * BYTES_PER_METER;
    bytes[at] = (start?.quality ?? MISSING) | ((end?.quality ?? MISSING) << 2);
    writeRegisters(bytes, at + 1, start);
    writeRegisters(bytes, at + 13, end);
  });
  return `0x${bytes.toString("hex")}`;
};

/** Reverses `packObservation`; undefined when the text is not a canonical packing. */
export const unpackObservation = (registers: string): MeterObservation[] | undefined => {
  if (!/^0x(?:[0-9a-f]{50})*$/.test(registers)) return undefined;
  const bytes = Buffer.from(registers.slice(2), "hex");
  const meters: MeterObservation[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_METER) {
    const flags = bytes[at] as number;
    const start = readRegisters(bytes, at + 1, flags & 3);
    const end = readRegisters(bytes, at + 13, flags >> 2);
    if (start === undefined || end === undefined) return undefined;
    meters.push({ start, end });
  }
  return meters;
};

const writeRegisters = (bytes: Buffer, at: number, registers: Registers | null): void => {
  if (!registers) return;
  bytes.writeUIntBE(Math.min(registers.importWh, LARGEST_WH), at, 6);
  bytes.writeUIntBE(Math.min(registers.exportWh, LARGEST_WH), at + 6, 6);
};

/** Undefined when it is not canonical: an unknown quality, or numbers where there is no value. */
const readRegisters = (bytes: Buffer, at: number, quality: number): Registers | null | undefined => {
  const importWh = bytes.readUIntBE(at, 6);
  const exportWh = bytes.readUIntBE(at + 6, 6);
  if (quality === MEASURED || quality === INTERPOLATED) return { importWh, exportWh, quality };
  return quality === MISSING && importWh === 0 && exportWh === 0 ? null : undefined;
};

const OBSERVATION_TYPE = "Observation(uint32 slot,uint8 revision,bytes32 registersHash)";

/**
 * EIP-712 digests of observations in one domain; the signer says which node it is. Encoded by hand: a node computes several
 * of them in every slot, and the general encoder takes ten times as long.
 */
export const createObservationDigest = (
  domain: TypedDataDomain,
): ((observation: Pick<SignedObservation, "slot" | "revision" | "registers">) => string) => {
  const separator = TypedDataEncoder.hashDomain(domain).slice(2);
  const typeHash = keccak256(toUtf8Bytes(OBSERVATION_TYPE));
  return ({ slot, revision, registers }) => {
    const content = `${typeHash}${word(slot)}${word(revision)}${keccak256(registers).slice(2)}`;
    return keccak256(`0x1901${separator}${keccak256(content).slice(2)}`);
  };
};

const word = (value: number): string => value.toString(16).padStart(64, "0");

const hex = z.string().regex(/^0x(?:[0-9a-f]{2})*$/, "must be bytes in lower-case hex, like 0x01ab");
const bytes32 = z.string().regex(/^0x[0-9a-f]{64}$/, "must be 32 bytes in lower-case hex");
const signature = z.string().regex(/^0x[0-9a-f]{130}$/, "must be a 65 byte signature in lower-case hex");
const uint = (bits: number): z.ZodNumber =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** bits - 1);

export const signedObservationSchema = z
  .object({ node: uint(5), slot: uint(32), revision: uint(8), registers: hex, signature })
  .strict();

/** What a leader asks the others to sign: everything that is needed to compute it again. */
export const proposalSchema = z
  .object({
    slot: uint(32),
    version: uint(8),
    attempt: uint(8),
    /** Packed readings (8 bytes per point), hex. */
    readings: hex,
    /** The signed observations it was computed from, by node. */
    observations: z.array(signedObservationSchema).min(1).max(31),
    /** The leader's own signature of the report, so that nobody else uses up its turn. */
    signature,
  })
  .strict();

export type Proposal = z.infer<typeof proposalSchema>;

/** A report that is on chain, with all that it was computed from. */
export interface ReportRecord {
  slot: number;
  version: number;
  attempt: number;
  readings: string;
  readingsHash: string;
  root: string;
  observations: SignedObservation[];
  /** Committee indices, ascending, and their signatures; empty where a node learned the report from the chain alone. */
  signers: number[];
  signatures: string[];
}

/** What a leader says of a report that it put on chain; who co-signed it knows the rest. */
export const landedReportSchema = z
  .object({
    slot: uint(32),
    version: uint(8),
    attempt: uint(8),
    readingsHash: bytes32,
    root: bytes32,
    signers: z.array(uint(5)).max(31),
    signatures: z.array(signature).max(31),
  })
  .strict();

export type LandedReport = z.infer<typeof landedReportSchema>;

export const reportRecordSchema = z
  .object({
    slot: uint(32),
    version: uint(8),
    attempt: uint(8),
    readings: hex,
    readingsHash: bytes32,
    root: bytes32,
    observations: z.array(signedObservationSchema).max(31),
    signers: z.array(uint(5)).max(31),
    signatures: z.array(signature).max(31),
  })
  .strict();

/** Body of `POST /observe`. */
export const observeSchema = z.object({ slot: uint(32) }).strict();
