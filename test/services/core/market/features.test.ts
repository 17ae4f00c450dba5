import { expect } from "chai";
import { compileMarket } from "../../../../services/core/market/market.ts";
import type { Market, MarketOrder } from "../../../../services/core/market/market.ts";
import { clearMarket } from "../../../../services/core/market/result.ts";

const clear = (market: Market) => clearMarket(compileMarket(market));

const order = (
  id: string,
  side: "bid" | "offer",
  energyWh: number,
  priceMicroPerKwh: number | null,
  more: Partial<MarketOrder> = {},
): MarketOrder => ({ id, side, zone: "A", energyWh, priceMicroPerKwh, ...more });

const green = { green: true };
const inB = { zone: "B" };
const closed = [{ id: "l", from: "A", to: "B", capacityWh: 0 }];

describe("green premium, by hand", () => {
  it("is what scarce certificates are worth: the margin of green-only bids above that of energy", () => {
    const result = clear({
      orders: [
        order("leaf", "bid", 10, 100, green),
        order("moss", "bid", 10, 80, green),
        order("sun", "offer", 15, 30, green),
        order("coal", "offer", 20, 50),
        order("plain", "bid", 10, 60),
      ],
    });
    expect(result.pricesMicroPerKwh).to.deep.equal({ A: 50 });
    expect(result.greenPremiumMicroPerKwh).to.equal(30);
    expect(result.fillsWh).to.deep.equal({ leaf: 10, moss: 5, sun: 15, coal: 10, plain: 10 });
    expect([result.welfareNano, result.gapNano]).to.deep.equal(["1050", "0"]);
  });

  it("keeps green-only bids from other energy, and is what they would have paid", () => {
    const result = clear({ orders: [order("leaf", "bid", 10, 100, green), order("coal", "offer", 10, 50)] });
    expect(result).to.deep.include({ status: "no-trade", greenPremiumMicroPerKwh: 50, volumeWh: 0 });
  });

  it("is nothing where certificates are left over", () => {
    const orders = [order("leaf", "bid", 10, 100, green), order("plain", "bid", 10, 100)];
    const result = clear({ orders: [...orders, order("sun", "offer", 30, 30, green)] });
    expect(result).to.deep.include({ greenPremiumMicroPerKwh: 0, pricesMicroPerKwh: { A: 30 } });
    expect(result.fillsWh).to.deep.equal({ leaf: 10, plain: 10, sun: 20 });
  });

  it("is told per island where islands differ", () => {
    const result = clear({
      zones: ["B", "A"],
      orders: [
        order("leaf", "bid", 10, 100, green),
        order("coal", "offer", 10, 50),
        order("b", "bid", 5, 90, inB),
        order("c", "offer", 5, 20, inB),
      ],
    });
    expect(result).to.deep.include({
      greenPremiumMicroPerKwh: 50,
      greenPremiumsMicroPerKwh: { A: 50, B: 0 },
      pricesMicroPerKwh: { A: 50, B: 55 },
    });
  });

  it("reaches over a full line, and may take a zone price below the export tariff but no filled order beyond its own", () => {
    const result = clear({
      zones: ["A", "B"],
      lines: closed,
      backup: [{ zone: "A", sellMicroPerKwh: 300, buyMicroPerKwh: 60, capacityWh: 0 }],
      orders: [
        order("leaf", "bid", 10, 69, green),
        order("coal", "offer", 10, 60),
        order("sun", "offer", 10, 60, { ...green, ...inB }),
        order("home", "bid", 10, 57, inB),
      ],
    });
    expect(result.fillsWh).to.deep.equal({ leaf: 10, coal: 10, sun: 10, home: 10 });
    expect(result).to.deep.include({ greenPremiumMicroPerKwh: 3, pricesMicroPerKwh: { A: 63, B: 57 }, gapNano: "0" });
  });
});

