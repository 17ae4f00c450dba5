/**
 * Loaded into the worker before anything else: contract factories take their creation code from `globalThis.mutantCode` where it is set,
 * so that one process tests many mutants.
 */
import { registerHooks } from "node:module";

declare global {
  var mutantCode: Record<string, string>;
}

globalThis.mutantCode = {};

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const name = /\/factories\/.*\/(\w+)__factory\.ts$/.exec(url)?.[1];
    if (name === undefined || loaded.source == null) return loaded;
    const source = String(loaded.source).replaceAll("super(_abi, _bytecode,", `super(_abi, globalThis.mutantCode.${name} ?? _bytecode,`);
    return { ...loaded, source };
  },
});
