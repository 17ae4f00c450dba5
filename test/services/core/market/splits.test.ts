import { expect } from "chai";
import fc from "fast-check";
import { linksOf } from "../../../../services/core/market/carry.ts";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { limitBounds } from "../../../../services/core/market/keys.ts";
import { compileMarket } from "../../../../services/core/market/market.ts";
import type { Market } from "../../../../services/core/market/market.ts";
import { openBounds, zonePrices } from "../../../../services/core/market/prices.ts";
import { effectiveLimits } from "../../../../services/core/market/sums.ts";
import { GREEN, OFFER } from "../../../../services/core/market/types.ts";
import type { ZonePosting, ZoneTerms } from "../../../../services/core/market/types.ts";
import { solver } from "./linear-program.ts";
import { fullMarketOf, marketOf, tiny } from "./random-market.ts";

const long = process.env["DAEG_LONG"] === "1";

type Amounts = Pick<ZonePosting, "marginalBidWh" | "marginalOfferWh" | "backupSoldWh" | "backupBoughtWh">;
const FIELDS = ["marginalBidWh", "marginalOfferWh", "backupSoldWh", "backupBoughtWh"] as const;
const SIGNS = { marginalBidWh: -1, marginalOfferWh: 1, backupSoldWh: 1, backupBoughtWh: -1 } as const;
/** What the volume counts of each Wh: the backup comes last, a trade is a bid and an offer. */
const WEIGHTS = { marginalBidWh: 2, marginalOfferWh: 2, backupSoldWh: 1, backupBoughtWh: 1 } as const;
const TRADE_WEIGHT = 4;

/** A cleared market by groups: its zones, then the twins of their green orders where there are any. */
const cleared = (drawn: Market) => {
  const market = compileMarket(drawn);
  const clearing = clearBook(market.columns, market.terms, market.band, market.trades);
  const amounts: Amounts[] = [
    ...clearing.postings,
    ...clearing.green.map((own) => ({ ...own, backupSoldWh: 0, backupBoughtWh: 0 })),
  ];
  const prices = [...clearing.postings, ...clearing.green].map(({ price }) => price);
  const zones = market.terms.length;
  const isGreen = (i: number): boolean =>
    clearing.green.length > 0 && ((market.columns.flags[i] as number) & GREEN) !== 0;
  const groupOf = (i: number): number => (market.columns.zone[i] as number) + (isGreen(i) ? zones : 0);
  return { market, amounts, prices, groupOf, tradesWh: clearing.tradesWh };
};
type Cleared = ReturnType<typeof cleared>;

/** What each group's orders are at posted prices: Wh better than the price, Wh at it. */
const atPrices = ({ market, prices, groupOf }: Cleared) => {
  const { columns } = market;
  const limits = effectiveLimits(market);
  const groups = prices.map(() => ({ fullWh: 0, bidWh: 0, offerWh: 0 }));
  for (let i = 0; i < columns.count; i += 1) {
    const g = groupOf(i);
    const group = groups[g] as (typeof groups)[number];
    const isOffer = ((columns.flags[i] as number) & OFFER) !== 0;
    const energyWh = columns.energyWh[i] as number;
    const gain = (isOffer ? -1 : 1) * ((limits[i] as number) - (prices[g] as number));
    if (gain > 0) group.fullWh += isOffer ? energyWh : -energyWh;
    else if (gain === 0) group[isOffer ? "offerWh" : "bidWh"] += energyWh;
  }
  return groups;
};

