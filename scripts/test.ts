/**
 * `npm test`: everything a change must pass, in order, each part timed. `npm run test:long` adds long fuzzing, many seeds
 * and whole days of faults. Exit 1 at the end when any part failed; the last line counts parts.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { projectRoot } from "./local/root.ts";

const long = process.argv.includes("--long");
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

/** Tests with an EVM in their own process: its chai matchers take over numbers, so they stay apart from the others. */
const ON_CHAIN = "test/services/{auctioneer,indexer,api}/**/*.test.ts";

const parts: { name: string; command: string[] }[] = [
  { name: "lint", command: ["npm", "run", "--silent", "lint"] },
  { name: "build", command: ["npm", "run", "--silent", "build"] },
  { name: "snapshots", command: ["node", "scripts/snapshots.ts", "--check"] },
  { name: "access", command: ["node", "scripts/access-table.ts", "--check"] },
  { name: "solidity", command: ["hardhat", "test", "solidity"] },
  { name: "proofs", command: ["node", "scripts/prove.ts"] },
  { name: "contracts", command: ["mocha", "test/contracts/**/*.test.ts"] },
  { name: "errors", command: ["node", "scripts/errors.ts"] },
  { name: "services", command: ["mocha", "test/{services,oracle}/**/*.test.ts", "--ignore", ON_CHAIN] },
  { name: "market", command: ["mocha", ON_CHAIN, "test/scripts/**/*.test.ts"] },
  { name: "faults", command: ["mocha", "test/faults/**/*.test.ts"] },
  { name: "browser", command: ["mocha", "test/e2e/**/*.test.ts"] },
  ...(long ? [{ name: "mutants", command: ["node", "scripts/mutate.ts"] }] : []),
].filter(({ name }) => only.length === 0 || only.includes(name));

if (parts.length === 0) {
  process.stderr.write(`no part is named ${only.join(" or ")}\n`);
  process.exit(1);
}

const bin = join(projectRoot, "node_modules", ".bin");
/** Where the contracts' tests note which custom errors they met, for the part "errors". */
const reachedErrors = join(projectRoot, "cache", "reached-errors.txt");
if (parts.some(({ name }) => name === "contracts")) rmSync(reachedErrors, { force: true });
const env = {
  ...process.env,
  DAEG_REACHED_ERRORS: reachedErrors,
  PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
  ...(long ? { DAEG_LONG: "1" } : {}),
};

if (!existsSync(bin)) {
  process.stderr.write("node_modules is missing: run npm ci first\n");
  process.exit(1);
}

const results = parts.map(({ name, command: [program, ...args] }) => {
  process.stderr.write(`\n== ${name}: ${[program, ...args].join(" ")}\n`);
  const began = Date.now();
  const { status } = spawnSync(program as string, args, { cwd: projectRoot, env, stdio: "inherit" });
  return { name, passed: status === 0, seconds: (Date.now() - began) / 1000 };
});

process.stdout.write("\n");
for (const { name, passed, seconds } of results) {
  process.stdout.write(`${passed ? "ok    " : "FAILED"} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(7)} s\n`);
}
const failed = results.filter(({ passed }) => !passed).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
