import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { checkResult } from "../../scripts/clearing/check-result.ts";
import { createHarness } from "../../scripts/clearing/harness.ts";
import type { Harness } from "../../scripts/clearing/harness.ts";
import { projectRoot } from "../../scripts/local/root.ts";
import type { Market } from "../../services/core/market/market.ts";
import { clearMarket } from "../../services/core/market/result.ts";
import type { MarketResult } from "../../services/core/market/result.ts";
import { parseMarket, parseResult } from "../../services/protocol/market-file.ts";

/** The market and the result that the format's description shows. */
const example = {
  slot: 1982016,
  zones: ["A", "B"],
  feesMicroPerKwh: { A: 40000, B: 40000 },
  lines: [{ id: "A-B", from: "A", to: "B", capacityWh: 500, reactance: 0.1 }],
  constraints: [{ id: "transformer", weights: { A: 1, B: 1 }, maxWh: 5000, minWh: -5000 }],
  backup: [{ zone: "A", sellMicroPerKwh: 300000, buyMicroPerKwh: 60000, capacityWh: 100000 }],
  bilaterals: [{ id: "t1", from: "B", to: "A", energyWh: 0, maxSpreadMicroPerKwh: 20000 }],
  orders: [
    { id: "o1", side: "bid", zone: "A", energyWh: 1000, priceMicroPerKwh: 250000 },
    { id: "o2", side: "offer", zone: "B", energyWh: 1200, priceMicroPerKwh: 90000, green: true },
    { id: "o3", side: "bid", zone: "B", energyWh: 400, priceMicroPerKwh: 200000 },
  ],
  priceBand: { min: -1000000, max: 10000000 },
};
const expected: MarketResult = {
  status: "cleared",
  pricesMicroPerKwh: { A: 210000, B: 90000 },
  greenPremiumMicroPerKwh: 0,
  fillsWh: { o1: 500, o2: 900, o3: 400 },
  backupWh: { A: { sold: 0, bought: 0 } },
  netExportWh: { A: -500, B: 500 },
  flowsWh: { "A-B": -500 },
  shadowPricesMicroPerKwh: { "A-B": -120000, transformer: 0 },
  bilateralsWh: { t1: 0 },
  volumeWh: 900,
  feesNano: "36000000",
  congestionRentNano: "60000000",
  welfareNano: "88000000",
  dualNano: "88000000",
  gapNano: "0",
  gapBoundNano: "0",
};

/** Every change of one unit or one entry to a result; all of them are lies. */
const perturbations = (result: MarketResult): { what: string; result: unknown }[] => {
  const changes: { what: string; result: unknown }[] = [];
  const visit = (value: unknown, path: (string | number)[]): void => {
    const put = (changed: unknown): void => {
      const copy = structuredClone(result) as unknown as Record<string, unknown>;
      let at = copy;
      for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
      at[path.at(-1) as string] = changed;
      changes.push({ what: `${path.join(".")} = ${String(changed)}`, result: copy });
    };
    if (typeof value === "number") for (const step of [-1, 1]) put(value + step);
    else if (typeof value === "string" && /^-?\d+$/.test(value))
      for (const step of [-1n, 1n]) put(String(BigInt(value) + step));
    else if (typeof value === "string") put(value === "cleared" ? "no-trade" : "cleared");
    else if (value === null) put(0);
    else for (const [key, inner] of Object.entries(value as object)) visit(inner, [...path, key]);
  };
  visit(result, []);
  return changes;
};

