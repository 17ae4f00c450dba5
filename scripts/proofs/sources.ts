/**
 * What the SMT checker reads. It knows integers, not bits: shifts and masks are beyond it. So it gets every contract's own
 * source, except that
 *
 * - libraries with a twin under test/proofs/arithmetic (division instead of shifts) are replaced by it;
 * - the lines in SUBSTITUTES are replaced, and must be found;
 * - private functions are internal, so that a property can name them.
 *
 * test/solidity/Arithmetic.t.sol fuzzes every twin and substitute against the library itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../local/root.ts";

interface Substitute {
  file: string;
  from: string;
  to: string;
}

const LIBRARIES = "contracts/libraries/";
const TWINS = "test/proofs/arithmetic/";

const SUBSTITUTES: Substitute[] = [
  {
    file: `${LIBRARIES}ClearingNetwork.sol`,
    from: "return (lo + hi) >> 1;",
    to: "return floorHalf(lo + hi);",
  },
  {
    file: `${LIBRARIES}ClearingNetwork.sol`,
    from: "library ClearingNetwork {",
    to: `import {floorHalf} from "../../${TWINS}Bits.sol";\nlibrary ClearingNetwork {`,
  },
];

export const readSource = (path: string): string => readFileSync(join(projectRoot, path), "utf8");

/** Reads a source by its import path, as the checker is to see it. */
export const proofSource = (path: string): string => {
    const twin = path.startsWith(LIBRARIES) ? path.replace(LIBRARIES, TWINS) : path;
    if (twin !== path && existsSync(join(projectRoot, twin))) return readSource(twin);
    let text = readSource(path.startsWith("@") ? join("node_modules", path) : path);
    for (const { file, from, to } of SUBSTITUTES.filter((substitute) => substitute.file === path)) {
      if (!text.includes(from)) throw new Error(`${file} has no line \`${from}\` any more: adapt scripts/proofs/sources.ts`);
      text = text.replace(from, to);
    }
    return path.startsWith("contracts/") ? text.replace(/\bprivate (pure|view)\b/g, "internal $1") : text;
  };
