import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { toSlots } from "../../../services/core/community/slots.ts";
import { loadCommunity, writeCommunity } from "../../../services/protocol/community-file.ts";
import { createNeighbourhood } from "../../../services/simulator/neighbourhood.ts";

const community = {
  name: "Two",
  currency: "EUR",
  zones: ["a", "b"],
  lines: [{ id: "a-b", from: "a", to: "b", capacityW: 8000 }],
  gridZone: "a",
  gridCapacityW: 30000,
  feePerKwh: 0.02,
  stepSeconds: 3600,
  homes: [
    {
      id: "h1",
      zone: "a",
      importRatingW: 9000,
      exportRatingW: 9000,
      pvW: 4000,
      battery: { capacityWh: 5000, powerW: 2500, efficiency: 0.9 },
    },
    { id: "h2", zone: "b", importRatingW: 9000, exportRatingW: 9000, pvW: 0 },
  ],
};
const header = "time,import_price,export_price,co2_kg_per_kwh,h1.load_wh,h1.pv_wh,h2.load_wh";
const rows = ["2026-01-01T00:00:00Z,0.3,0.08,0.4,851,0,400", "2026-01-01T01:00:00Z,0.25,0.08,0.4,10,0,0"];

describe("a community folder", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "daeg-community-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  type Change = (value: typeof community) => unknown;
  const load = (change: Change | string = (value) => value, csv = [header, ...rows].join("\n")) => {
    const content = typeof change === "string" ? change : JSON.stringify(change(structuredClone(community)));
    writeFileSync(join(dir, "community.json"), content);
    writeFileSync(join(dir, "series.csv"), csv);
    return loadCommunity(dir);
  };

  it("is read in exact integers; a home without solar power needs no column for it", () => {
    const { community: read, series } = load(undefined, `\uFEFF${[header, ...rows].join("\r\n")}\r\n`);
    expect(read.feeMicroPerKwh).to.equal(20_000);
    expect([...series.importPriceMicroPerKwh]).to.deep.equal([300_000, 250_000]);
    expect([...toSlots(series).loadWh[0]!.subarray(0, 4)]).to.deep.equal([213, 213, 213, 212]);
    expect([...series.pvWh[1]!]).to.deep.equal([0, 0]);
  });

  it("is written and read back equal", () => {
    const made = createNeighbourhood({ homes: 4, days: 2, seed: 7, start: "2026-03-01T00:00:00Z", cars: 1 });
    writeCommunity(join(dir, "made"), made);
    expect(loadCommunity(join(dir, "made"))).to.deep.equal(made);
    expect(() => writeCommunity(join(dir, "made"), made)).to.throw("is there already: choose another folder");
  });

  it("does not exist: says so in one sentence", () => {
    expect(() => loadCommunity(join(dir, "nowhere"))).to.throw(
      /community folder .*nowhere does not exist: check the path/,
    );
    expect(() => loadCommunity(dir)).to.throw(/community file .*community.json does not exist/);
    writeFileSync(join(dir, "community.json"), JSON.stringify(community));
    expect(() => loadCommunity(dir)).to.throw(
      /series file .*series.csv does not exist: put the community's time series there/,
    );
    expect(() => loadCommunity(join(dir, "community.json"))).to.throw("is a file: give the folder");
  });

  const json: [string, Change | string, RegExp][] = [
    ["broken JSON", "{ nope", /community.json is not valid JSON/],
    ["unknown field", (c) => ({ ...c, colour: 1 }), /unknown field "colour": remove it/],
    ["missing field", ({ gridZone: _, ...c }) => c, /gridZone: is missing: give a string/],
    ["wrong type", (c) => ({ ...c, feePerKwh: "2" }), /feePerKwh: must be a number, not string/],
    ["unknown zone of a home", (c) => ((c.homes[1]!.zone = "z"), c), /homes\[1\].zone: zone "z" is not in zones/],
    ["unknown zone of a line", (c) => ((c.lines[0]!.to = "z"), c), /lines\[0\].to: zone "z" is not in zones/],
    ["home twice", (c) => ((c.homes[1]!.id = "h1"), c), /homes\[1\].id: "h1" is there twice/],
    [
      "loop",
      (c) => (c.lines.push({ ...c.lines[0]!, id: "second" }), c),
      /lines\[1\]: "second" closes a loop .* must be radial/,
    ],
    ["step", (c) => ({ ...c, stepSeconds: 1000 }), /stepSeconds: must be a multiple of 900/],
    [
      "battery",
      (c) => ((c.homes[0]!.battery!.efficiency = 1.2), c),
      /homes\[0\].battery.efficiency: must be above 0, at most 1/,
    ],
  ];
  for (const [what, change, message] of json) {
    it(`${what} in community.json: one sentence with field and fix`, () =>
      expect(() => load(change)).to.throw(message));
  }

  const csv: [string, string[], RegExp][] = [
    ["no rows", [header], /series.csv: has no rows/],
    ["missing column", [header.replace(",h1.pv_wh", ""), ...rows], /line 1: column "h1.pv_wh" is missing: add it/],
    ["unknown column", [`${header},h9.load_wh`, ...rows], /line 1: column "h9.load_wh" belongs to no home/],
    ["missing cell", [header, rows[0]!, "2026-01-01T01:00:00Z,0.25"], /line 3: has 2 cells where the header has 7/],
    ["text for a number", [header, rows[0]!.replace("851", "x")], /line 2: h1.load_wh is "x": give a number/],
    ["fraction of a Wh", [header, rows[0]!.replace("851", "8.5")], /line 2: h1.load_wh is 8.5: give whole Wh/],
    [
      "unequal steps",
      [header, rows[0]!, rows[1]!.replace("T01", "T02")],
      /line 3: time .* is 7200 s after the row before, not stepSeconds 3600/,
    ],
    ["local time", [header, rows[0]!.replace("Z", "+01:00")], /line 2: time is ".*": give ISO-8601 UTC/],
    [
      "tariffs the wrong way round",
      [header, rows[0]!.replace("0.08", "0.29")],
      /line 2: export_price must be below import_price/,
    ],
  ];
  for (const [what, lines, message] of csv) {
    it(`${what} in series.csv: one sentence with line and fix`, () =>
      expect(() => load(undefined, lines.join("\n"))).to.throw(message));
  }
});
