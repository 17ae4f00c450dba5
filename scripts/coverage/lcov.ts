/** What the coverage tool writes: per file, every line that counts and how often it ran. */

/** Runs of each counted line, by line number from 1, by path under the project. */
export type Coverage = Map<string, Map<number, number>>;

/** Reads the lines of an lcov file; what it says of branches is not looked at. */
export const parseLcov = (text: string): Coverage => {
  const coverage: Coverage = new Map();
  let lines: Map<number, number> | undefined;
  for (const row of text.split("\n")) {
    const [, key, value] = /^(SF|DA):(.+)$/.exec(row.trim()) ?? [];
    if (key === "SF") {
      lines = coverage.get(value as string) ?? new Map<number, number>();
      coverage.set(value as string, lines);
    } else if (key === "DA") {
      const [line, runs] = (value as string).split(",").map(Number) as [number, number];
      if (!lines || !Number.isInteger(line) || !Number.isInteger(runs)) throw new Error(`not lcov: ${row}`);
      lines.set(line, (lines.get(line) ?? 0) + runs);
    }
  }
  return coverage;
};

/** A line that ran in any of them ran. */
export const merge = (parts: Coverage[]): Coverage => {
  const all: Coverage = new Map();
  for (const part of parts) {
    for (const [path, lines] of part) {
      const merged = all.get(path) ?? new Map<number, number>();
      all.set(path, merged);
      for (const [line, runs] of lines) merged.set(line, (merged.get(line) ?? 0) + runs);
    }
  }
  return all;
};