describe("bilateral trades, by hand", () => {
  it("compete with orders for a line; trades that are alike share pro rata", () => {
    const trade = (id: string, from: string, to: string, energyWh: number, maxSpreadMicroPerKwh: number) => ({
      id,
      from,
      to,
      energyWh,
      maxSpreadMicroPerKwh,
    });
    const result = clear({
      zones: ["A", "B"],
      lines: [{ id: "l", from: "A", to: "B", capacityWh: 100 }],
      orders: [order("o", "offer", 50, 10), order("b", "bid", 200, 40, inB), order("p", "offer", 300, 30, inB)],
      bilaterals: [
        trade("t", "A", "B", 80, 15),
        trade("u", "A", "B", 40, 15),
        trade("back", "B", "A", 7, -20),
        trade("within", "A", "A", 9, 0),
      ],
    });
    expect(result.bilateralsWh).to.deep.equal({ t: 34, u: 16, back: 0, within: 9 });
    expect(result.pricesMicroPerKwh).to.deep.equal({ A: 15, B: 30 });
    expect(result).to.deep.include({ flowsWh: { l: 100 }, volumeWh: 200, congestionRentNano: "1500", gapNano: "0" });
  });

  it("carry each other round a line of no capacity, at prices that keep their spreads", () => {
    const result = clear({
      zones: ["A", "B"],
      lines: closed,
      orders: [],
      bilaterals: [
        { id: "t", from: "A", to: "B", energyWh: 8, maxSpreadMicroPerKwh: 5 },
        { id: "u", from: "B", to: "A", energyWh: 6, maxSpreadMicroPerKwh: -3 },
      ],
    });
    expect(result).to.deep.include({
      status: "cleared",
      bilateralsWh: { t: 6, u: 6 },
      welfareNano: "12",
      gapNano: "0",
    });
    expect(result.pricesMicroPerKwh).to.deep.equal({ A: -3, B: 2 });
  });

  it("may pay for a price beyond the tariff", () => {
    const result = clear({
      zones: ["A", "B"],
      lines: closed,
      backup: [{ zone: "A", sellMicroPerKwh: 300, buyMicroPerKwh: 60, capacityWh: 100 }],
      orders: [order("dear", "offer", 10, 320, inB)],
      bilaterals: [{ id: "t", from: "A", to: "B", energyWh: 8, maxSpreadMicroPerKwh: 400 }],
    });
    expect(result).to.deep.include({ bilateralsWh: { t: 8 }, pricesMicroPerKwh: { A: 60, B: 320 }, gapNano: "0" });
    expect(result.backupWh).to.deep.equal({ A: { sold: 0, bought: 8 } });
  });

  it("stay empty between islands", () => {
    const result = clear({
      zones: ["A", "B"],
      orders: [order("o", "offer", 50, 10), order("b", "bid", 50, 40, inB)],
      bilaterals: [{ id: "t", from: "A", to: "B", energyWh: 8, maxSpreadMicroPerKwh: 400 }],
    });
    expect(result).to.deep.include({ status: "no-trade", bilateralsWh: { t: 0 }, gapNano: "0" });
  });
});

describe("priority classes, by hand", () => {
  const bids = [
    order("d", "bid", 100, 50, { priority: "opportunistic" }),
    order("c", "bid", 100, 50),
    order("b", "bid", 100, 50, { priority: "critical" }),
    order("a", "bid", 100, 50, { priority: "emergency" }),
    order("o", "offer", 150, 10),
  ];

  it("weigh the marginal bids of an island without backup 1, 2, 4 and 8", () => {
    expect(clear({ orders: bids })).to.deep.include({
      fillsWh: { a: 80, b: 40, c: 20, d: 10, o: 150 },
      pricesMicroPerKwh: { A: 50 },
    });
  });

  it("count for nothing where a backup serves, and for bids better than the price", () => {
    const backup = [{ zone: "A", sellMicroPerKwh: 50, buyMicroPerKwh: 1, capacityWh: 0 }];
    expect(clear({ backup, orders: bids }).fillsWh).to.deep.equal({ a: 37, b: 37, c: 38, d: 38, o: 150 });
    const better = order("e", "bid", 120, 51, { priority: "opportunistic" });
    expect(clear({ orders: [...bids, better] }).fillsWh).to.deep.equal({ a: 16, b: 8, c: 4, d: 2, e: 120, o: 150 });
  });

  it("share the rest once a class is full, what rounding leaves by urgency", () => {
    const orders = [
      order("house", "bid", 50, 50),
      order("shop", "bid", 31, 50),
      order("clinic", "bid", 20, 50, { priority: "emergency" }),
      order("o", "offer", 61, 10),
    ];
    expect(clear({ orders }).fillsWh).to.deep.equal({ house: 26, shop: 15, clinic: 20, o: 61 });
  });
});
