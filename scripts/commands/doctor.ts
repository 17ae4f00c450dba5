import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { messageOf, wrongInput } from "../../services/platform/errors.ts";
import { openStore } from "../../services/platform/store.ts";
import { DEFAULT_PORT, DEFAULT_STATE_DIR } from "../local/defaults.ts";
import { lockState } from "../local/lock.ts";
import { freePorts, requireFreePort } from "../local/ports.ts";
import { projectRoot } from "../local/root.ts";

interface Check {
  name: string;
  ok: boolean;
  found: string;
  /** What to do; empty when all is well. */
  fix: string;
}

interface Probe {
  name: string;
  fix: string;
  /** Says what was found, or throws what is wrong. */
  run(): Promise<string> | string;
}

/** `daeg doctor`: checks everything a local market needs and prints each problem with its fix. */
export const registerDoctor = (program: Command): void => {
  program
    .command("doctor")
    .description("check everything a local market needs, print each problem with its fix")
    .option("--json", "print JSON", false)
    .option("--state <dir>", "state folder to check", DEFAULT_STATE_DIR)
    .option("--data <dir>", "community folder to check")
    .option("--port <port>", "port of the dashboard", String(DEFAULT_PORT))
    .addHelpText("after", "\nExample:\n  daeg doctor --json")
    .action(async (options: { json: boolean; state: string; data?: string; port: string }) => {
      const checks: Check[] = [];
      for (const probe of probes(options)) checks.push(await check(probe));
      const ok = checks.every((one) => one.ok);
      process.stdout.write(options.json ? `${JSON.stringify({ ok, checks }, null, 2)}\n` : table(checks));
      if (!ok) process.exitCode = 1;
    });
};

const check = async ({ name, fix, run }: Probe): Promise<Check> => {
  try {
    return { name, ok: true, found: await run(), fix: "" };
  } catch (error) {
    return { name, ok: false, found: messageOf(error), fix };
  }
};

const probes = ({ state, data, port }: { state: string; data?: string; port: string }): Probe[] => [
  {
    name: "Node",
    fix: "start it with `npx daeg` or `npm start`, which use the Node 24 that npm ci installed",
    run: () => {
      const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
      if (major < 22 || (major === 22 && minor < 18)) throw wrongInput(`Node ${process.versions.node} is too old`);
      return `Node ${process.versions.node}`;
    },
  },
  {
    name: "contracts",
    fix: "run `npm run build`",
    run: () => {
      const folder = join(projectRoot, "artifacts", "contracts");
      const missing = ["pricing/Auction.sol", "pricing/Settlement.sol", "consumption/MeterOracle.sol"].filter(
        (path) => !existsSync(join(folder, path)),
      );
      if (missing.length > 0) throw wrongInput(`${missing.join(", ")} not compiled`);
      return `${readdirSync(folder, { recursive: true }).filter((path) => String(path).endsWith(".json")).length} compiled`;
    },
  },
  {
    name: "dashboard",
    fix: "run `npm run build`",
    run: () => {
      if (!existsSync(join(projectRoot, "dist", "dashboard", "index.html"))) throw wrongInput("not built");
      return "built";
    },
  },
  {
    name: "EVM",
    fix: "run `npm ci` again: Hardhat's native part is missing for this platform",
    run: async () => {
      const { network } = await import("hardhat");
      const connection = await network.create();
      const block = (await connection.provider.request({ method: "eth_blockNumber" })) as string;
      await connection.close();
      return `runs, block ${Number(block)}`;
    },
  },
  {
    name: "optimiser",
    fix: "run `npm ci` again: the package highs is damaged",
    run: async () => {
      const { createSolver } = await import("../../services/core/dispatch/solver.ts");
      const { objective } = (await createSolver()).minimise((program) => program.addColumn(2, 1.5, 9, []));
      if (objective !== 3) throw wrongInput(`solves wrongly (${objective} instead of 3)`);
      return "solves";
    },
  },
  {
    name: "database",
    fix: "free some disk space, or set TMPDIR to a folder that can be written",
    run: () => {
      const folder = mkdtempSync(join(tmpdir(), "daeg-doctor-"));
      try {
        const store = openStore(join(folder, "probe.db"), ["CREATE TABLE probe (value INTEGER)"]);
        store.run("INSERT INTO probe VALUES (?)", 42);
        const row = store.get<{ value: number }>("SELECT value FROM probe");
        store.close();
        if (row?.value !== 42) throw wrongInput("does not give back what was written");
        return "writes and reads";
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
  {
    name: "loopback",
    fix: "allow this program to listen on 127.0.0.1 (firewall, sandbox)",
    run: async () => `${(await freePorts(40)).length} free ports`,
  },
  { name: "dashboard port", fix: `choose another one with --port`, run: async () => portFound(port) },
  {
    name: "state folder",
    fix: "stop the other instance, or choose another folder with --state",
    run: () => {
      lockState(resolve(state))();
      return resolve(state);
    },
  },
  {
    name: "memory",
    fix: "close other programs: a local market of 20 homes needs about 1.5 GB",
    run: () => {
      const freeMb = Math.floor(freemem() / 1e6);
      if (freeMb < 1_000) throw wrongInput(`${freeMb} MB free`);
      return `${freeMb} MB free`;
    },
  },
  {
    name: "disk",
    fix: "free some disk space, or choose another folder with --state",
    run: () => {
      const { bavail, bsize } = statfsSync(existsSync(state) ? state : ".");
      const freeMb = Math.floor((bavail * bsize) / 1e6);
      if (freeMb < 500) throw wrongInput(`${freeMb} MB free`);
      return `${freeMb} MB free`;
    },
  },
  ...(data === undefined
    ? []
    : [
        {
          name: "community",
          fix: "correct the file named; `daeg example DIR` writes one that works",
          run: async () => {
            const { loadCommunity } = await import("../../services/protocol/community-file.ts");
            const { community, series } = loadCommunity(data);
            return `${community.name}: ${community.homes.length} homes, ${series.times.length} rows`;
          },
        },
      ]),
];

const portFound = async (port: string): Promise<string> => {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw wrongInput(`--port ${port} is not a port (1 to 65535)`);
  await requireFreePort(number, "--port");
  return `${number} is free`;
};

const table = (checks: Check[]): string => {
  const widest = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(
    ({ name, ok, found, fix }) =>
      `${ok ? "ok  " : "FAIL"}  ${name.padEnd(widest)}  ${found}${ok ? "" : `\n      ${" ".repeat(widest)}  fix: ${fix}`}`,
  );
  const failed = checks.filter(({ ok }) => !ok).length;
  return `${lines.join("\n")}\n${failed === 0 ? "All is well." : `${failed} problem${failed === 1 ? "" : "s"}.`}\n`;
};