/** Some other optimal clearing at the same prices, of the same volume with the backup last: by HiGHS, in whole Wh. */
const anotherSplit = async (found: Cleared, weights: readonly number[]) => {
  const { market, amounts, prices, tradesWh } = found;
  const { terms, trades } = market;
  const { root } = limitBounds(terms);
  const groups = atPrices(found);
  const bounds: string[] = [];
  const names: string[] = [];
  const rows: string[] = [];
  const balance = terms.map(() => ({ parts: [] as string[], fullWh: 0 }));
  const certificates = new Map<number, { parts: string[]; fullWh: number; premium: number }>();
  const volume: string[] = [];
  let volumeOf = 0;
  const count = (name: string, weight: number, wh: number): void => {
    volume.push(`+ ${weight} ${name}`);
    volumeOf += weight * wh;
  };
  groups.forEach((own, g) => {
    const z = g % terms.length;
    const zone = terms[z] as ZoneTerms;
    const price = prices[g] as number;
    const backup = zone.hasBackup && g === z;
    const sells = zone.backupSell - zone.fee;
    const ranges = {
      marginalBidWh: [0, own.bidWh],
      marginalOfferWh: [0, own.offerWh],
      backupSoldWh: [price > sells ? 1 : 0, price >= sells ? 1 : 0].map((all) =>
        backup ? all * zone.backupCapacityWh : 0,
      ),
      backupBoughtWh: [price < zone.backupBuy ? 1 : 0, price <= zone.backupBuy ? 1 : 0].map((all) =>
        backup ? all * zone.backupCapacityWh : 0,
      ),
    };
    const at = balance[z] as (typeof balance)[number];
    at.fullWh += own.fullWh;
    const island = certificates.get(root[z] as number) ?? { parts: [], fullWh: 0, premium: 0 };
    if (g !== z) {
      island.fullWh += own.fullWh;
      island.premium = price - (prices[z] as number);
      certificates.set(root[z] as number, island);
    }
    for (const field of FIELDS) {
      const name = `${field}${g}`;
      names.push(name);
      bounds.push(`${ranges[field][0]} <= ${name} <= ${ranges[field][1]}`);
      const part = `${SIGNS[field] > 0 ? "+" : "-"} ${name}`;
      at.parts.push(part);
      if (g !== z) island.parts.push(part);
      count(name, WEIGHTS[field], amounts[g]?.[field] ?? 0);
    }
    if (zone.parent === z || g !== z) return;
    const rise = (prices[zone.parent] as number) - price;
    const least = rise > 0 ? zone.toParentWh : -zone.fromParentWh;
    const highest = rise < 0 ? -zone.fromParentWh : zone.toParentWh;
    names.push(`f${z}`);
    bounds.push(`${least} <= f${z} <= ${highest}`);
    at.parts.push(`- f${z}`);
    balance[zone.parent]?.parts.push(`+ f${z}`);
  });
  trades.forEach(({ from, to, limitWh, maxSpread }, i) => {
    const rise = (prices[to] as number) - (prices[from] as number);
    const free = from !== to && root[from] === root[to] && rise === maxSpread;
    names.push(`t${i}`);
    bounds.push(`${free ? 0 : tradesWh[i]} <= t${i} <= ${free ? limitWh : tradesWh[i]}`);
    balance[from]?.parts.push(`+ t${i}`);
    balance[to]?.parts.push(`- t${i}`);
    count(`t${i}`, TRADE_WEIGHT, tradesWh[i] as number);
  });
  for (const { parts, fullWh } of balance) rows.push(`${parts.join(" ")} = ${-fullWh}`);
  for (const { parts, fullWh, premium } of certificates.values()) {
    rows.push(`${parts.join(" ")} ${premium > 0 ? "=" : ">="} ${-fullWh}`);
  }
  rows.push(`${volume.join(" ")} = ${volumeOf}`);
  const objective = names.map((name, i) => {
    const weight = weights[i % weights.length] as number;
    return `${weight < 0 ? "-" : "+"} ${Math.abs(weight)} ${name}`;
  });
  const text = `Maximize\n obj: ${objective.join(" ")}\nSubject To\n ${rows.map((row, i) => `c${i}: ${row}`).join("\n ")}\nBounds\n ${bounds.join("\n ")}\nGeneral\n ${names.join(" ")}\nEnd\n`;
  const solution = (await solver).solve(text, {});
  if (solution.Status !== "Optimal") throw new Error(`HiGHS says ${solution.Status}:\n${text}`);
  const valueOf = (name: string): number =>
    Math.round((solution.Columns[name] as { Primal: number } | undefined)?.Primal ?? 0) + 0;
  return {
    amounts: groups.map(
      (_, g) => Object.fromEntries(FIELDS.map((field) => [field, valueOf(`${field}${g}`)])) as unknown as Amounts,
    ),
    flows: terms.map((_, z) => valueOf(`f${z}`)),
    tradesWh: trades.map((_, i) => valueOf(`t${i}`)),
  };
};

