/** Small wrong changes of one Solidity file, found in the compiler's own syntax tree so that each stands in real code. */

export interface Mutant {
  file: string;
  line: number;
  /** Bytes of the source from `start` to `end` become `to`. */
  start: number;
  end: number;
  from: string;
  to: string;
}

export interface AstNode {
  nodeType: string;
  src: string;
  [field: string]: unknown;
}

/** Boundary shifted, then swapped. */
const COMPARISONS: Record<string, string[]> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "==": ["!="],
  "!=": ["=="],
};
const ARITHMETIC: Record<string, string[]> = {
  "+": ["-"],
  "-": ["+"],
  "*": ["+"],
  "/": ["*"],
  "%": ["/"],
  "<<": [">>"],
  ">>": ["<<"],
  "&": ["|"],
  "|": ["&"],
  "&&": ["||"],
  "||": ["&&"],
};
const ASSIGNMENTS: Record<string, string[]> = { "+=": ["-=", "="], "-=": ["+=", "="], "|=": ["&=", "="], "&=": ["|="] };
const OPCODES: Record<string, string[]> = {
  lt: ["gt"],
  gt: ["lt"],
  slt: ["sgt"],
  sgt: ["slt"],
  add: ["sub"],
  sub: ["add"],
  mul: ["add"],
  div: ["mul"],
  shl: ["shr"],
  shr: ["shl"],
  sar: ["shr"],
  and: ["or"],
  or: ["and"],
  xor: ["eq"],
  eq: ["xor"],
  byte: ["signextend"],
};

const isNode = (value: unknown): value is AstNode =>
  typeof value === "object" && value !== null && typeof (value as AstNode).nodeType === "string";

const rangeOf = (node: AstNode): [number, number] => {
  const [start = 0, length = 0] = node.src.split(":").map(Number);
  return [start, start + length];
};

/** Where the operator stands between two operands, comments aside. */
const operatorAt = (source: Buffer, from: number, to: number, operator: string): number => {
  const between = source
    .toString("latin1", from, to)
    .replace(/\/\/[^\n]*|\/\*.*?\*\//gs, (text) => " ".repeat(text.length));
  const index = between.indexOf(operator);
  return index < 0 ? -1 : from + index;
};

/** A rounding that goes the other way: floor of a quotient becomes its ceiling. */
const ceiling = (left: string, right: string): string => `((${left}) + (${right}) - 1) / (${right})`;

const nextLiteral = (value: string): string[] => {
  if (!/^(0x[0-9a-fA-F]+|[0-9][0-9_]*)$/.test(value)) return [];
  const number = BigInt(value.replaceAll("_", ""));
  return [value.startsWith("0x") ? `0x${(number + 1n).toString(16)}` : String(number + 1n)];
};

/** Every mutant of a file, in order of place. `ast` is the file's SourceUnit, `text` the source it was made from. */
export const mutantsOf = (file: string, text: string, ast: AstNode): Mutant[] => {
  const source = Buffer.from(text, "utf8");
  const found: Mutant[] = [];
  const add = (start: number, end: number, to: string): void => {
    if (start < 0) return;
    const from = source.toString("utf8", start, end);
    if (from === to) return;
    const line = source.toString("utf8", 0, start).split("\n").length;
    found.push({ file, line, start, end, from, to });
  };

  const binary = (node: AstNode): void => {
    const operator = node["operator"] as string;
    const [leftStart, leftEnd] = rangeOf(node["leftExpression"] as AstNode);
    const [rightStart, rightEnd] = rangeOf(node["rightExpression"] as AstNode);
    const at = operatorAt(source, leftEnd, rightStart, operator);
    for (const to of [...(COMPARISONS[operator] ?? []), ...(ARITHMETIC[operator] ?? [])])
      add(at, at + operator.length, to);
    if (operator === "/") {
      const [left, right] = [
        source.toString("utf8", leftStart, leftEnd),
        source.toString("utf8", rightStart, rightEnd),
      ];
      add(leftStart, rightEnd, ceiling(left, right));
    }
  };

  const assignment = (node: AstNode): void => {
    const operator = node["operator"] as string;
    const [, leftEnd] = rangeOf(node["leftHandSide"] as AstNode);
    const [rightStart] = rangeOf(node["rightHandSide"] as AstNode);
    const at = operatorAt(source, leftEnd, rightStart, operator);
    for (const to of ASSIGNMENTS[operator] ?? []) add(at, at + operator.length, to);
  };

  /** A check whose only consequence is a revert or a return is dropped. */
  const condition = (node: AstNode): void => {
    const body = node["trueBody"] as AstNode;
    const [start, end] = rangeOf(node["condition"] as AstNode);
    const inner = body.nodeType === "Block" ? ((body["statements"] as AstNode[])[0]?.nodeType ?? "") : body.nodeType;
    if (!isNode(node["falseBody"]) && /^(RevertStatement|Return|ExpressionStatement|Continue|Break)$/.test(inner)) {
      add(start, end, "false");
    }
  };

  const yulCall = (node: AstNode): void => {
    const name = (node["functionName"] as { name: string; src: string }).name;
    const [start, end] = rangeOf(node["functionName"] as AstNode);
    for (const to of OPCODES[name] ?? []) {
      if (name !== "byte") add(start, end, to);
    }
    if (name === "iszero") {
      const [from, to] = rangeOf(node);
      const [argument] = node["arguments"] as AstNode[];
      if (argument) add(from, to, source.toString("utf8", ...rangeOf(argument)));
    }
  };

  const visit = (node: AstNode): void => {
    if (/^(ImportDirective|PragmaDirective|ErrorDefinition|EventDefinition|StructDefinition)$/.test(node.nodeType))
      return;
    if (/TypeName$/.test(node.nodeType)) return;
    if (node.nodeType === "BinaryOperation") binary(node);
    if (node.nodeType === "Assignment") assignment(node);
    if (node.nodeType === "IfStatement") condition(node);
    if (node.nodeType === "YulFunctionCall") yulCall(node);
    if (node.nodeType === "UnaryOperation" && (node["operator"] === "!" || node["operator"] === "-")) {
      const [start] = rangeOf(node);
      if (!isLiteral(node["subExpression"])) add(start, start + 1, "");
    }
    if (node.nodeType === "Literal" || node.nodeType === "YulLiteral") {
      const [start, end] = rangeOf(node);
      if (node["kind"] === "number")
        for (const to of nextLiteral(source.toString("utf8", start, end))) add(start, end, to);
    }
    for (const child of Object.values(node)) {
      if (isNode(child)) visit(child);
      else if (Array.isArray(child)) for (const entry of child) if (isNode(entry)) visit(entry);
    }
  };
  visit(ast);
  return found.sort((a, b) => a.start - b.start || a.to.localeCompare(b.to));
};

const isLiteral = (value: unknown): boolean => isNode(value) && value.nodeType === "Literal";

export const apply = (text: string, { start, end, to }: Mutant): string => {
  const source = Buffer.from(text, "utf8");
  return source.toString("utf8", 0, start) + to + source.toString("utf8", end);
};
