/**
 * `node scripts/errors.ts`: every custom error of the contracts must have been met by a test. The part `contracts` of
 * `npm test` notes the errors that calls and transactions ended with; Solidity tests name the ones they expect. Exit 1 when one is left over.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorFragment, Interface } from "ethers";
import { projectRoot } from "./local/root.ts";

/** Written by scripts/errors/recorder.ts. */
const REACHED = join(projectRoot, "cache", "reached-errors.txt");

if (!existsSync(REACHED)) {
  process.stderr.write(`${REACHED} is missing: run "node scripts/test.ts contracts" first\n`);
  process.exit(1);
}

/** Names of errors that our own sources declare; those of OpenZeppelin are its own to test. */
const own = new Set(
  globSync("contracts/**/*.sol", { cwd: projectRoot })
    .filter((path) => !path.startsWith("contracts/test/"))
    .flatMap((path) => [...readFileSync(join(projectRoot, path), "utf8").matchAll(/^ *error (\w+)\(/gm)])
    .map(([, name]) => name),
);

/** Signature of each custom error by its selector, with the contracts that can throw it. */
const declared = new Map<string, { signature: string; contracts: string[] }>();
for (const path of globSync("artifacts/contracts/**/*.json", { cwd: projectRoot })) {
  if (path.includes("contracts/test/") || !/\/(\w+)\.sol\/\1\.json$/.test(path)) continue;
  const { abi, contractName } = JSON.parse(readFileSync(join(projectRoot, path), "utf8")) as {
    abi: ConstructorParameters<typeof Interface>[0];
    contractName: string;
  };
  for (const fragment of new Interface(abi).fragments) {
    if (!(fragment instanceof ErrorFragment) || !own.has(fragment.name)) continue;
    const entry = declared.get(fragment.selector) ?? { signature: fragment.format("sighash"), contracts: [] };
    entry.contracts.push(contractName);
    declared.set(fragment.selector, entry);
  }
}

const reached = new Set(readFileSync(REACHED, "utf8").split("\n"));
const solidityTests = globSync("test/solidity/**/*.t.sol", { cwd: projectRoot })
  .map((path) => readFileSync(join(projectRoot, path), "utf8"))
  .join("\n");
const isExpected = (name: string): boolean => new RegExp(`\\b${name}\\.selector\\b`).test(solidityTests);

const missing = [...declared].filter(
  ([selector, { signature }]) => !reached.has(selector) && !isExpected(signature.split("(")[0] as string),
);
for (const [, { signature, contracts }] of missing)
  process.stderr.write(`no test reaches ${signature}   (${contracts.join(", ")})\n`);
process.stdout.write(`${declared.size - missing.length} of ${declared.size} custom errors are reached by a test\n`);
process.exit(missing.length === 0 ? 0 : 1);
