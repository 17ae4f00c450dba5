/**
 * Loaded into the worker before anything else: contract factories take their creation code from `globalThis.mutantCode` where it is set,
 * so that one process tests many mutants.
 */
import { registerHooks } from "node:module";
import type { Code } from "./compiler.ts";

declare global {
  var mutantCode: Record<string, Code>;
}

globalThis.mutantCode = {};

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const name = /\/factories\/.*\/(\w+)__factory\.ts$/.exec(url)?.[1];
    if (name === undefined || loaded.source === null || loaded.source === undefined) return loaded;
    const source = String(loaded.source).replace(
      /(?<!const )\b_bytecode\b/g,
      `(globalThis.mutantCode.${name}?.bytecode ?? _bytecode)`,
    );
    return { ...loaded, source };
  },
});
