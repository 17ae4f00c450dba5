import { expect } from "chai";
import fc from "fast-check";
import { createSolver } from "../../../../services/core/dispatch/solver.ts";
import type { Solver } from "../../../../services/core/dispatch/solver.ts";
import { compileMarket } from "../../../../services/core/market/market.ts";
import type { Market } from "../../../../services/core/market/market.ts";
import { checkMesh } from "../../../../services/core/market/mesh/check.ts";
import { clearMesh } from "../../../../services/core/market/mesh/clear.ts";
import type { MeshClearing } from "../../../../services/core/market/mesh/clear.ts";
import { meshMarket } from "../../../../services/core/market/mesh/decide.ts";
import { isMeshed } from "../../../../services/core/market/mesh/ptdf.ts";
import { MarketError } from "../../../../services/core/market/types.ts";
import { exhaust } from "./exhaustive-mesh.ts";
import { tiny } from "./random-market.ts";
import { isWide, meshOf, randomMesh } from "./random-mesh.ts";

const long = process.env["DAEG_LONG"] === "1";
/** Of the proof's whole unit the search uses this much. */
const USED = 0.98;

describe("meshes with limits narrower than what one Wh in every zone changes", function () {
  this.timeout(long ? 3_600_000 : 240_000);
  let solver: Solver;
  before(async () => {
    solver = await createSolver();
  });

  const clear = (market: Market): MeshClearing | undefined => {
    try {
      return clearMesh(meshMarket(compileMarket(market)), solver);
    } catch (error) {
      if (!(error instanceof MarketError)) throw error;
      return undefined;
    }
  };

  it("refuses fewer than one in twenty-two, and gives only what the proof takes", () => {
    const drawn = fc
      .sample(
        randomMesh(12, 40).filter((market) => !isWide(market)),
        { numRuns: long ? 2_000 : 300, seed: 1 },
      )
      .filter((market) => isMeshed(compileMarket(market)));
    const refused = drawn.filter((market) => {
      const cleared = clear(market);
      if (cleared) expect(checkMesh(meshMarket(compileMarket(market)), cleared.posting).accepted).to.equal(true);
      return !cleared;
    });
    expect(refused.length / drawn.length, `${refused.length} of ${drawn.length}`).to.be.lessThan(1 / 22);
  });

  it("refuses exactly where no whole fills at all have dual prices that support them", () => {
    const small = { ...tiny, capacityWh: fc.constantFrom(0, 1, 2, 5), energyWh: fc.integer({ min: 1, max: 4 }) };
    const drawn = fc.sample(
      meshOf(small, 4, 8).filter(({ zones = [], constraints = [] }) => zones.length > 2 && constraints.length > 0),
      { numRuns: long ? 3_000 : 200, seed: 6 },
    );
    const seen = { cleared: 0, refused: 0 };
    for (const market of drawn) {
      const narrow: Market = {
        ...market,
        bilaterals: market.bilaterals?.slice(0, 2),
        orders: market.orders.map((own) => ({ ...own, green: false })),
        lines: market.lines?.map((own) => ({ ...own, capacityWh: Math.max(2, own.capacityWh) })),
        constraints: market.constraints?.map(({ minWh = 0, maxWh = 0, ...own }) => ({
          ...own,
          minWh: Math.max(-1, minWh),
          maxWh: Math.min(2, maxWh),
        })),
      };
      const { miss } = exhaust(meshMarket(compileMarket(narrow)), solver);
      const cleared = clear(narrow);
      seen[cleared ? "cleared" : "refused"] += 1;
      if (cleared) expect(miss, JSON.stringify(narrow)).to.be.lessThan(1);
      else expect(miss, JSON.stringify(narrow)).to.be.greaterThan(USED);
    }
    expect(Math.min(seen.cleared, seen.refused), JSON.stringify(seen)).to.be.greaterThan(0);
  });

  it("finds fills away from every vertex, the same ones each time", async () => {
    const market: Market = {
      zones: ["A", "B", "C"],
      priceBand: { min: -6, max: 6 },
      lines: [
        { id: "ab", from: "B", to: "A", capacityWh: 1_000, reactance: 0.004 },
        { id: "bc", from: "B", to: "C", capacityWh: 1, reactance: 0.294 },
      ],
      backup: [{ zone: "B", sellMicroPerKwh: 6, buyMicroPerKwh: -2, capacityWh: 5 }],
      bilaterals: [{ id: "t", from: "B", to: "A", energyWh: 6, maxSpreadMicroPerKwh: 4 }],
      constraints: [{ id: "c", weights: { A: 152, B: -197, C: -95 }, minWh: 0, maxWh: 2 }],
      orders: [{ id: "o", side: "offer", zone: "C", energyWh: 2, priceMicroPerKwh: null }],
    };
    const cleared = clear(market);
    expect(cleared?.attempts).to.be.greaterThan(12);
    expect(clear(market)).to.deep.equal(cleared);
    expect(clearMesh(meshMarket(compileMarket(market)), await createSolver())).to.deep.equal(cleared);
  });

  it("refuses the example of the proof: one feasible clearing, and no dual prices for it", () => {
    const order = (id: string, side: "bid" | "offer", zone: string, energyWh: number, priceMicroPerKwh: number) => ({
      id,
      side,
      zone,
      energyWh,
      priceMicroPerKwh,
    });
    const market: Market = {
      zones: ["A", "B", "C"],
      priceBand: { min: 0, max: 100 },
      lines: [
        { id: "ab", from: "A", to: "B", capacityWh: 100 },
        { id: "bc", from: "B", to: "C", capacityWh: 100 },
      ],
      constraints: [{ id: "c", weights: { A: 7, B: -6 }, minWh: 0, maxWh: 0 }],
      orders: [
        order("a1", "offer", "A", 2, 10),
        order("a2", "bid", "A", 1, 10),
        order("b", "offer", "B", 3, 5),
        order("c1", "offer", "C", 2, 20),
        order("c2", "bid", "C", 1, 20),
      ],
    };
    const { feasible, miss } = exhaust(meshMarket(compileMarket(market)), solver);
    expect(feasible).to.equal(1);
    expect(miss).to.be.closeTo(165 / 13, 1e-6);
    expect(() => clearMesh(meshMarket(compileMarket(market)), solver)).to.throw(MarketError, "more room");
    // With as much room as what one Wh in every zone changes there are some.
    const room = { ...market, constraints: [{ id: "c", weights: { A: 7, B: -6 }, minWh: -13, maxWh: 13 }] };
    expect(clear(room)).to.not.equal(undefined);
  });
});
