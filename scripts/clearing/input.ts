import { readFileSync } from "node:fs";
import { parseJson, readJson } from "../../services/platform/config.ts";
import { messageOf, wrongInput } from "../../services/platform/errors.ts";

/**
 * Reads JSON from a file, or from standard input for "-".
 * @returns the value, and what to call it in errors
 * @throws DaegError exit 1 when it cannot be read or is no JSON
 */
export const readMarketInput = (path: string, kind: string): { value: unknown; what: string } => {
  if (path !== "-") return { value: readJson(path, kind), what: `${kind} ${path}` };
  let text: string;
  try {
    text = readFileSync(0, "utf8");
  } catch (error) {
    throw wrongInput(`standard input cannot be read (${messageOf(error)}): pipe a ${kind} into it`);
  }
  return { value: parseJson(text, `${kind} on standard input`), what: `${kind} on standard input` };
};
