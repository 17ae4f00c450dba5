import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { playDay } from "../../scripts/local/day.ts";
import { planRun } from "../../scripts/local/plan.ts";
import { createNeighbourhood, writeCommunity } from "../../services/simulator/neighbourhood.ts";
import { daeg, exampleOf, shell } from "./support/daeg.ts";

const COMMANDS = ["up", "day", "clear", "verify", "meter", "oracle", "example", "doctor"];
const WITH_EXAMPLE = [
  ...COMMANDS.filter((name) => name !== "meter").map((name) => [name]),
  ["meter", "read"],
  ["meter", "probe"],
  ["meter", "scan"],
];

describe("the command line", function () {
  this.timeout(120_000);
  const cwd = mkdtempSync(join(tmpdir(), "daeg-commands-"));
  const ten = join(cwd, "ten");
  const broken = join(cwd, "broken");
  const unknown = join(cwd, "unknown");
  let busy: ReturnType<typeof createServer>;
  let busyPort = 0;

  before(async () => {
    for (const dir of [ten, broken, unknown]) {
      mkdirSync(dir);
      writeCommunity(dir, createNeighbourhood({ homes: 10, days: 9, seed: 1, start: "2026-06-01T00:00:00Z" }));
    }
    const file = join(ten, "community.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(join(broken, "community.json"), text.slice(0, -20));
    writeFileSync(join(unknown, "community.json"), JSON.stringify({ ...(JSON.parse(text) as object), colour: "red" }));
    writeFileSync(join(cwd, "market.json"), '{"orders":[{"id":"o1","side":"bid","energyWh":-5}]}');
    writeFileSync(join(cwd, "text.json"), "orders, please");
    busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    busyPort = (busy.address() as AddressInfo).port;
  });
  after(() => {
    busy.close();
    rmSync(cwd, { recursive: true, force: true });
  });

  it("--help names every command", async () => {
    const { code, stdout, stderr } = await daeg(["--help"], { cwd });
    expect([code, stderr]).to.deep.equal([0, ""]);
    for (const name of COMMANDS) expect(stdout).to.match(new RegExp(`^ {2}${name}\\b`, "m"));
  });

  it("every command's help has one example", async () => {
    for (const args of WITH_EXAMPLE) {
      const example = await exampleOf(args, cwd);
      expect(example, args.join(" ")).to.match(/\bdaeg \w+/);
      expect(example.split("\n"), args.join(" ")).to.have.lengthOf(1);
    }
  });

  it("examples run as printed", async () => {
    const folder = join(cwd, "examples");
    mkdirSync(folder);
    const clear = await exampleOf(["clear"], cwd);
    const cleared = await shell(clear, folder);
    expect([cleared.code, cleared.stderr]).to.deep.equal([0, ""]);
    expect(JSON.parse(cleared.stdout)).to.include({ status: "cleared" });

    // The verifier's example takes a market.json that is there.
    const [, market] = /echo '(.*)' \|/.exec(clear) as unknown as [string, string];
    writeFileSync(join(folder, "market.json"), market);
    const verified = await shell(await exampleOf(["verify"], cwd), folder);
    expect([verified.code, verified.stderr]).to.deep.equal([0, ""]);
    expect(JSON.parse(verified.stdout)).to.include({ accepted: true });

    // What takes long (a day, a live market) is run elsewhere: here the part up to it.
    const [example = ""] = (await exampleOf(["example"], cwd)).split(" && ");
    expect((await shell(example, folder)).code).to.equal(0);
    const doctor = await shell(await exampleOf(["doctor"], cwd), folder);
    const found = JSON.parse(doctor.stdout) as { ok: boolean; checks: Record<string, unknown>[] };
    expect(found.ok).to.equal(doctor.code === 0);
    expect(found.checks.length).to.be.at.least(10);
    for (const check of found.checks) {
      expect(check).to.have.all.keys("name", "ok", "found", "fix");
      expect((check["fix"] as string) === "", String(check["name"])).to.equal(check["ok"]);
    }
    for (const name of ["read", "probe", "scan"]) {
      // Nobody listens there: that may pass by itself, exit code 75.
      const { code, stdout, stderr } = await shell(await exampleOf(["meter", name], cwd), folder);
      expect([code, stdout], name).to.deep.equal([75, ""]);
      expect(stderr, name).to.match(/^daeg: .+\n$/);
    }
  });

  const wrong: [name: string, args: () => string[], says: RegExp][] = [
    ["unknown command", () => ["dya"], /unknown command 'dya'.*day/],
    ["unknown option", () => ["day", "--nope"], /--nope/],
    ["no argument", () => ["clear"], /market/],
    ["missing folder", () => ["day", "--data", "nowhere"], /nowhere/],
    ["missing folder, live", () => ["up", "--data", "nowhere", "--state", "s"], /nowhere/],
    ["broken community.json", () => ["day", "--data", broken], /community\.json/],
    ["broken community.json, live", () => ["up", "--data", broken, "--state", "s"], /community\.json/],
    ["unknown field", () => ["day", "--data", unknown], /colour/],
    ["too many homes", () => ["day", "--data", ten, "--homes", "11"], /--homes 11.*10 homes/],
    ["no homes", () => ["day", "--homes", "0"], /--homes 0/],
    ["homes in words", () => ["up", "--homes", "many", "--state", "s"], /--homes many/],
    ["no days", () => ["day", "--days", "0"], /--days 0/],
    ["more days than data", () => ["day", "--data", ten, "--days", "60"], /--days/],
    ["start without zone", () => ["day", "--data", ten, "--start", "2026-06-08"], /--start 2026-06-08.*UTC/],
    ["start between slots", () => ["day", "--data", ten, "--start", "2026-06-08T00:05:00Z"], /--start.*quarter/],
    ["start beyond the data", () => ["day", "--data", ten, "--start", "2027-01-01T00:00:00Z"], /--start/],
    ["start that is no date", () => ["day", "--data", ten, "--start", "2026-13-41T00:00:00Z"], /--start/],
    ["negative seed", () => ["day", "--seed", "-1"], /--seed -1/],
    ["state that is a file", () => ["day", "--state", join(cwd, "text.json")], /--state/],
    ["slot seconds", () => ["up", "--slot-seconds", "0", "--state", "s"], /--slot-seconds 0/],
    ["port out of range", () => ["up", "--port", "99999", "--state", "s"], /--port 99999/],
    ["busy port", () => ["up", "--port", String(busyPort), "--state", "s"], /port \d+ is busy.*--port/],
    ["clear: no file", () => ["clear", "gone.json"], /gone\.json/],
    ["clear: no JSON", () => ["clear", "text.json"], /text\.json/],
    ["clear: wrong field", () => ["clear", "market.json"], /energyWh/],
    ["verify: no file", () => ["verify", "market.json", "gone.json"], /market\.json|gone\.json/],
    ["oracle: no config", () => ["oracle"], /--config/],
    ["oracle: missing file", () => ["oracle", "--config", "gone.json"], /gone\.json/],
    ["meter: unit", () => ["meter", "read", "--unit", "999"], /unit.*1 to 247/],
    ["meter: profile", () => ["meter", "read", "--profile", "abc"], /abc/],
    ["meter: range", () => ["meter", "scan", "--from", "9", "--to", "2"], /--from 9/],
    ["example: folder in use", () => ["example", ten], /not empty/],
    ["doctor: unknown option", () => ["doctor", "--xml"], /--xml/],
  ];
  for (const [name, args, says] of wrong) {
    it(`${name}: one clear line, exit 1`, async () => {
      const { code, stdout, stderr } = await daeg(args(), { cwd });
      expect(stderr).to.match(says);
      expect(stderr.trimEnd().split("\n"), stderr).to.have.lengthOf(1);
      expect([code, stdout]).to.deep.equal([1, ""]);
    });
  }

  it("a community from `daeg example` can be played", async () => {
    const folder = join(cwd, "my-street");
    expect((await daeg(["example", "my-street"], { cwd })).code).to.equal(0);
    const stateDir = join(cwd, "run");
    mkdirSync(stateDir);
    const plan = planRun({ data: folder, start: "2026-06-10T10:00:00Z", seed: 3 }, stateDir, { homes: 3, cars: 0 });
    const { report } = await playDay({
      plan: { ...plan, slots: 3 },
      stateDir,
      began: Date.now(),
      onProblem: (message) => expect.fail(message),
    });
    expect(report).to.include({ community: "Example street", homes: 3, slots: 3 });
    expect(report.conservation).to.deep.equal({ moneyNano: "0", energyWh: 0 });
    expect(report.chain.slotsSettled).to.equal(3);
  });
});
