/** Which contracts a changed file ends up in, and which tests look at them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../local/root.ts";
import type { Compiler, Deployable } from "./compiler.ts";

export interface Group {
  name: "verifier" | "order book" | "ledger" | "settlement";
  files: string[];
}

const inFolder = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(projectRoot, "contracts", folder))
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => `contracts/${folder}/${file}`);

export const groups: Group[] = [
  {
    name: "verifier",
    files: [
      ...inFolder(
        "libraries",
        /^(Clearing(?!Types)|Mesh|Part(?!Types)|BookTable|ZoneTallies|PackedEnergy|PackedLimits)\w*\.sol$/,
      ),
      ...inFolder("pricing", /^(Auction|Clearing)\w*\.sol$/),
    ],
  },
  {
    name: "order book",
    files: [
      ...inFolder("libraries", /^(Order|Packed(Order|Days)|Day|Replay|Margin|BookRing|Signatures)\w*\.sol$/),
      ...inFolder("pricing", /^(OrderBook|DayBook|BookMargin|Sealed)\w*\.sol$/),
    ],
  },
  {
    name: "ledger",
    files: [...inFolder("libraries", /^(Balance|Word)\w*\.sol$/), ...inFolder("pricing", /^Ledger\.sol$/)],
  },
  {
    name: "settlement",
    files: [
      ...inFolder("libraries", /^(SlotPayments|SlotTime|StatusRing|PackedReadings|RecordDigest|Settle)\w*\.sol$/),
      ...inFolder("pricing", /^(Settlement|Bilateral)\w*\.sol$/),
    ],
  },
];

/** Contracts that tests deploy, each with the test files that know it best first. */
const CONTRACTS: { target: Deployable; tests: RegExp }[] = [
  { target: { file: "contracts/test/ClearingHarness.sol", name: "ClearingHarness" }, tests: /^clearing\// },
  { target: { file: "contracts/libraries/ClearingRadial.sol", name: "ClearingRadial" }, tests: /^clearing\// },
  { target: { file: "contracts/libraries/ClearingMesh.sol", name: "ClearingMesh" }, tests: /^clearing\/mesh/ },
  { target: { file: "contracts/test/PartsHarness.sol", name: "PartsHarness" }, tests: /^clearing\/(parts|chunk)/ },
  {
    target: { file: "contracts/pricing/Auction.sol", name: "Auction" },
    tests: /^(life|mesh|islands|chunk|green|trade|auction)/,
  },
  { target: { file: "contracts/pricing/OrderBook.sol", name: "OrderBook" }, tests: /^(order-book|day|abuse|word-fee)/ },
  { target: { file: "contracts/pricing/SealedBatches.sol", name: "SealedBatches" }, tests: /^sealed/ },
  { target: { file: "contracts/pricing/Ledger.sol", name: "Ledger" }, tests: /^(access|word-fee|life)/ },
  {
    target: { file: "contracts/pricing/Settlement.sol", name: "Settlement" },
    tests: /^(life|word-fee|islands|abuse|green|trade|bilateral|access)/,
  },
  { target: { file: "contracts/pricing/Bilaterals.sol", name: "Bilaterals" }, tests: /^bilateral/ },
];

export interface Plan {
  targets: Deployable[];
  tests: string[];
}

export const createPlanner = (compiler: Compiler) => {
  const testFiles = readdirSync(join(projectRoot, "test", "contracts"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .sort();
  const present = CONTRACTS.filter(({ target }) => compiler.exists(target.file));
  const closures = present.map(({ target, tests }) => ({ target, tests, files: compiler.closureOf(target.file) }));

  /** Tests of the file's own kind first, those of meshed networks and of parts last, since they take longest. */
  return (file: string): Plan => {
    const hit = closures.filter(({ files }) => files.has(file));
    const own = hit.filter(({ target }) => target.file === file);
    const patterns = [...own, ...hit].map(({ tests }) => tests);
    const tests = [...new Set(patterns.flatMap((pattern) => testFiles.filter((test) => pattern.test(test))))];
    const kind = /(Mesh|PackedLimits)/.test(file)
      ? /mesh/
      : /\/Part|ClearingParts|ClearingClaims/.test(file)
        ? /parts/
        : undefined;
    const rank = (test: string): number => (kind?.test(test) ? 0 : /mesh|parts/.test(test) ? 2 : 1);
    const ordered = tests
      .map((test, index) => ({ test, index }))
      .sort((a, b) => rank(a.test) - rank(b.test) || a.index - b.index);
    return { targets: hit.map(({ target }) => target), tests: ordered.map(({ test }) => `test/contracts/${test}`) };
  };
};
