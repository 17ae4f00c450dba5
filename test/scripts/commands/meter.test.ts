import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { createModbusServer, type ModbusServer } from "../../../services/devices/modbus-server.ts";
import { createMeterUnit } from "../../../services/simulator/meter-unit.ts";

const daeg = join(import.meta.dirname, "../../../scripts/daeg.ts");

const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [daeg, "meter", ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });

describe("daeg meter", () => {
  let server: ModbusServer;
  let at: string[];
  before(async () => {
    const { unit, refresh } = createMeterUnit("cli-meter", 15_000);
    refresh({ importWh: 4_321, exportWh: 12, powerW: -77 });
    const bare = { holding: [{ start: 0, registers: new Uint16Array(4) }] };
    server = await createModbusServer({
      port: 0,
      units: new Map<number, typeof unit>([
        [1, unit],
        [2, bare],
      ]),
    });
    at = ["--host", server.host, "--port", String(server.port)];
  });
  after(() => server.close());

  it("read prints one JSON object and nothing else", async () => {
    const { code, stdout, stderr } = await run("read", ...at, "--unit", "1");
    expect([code, stderr]).to.deep.equal([0, ""]);
    const { time, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
    expect(Date.parse(time as string)).to.be.a("number").and.not.NaN;
    expect(rest).to.deep.equal({
      manufacturer: "DAEG",
      model: "DAEG Meter",
      serial: "cli-meter",
      importWh: 4_321,
      exportWh: 12,
      powerW: -77,
      quality: "measured",
      source: `modbus-tcp://127.0.0.1:${server.port}/1 (sunspec)`,
    });
  });

  it("probe and scan tell what is there", async () => {
    const probe = JSON.parse((await run("probe", ...at)).stdout) as { models: { id: number }[] };
    expect(probe.models.map(({ id }) => id)).to.deep.equal([1, 203]);
    const scan = JSON.parse((await run("scan", ...at, "--to", "4")).stdout) as {
      units: unknown[];
      silent: number;
      other: number;
    };
    expect(scan.units).to.deep.equal([
      { unit: 1, manufacturer: "DAEG", model: "DAEG Meter", serial: "cli-meter", models: [1, 203] },
    ]);
    expect([scan.silent, scan.other]).to.deep.equal([2, 1]);
  });

  const cases: [string, () => string[], number, RegExp][] = [
    ["no such unit", () => ["read", ...at, "--unit", "9"], 75, /unit 9 does not answer its gateway: no such unit/],
    ["no SunSpec map", () => ["read", ...at, "--unit", "2"], 1, /unit 2 has no SunSpec map .* --profile/],
    [
      "nothing there",
      () => ["read", "--port", "9", "--timeout", "500"],
      75,
      /nothing listens on 127.0.0.1:9 \(connection refused\)/,
    ],
    ["unknown profile", () => ["read", ...at, "--profile", "abc"], 1, /profile "abc" is not known: use one of sunspec/],
    ["bad unit", () => ["read", ...at, "--unit", "900"], 1, /unit must be a whole number from 1 to 247/],
  ];
  for (const [what, args, code, message] of cases) {
    it(`${what}: one clear line, exit ${code}`, async () => {
      const result = await run(...args());
      expect(result.code).to.equal(code);
      expect(result.stdout).to.equal("");
      expect(result.stderr).to.match(message);
      if (what !== "bad unit") expect(result.stderr.trim().split("\n")).to.have.length(1);
    });
  }
});
