import { fork, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { playDay } from "../../scripts/local/day.ts";
import { planRun } from "../../scripts/local/plan.ts";
import { freePorts } from "../../scripts/local/ports.ts";
import { projectRoot } from "../../scripts/local/root.ts";
import type { DayReport } from "../../scripts/report/types.ts";
import { slotStart } from "../../services/platform/clock.ts";

const SLOTS = process.env["DAEG_LONG"] ? 96 : 4;
const START_TIMEOUT_MS = 60_000;

interface Chain {
  url: string;
  stop(): void;
}

/** Foundry's chain, as npm installed it, at chain time `start`. */
const startAnvil = async (start: number): Promise<Chain> => {
  const [port] = await freePorts(1);
  const program = join(createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json"), "..", "bin.mjs");
  const args = ["--port", String(port), "--timestamp", String(start), "--accounts", "1", "--silent"];
  const child = spawn(process.execPath, [program, ...args], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "web3_clientVersion", params: [] });
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline;) {
    const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body }).catch(
      () => undefined,
    );
    if (answer) {
      expect(((await answer.json()) as { result: string }).result).to.match(/^anvil/);
      return { url, stop: () => child.kill() };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill();
  throw new Error("anvil does not answer");
};

/** Hardhat's chain with the rules of an OP stack. */
const startOp = async (start: number): Promise<Chain> => {
  const module = join(projectRoot, "scripts/local/chain.ts");
  const child = fork(module, ["--network", "op", "--port", "0", "--start", String(start)], { cwd: projectRoot });
  const { info } = await new Promise<{ info: { url: string } }>((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", () => reject(new Error("the chain ended")));
    setTimeout(() => reject(new Error("the chain does not answer")), START_TIMEOUT_MS).unref();
  });
  // An OP stack chain answers what others do not have: the price of its data on the chain below.
  const params = ["0x420000000000000000000000000000000000000F", "latest"];
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getCode", params });
  const answer = await fetch(info.url, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(((await answer.json()) as { result: string }).result).to.not.equal("0x");
  return { url: info.url, stop: () => child.send({ type: "stop" }) };
};

describe("the whole system on other chains", function () {
  this.timeout(900_000);
  let folder: string;
  let own: DayReport;

  /** Plays the same slots of the same seed; without `start` on the chain that the system brings itself. */
  const played = async (name: string, start?: (time: number) => Promise<Chain>): Promise<DayReport> => {
    const stateDir = join(folder, name);
    mkdirSync(stateDir);
    const plan = planRun({ seed: 5, homes: 3 }, stateDir, { homes: 3, cars: 0 });
    const chain = await start?.(slotStart(plan.firstSlot - 1) - 7_200);
    try {
      const { report } = await playDay({
        plan: { ...plan, slots: SLOTS },
        stateDir,
        began: Date.now(),
        ...(chain ? { rpcUrl: chain.url } : {}),
        onProblem: (message) => expect.fail(message),
      });
      return report;
    } finally {
      chain?.stop();
    }
  };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "daeg-chains-"));
    own = await played("own");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, start] of Object.entries({ Anvil: startAnvil, "an OP stack chain": startOp })) {
    it(`plays ${SLOTS} slots on ${name} with nothing but another RPC URL: all settled, nothing lost, the same bills`, async () => {
      const report = await played(name, start);
      expect(report.chain.slotsSettled).to.equal(SLOTS);
      expect(report.conservation).to.deep.equal({ moneyNano: "0", energyWh: 0 });
      expect(report.bills).to.deep.equal(own.bills);
    });
  }
});
