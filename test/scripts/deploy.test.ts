import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { computeAddress, JsonRpcProvider, Wallet } from "ethers";
import { network } from "hardhat";
import { createProvider } from "../../services/platform/provider.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { addressesSchema, type Addresses } from "../../services/protocol/addresses.ts";
import { exampleConfig, loadDeployConfig } from "../../scripts/deploy/config.ts";
import { deployDurably } from "../../scripts/deploy/durable.ts";
import { createKillingProxy, MOMENTS, type Moment } from "./support/killing-proxy.ts";
import { exampleOf, program, shell, type Ended } from "./support/daeg.ts";

const KEY = deriveKey("deploy-test", "deployer");
const DEPLOYER = computeAddress(KEY);

/** A chain of its own at a real port, on which the deployer has coins. Chains are told apart by the time of their first block. */
const createChain = async (initialDate: Date) => {
  const server = await network.createServer({ override: { loggingEnabled: false, initialDate } }, "127.0.0.1", 0);
  const { address, port } = await server.listen();
  const url = `http://${address}:${port}`;
  const provider = new JsonRpcProvider(url, undefined, { staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1 });
  await provider.send("hardhat_setBalance", [DEPLOYER, `0x${(10n ** 20n).toString(16)}`]);
  const close = async (): Promise<void> => {
    provider.destroy();
    await server.close();
  };
  return { url, provider, close };
};

