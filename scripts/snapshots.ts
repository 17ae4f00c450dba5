/**
 * `node scripts/snapshots.ts [--check] [--gas]`: writes (or checks) what must not change unnoticed: contract sizes, ABI and
 * storage layout, each a text file under test/snapshots. `--gas` also measures the gas table, which takes minutes. Run
 * `npx hardhat build` first. Exit 1 names every file that differs.
 */
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Interface, type JsonFragment } from "ethers";
import { projectRoot } from "./local/root.ts";

const SIZE_LIMIT = 24_576;
const TOLERATED_GAS = 0.01;
const contracts = [
  ["access", "MarketAccess"],
  ["balancing", "Envelopes"],
  ["balancing", "Grid"],
  ["balancing", "Losses"],
  ["balancing", "PeakCharge"],
  ["balancing", "Refunds"],
  ["consumption", "MeteringPoints"],
  ["consumption", "MeterOracle"],
  ["libraries", "ClearingMesh"],
  ["libraries", "ClearingParts"],
  ["pricing", "Auction"],
  ["pricing", "Bilaterals"],
  ["pricing", "Ledger"],
  ["pricing", "OrderBook"],
  ["pricing", "SealedBatches"],
  ["pricing", "Settlement"],
  ["pricing", "Tariffs"],
  ["consumption", "ReadingArchive"],
  ["production", "Generators"],
  ["production", "Certificates"],
  ["production", "Incentives"],
  ["balancing", "Emergency"],
  ["pricing", "DynamicTariffs"],
  ["consumption", "Profiles"],
  ["consumption", "DemandResponse"],
  ["consumption", "Usage"],
  ["balancing", "StorageUnits"],
  ["balancing", "CommunityStorage"],
] as const;

interface Artifact {
  abi: JsonFragment[];
  deployedBytecode: string;
  buildInfoId: string;
  inputSourceName: string;
}

interface Layout {
  storage: { label: string; offset: number; slot: string; type: string }[];
  types: Record<string, { label: string; numberOfBytes: string }> | null;
}

const folder = join(projectRoot, "test", "snapshots");
const check = process.argv.includes("--check");

const artifactOf = (group: string, name: string): Artifact => {
  const path = join(projectRoot, "artifacts", "contracts", group, `${name}.sol`, `${name}.json`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build first`);
  return JSON.parse(readFileSync(path, "utf8")) as Artifact;
};

/** Storage layout by the compiler that npm installed, from the very input that built the contract. */
const layoutsOf = (artifacts: { name: string; artifact: Artifact }[]): Map<string, Layout> => {
  const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };
  const layouts = new Map<string, Layout>();
  for (const id of new Set(artifacts.map(({ artifact }) => artifact.buildInfoId))) {
    const path = join(projectRoot, "artifacts", "build-info", `${id}.json`);
    const { input } = JSON.parse(readFileSync(path, "utf8")) as { input: { settings: Record<string, unknown> } };
    const settings = {
      ...input.settings,
      optimizer: { enabled: false },
      outputSelection: { "*": { "*": ["storageLayout"] } },
    };
    const output = JSON.parse(solc.compile(JSON.stringify({ ...input, settings }))) as {
      contracts: Record<string, Record<string, { storageLayout: Layout }>>;
    };
    for (const { name, artifact } of artifacts) {
      const found = artifact.buildInfoId === id ? output.contracts[artifact.inputSourceName]?.[name] : undefined;
      if (found) layouts.set(name, found.storageLayout);
    }
  }
  return layouts;
};

const layoutText = (layout: Layout | undefined): string =>
  (layout?.storage ?? [])
    .map(({ label, slot, offset, type }) => `  ${slot}:${offset} ${layout?.types?.[type]?.label ?? type} ${label}`)
    .join("\n");

const failures: string[] = [];
const keep = (file: string, text: string): void => {
  const path = join(folder, file);
  const content = `${text.trimEnd()}\n`;
  if (!check) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, content);
    return;
  }
  const kept = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (kept !== content) failures.push(`test/snapshots/${file} differs: look at it, then run node scripts/snapshots.ts`);
};

const artifacts = contracts.map(([group, name]) => ({ name, artifact: artifactOf(group, name) }));
const layouts = layoutsOf(artifacts);
const sizes = artifacts.map(({ name, artifact }) => ({ name, bytes: (artifact.deployedBytecode.length - 2) / 2 }));
for (const { name, bytes } of sizes) {
  if (bytes > SIZE_LIMIT) failures.push(`${name} has ${bytes} bytes; a contract has at most ${SIZE_LIMIT}`);
}
keep("sizes.txt", sizes.map(({ name, bytes }) => `${String(bytes).padStart(6)} ${name}`).join("\n"));
keep(
  "abi.txt",
  artifacts
    .map(
      ({ name, artifact }) =>
        `${name}\n${new Interface(artifact.abi)
          .format()
          .sort()
          .map((line) => `  ${line}`)
          .join("\n")}`,
    )
    .join("\n\n"),
);
keep("storage.txt", artifacts.map(({ name }) => `${name}\n${layoutText(layouts.get(name))}`).join("\n\n"));

if (process.argv.includes("--gas")) {
  const { measureGas } = (await import(join(projectRoot, "test", "bench", "gas.ts"))) as {
    measureGas(): Promise<{ what: string; measured: number; unit: string }[]>;
  };
  const path = join(folder, "gas.txt");
  const kept = new Map(
    (existsSync(path) ? readFileSync(path, "utf8") : "")
      .split("\n")
      .map((line) => [line.slice(9), Number(line.slice(0, 8))]),
  );
  const rows = (await measureGas()).map(({ what, measured, unit }) => ({ measured, line: `${unit}: ${what}` }));
  if (check) {
    for (const { measured, line } of rows) {
      const before = kept.get(line);
      if (before === undefined || measured > before * (1 + TOLERATED_GAS))
        failures.push(`gas rose: ${line}: ${before} -> ${measured}`);
    }
  } else {
    writeFileSync(path, `${rows.map(({ measured, line }) => `${String(measured).padStart(8)} ${line}`).join("\n")}\n`);
  }
}

for (const failure of failures) process.stderr.write(`${failure}\n`);
process.exit(failures.length === 0 ? 0 : 1);
