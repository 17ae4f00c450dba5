import { expect } from "chai";
import fc from "fast-check";
import { compileMarket } from "../../../../services/core/market/market.ts";
import type { Market } from "../../../../services/core/market/market.ts";
import { networkLimits } from "../../../../services/core/market/mesh/ptdf.ts";

const rowsOf = (market: Market) => {
  const compiled = compileMarket(market);
  const limits = networkLimits(compiled);
  return limits.map(({ weights }) => Object.fromEntries(compiled.zones.map((zone, i) => [zone, weights[i] as number])));
};

const line = (id: string, from: string, to: string, reactance?: number, capacityWh = 100) => ({
  id,
  from,
  to,
  capacityWh,
  reactance,
});

const ring: Market = {
  zones: ["A", "B", "C"],
  lines: [line("ab", "A", "B", 1), line("bc", "B", "C", 1), line("ca", "C", "A", 1)],
  orders: [],
};

/** Loops, bridges, parallel lines and trees, over one or two islands. */
const meshes = fc
  .record({
    count: fc.integer({ min: 3, max: 9 }),
    tree: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
    extra: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 6 }),
    reactances: fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 20, maxLength: 20 }),
  })
  .map(({ count, tree, extra, reactances }) => {
    const zones = Array.from({ length: count }, (_, i) => `z${i}`);
    const pairs = [
      ...zones.slice(1).map((_, i) => [i + 1, (tree[i] as number) % (i + 1)] as const),
      ...extra.map(([a, b]) => [a % count, b % count] as const).filter(([a, b]) => a !== b),
    ];
    return {
      zones,
      lines: pairs.map(([a, b], i) => line(`l${i}`, `z${a}`, `z${b}`, (reactances[i] as number) / 1000)),
      orders: [],
      constraints: [{ id: "row", weights: { z0: 1 }, maxWh: 5 }],
    };
  });

describe("power transfer distribution factors", () => {
  it("shares the flow of a ring by reactance, offset to the smallest sum of weights", () => {
    expect(rowsOf(ring)).to.deep.equal([
      { A: 333333, B: -333333, C: 0 },
      { A: 0, B: 333333, C: -333333 },
      { A: -333333, B: 0, C: 333333 },
    ]);
  });

  it("gives parallel lines their shares, and a bridge the smaller part that it cuts off", () => {
    const market: Market = {
      zones: ["A", "B", "C", "D"],
      lines: [line("p", "A", "B", 0.1), line("q", "A", "B", 0.3), line("r", "C", "B", 7), line("s", "C", "D", 1)],
      orders: [],
    };
    expect(rowsOf(market)).to.deep.equal([
      { A: 750000, B: 0, C: 0, D: 0 },
      { A: 250000, B: 0, C: 0, D: 0 },
      { A: -500000, B: -500000, C: 500000, D: 500000 },
      { A: 0, B: 0, C: 0, D: -1000000 },
    ]);
  });

  it("keeps Kirchhoff's two laws", () => {
    fc.assert(
      fc.property(
        meshes,
        fc.array(fc.integer({ min: -999, max: 999 }), { minLength: 9, maxLength: 9 }),
        (market, draw) => {
          const rows = rowsOf(market);
          const exports = new Map(market.zones.map((zone, i) => [zone, draw[i] as number]));
          const sum = [...exports.values()].reduce((total, value) => total + value, 0);
          exports.set("z0", (exports.get("z0") as number) - sum);
          const flows = market.lines.map((_, i) =>
            market.zones.reduce(
              (flow, zone) => flow + ((rows[i]?.[zone] as number) / 1e6) * (exports.get(zone) as number),
              0,
            ),
          );
          const rounding =
            1e-6 * [...exports.values()].reduce((total, value) => total + Math.abs(value), 1) * rows.length;
          for (const zone of market.zones) {
            const out = market.lines.reduce(
              (total, { from, to }, i) => total + (from === zone ? 1 : to === zone ? -1 : 0) * (flows[i] as number),
              0,
            );
            expect(out).to.be.closeTo(exports.get(zone) as number, rounding);
          }
          // Angles: the drop over a line is flow times reactance, whatever path leads there.
          const angles = new Map([["z0", 0]]);
          for (let again = true; again;) {
            again = false;
            market.lines.forEach(({ from, to, reactance = 0 }, i) => {
              const drop = (flows[i] as number) * reactance;
              if (angles.has(from) && !angles.has(to)) again = !!angles.set(to, (angles.get(from) as number) - drop);
              else if (angles.has(to) && !angles.has(from))
                again = !!angles.set(from, (angles.get(to) as number) + drop);
              else if (angles.has(from)) {
                expect((angles.get(from) as number) - (angles.get(to) as number)).to.be.closeTo(drop, rounding);
              }
            });
          }
        },
      ),
    );
  });

  it("does not depend on the order of zones, and turns its sign with the line", () => {
    fc.assert(
      fc.property(meshes, fc.nat(8), (market, turn) => {
        const rows = rowsOf(market);
        const at = turn % market.zones.length;
        const zones = [...market.zones.slice(at), ...market.zones.slice(0, at)].reverse();
        const lines = market.lines.map((own) => ({ ...own, from: own.to, to: own.from }));
        rowsOf({ ...market, zones, lines }).forEach((row, i) => {
          const sign = i < lines.length ? -1 : 1;
          for (const zone of zones) {
            // A factor on the edge between two millionths may fall either way.
            expect(Math.abs((row[zone] as number) - sign * (rows[i]?.[zone] as number))).to.be.at.most(1);
          }
        });
      }),
    );
  });

  it("gives a radial market no rows, one with a constraint rows for all its lines", () => {
    const tree: Market = { zones: ["A", "B", "C"], lines: [line("ab", "A", "B"), line("bc", "B", "C")], orders: [] };
    expect(rowsOf(tree)).to.deep.equal([]);
    const slack = { id: "slack", weights: { A: 2, B: 2, C: 2 }, maxWh: 1 };
    expect(rowsOf({ ...tree, constraints: [slack] })).to.deep.equal([]);
    const market = compileMarket({ ...tree, constraints: [slack, { id: "k", weights: { B: -0.25 }, minWh: -3 }] });
    expect(networkLimits(market).map(({ minWh, maxWh }) => [minWh, maxWh])).to.deep.equal([
      [-100, 100],
      [-100, 100],
      [-(2 ** 53) + 1, 1],
      [-3, 2 ** 53 - 1],
    ]);
    expect(networkLimits(market).at(-1)?.weights).to.deep.equal([0, -250000, 0]);
  });

  it("refuses a loop with a line without reactance, and weights finer than a millionth", () => {
    const open: Market = { ...ring, lines: [line("ab", "A", "B", 1), line("bc", "B", "C"), line("ca", "C", "A", 1)] };
    expect(() => rowsOf(open))
      .to.throw('is missing on "bc"')
      .with.property("path", "lines[1].reactance");
    const fine: Market = { ...ring, constraints: [{ id: "k", weights: { A: 0.1234567 }, maxWh: 5 }] };
    expect(() => rowsOf(fine))
      .to.throw("multiple of 0.000001")
      .with.property("path", "constraints[0].weights.A");
  });
});
