import type { Coverage } from "./lcov.ts";

/** A line that the tool counts as not run although it runs, or cannot run: every entry says why. */
export interface Excepted {
  path: string;
  /** The whole line without the blanks around it: line numbers move. */
  text: string;
  reason: string;
}

export interface FileFigures {
  path: string;
  lines: number;
  covered: number;
}

export interface Judgement {
  files: FileFigures[];
  /** Not run and not excepted. */
  uncovered: { path: string; line: number; text: string }[];
  /** Entries that are not needed any more, one sentence each. */
  needless: string[];
}

/** Holds what ran against the exceptions; `linesOf` gives the text of a file line by line. */
export const judge = (coverage: Coverage, excepted: Excepted[], linesOf: (path: string) => string[]): Judgement => {
  const needed = new Set<Excepted>();
  const files: FileFigures[] = [];
  const uncovered: Judgement["uncovered"] = [];
  for (const [path, counted] of [...coverage].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const texts = linesOf(path);
    let covered = 0;
    for (const [line, runs] of [...counted].sort(([a], [b]) => a - b)) {
      const text = (texts[line - 1] ?? "").trim();
      const exception = excepted.find((entry) => entry.path === path && entry.text === text);
      if (runs > 0) covered += 1;
      else if (exception) needed.add(exception);
      else uncovered.push({ path, line, text });
    }
    files.push({ path, lines: counted.size, covered });
  }
  const needless = excepted
    .filter((entry) => !needed.has(entry))
    .map(({ path, text }) => `${path}: "${text}" is covered or gone: take it off the list of exceptions`);
  return { files, uncovered, needless };
};
