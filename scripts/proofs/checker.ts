/** Runs the compiler's SMT checker on one file of properties and tells which it proved. */
import { createRequire } from "node:module";
import { proofSource, readSource } from "./sources.ts";

export interface Property {
  contract: string;
  name: string;
  /** First sentence of the function's documentation. */
  text: string;
  /** Every assertion in it holds for all inputs. False also where the checker cannot tell. */
  proved: boolean;
}

interface Node {
  nodeType: string;
  name: string;
  src: string;
  nodes?: Node[];
  documentation?: { text: string } | null;
}

interface Output {
  errors?: {
    severity: string;
    message: string;
    formattedMessage: string;
    sourceLocation?: { file: string; start: number };
  }[];
  sources: Record<string, { ast: Node }>;
}

interface Compiler {
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
}

const SAFE = "check is safe";
const solc = createRequire(import.meta.url)("solc") as Compiler;

const rangeOf = (node: Node): [number, number] => {
  const [start = 0, length = 0] = node.src.split(":").map(Number);
  return [start, start + length];
};

const flat = (text: string): string => text.replace(/\/\/.*$/gm, "").replace(/\s+/g, " ");

/** A function that says it quotes a contract must still consist of that contract's lines. */
const checkQuotes = (node: Node, source: string): void => {
  const quoted = /@custom:quotes (\S+)/.exec(node.documentation?.text ?? "")?.[1];
  if (quoted === undefined) return;
  const body = source.slice(...rangeOf(node));
  const original = flat(readSource(quoted));
  const statements = body.slice(body.indexOf("{") + 1, body.lastIndexOf("}")).split(";");
  for (const statement of statements.map((text) => flat(text).trim()).filter((text) => !/^(return \w+)?$/.test(text))) {
    if (!original.includes(statement)) throw new Error(`${quoted} does not say \`${statement}\` any more`);
  }
};

/**
 * @param file under the project's root
 * @param claim "conditions": instead of what the file asserts, claims at each assertion that it is never reached
 * @throws Error when the file does not compile, states no property, or quotes what is not there
 */
export const check = (file: string, claim: "assertions" | "conditions" = "assertions"): Property[] => {
  const original = readSource(file);
  const source = claim === "conditions" ? original.replace(/\bassert\(.*\);$/gm, "assert(false);") : original;
  const names = [...source.matchAll(/^contract (\w+)/gm)].map(([, name]) => name as string);
  const input = {
    language: "Solidity",
    sources: { [file]: { content: source } },
    settings: {
      // No timeout: the limit is the solver's own count of steps, the same on every machine.
      modelChecker: {
        engine: "chc",
        solvers: ["z3"],
        targets: ["assert"],
        showProvedSafe: true,
        showUnproved: true,
        contracts: { [file]: names },
      },
      outputSelection: { "*": { "": ["ast"] } },
    },
  };
  const found = (path: string) => {
    try {
      return { contents: proofSource(path) };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: found })) as Output;
  const errors = output.errors ?? [];
  const failure = errors.find(({ severity }) => severity === "error");
  if (failure) throw new Error(failure.formattedMessage);

  const safe = errors.filter(({ message, sourceLocation }) => message.includes(SAFE) && sourceLocation?.file === file);
  const properties: Property[] = [];
  for (const contract of output.sources[file]?.ast.nodes ?? []) {
    if (contract.nodeType !== "ContractDefinition") continue;
    for (const node of contract.nodes ?? []) {
      if (node.nodeType !== "FunctionDefinition") continue;
      checkQuotes(node, source);
      if (!names.includes(contract.name)) continue;
      const [start, end] = rangeOf(node);
      const asserts = [...source.slice(start, end).matchAll(/\bassert\(/g)].length;
      if (asserts === 0) continue;
      const held = safe.filter(({ sourceLocation }) => {
        const at = sourceLocation?.start ?? -1;
        return at >= start && at < end;
      }).length;
      const text = (node.documentation?.text ?? "").trim().replace(/\s+/g, " ");
      if (text === "") throw new Error(`${file}: ${contract.name}.${node.name} does not say what it proves`);
      properties.push({ contract: contract.name, name: node.name, text, proved: held === asserts });
    }
  }
  if (properties.length === 0) throw new Error(`${file} states no property`);
  return properties;
};
