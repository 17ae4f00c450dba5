import { expect } from "chai";
import fc from "fast-check";
import { compileMarket } from "../../../../services/core/market/market.ts";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { rationed } from "../../../../services/core/market/margins.ts";
import { clearMarket, premiumsByZone } from "../../../../services/core/market/result.ts";
import { PRIORITIES, PRIORITY_WEIGHTS } from "../../../../services/core/market/types.ts";
import { checkClearing } from "./check-clearing.ts";
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

  it("keep every limit, every balance and everybody's limit price", () => {
    fc.assert(
      fc.property(randomFullMarket(12, 30), (drawn) => {
        const market = compileMarket(drawn);
        checkClearing(market, clearBook(market.columns, market.terms, market.band, market.trades));
      }),
      { numRuns: long ? 20_000 : 400 },
    );
  });

  it("add up to no money: orders, trades at zone prices, backup, fees and congestion", () => {
    fc.assert(
      fc.property(randomFullMarket(10, 30), (drawn) => {
        const market = compileMarket(drawn);
        const result = clearMarket(market);
        const premiums = premiumsByZone(market, result);
        const priceOf = (zone: string): number => result.pricesMicroPerKwh[zone] as number;
        let moneyNano = BigInt(result.congestionRentNano) + BigInt(result.feesNano);
        drawn.orders.forEach((own, i) => {
          const wh = result.fillsWh[own.id] as number;
          if (wh === 0) return;
          const premium = own.green ? (premiums[market.columns.zone[i] as number] as number) : 0;
          const price = priceOf(own.zone as string) + premium;
          const fee = own.side === "bid" ? (drawn.feesMicroPerKwh?.[own.zone as string] ?? 0) : 0;
          moneyNano += BigInt(own.side === "bid" ? -wh : wh) * BigInt(price + fee);
        });
        for (const { id, from, to } of drawn.bilaterals ?? []) {
          const wh = result.bilateralsWh[id] as number;
          if (wh > 0) moneyNano += BigInt(wh) * BigInt(priceOf(from) - priceOf(to));
        }
        for (const [zone, { sold, bought }] of Object.entries(result.backupWh)) {
          moneyNano += BigInt(sold - bought) * BigInt(priceOf(zone));
        }
        expect(moneyNano).to.equal(0n);
      }),
      { numRuns: long ? 20_000 : 300 },
    );
  });

  it("do not depend on the order of arrival but for the remainder Wh", () => {
    fc.assert(
      fc.property(randomFullMarket(8, 30), fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (drawn, draws) => {
        const orders = drawn.orders
          .map((order, i) => ({ order, draw: draws[i] as number }))
          .sort((a, b) => a.draw - b.draw)
          .map(({ order }) => order);
        const before = clearMarket(compileMarket(drawn));
        const { fillsWh, ...after } = clearMarket(compileMarket({ ...drawn, orders }));
        for (const [id, wh] of Object.entries(before.fillsWh)) {
          expect(Math.abs(wh - (fillsWh[id] as number)), id).to.be.at.most(1);
        }
        expect({ ...after, fillsWh: before.fillsWh }).to.deep.equal(before);
      }),
      { numRuns: long ? 20_000 : 300 },
    );
  });

  it("share a marginal total by priority: one theta for all, rounded down, the rest by urgency", () => {
    const whole = fc.tuple(
      ...PRIORITIES.map(() => fc.oneof(fc.nat(9), fc.nat(1_000), fc.constant(0), fc.nat(2 ** 40))),
    );
    fc.assert(
      fc.property(whole, fc.double({ min: 0, max: 1, noNaN: true }), (availableWh, part) => {
        const total = availableWh.reduce((sum, wh) => sum + wh, 0);
        const totalWh = Math.floor(total * part);
        const shares = rationed(availableWh, totalWh);
        expect(shares.reduce((sum, wh) => sum + wh, 0)).to.equal(totalWh);
        shares.forEach((wh, c) => expect(wh).to.be.within(0, availableWh[c] as number));
        const open = shares.flatMap((wh, c) => (wh < (availableWh[c] as number) ? [c] : []));
        // Theta from one class bounds it from another: each is at most one Wh of rounding and one of the remainder off.
        for (const a of open) {
          shares.forEach((wh, b) => {
            const [ratioA, ratioB] = [a, b].map(
              (c) => (PRIORITY_WEIGHTS[c] as number) * (availableWh[c] as number),
            ) as [number, number];
            if (ratioB === 0) return;
            expect((wh - 2) / ratioB, `class ${b} beside ${a}`).to.be.at.most(
              ((shares[a] as number) + 2) / ratioA + 1e-9,
            );
          });
        }
      }),
      { numRuns: long ? 20_000 : 2_000 },
    );
    expect(rationed([10, 10, 10, 10], 15)).to.deep.equal([2, 1, 4, 8]);
    expect(rationed([10, 10, 10, 10], 16)).to.deep.equal([2, 1, 4, 9]);
    expect(rationed([10, 10, 10, 10], 31)).to.deep.equal([8, 3, 10, 10]);
    expect(rationed([0, 4, 0, 4], 5)).to.deep.equal([0, 1, 0, 4]);
  });
});
