import { expect } from "chai";
import fc from "fast-check";
import { compileMarket } from "../../../../services/core/market/market.ts";
import { clearMarket } from "../../../../services/core/market/result.ts";
import { optimalWelfare } from "./linear-program.ts";
import { randomFullMarket } from "./random-market.ts";

const long = process.env["DAEG_LONG"] === "1";

describe("green premium, bilateral trades and priority on radial networks", function () {
  this.timeout(long ? 3_600_000 : 60_000);

  it("reach the welfare of an independent linear program, without a gap", async () => {
    const seen = { premium: 0, trade: 0 };
    await fc.assert(
      fc.asyncProperty(randomFullMarket(12, 30), async (drawn) => {
        const market = compileMarket(drawn);
        const result = clearMarket(market);
        if (result.greenPremiumMicroPerKwh > 0) seen.premium += 1;
        if (Object.values(result.bilateralsWh).some((wh) => wh > 0)) seen.trade += 1;
        expect(result.dualNano).to.equal(result.welfareNano);
        const size = [...drawn.orders, ...(drawn.bilaterals ?? [])].reduce((sum, o) => {
          const price =
            "priceMicroPerKwh" in o
              ? (o.priceMicroPerKwh ?? 1)
              : "maxSpreadMicroPerKwh" in o
                ? o.maxSpreadMicroPerKwh
                : 1;
          return sum + o.energyWh * Math.abs(price);
        }, 1);
        const reference = await optimalWelfare(drawn);
        expect(Math.abs(Number(result.welfareNano) - reference)).to.be.lessThan(Math.max(1e-6, size * 1e-8));
      }),
      { numRuns: Number(process.env["RUNS"] ?? (long ? 5_000 : 200)) },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.greaterThan(0);
  });
});
