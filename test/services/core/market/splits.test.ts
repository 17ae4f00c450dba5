import { expect } from "chai";
import fc from "fast-check";
import { linksOf } from "../../../../services/core/market/carry.ts";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { limitBounds } from "../../../../services/core/market/keys.ts";
import { compileMarket } from "../../../../services/core/market/market.ts";
import type { CompiledMarket } from "../../../../services/core/market/market.ts";
import { openBounds, zonePrices } from "../../../../services/core/market/prices.ts";
import { effectiveLimits } from "../../../../services/core/market/sums.ts";
import { OFFER } from "../../../../services/core/market/types.ts";
import type { ZonePosting } from "../../../../services/core/market/types.ts";
import { solver } from "./linear-program.ts";
import { marketOf, tiny } from "./random-market.ts";

const long = process.env["DAEG_LONG"] === "1";

type Amounts = Pick<ZonePosting, "marginalBidWh" | "marginalOfferWh" | "backupSoldWh" | "backupBoughtWh">;
const FIELDS = ["marginalBidWh", "marginalOfferWh", "backupSoldWh", "backupBoughtWh"] as const;
const SIGNS = { marginalBidWh: -1, marginalOfferWh: 1, backupSoldWh: 1, backupBoughtWh: -1 } as const;

/** What each zone's orders are at posted prices: Wh better than the price, Wh at it. */
const atPrices = (market: CompiledMarket, prices: readonly number[]) => {
  const { columns, terms } = market;
  const limits = effectiveLimits(market);
  const zones = terms.map(() => ({ fullWh: 0, bidWh: 0, offerWh: 0 }));
  for (let i = 0; i < columns.count; i += 1) {
    const z = columns.zone[i] as number;
    const zone = zones[z] as (typeof zones)[number];
    const isOffer = ((columns.flags[i] as number) & OFFER) !== 0;
    const energyWh = columns.energyWh[i] as number;
    const gain = (isOffer ? -1 : 1) * ((limits[i] as number) - (prices[z] as number));
    if (gain > 0) zone.fullWh += isOffer ? energyWh : -energyWh;
    else if (gain === 0) zone[isOffer ? "offerWh" : "bidWh"] += energyWh;
  }
  return zones;
};

/** Some other optimal clearing at the same prices, volume and use of the backup: by HiGHS, in whole Wh. */
const anotherSplit = async (market: CompiledMarket, postings: readonly ZonePosting[], weights: readonly number[]) => {
  const { terms } = market;
  const { root } = limitBounds(terms);
  const prices = postings.map(({ price }) => price);
  const zones = atPrices(market, prices);
  const bounds: string[] = [];
  const names: string[] = [];
  const rows: string[] = [];
  const balance = terms.map(() => [] as string[]);
  const totals = new Map<string, { terms: string[]; sum: number }>();
  terms.forEach((zone, z) => {
    const own = zones[z] as (typeof zones)[number];
    const posting = postings[z] as ZonePosting;
    const price = prices[z] as number;
    const most = {
      marginalBidWh: own.bidWh,
      marginalOfferWh: own.offerWh,
      backupSoldWh: zone.hasBackup && price === zone.backupSell - zone.fee ? zone.backupCapacityWh : 0,
      backupBoughtWh: zone.hasBackup && price === zone.backupBuy ? zone.backupCapacityWh : 0,
    };
    for (const field of FIELDS) {
      const name = `${field}${z}`;
      names.push(name);
      bounds.push(`0 <= ${name} <= ${most[field]}`);
      balance[z]?.push(`${SIGNS[field] > 0 ? "+" : "-"} ${name}`);
      const key = `${field}/${root[z]}`;
      const total = totals.get(key) ?? { terms: [], sum: 0 };
      total.terms.push(`+ ${name}`);
      total.sum += posting[field];
      totals.set(key, total);
    }
    if (zone.parent === z) return;
    const rise = (prices[zone.parent] as number) - price;
    const least = rise > 0 ? zone.toParentWh : -zone.fromParentWh;
    const highest = rise < 0 ? -zone.fromParentWh : zone.toParentWh;
    names.push(`f${z}`);
    bounds.push(`${least} <= f${z} <= ${highest}`);
    balance[z]?.push(`- f${z}`);
    balance[zone.parent]?.push(`+ f${z}`);
  });
  balance.forEach((sum, z) => rows.push(`${sum.join(" ")} = ${-(zones[z]?.fullWh ?? 0)}`));
  for (const { terms: sum, sum: total } of totals.values()) rows.push(`${sum.join(" ")} = ${total}`);
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
    amounts: terms.map(
      (_, z) => Object.fromEntries(FIELDS.map((field) => [field, valueOf(`${field}${z}`)])) as unknown as Amounts,
    ),
    flows: terms.map((_, z) => valueOf(`f${z}`)),
  };
};

