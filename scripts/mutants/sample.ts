/** A deterministic sample of a group: every file gets its share, and at least one. */
import type { Mutant } from "./operators.ts";

const LEAST = 1;

/** Mulberry32: small, seeded, the same everywhere. */
const createRandom = (seed: number) => {
  let state = seed >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** About `most` mutants, in the order of files and lines; the same seed draws the same ones from the same sources. */
export const sample = (lists: Mutant[][], most: number, seed: number): Mutant[] => {
  const total = lists.reduce((sum, { length }) => sum + length, 0);
  return lists.flatMap((list, index) => {
    const random = createRandom(seed * 7_919 + index);
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i -= 1) {
      const other = Math.floor(random() * (i + 1));
      [shuffled[i], shuffled[other]] = [shuffled[other] as Mutant, shuffled[i] as Mutant];
    }
    const share = Math.max(LEAST, Math.round((most * list.length) / Math.max(1, total)));
    return shuffled.slice(0, share).sort((a, b) => a.start - b.start);
  });
};
