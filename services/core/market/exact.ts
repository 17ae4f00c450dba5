/** Exact sums and shares of safe integers, fast where doubles are exact and falling back to bigint where they are not. */

/** floor(a * b / c) for safe integers a, b >= 0, c > 0. */
export const mulDivFloor = (a: number, b: number, c: number): number => {
  const product = a * b;
  if (product > Number.MAX_SAFE_INTEGER) return Number((BigInt(a) * BigInt(b)) / BigInt(c));
  const quotient = Math.floor(product / c);
  const remainder = product - quotient * c;
  if (remainder < 0) return quotient - 1;
  return remainder >= c ? quotient + 1 : quotient;
};

/** Adds products of safe integers without ever rounding. */
export interface ExactSum {
  add(a: number, b: number): void;
  value(): bigint;
}

const HALF = 2 ** 52;

export const createExactSum = (): ExactSum => {
  let small = 0;
  let large = 0n;
  return {
    add(a, b) {
      const product = a * b;
      if (product > HALF || product < -HALF) {
        large += BigInt(a) * BigInt(b);
        return;
      }
      small += product;
      if (small > HALF || small < -HALF) {
        large += BigInt(small);
        small = 0;
      }
    },
    value: () => large + BigInt(small),
  };
};