describe("daeg clear and daeg verify", function () {
  this.timeout(60_000);
  let folder: string;
  let harness: Harness;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "daeg-clear-"));
    harness = await createHarness();
  });
  after(async () => {
    await harness.close();
    rmSync(folder, { recursive: true });
  });

  const file = (name: string, value: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
    return path;
  };
  const daeg = (args: string[], input = ""): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [join(projectRoot, "scripts/daeg.ts"), ...args],
        { cwd: folder },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
      child.stdin?.end(input);
    });
  const verdictOf = (market: unknown, result: unknown) =>
    checkResult(harness, parseMarket(market, "market"), parseResult(result, "result"));

  it("prints exactly the result that the format shows, from a file and from standard input", async () => {
    const market = file("market.json", example);
    const fromFile = await daeg(["clear", market]);
    expect(fromFile.code, fromFile.stderr).to.equal(0);
    expect(JSON.parse(fromFile.stdout)).to.deep.equal(expected);
    const piped = await daeg(["clear", "-"], JSON.stringify(example));
    expect(piped.stdout).to.equal(fromFile.stdout);
  });

  it("accepts it with the gas, refuses it with the contract's error and exit code 2", async () => {
    const market = file("market.json", example);
    const good = await daeg(["verify", market, file("good.json", expected)]);
    expect(good.code, good.stderr).to.equal(0);
    const verdict = JSON.parse(good.stdout) as { accepted: boolean; gas: number };
    expect(Object.keys(verdict)).to.deep.equal(["accepted", "gas"]);
    expect(verdict.gas).to.be.within(21_000, 200_000);
    const wrong = { ...expected, fillsWh: { ...expected.fillsWh, o1: 501 } };
    const bad = await daeg(["verify", market, file("bad.json", wrong)]);
    expect(bad.code).to.equal(2);
    expect(JSON.parse(bad.stdout)).to.deep.equal({
      accepted: false,
      error: "IslandNotBalanced",
      values: { root: "0", netExportWh: "-1" },
    });
    expect(bad.stderr).to.equal("");
  });

  it("refuses every change of one unit to any field of a result", async () => {
    for (const { what, result } of perturbations(expected)) {
      expect(await verdictOf(example, result), what).to.have.property("accepted", false);
    }
  });

  it("refuses a dropped, an added and a moved order by the hash of the book", async () => {
    const { o1, o2, o3 } = expected.fillsWh;
    for (const fillsWh of [
      { o1, o2 },
      { o1, o2, o3, o4: 0 },
      { o1, o3, o2 },
      { o1, o2, o4: o3 },
    ]) {
      expect(await verdictOf(example, { ...expected, fillsWh })).to.include({ accepted: false, error: "BookMismatch" });
    }
  });

  it("knows that JSON moves integer-like ids to the front, and still sees other ids moved", async () => {
    const ids = ["b", "10", "a", "9"];
    const market = {
      orders: ids.map((id, i) => ({
        id,
        side: i % 2 ? "offer" : "bid",
        zone: "A",
        energyWh: 10 + i,
        priceMicroPerKwh: i % 2 ? 5 : 9,
      })),
    };
    const result = clearMarket(parseMarket(market, "market"));
    expect(await verdictOf(market, JSON.parse(JSON.stringify(result)))).to.have.property("accepted", true);
    const { a, b, ...numbers } = result.fillsWh;
    expect(await verdictOf(market, { ...result, fillsWh: { ...numbers, a, b } })).to.include({ error: "BookMismatch" });
  });

  it("refuses missing and unknown zones, and totals by name", async () => {
    const priced = (pricesMicroPerKwh: unknown) => verdictOf(example, { ...expected, pricesMicroPerKwh });
    expect(await priced({ A: 210000 })).to.deep.include({
      error: "WrongZoneCount",
      values: { posted: "1", expected: "2" },
    });
    expect(await priced({ A: 210000, C: 90000 })).to.include({ error: "UnknownZone" });
    expect(await priced({ A: 210000, B: null })).to.have.property("accepted", false);
    expect(await verdictOf(example, { ...expected, feesNano: "36000001" })).to.deep.equal({
      accepted: false,
      error: "WrongTotal",
      values: { field: "feesNano", posted: "36000001", expected: "36000000" },
    });
  });

  const wrongMarkets: [string, unknown, RegExp][] = [
    ["an unknown field", { ...example, extra: 1 }, /unknown field "extra"/],
    ["a missing list of orders", {}, /orders: is missing/],
    [
      "a duplicate id",
      { orders: [example.orders[0], { ...example.orders[0] }] },
      /orders\[1\]\.id: "o1" stands at orders\[0\]/,
    ],
    ["an unknown zone", { ...example, zones: ["A", "C"] }, /zone "B"/],
    [
      "half a Wh",
      { orders: [{ ...example.orders[0], energyWh: 0.5 }] },
      /orders\[0\]\.energyWh: must be a whole number/,
    ],
    ["negative energy", { orders: [{ ...example.orders[0], energyWh: -1 }] }, /orders\[0\]\.energyWh/],
    ["an unsafe integer", { orders: [{ ...example.orders[0], priceMicroPerKwh: 2 ** 60 }] }, /priceMicroPerKwh/],
    [
      "a price outside the band",
      { orders: [{ ...example.orders[0], priceMicroPerKwh: 10000001 }] },
      /outside the price band/,
    ],
    ["a price as text", { orders: [{ ...example.orders[0], priceMicroPerKwh: "1" }] }, /must be a number, not string/],
    ["a wrong side", { orders: [{ ...example.orders[0], side: "buy" }] }, /must be "bid" or "offer"/],
    [
      "a loop",
      { ...example, lines: ["one", "again"].map((id) => ({ id, from: "A", to: "B", capacityWh: 500 })) },
      /lines\[0\].reactance: is missing on .*the lines close a loop, so every line needs one/,
    ],
    ["a line to itself", { ...example, lines: [{ ...example.lines[0], to: "A" }] }, /links two zones/],
    ["a class of an offer", { orders: [{ ...example.orders[1], zone: "A", priority: "normal" }] }, /belongs to bids/],
    ["an unknown class", { orders: [{ ...example.orders[0], priority: "high" }] }, /must be normal, opportunistic, /],
    [
      "a trade of an unknown zone",
      { ...example, bilaterals: [{ ...example.bilaterals[0], to: "C", energyWh: 5 }] },
      /bilaterals\[0\].to: names the unknown zone "C"/,
    ],
    [
      "a constraint that forbids no trade",
      { ...example, constraints: [{ id: "c", weights: { A: 1 }, minWh: 1 }] },
      /constraints\[0\]: must allow no trade at all/,
    ],
    ["unequal fees beside a backup", { ...example, feesMicroPerKwh: { A: 1, B: 2 } }, /make their fees equal/],
    [
      "unequal tariffs in one island",
      { ...example, backup: [...example.backup, { ...example.backup[0], zone: "B", buyMicroPerKwh: 1 }] },
      /make them equal/,
    ],
    ["crossed tariffs", { ...example, backup: [{ ...example.backup[0], buyMicroPerKwh: 260000 }] }, /must be below/],
    ["an inverted band", { orders: [], priceBand: { min: 2, max: 1 } }, /min must not be above max/],
    ["zones that are not listed", { orders: example.orders }, /zones: is missing: list the zones "A", "B"/],
    [
      "a hostile id",
      '{"orders":[{"id":"__proto__","side":"bid","zone":"A","energyWh":1,"priceMicroPerKwh":1}]}',
      /__proto__/,
    ],
    [
      "an infinite number",
      '{"orders":[{"id":"a","side":"bid","zone":"A","energyWh":1e999,"priceMicroPerKwh":1}]}',
      /whole number/,
    ],
  ];
  for (const [what, market, message] of wrongMarkets) {
    it(`refuses ${what} in one line`, () => {
      const value = typeof market === "string" ? (JSON.parse(market) as unknown) : market;
      expect(() => clear(value)).to.throw(message);
    });
  }

  const clear = (value: unknown): MarketResult => {
    const market = parseMarket(value, "market file m.json");
    return clearMarket(market);
  };

  it("ends with exit code 1 and one line for wrong input", async () => {
    const cases: string[][] = [
      ["clear", "missing.json"],
      ["clear", file("broken.json", "{")],
      ["clear", file("unknown.json", { ...example, extra: 1 })],
      ["clear", file("fine.json", { ...example, constraints: [{ id: "c", weights: { A: 1e-7 }, minWh: -400 }] })],
      ["verify", file("m.json", example), file("r.json", { ...expected, volumeWh: "900" })],
      ["verify", file("m.json", example), file("r2.json", { ...expected, extra: 1 })],
    ];
    for (const args of cases) {
      const { code, stdout, stderr } = await daeg(args);
      expect(code, args.join(" ")).to.equal(1);
      expect(stdout).to.equal("");
      expect(stderr).to.match(/^daeg: [^\n]+\n$/);
    }
  });

  it("lets constraints be that never bind, whatever their limits", () => {
    expect(
      clear({ ...example, constraints: [{ id: "c", weights: { A: 3, B: 3 }, minWh: 0, maxWh: 0 }] }),
    ).to.deep.equal({
      ...expected,
      shadowPricesMicroPerKwh: { "A-B": -120000, c: 0 },
    });
  });

  describe("published double auctions", () => {
    interface Vector {
      id: string;
      bids: { id: string; q: number; p: number; node?: string }[];
      asks: { id: string; q: number; p: number; node?: string }[];
      nodes?: string[];
      lines?: { id: string; from: string; to: string; cap: number }[];
      expected: { price: Record<string, number> | number | null };
      oracle: { volume_min?: number; volume_max?: number; welfare: number; price_lo?: number; price_hi?: number };
    }
    const path = process.env["DAEG_VECTORS"] ?? join(projectRoot, "../shared/data/vectors/double_auction.json");
    const vectors = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { vectors: Vector[] }).vectors : [];
    if (vectors.length === 0) it(`are absent: put them at ${path}`);
    for (const vector of vectors) {
      it(vector.id, async () => {
        // One unit of quantity is 1000 Wh and one unit of price 1000 micro-token: all cases become integers.
        const orders = [...vector.bids, ...vector.asks].map((own, i) => ({
          id: own.id,
          side: i < vector.bids.length ? ("bid" as const) : ("offer" as const),
          zone: own.node ?? "A",
          energyWh: own.q * 1000,
          priceMicroPerKwh: own.p * 1000,
        }));
        const market: Market = {
          orders,
          ...(vector.nodes && { zones: vector.nodes }),
          ...(vector.lines && {
            lines: vector.lines.map(({ id, from, to, cap }) => ({ id, from, to, capacityWh: cap * 1000 })),
          }),
        };
        const result = clear(market);
        const { oracle } = vector;
        expect(Number(result.welfareNano)).to.equal(oracle.welfare * 1e6);
        expect(result.volumeWh).to.be.within((oracle.volume_min ?? 0) * 1000, (oracle.volume_max ?? Infinity) * 1000);
        if (oracle.price_lo !== undefined && oracle.price_hi !== undefined) {
          expect(result.pricesMicroPerKwh["A"]).to.be.within(oracle.price_lo * 1000, oracle.price_hi * 1000);
        }
        if (vector.nodes) {
          const prices = Object.entries(vector.expected.price as Record<string, number>);
          expect(result.pricesMicroPerKwh).to.deep.equal(
            Object.fromEntries(prices.map(([zone, p]) => [zone, p * 1000])),
          );
        }
        expect(await verdictOf(market, result)).to.have.property("accepted", true);
        for (const { what, result: wrong } of perturbations(result)) {
          expect(await verdictOf(market, wrong), what).to.have.property("accepted", false);
        }
      });
    }
  });
});
