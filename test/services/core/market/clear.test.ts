import { expect } from "chai";
import fc from "fast-check";
import { compileMarket } from "../../../../services/core/market/market.ts";
import type { Market } from "../../../../services/core/market/market.ts";
import { clearMarket, describe as describeResult } from "../../../../services/core/market/result.ts";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { GREEN, OFFER } from "../../../../services/core/market/types.ts";
import type { ZoneTerms } from "../../../../services/core/market/types.ts";
import { decodeBook, encodeBook } from "../../../../services/core/market/words.ts";
import { optimalWelfare } from "./linear-program.ts";
import { randomMarket } from "./random-market.ts";

const long = process.env["DAEG_LONG"] === "1";

const clear = (market: Market) => clearMarket(compileMarket(market));

const order = (id: string, side: "bid" | "offer", energyWh: number, priceMicroPerKwh: number | null, zone = "A") => ({
  id,
  side,
  zone,
  energyWh,
  priceMicroPerKwh,
});

const alone: ZoneTerms = {
  parent: 0,
  toParentWh: 0,
  fromParentWh: 0,
  fee: 0,
  hasBackup: false,
  backupSell: 0,
  backupBuy: 0,
  backupCapacityWh: 0,
};

describe("clearing a market", function () {
  this.timeout(long ? 3_600_000 : 60_000);

  it("reaches the welfare of an independent linear program", async () => {
    await fc.assert(
      fc.asyncProperty(randomMarket(12, 40), async (drawn) => {
        const result = clear(drawn);
        const welfare = Number(result.welfareNano);
        const reference = await optimalWelfare(drawn);
        const size = drawn.orders.reduce((sum, o) => sum + o.energyWh * Math.abs(o.priceMicroPerKwh ?? 1), 1);
        expect(Math.abs(welfare - reference)).to.be.lessThan(Math.max(1e-6, size * 1e-8));
        expect(result.dualNano).to.equal(result.welfareNano);
      }),
      { numRuns: long ? 5_000 : 150 },
    );
  });

  it("keeps what traders may rely on: limits, balance, money", () => {
    fc.assert(
      fc.property(randomMarket(12, 40), (drawn) => {
        const market = compileMarket(drawn);
        const result = clearMarket(market);
        let moneyNano = BigInt(result.congestionRentNano) + BigInt(result.feesNano);
        drawn.orders.forEach((own, i) => {
          const filledWh = result.fillsWh[own.id] as number;
          expect(filledWh).to.be.within(0, own.energyWh);
          if (filledWh === 0) return;
          const price = result.pricesMicroPerKwh[own.zone as string] as number;
          const fee = drawn.feesMicroPerKwh?.[own.zone as string] ?? 0;
          const pays = price + fee;
          if (own.side === "bid") {
            expect(pays).to.be.at.most(market.columns.price[i] as number);
            moneyNano -= BigInt(filledWh) * BigInt(pays);
          } else {
            expect(price).to.be.at.least(market.columns.price[i] as number);
            moneyNano += BigInt(filledWh) * BigInt(price);
          }
        });
        for (const [zone, { sold, bought }] of Object.entries(result.backupWh)) {
          moneyNano += BigInt(sold - bought) * BigInt(result.pricesMicroPerKwh[zone] as number);
        }
        expect(moneyNano).to.equal(0n);
        for (const line of drawn.lines ?? []) {
          expect(Math.abs(result.flowsWh[line.id] as number)).to.be.at.most(line.capacityWh);
        }
        const sum = Object.values(result.netExportWh).reduce((total, exportWh) => total + exportWh, 0);
        expect(sum).to.equal(0);
      }),
      { numRuns: long ? 20_000 : 400 },
    );
  });

  it("does not depend on how zones and lines are written", () => {
    fc.assert(
      fc.property(randomMarket(8, 30), (drawn) => {
        const turned: Market = {
          ...drawn,
          zones: drawn.zones?.toReversed(),
          lines: drawn.lines?.toReversed().map((line) => ({ ...line, from: line.to, to: line.from })),
        };
        const a = clear(drawn);
        const b = clear(turned);
        expect(b.pricesMicroPerKwh).to.deep.equal(a.pricesMicroPerKwh);
        expect(b.welfareNano).to.equal(a.welfareNano);
        expect(b.volumeWh).to.equal(a.volumeWh);
      }),
      { numRuns: long ? 20_000 : 300 },
    );
  });

  it("shares the margin pro rata, the remainder to the first", () => {
    const { fillsWh, pricesMicroPerKwh } = clear({
      orders: [
        order("a", "bid", 3, 100),
        order("b", "bid", 3, 100),
        order("c", "bid", 3, 100),
        order("d", "offer", 5, 40),
      ],
    });
    expect(fillsWh).to.deep.equal({ a: 2, b: 2, c: 1, d: 5 });
    expect(pricesMicroPerKwh).to.deep.equal({ A: 100 });
  });

  it("serves bids at the import tariff from the backup, offers at the export tariff to it, ordinary orders first", () => {
    const backup = [{ zone: "A", sellMicroPerKwh: 300, buyMicroPerKwh: 60, capacityWh: 1000 }];
    const bought = clear({ backup, orders: [order("a", "bid", 100, null), order("b", "offer", 30, 300)] });
    expect(bought.fillsWh).to.deep.equal({ a: 100, b: 30 });
    expect(bought.backupWh).to.deep.equal({ A: { sold: 70, bought: 0 } });
    expect(bought.pricesMicroPerKwh).to.deep.equal({ A: 300 });
    const sold = clear({ backup, orders: [order("a", "offer", 100, null), order("b", "bid", 30, 60)] });
    expect(sold.fillsWh).to.deep.equal({ a: 100, b: 30 });
    expect(sold.backupWh).to.deep.equal({ A: { sold: 0, bought: 70 } });
    expect(sold.pricesMicroPerKwh).to.deep.equal({ A: 60 });
    expect(sold.volumeWh).to.equal(100);
  });

  it("takes the midpoint down, for negative prices too", () => {
    const price = (bid: number, offer: number) =>
      clear({ orders: [order("a", "bid", 5, bid), order("b", "offer", 5, offer)] }).pricesMicroPerKwh["A"];
    expect(price(4, 1)).to.equal(2);
    expect(price(-1, -4)).to.equal(-3);
    expect(price(0, -1)).to.equal(-1);
  });

  it("gives an island without any value no price, and any-price orders alone the reference", () => {
    const result = clear({
      zones: ["A", "B"],
      orders: [order("a", "bid", 5, null), order("b", "offer", 5, null)],
    });
    expect(result.pricesMicroPerKwh).to.deep.equal({ A: 0, B: null });
    expect(result.status).to.equal("cleared");
    expect(clear({ orders: [] })).to.deep.include({ status: "no-trade", pricesMicroPerKwh: { zone: null } });
  });

  it("lets an any-price bid leave its side open: the offer's limit is the price", () => {
    const result = clear({ orders: [order("a", "bid", 5, null), order("b", "offer", 9, 120)] });
    expect(result.pricesMicroPerKwh).to.deep.equal({ A: 120 });
  });

  it("counts only the last order of a point, also when its sequence byte comes round again", () => {
    const columns = {
      count: 6,
      point: Uint32Array.of(1, 1, 0, 1, 1, 1),
      sequence: Uint8Array.of(7, 200, 3, 7, 7, 9),
      zone: new Uint8Array(6),
      flags: Uint8Array.of(OFFER, OFFER, 0, OFFER, OFFER, OFFER),
      energyWh: Uint32Array.of(50, 60, 500, 70, 80, 0),
      price: Float64Array.of(1, 1, 9, 1, 2, 0),
    };
    const live = { ...columns, count: 5 };
    const band = { min: -10, max: 10, reference: 0 };
    expect([...clearBook(live, [alone], band).fillsWh]).to.deep.equal([0, 0, 150, 70, 80]);
    expect([...clearBook(columns, [alone], band).fillsWh]).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });

  it("writes and reads order words without loss", () => {
    const columns = {
      count: 3,
      point: Uint32Array.of(0, 2 ** 32 - 1, 5),
      sequence: Uint8Array.of(0, 255, 1),
      zone: Uint8Array.of(0, 255, 3),
      flags: Uint8Array.of(0, OFFER | GREEN, GREEN),
      energyWh: Uint32Array.of(0, 2 ** 32 - 1, 50),
      price: Float64Array.of(-(2 ** 39), 2 ** 39 - 1, -1),
    };
    expect(decodeBook(encodeBook(columns))).to.deep.equal(columns);
    expect(() => decodeBook(new Uint8Array(17))).to.throw(RangeError);
  });

  it("refuses what it could not count exactly", () => {
    const columns = {
      count: 1,
      zone: Uint8Array.of(1),
      flags: Uint8Array.of(0),
      energyWh: Uint32Array.of(1),
      price: Float64Array.of(1),
    };
    const band = { min: -10, max: 10, reference: 0 };
    expect(() => clearBook(columns, [alone], band)).to.throw(RangeError, /zone 1 of 1/);
    const huge = { ...alone, hasBackup: true, backupSell: 2, backupCapacityWh: Number.MAX_SAFE_INTEGER };
    expect(() => clearBook({ ...columns, zone: Uint8Array.of(0) }, [huge], band)).to.throw(RangeError, /safe/);
  });

  it("recomputes a result from prices and fills alone", () => {
    const market = compileMarket({ orders: [order("a", "bid", 5, 9), order("b", "offer", 5, 3)] });
    const wrong = describeResult(market, { prices: [20], fillsWh: [5, 5], backups: [] });
    expect(BigInt(wrong.gapNano)).to.equal(55n);
  });
});