/** The price rule applied to fills alone, written from the contract's text. */
const pricesOf = (
  market: CompiledMarket,
  prices: readonly number[],
  amounts: readonly Amounts[],
  flows: readonly number[],
): number[] => {
  const { columns, terms, band } = market;
  const limits = effectiveLimits(market);
  const zones = atPrices(market, prices);
  const bounds = openBounds(terms.length);
  const raise = (side: Float64Array, z: number, value: number) => (side[z] = Math.max(side[z] as number, value));
  const lower = (side: Float64Array, z: number, value: number) => (side[z] = Math.min(side[z] as number, value));
  for (let i = 0; i < columns.count; i += 1) {
    if (!columns.energyWh[i]) continue;
    const z = columns.zone[i] as number;
    const limit = limits[i] as number;
    const isOffer = ((columns.flags[i] as number) & OFFER) !== 0;
    const gain = (isOffer ? -1 : 1) * (limit - (prices[z] as number));
    const { marginalBidWh, marginalOfferWh } = amounts[z] as Amounts;
    const { bidWh, offerWh } = zones[z] as (typeof zones)[number];
    const some = gain > 0 || (gain === 0 && (isOffer ? marginalOfferWh : marginalBidWh) > 0);
    const all = gain > 0 || (gain === 0 && (isOffer ? marginalOfferWh === offerWh : marginalBidWh === bidWh));
    const edge = isOffer ? limit === band.min : limit + (terms[z]?.fee ?? 0) === band.max;
    if (isOffer && some) raise(all && edge ? bounds.loFull : bounds.lo, z, limit);
    if (isOffer && !all) lower(bounds.hi, z, limit);
    if (!isOffer && some) lower(all && edge ? bounds.hiFull : bounds.hi, z, limit);
    if (!isOffer && !all) raise(bounds.lo, z, limit);
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
  return zonePrices(linksOf(terms, flows, islands.root, [], []), bounds, islands, band).zone;
};

describe("other splits of a marginal quantity between zones", function () {
  this.timeout(long ? 3_600_000 : 60_000);

  it("lead to the very same prices, whichever orders at the band's edge they fill", async () => {
    let others = 0;
    // The narrow bands leave hardly any price but their edges.
    const bands = [
      tiny,
      ...[1, 2, 3].map((max) => ({ ...tiny, price: fc.integer({ min: 0, max }), band: { min: 0, max } })),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(...bands.map((scale) => marketOf(scale, 6, 14))),
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 7, maxLength: 7 }),
        async (drawn, weights) => {
          const market = compileMarket(drawn);
          const { postings } = clearBook(market.columns, market.terms, market.band);
          const prices = postings.map(({ price }) => price);
          const { amounts, flows } = await anotherSplit(market, postings, weights);
          if (amounts.some((own, z) => FIELDS.some((field) => own[field] !== postings[z]?.[field]))) others += 1;
          expect(pricesOf(market, prices, amounts, flows)).to.deep.equal(prices);
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? (long ? 20_000 : 300)) },
    );
    expect(others).to.be.greaterThan(0);
  });
});
