import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { playDay } from "../../scripts/local/day.ts";
import { planRun } from "../../scripts/local/plan.ts";
import { freePorts } from "../../scripts/local/ports.ts";
import { slotStart } from "../../services/platform/clock.ts";

const SLOTS = process.env["DAEG_LONG"] ? 96 : 4;
const START_TIMEOUT_MS = 60_000;

/** Foundry's chain, as npm installed it, at chain time `start`. */
const startAnvil = async (start: number): Promise<{ url: string; child: ChildProcess }> => {
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
      return { url, child };
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill();
  throw new Error("anvil does not answer");
};

describe("the whole system on Anvil", function () {
  this.timeout(900_000);
  let folder: string;
  let anvil: Awaited<ReturnType<typeof startAnvil>> | undefined;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "daeg-anvil-"));
  });
  after(() => {
    anvil?.child.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`plays ${SLOTS} slots with nothing but another RPC URL: all settled, nothing lost`, async () => {
    const played = async (name: string, rpcUrl?: string) => {
      const stateDir = join(folder, name);
      mkdirSync(stateDir);
      const plan = planRun({ seed: 5, homes: 3 }, stateDir, { homes: 3, cars: 0 });
      anvil ??= await startAnvil(slotStart(plan.firstSlot - 1) - 7_200);
      const { report } = await playDay({
        plan: { ...plan, slots: SLOTS },
        stateDir,
        began: Date.now(),
        ...(rpcUrl === undefined ? {} : { rpcUrl: anvil.url }),
        onProblem: (message) => expect.fail(message),
      });
      return report;
    };
    const report = await played("anvil", "anvil");
    expect(report.chain.slotsSettled).to.equal(SLOTS);
    expect(report.conservation).to.deep.equal({ moneyNano: "0", energyWh: 0 });
    // The same seed on Hardhat's chain: the same bills.
    const own = await played("hardhat");
    expect(report.bills).to.deep.equal(own.bills);
  });
});
