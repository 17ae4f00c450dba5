/** Adds up wall time by name: where the time of a slot goes. */
export interface Timing {
  add(name: string, ms: number): void;
  /** A line per name, the dearest first; `per`: how many slots the sums are divided by. */
  table(per: number): string;
}

export const createTiming = (): Timing => {
  const sums = new Map<string, { ms: number; most: number }>();
  return {
    add: (name, ms) => {
      const sum = sums.get(name);
      sums.set(name, { ms: (sum?.ms ?? 0) + ms, most: Math.max(sum?.most ?? 0, ms) });
    },
    table: (per) => {
      const lines = [...sums]
        .sort(([, a], [, b]) => b.ms - a.ms)
        .map(
          ([name, { ms, most }]) =>
            `${name.padEnd(32)} ${(ms / per).toFixed(1).padStart(9)} ms per slot, ${most.toFixed(0).padStart(6)} ms at most`,
        );
      return `${lines.join("\n")}\n`;
    },
  };
};
