import { hexlify } from "ethers";

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

const HEAD_BYTES = 16;
const WEIGHT_BYTES = 4;
