/**
 * What the SMT checker reads: every contract's own source, except that private functions are internal, so that a property can name them.
 * The checker knows integers, not bits: shifts, masks and assembly are beyond it. A property of such code is stated on the same
 * arithmetic written with division, and test/solidity/Arithmetic.t.sol fuzzes that against the library.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../local/root.ts";

export const readSource = (path: string): string => readFileSync(join(projectRoot, path), "utf8");

/** A source by its import path, as the checker is to see it. */
export const proofSource = (path: string): string => {
  const text = readSource(path.startsWith("@") ? join("node_modules", path) : path);
  return path.startsWith("contracts/") ? text.replace(/\bprivate (pure|view)\b/g, "internal $1") : text;
};