describe("daeg deploy", function () {
  this.timeout(300_000);
  let folder: string;
  let chain: Awaited<ReturnType<typeof createChain>>;
  let calm: Awaited<ReturnType<typeof createChain>>;
  let proxy: Awaited<ReturnType<typeof createKillingProxy>>;
  const at = (name: string): string => join(folder, name);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "daeg-deploy-"));
    writeFileSync(at("market.json"), JSON.stringify(exampleConfig()));
    const now = Date.now();
    [chain, calm] = [await createChain(new Date(now)), await createChain(new Date(now - 60_000))];
    proxy = await createKillingProxy(chain.url);
  });
  after(async () => {
    proxy.close();
    await chain.close();
    await calm.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Run {
    url?: string;
    book?: string;
    config?: string;
    key?: string;
    dies?: Moment;
  }
  const deploy = ({ url = proxy.url, book = "book.json", config = "market.json", key = KEY, dies }: Run = {}) =>
    new Promise<Ended>((resolve) => {
      const args = ["deploy", "--rpc-url", url, "--config", at(config), "--book", at(book)];
      const child = spawn(process.execPath, [program, ...args], {
        env: { ...process.env, DAEG_DEPLOYER_KEY: key },
        stdio: ["ignore", "pipe", "pipe"],
      });
      if (url === proxy.url) proxy.arm(() => void child.kill("SIGKILL"), dies);
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    });

  const nonce = (): Promise<number> => chain.provider.getTransactionCount(DEPLOYER);
  /** Code of every contract, and every event but for the times in the access manager's. */
  const stateOf = async ({ provider }: typeof chain, addresses: Addresses) => {
    const places = Object.values(addresses).filter((value) => typeof value === "string");
    const logs = await provider.getLogs({ fromBlock: 0 });
    return {
      codes: await Promise.all(places.map((place) => provider.getCode(place))),
      events: logs.map(({ address, topics, data }) => [
        address,
        ...topics,
        address === addresses.accessManager ? data.length : data,
      ]),
    };
  };

  /** What `daeg deploy` does, in this process: nothing is kept from call to call but the book. */
  const deployHere = async (url: string, book: string): Promise<Addresses> => {
    const provider = await createProvider({ urls: [url] });
    const terms = loadDeployConfig(at("market.json"));
    try {
      return await deployDurably({ provider, wallet: new Wallet(KEY, provider), terms, bookFile: at(book) });
    } finally {
      provider.destroy();
    }
  };

  it("goes on after it was broken off at every step, by kill -9 too, to the same addresses and the same state", async () => {
    const { deployedAtBlock: _, ...expected } = await deployHere(calm.url, "calm.json");
    const { steps } = JSON.parse(readFileSync(at("calm.json"), "utf8")) as { steps: unknown[] };
    for (let turn = 0; (await nonce()) < steps.length; turn += 1) {
      const done = await nonce();
      const dies = MOMENTS[turn % MOMENTS.length] as Moment;
      // A new process takes a second: the first three turns are real kills, in the long run all of them.
      if (turn < MOMENTS.length || process.env["DAEG_LONG"]) {
        expect((await deploy({ dies })).code).to.equal(-1);
      } else {
        const broken = new Promise<string>((resolve) => proxy.arm(() => resolve("broken off"), dies));
        const ended = deployHere(proxy.url, "book.json").then(
          () => "finished",
          (error: unknown) => String(error),
        );
        expect(await Promise.race([broken, ended])).to.equal("broken off");
      }
      expect(await nonce()).to.equal(dies === "before" ? done : done + 1);
    }
    const { code, stdout, stderr } = await deploy();
    expect(code, stderr).to.equal(0);
    const addresses = addressesSchema.parse(JSON.parse(stdout));
    expect(addresses).to.deep.include(expected);
    expect(await nonce()).to.equal(steps.length);
    expect(await stateOf(chain, addresses)).to.deep.equal(await stateOf(calm, addresses));
  });

  it("sends nothing when the market stands, and prints it again", async () => {
    const [before, again, later] = [await nonce(), await deploy(), await deploy()];
    expect([again.code, again.stdout]).to.deep.equal([0, later.stdout]);
    expect(again.stderr).to.match(/no transaction was sent/);
    expect([await nonce(), proxy.sent()]).to.deep.equal([before, 0]);
  });

  const refused = async (run: Run, says: RegExp): Promise<void> => {
    const before = await nonce();
    const { code, stdout, stderr } = await deploy(run);
    expect(stderr).to.match(says);
    expect(stderr.trimEnd().split("\n"), stderr).to.have.lengthOf(1);
    expect([code, stdout, await nonce()]).to.deep.equal([1, "", before]);
  };

  it("refuses another plan, chain, key or a lost book in one sentence: no second market by accident", async () => {
    const config = exampleConfig() as Record<string, unknown>;
    writeFileSync(at("other.json"), JSON.stringify({ ...config, wordFeeNano: 7 }));
    await refused({ config: "other.json" }, /another plan \(step 5, tariffs, differs\).*another --book/);
    await refused({ url: calm.url }, /another chain with the same id/);
    await refused({ key: deriveKey("deploy-test", "other") }, new RegExp(`deployer ${DEPLOYER}`));
    await refused({ book: "lost.json" }, /has sent \d+ transactions .*lost\.json does not exist/);
  });

  it("names the field and the fix of a wrong configuration", async () => {
    const config = exampleConfig() as Record<string, unknown>;
    const wrong: [object, RegExp][] = [
      [{ operator: "0x12" }, /operator: must be an address/],
      [{ genesis: "2030-01-01T00:07:00Z" }, /genesis: .*quarter/],
      [{ faults: 2 }, /committee: 4 nodes bear 1 faults, not 2/],
      [{ zones: [{ parent: 1, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 }] }, /zones\[0\]\.parent/],
      [{ admin: { owners: [DEPLOYER], threshold: 2 } }, /admin\.threshold: 2 of 1 owners/],
      [{ adminDelaySeconds: 60 }, /adminDelaySeconds: must be at least 3600/],
      [{ colour: "red" }, /unknown field "colour"/],
      [{ sealedBond: 5 }, /sealedBond: must be a string/],
      [{ admin: DEPLOYER }, /admin and operator must be others than the deployer/],
      [{ genesis: "2001-01-01T00:00:00Z" }, /genesis: .*choose a later one/],
    ];
    for (const [part, says] of wrong) {
      writeFileSync(at("wrong.json"), JSON.stringify({ ...config, ...part }));
      const fresh = { book: "fresh.json", ...("genesis" in part ? { key: deriveKey("deploy-test", "fresh") } : {}) };
      await refused({ config: "wrong.json", ...fresh }, says);
    }
    await refused({ url: "anvil" }, /--rpc-url: "anvil" is no URL/);
    await refused({ key: "0x12" }, /DAEG_DEPLOYER_KEY must be/);
  });

  it("has an example that runs as printed", async () => {
    const { code, stdout } = await shell(await exampleOf(["deploy"], folder), folder);
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.have.all.keys("contracts", "gas");
  });
});