/** The price rule applied to fills alone, own bounds written from the contract's text. */
const pricesOf = (found: Cleared, { amounts, flows, tradesWh }: Awaited<ReturnType<typeof anotherSplit>>): number[] => {
  const { market, prices, groupOf } = found;
  const { columns, terms, band, trades } = market;
  const limits = effectiveLimits(market);
  const groups = atPrices(found);
  const bounds = openBounds(prices.length);
  const raise = (side: Float64Array, g: number, value: number) => (side[g] = Math.max(side[g] as number, value));
  const lower = (side: Float64Array, g: number, value: number) => (side[g] = Math.min(side[g] as number, value));
  for (let i = 0; i < columns.count; i += 1) {
    if (!columns.energyWh[i]) continue;
    const g = groupOf(i);
    const limit = limits[i] as number;
    const isOffer = ((columns.flags[i] as number) & OFFER) !== 0;
    const gain = (isOffer ? -1 : 1) * (limit - (prices[g] as number));
    const { marginalBidWh, marginalOfferWh } = amounts[g] as Amounts;
    const { bidWh, offerWh } = groups[g] as (typeof groups)[number];
    const some = gain > 0 || (gain === 0 && (isOffer ? marginalOfferWh : marginalBidWh) > 0);
    const all = gain > 0 || (gain === 0 && (isOffer ? marginalOfferWh === offerWh : marginalBidWh === bidWh));
    const edge = isOffer ? limit === band.min : limit + (terms[columns.zone[i] as number]?.fee ?? 0) === band.max;
    if (isOffer && some) raise(all && edge ? bounds.loFull : bounds.lo, g, limit);
    if (isOffer && !all) lower(bounds.hi, g, limit);
    if (!isOffer && some) lower(all && edge ? bounds.hiFull : bounds.hi, g, limit);
    if (!isOffer && !all) raise(bounds.lo, g, limit);
  }
  terms.forEach((zone, z) => {
    if (!zone.hasBackup || zone.backupCapacityWh === 0) return;
    const { backupSoldWh, backupBoughtWh } = amounts[z] as Amounts;
    const sells = zone.backupSell - zone.fee;
    if (backupSoldWh < zone.backupCapacityWh) lower(bounds.hi, z, sells);
    if (backupSoldWh > 0) raise(bounds.lo, z, sells);
    if (backupBoughtWh < zone.backupCapacityWh) raise(bounds.lo, z, zone.backupBuy);
    if (backupBoughtWh > 0) lower(bounds.hi, z, zone.backupBuy);
  });
  const islands = limitBounds(terms);
  const rule = zonePrices(linksOf(terms, flows, islands.root, trades, tradesWh), bounds, islands, band);
  return [...rule.zone, ...rule.green];
};

describe("other splits of a marginal quantity between zones", function () {
  this.timeout(long ? 3_600_000 : 60_000);

  // The narrow bands leave hardly any price but their edges.
  const scales = [
    tiny,
    ...[1, 2, 3].map((max) => ({ ...tiny, price: fc.integer({ min: 0, max }), band: { min: 0, max } })),
  ];
  const weights = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 7, maxLength: 7 });
  const searched = async (markets: fc.Arbitrary<Market>, numRuns: number): Promise<void> => {
    let others = 0;
    await fc.assert(
      fc.asyncProperty(markets, weights, async (drawn, drawnWeights) => {
        const found = cleared(drawn);
        const other = await anotherSplit(found, drawnWeights);
        const same = (own: Amounts, g: number): boolean =>
          FIELDS.every((field) => own[field] === found.amounts[g]?.[field]);
        if (!other.amounts.every(same)) others += 1;
        expect(pricesOf(found, other)).to.deep.equal(found.prices);
      }),
      { numRuns: Number(process.env["RUNS"] ?? numRuns) },
    );
    expect(others).to.be.greaterThan(0);
  };

  it("lead to the very same prices, whichever orders at the band's edge they fill", () =>
    searched(fc.oneof(...scales.map((scale) => marketOf(scale, 6, 14))), long ? 20_000 : 300));

  it("lead to the very same prices and premium with green orders", () =>
    searched(fc.oneof(...scales.map((scale) => fullMarketOf(scale, 6, 14, 0))), long ? 20_000 : 300));

  it("lead to the very same prices with bilateral trades", () =>
    searched(fc.oneof(...scales.map((scale) => fullMarketOf(scale, 6, 14))), long ? 20_000 : 300));

  it("leave one price to a zone without trade, where it once depended on the split", () => {
    const order = (id: string, side: "bid" | "offer", zone: string, energyWh: number, priceMicroPerKwh: number) => ({
      id,
      side,
      zone,
      energyWh,
      priceMicroPerKwh,
    });
    const market: Market = {
      zones: ["z0", "z1", "z2"],
      feesMicroPerKwh: { z0: 1, z1: 1, z2: 1 },
      lines: [
        { id: "l1", from: "z0", to: "z1", capacityWh: 0 },
        { id: "l2", from: "z1", to: "z2", capacityWh: 5 },
      ],
      orders: [
        order("a", "bid", "z0", 1, 3),
        order("b", "bid", "z1", 4, 10),
        order("c", "offer", "z1", 4, 4),
        order("d", "bid", "z2", 5, 10),
        order("e", "offer", "z2", 1, 10),
      ],
      priceBand: { min: 0, max: 10 },
    };
    const found = cleared(market);
    expect(found.prices).to.deep.equal([5, 9, 9]);
    const none = { backupSoldWh: 0, backupBoughtWh: 0, marginalOfferWh: 0, marginalBidWh: 0 };
    const split = (b: number, d: number) => ({
      amounts: [none, { ...none, marginalBidWh: b }, { ...none, marginalBidWh: d }],
      flows: [0, 0, -d],
      tradesWh: [],
    });
    for (const d of [0, 1, 4]) expect(pricesOf(found, split(4 - d, d))).to.deep.equal([5, 9, 9]);
  });
});
