import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { freePorts } from "../../scripts/local/ports.ts";
import { fetchJson } from "../../services/platform/http.ts";
import { daeg, program } from "./support/daeg.ts";

const ADDRESS_TIMEOUT_MS = 120_000;

/** Waits until `condition` gives something; the time-out is generous because it decides nothing. */
const until = async <T>(what: string, condition: () => Promise<T | undefined>): Promise<T> => {
  for (const deadline = Date.now() + ADDRESS_TIMEOUT_MS; Date.now() < deadline;) {
    const found = await condition();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what}: not within ${ADDRESS_TIMEOUT_MS / 1000} s`);
};

const processes = (): { pid: number; parent: number }[] =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = ""]) => !state.startsWith("Z"))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));

const childrenOf = (parent: number): number[] => {
  const all = processes();
  const direct = all.filter((process) => process.parent === parent).map(({ pid }) => pid);
  return direct.flatMap((pid) => [pid, ...all.filter((process) => process.parent === pid).map((each) => each.pid)]);
};

const survivors = (pids: readonly number[]): number[] => {
  const alive = new Set(processes().map(({ pid }) => pid));
  return pids.filter((pid) => alive.has(pid));
};

/** A live market as a user starts it, in a process group of its own as a terminal gives it. */
describe("daeg up", function () {
  this.timeout(400_000);
  const cwd = mkdtempSync(join(tmpdir(), "daeg-up-test-"));
  const started: ChildProcess[] = [];
  let port = 0;

  before(async () => {
    [port = 0] = await freePorts(1);
  });
  after(() => {
    for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    rmSync(cwd, { recursive: true, force: true });
  });

  const up = async (): Promise<{ child: ChildProcess; url: string; said: () => string }> => {
    const args = ["up", "--homes", "3", "--slot-seconds", "3", "--state", "state", "--port", String(port)];
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    started.push(child);
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const url = await until("the address", () => {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${stderr}`);
      return Promise.resolve(/Dashboard: (http:\S+)/.exec(stderr)?.[1]);
    });
    return { child, url, said: () => stderr };
  };

  it("prints its address, serves the market, clears its first slot; Ctrl-C ends every process", async () => {
    const { child, url, said } = await up();
    expect(url).to.equal(`http://127.0.0.1:${port}`);
    const state = await fetchJson<{ slot: number; points: unknown[] }>(`${url}/state`);
    expect(state.points).to.have.lengthOf(3);
    const page = await fetch(url);
    expect([page.status, page.headers.get("content-type")?.startsWith("text/html")]).to.deep.equal([200, true]);
    await until("a cleared slot", async () => {
      const { slot } = await fetchJson<{ slot: number }>(`${url}/state`);
      for (let at = slot - 1; at <= slot + 1; at += 1) {
        if ((await fetchJson<{ cleared: boolean }>(`${url}/slots/${at}/clearing`)).cleared) return at;
      }
      return undefined;
    });

    const second = await daeg(["up", "--state", "state", "--port", String(port)], { cwd });
    expect([second.code, second.stdout]).to.deep.equal([1, ""]);
    expect(second.stderr).to.match(/^daeg: another instance \(process \d+\) uses .*--state\n$/);
    const other = await daeg(["up", "--state", "elsewhere", "--port", String(port)], { cwd });
    expect([other.code, other.stdout]).to.deep.equal([1, ""]);
    expect(other.stderr).to.match(/^daeg: port \d+ is busy.*--port\n$/);

    const children = childrenOf(child.pid as number);
    expect(children.length).to.be.at.least(10);
    const exit = once(child, "exit");
    process.kill(-(child.pid as number), "SIGINT");
    expect((await exit)[0], said()).to.equal(0);
    expect(survivors(children)).to.deep.equal([]);
  });

  it("starts again in the same folder; kill -9 of the parent ends all children", async () => {
    const { child } = await up();
    const children = childrenOf(child.pid as number);
    expect(children.length).to.be.at.least(10);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    await until("the children's end", () => Promise.resolve(survivors(children).length === 0 ? true : undefined));
    // Nothing it left behind is in the way of the next start.
    const next = await up();
    const nextExit = once(next.child, "exit");
    next.child.kill("SIGINT");
    expect((await nextExit)[0]).to.equal(0);
  });
});
