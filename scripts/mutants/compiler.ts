/** The compiler that npm installed, kept in this process: one contract without the intermediate representation takes a second or two. */
import { createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../local/root.ts";
import type { AstNode } from "./operators.ts";

/** A contract by its source file under the project's root. */
export interface Deployable {
  file: string;
  name: string;
  /** Compiled through the intermediate representation: slower, for what has too many variables without. */
  viaIR?: true;
}

export interface Code {
  /** Creation code, with placeholders for linked libraries as Hardhat has them. */
  bytecode: string;
  linkReferences: object;
}

interface Output {
  errors?: { severity: string; formattedMessage: string }[];
  sources?: Record<string, { ast: AstNode }>;
  contracts?: Record<string, Record<string, { evm: { bytecode: { object: string; linkReferences: object } } }>>;
}

/** Names of sources as Hardhat gives them: the placeholders of linked libraries are made from these. */
const PROJECT = "project/";

export const createCompiler = () => {
  const solc = createRequire(import.meta.url)("solc") as {
    compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
  };
  const cache = new Map<string, string>();
  const read = (path: string): string => {
    const known = cache.get(path);
    if (known !== undefined) return known;
    const text = readFileSync(join(projectRoot, path.startsWith("@") ? join("node_modules", path) : path), "utf8");
    cache.set(path, text);
    return text;
  };
  const compile = (sources: Record<string, string>, settings: object, changed: Record<string, string> = {}): Output => {
    const find = (name: string) => {
      const path = name.startsWith(PROJECT) ? name.slice(PROJECT.length) : name;
      const text = changed[path];
      if (text !== undefined) return { contents: text };
      const real = path.startsWith("@") ? join("node_modules", path) : path;
      return existsSync(join(projectRoot, real)) ? { contents: read(path) } : { error: `${path} is missing` };
    };
    const input = {
      language: "Solidity",
      sources: Object.fromEntries(Object.entries(sources).map(([path, content]) => [PROJECT + path, { content }])),
      settings: { evmVersion: "cancun", ...settings },
    };
    return JSON.parse(solc.compile(JSON.stringify(input), { import: find })) as Output;
  };

  return {
    read,
    exists: (file: string): boolean => existsSync(join(projectRoot, file)),
    astOf(file: string): AstNode {
      const output = compile({ [file]: read(file) }, { outputSelection: { [PROJECT + file]: { "": ["ast"] } } });
      const ast = output.sources?.[PROJECT + file]?.ast;
      if (!ast) throw new Error(output.errors?.[0]?.formattedMessage ?? `${file} has no syntax tree`);
      return ast;
    },
    /** Files that `file` imports, itself and indirectly imported ones included. */
    closureOf(file: string): Set<string> {
      const output = compile({ [file]: read(file) }, { outputSelection: { "*": { "": ["ast"] } } });
      return new Set(Object.keys(output.sources ?? {}).map((name) => name.replace(PROJECT, "")));
    },
    /** Creation code by contract name; undefined when the changed source does not compile. Neither metadata nor hashes in it. */
    bytecodesOf(targets: Deployable[], changed: Record<string, string> = {}): Record<string, Code> | undefined {
      const codes: Record<string, Code> = {};
      for (const { file, name, viaIR } of targets) {
        const output = compile(
          { [file]: changed[file] ?? read(file) },
          {
            ...(viaIR && { viaIR }),
            optimizer: { enabled: true, runs: 1_000 },
            metadata: { bytecodeHash: "none", appendCBOR: false },
            outputSelection: { [PROJECT + file]: { [name]: ["evm.bytecode.object", "evm.bytecode.linkReferences"] } },
          },
          changed,
        );
        const code = output.contracts?.[PROJECT + file]?.[name]?.evm.bytecode;
        if (!code?.object) return undefined;
        codes[name] = { bytecode: `0x${code.object}`, linkReferences: code.linkReferences };
      }
      return codes;
    },
  };
};

export type Compiler = ReturnType<typeof createCompiler>;
