import { readFileSync } from "node:fs";
import type { ZodError, ZodType, ZodTypeDef } from "zod";
import { wrongInput } from "./errors.ts";

/**
 * Reads and parses a JSON file.
 * @param what what the file is, for the message ("market file", "config")
 * @throws DaegError exit 1 when it is missing, unreadable or no JSON, naming the place of the first syntax error
 */
export const readJson = (path: string, what: string): unknown => {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw wrongInput(`${what} ${path} does not exist: check the path`);
    if (code === "EISDIR") throw wrongInput(`${what} ${path} is a folder: name the file in it`);
    throw wrongInput(`${what} ${path} cannot be read (${code ?? "unknown reason"}): check its permissions`);
  }
  return parseJson(text, `${what} ${path}`);
};

/** Parses JSON text; the error names `what` and the line and column of the first mistake where the engine tells it. */
export const parseJson = (text: string, what: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const detail = (error as Error).message.replace(/\s+/g, " ");
    throw wrongInput(`${what} is not valid JSON: ${detail}`);
  }
};

/**
 * Checks a value against a schema (strict objects: unknown fields are refused).
 * @throws DaegError exit 1 with the path of the first wrong field and what it should be
 */
export const parseWith = <T>(schema: ZodType<T, ZodTypeDef, unknown>, value: unknown, what: string): T => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw wrongInput(`${what}: ${firstIssue(parsed.error)}`);
};

/** Reads a JSON file and checks it; see `readJson` and `parseWith`. */
export const loadConfig = <T>(path: string, schema: ZodType<T, ZodTypeDef, unknown>, what = "config"): T =>
  parseWith(schema, readJson(path, what), `${what} ${path}`);

/** The first thing wrong with a value, in words: where it is and what it should be. */
export const firstIssue = (error: ZodError): string => {
  const issue = error.issues[0];
  if (!issue) return "does not match its format";
  const path = issue.path
    .map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join("");
  const where = path === "" ? "" : `${path}: `;
  switch (issue.code) {
    case "unrecognized_keys":
      return `${where}unknown field ${issue.keys.map((key) => `"${key}"`).join(", ")}: remove it or check its spelling`;
    case "invalid_type":
      return issue.received === "undefined"
        ? `${where}is missing: give ${article(issue.expected)} ${issue.expected}`
        : `${where}must be ${article(issue.expected)} ${issue.expected}, not ${issue.received}`;
    default:
      return `${where}${issue.message}`;
  }
};

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? "an" : "a");
