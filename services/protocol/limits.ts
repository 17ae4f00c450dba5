import { getBytes, hexlify } from "ethers";
import type { NetworkLimit } from "../core/market/types.ts";

/** A limit of a meshed network: minWh <= sum of weight x net export / 1e6 <= maxWh. Weights per zone, integers in 1e-6. */
export interface PackedLimit {
  readonly minWh: number | bigint;
  readonly maxWh: number | bigint;
  readonly weights: readonly number[];
}

/** Limits as contracts/libraries/PackedLimits.sol keeps them: int64 minWh, int64 maxWh, an int32 per zone. */
export const packLimits = (limits: readonly PackedLimit[]): string => {
  const size = limits.reduce((sum, { weights }) => sum + HEAD_BYTES + WEIGHT_BYTES * weights.length, 0);
  const bytes = new DataView(new ArrayBuffer(size));
  let at = 0;
  for (const { minWh, maxWh, weights } of limits) {
    bytes.setBigInt64(at, BigInt(minWh));
    bytes.setBigInt64(at + 8, BigInt(maxWh));
    at += HEAD_BYTES;
    for (const weight of weights) {
      bytes.setInt32(at, weight);
      at += WEIGHT_BYTES;
    }
  }
  return hexlify(new Uint8Array(bytes.buffer));
};

/**
 * Limits as the auction sees them. A bound beyond any energy of a slot becomes `MOST_WH`, so that it stays an exact integer.
 * @param packed whole limits of so many zones; 0x = none
 */
export const unpackLimits = (packed: string, zones: number): NetworkLimit[] => {
  const bytes = getBytes(packed);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = HEAD_BYTES + WEIGHT_BYTES * zones;
  return Array.from({ length: bytes.byteLength / size }, (_, l) => ({
    minWh: 0 - boundedWh(-view.getBigInt64(l * size)),
    maxWh: boundedWh(view.getBigInt64(l * size + 8)),
    weights: Array.from({ length: zones }, (_, zone) => view.getInt32(l * size + HEAD_BYTES + WEIGHT_BYTES * zone)),
  }));
};

/** Beyond any energy of a slot. */
const MOST_WH = 2n ** 48n;

/** An energy as a number; one that no slot reaches as `MOST_WH`. */
export const boundedWh = (wh: bigint): number => Number(wh < MOST_WH ? wh : MOST_WH);

const HEAD_BYTES = 16;
const WEIGHT_BYTES = 4;
