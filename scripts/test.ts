/**
 * `npm test`: everything a change must pass, each part timed; two parts at a time where the machine has two cores, what
 * measures time against the clock alone. `npm run test:long` adds long fuzzing, many seeds and whole days of faults. Exit 1 at the
 * end when any part failed; the last line counts parts.
 */
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { projectRoot } from "./local/root.ts";

interface Part {
  name: string;
  command: string[];
  /** first: before all others, in order. beside: next to another one, longest first. last: after all others, in order. */
  when: "first" | "beside" | "last";
  /** The part that must have ended before. */
  after?: string;
}

const long = process.argv.includes("--long");
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

/** Tests with an EVM in their own process: its chai matchers take over numbers, so they stay apart from the others. */
const ON_CHAIN = "test/services/{auctioneer,indexer,api}/**/*.test.ts";

const parts: Part[] = [
  { when: "first", name: "build", command: ["npm", "run", "--silent", "build"] },
  { when: "beside", name: "market", command: ["mocha", ON_CHAIN, "test/scripts/**/*.test.ts"] },
  { when: "beside", name: "contracts", command: ["mocha", "test/contracts/**/*.test.ts"] },
  { when: "beside", name: "solidity", command: ["hardhat", "test", "solidity"] },
  { when: "beside", name: "services", command: ["mocha", "test/{services,oracle}/**/*.test.ts", "--ignore", ON_CHAIN] },
  { when: "beside", name: "proofs", command: ["node", "scripts/prove.ts"] },
  { when: "beside", name: "lint", command: ["npm", "run", "--silent", "lint"] },
  { when: "beside", name: "snapshots", command: ["node", "scripts/snapshots.ts", "--check"] },
  { when: "beside", name: "access", command: ["node", "scripts/access-table.ts", "--check"] },
  { when: "beside", name: "errors", command: ["node", "scripts/errors.ts"], after: "contracts" },
  { when: "last", name: "scenario", command: ["mocha", "test/scenario/**/*.test.ts"] },
  { when: "last", name: "faults", command: ["mocha", "test/faults/**/*.test.ts"] },
  { when: "last", name: "browser", command: ["mocha", "test/e2e/**/*.test.ts"] },
  ...(long ? [{ when: "last" as const, name: "coverage", command: ["node", "scripts/coverage.ts"] }] : []),
  ...(long ? [{ when: "last" as const, name: "mutants", command: ["node", "scripts/mutate.ts"] }] : []),
];
const chosen = parts.filter(({ name }) => only.length === 0 || only.includes(name));

if (chosen.length === 0) {
  process.stderr.write(`no part is named ${only.join(" or ")}\n`);
  process.exit(1);
}

const bin = join(projectRoot, "node_modules", ".bin");
/** Where the contracts' tests note which custom errors they met, for the part "errors". */
const reachedErrors = join(projectRoot, "cache", "reached-errors.txt");
if (chosen.some(({ name }) => name === "contracts")) rmSync(reachedErrors, { force: true });
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

interface Result {
  name: string;
  passed: boolean;
  seconds: number;
}

/** Runs one part; beside another one its output is kept together and written when it ends. */
const run = async ({ name, command: [program, ...args], when }: Part): Promise<Result> => {
  const began = Date.now();
  const heading = `\n== ${name}: ${[program, ...args].join(" ")}\n`;
  const together = when === "beside";
  const output: Buffer[] = [];
  process.stderr.write(together ? `.. ${name} begins\n` : heading);
  const child = spawn(program as string, args, {
    ...{ cwd: projectRoot, env },
    stdio: together ? ["ignore", "pipe", "pipe"] : "inherit",
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => output.push(chunk));
  const passed = await new Promise<boolean>((resolve) => {
    child.on("error", (error) => resolve((process.stderr.write(`${error.message}\n`), false)));
    child.on("close", (code) => resolve(code === 0));
  });
  if (together) process.stderr.write(Buffer.concat([Buffer.from(heading), ...output]));
  return { name, passed, seconds: (Date.now() - began) / 1000 };
};

const results: Result[] = [];
const inOrder = async (queue: Part[]): Promise<void> => {
  for (const part of queue) results.push(await run(part));
};
/** Takes parts from the shared queue until none is left; one whose predecessor still runs is left for later. */
const worker = async (queue: Part[]): Promise<void> => {
  while (queue.length > 0) {
    const ready = queue.findIndex(
      ({ after }) => !chosen.some(({ name }) => name === after) || results.some(({ name }) => name === after),
    );
    if (ready === -1) await new Promise((resolve) => setTimeout(resolve, 200));
    else results.push(await run(queue.splice(ready, 1)[0] as Part));
  }
};

const of = (when: Part["when"]): Part[] => chosen.filter((part) => part.when === when);
await inOrder(of("first"));
const queue = of("beside");
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, () => worker(queue)));
await inOrder(of("last"));

process.stdout.write("\n");
for (const { name, passed, seconds } of results) {
  process.stdout.write(`${passed ? "ok    " : "FAILED"} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(7)} s\n`);
}
const failed = results.filter(({ passed }) => !passed).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
