import { expect } from "chai";
import { limitBounds } from "../../../../services/core/market/keys.ts";
import { dualOf, moneySums } from "../../../../services/core/market/sums.ts";
import { GREEN, OFFER } from "../../../../services/core/market/types.ts";
import type {
  Clearing,
  OrderColumns,
  PriceBand,
  TradeTerms,
  ZoneTerms,
} from "../../../../services/core/market/types.ts";

export interface Book {
  readonly columns: OrderColumns;
  readonly terms: readonly ZoneTerms[];
  readonly band: PriceBand;
  readonly trades: readonly TradeTerms[];
}

/** Which words count, written from the rule: the last run of equal sequence of each point, and energy. */
export const livingWords = ({ count, point, sequence, energyWh }: OrderColumns): boolean[] =>
  Array.from({ length: count }, (_, i) => {
    if (!energyWh[i]) return false;
    if (!point || !sequence) return true;
    for (let k = i + 1; k < count; k += 1) if (point[k] === point[i] && sequence[k] !== sequence[i]) return false;
    return true;
  });

/** Every constraint of design section 4 and both kinds of rationality, exactly; no gap to the dual objective. */
export const checkClearing = ({ columns, terms, band, trades }: Book, clearing: Clearing): void => {
  const { postings, green, fillsWh, tradesWh, flowToParentWh, netExportWh } = clearing;
  const { root, bidCap, offerFloor } = limitBounds(terms);
  const living = livingWords(columns);
  const exports = postings.map(({ backupSoldWh, backupBoughtWh }) => backupSoldWh - backupBoughtWh);
  const greenWh = new Map<number, number>();
  expect(green.length === 0 || green.length === terms.length, "green postings").to.equal(true);
  for (let i = 0; i < columns.count; i += 1) {
    const filledWh = fillsWh[i] as number;
    const z = columns.zone[i] as number;
    const flags = columns.flags[i] as number;
    const offer = (flags & OFFER) !== 0;
    if (
      filledWh < 0 ||
      filledWh > (living[i] ? (columns.energyWh[i] as number) : 0) ||
      !Number.isSafeInteger(filledWh)
    ) {
      expect.fail(`order ${i} of ${columns.energyWh[i]} Wh, living ${living[i]}, is filled with ${filledWh} Wh`);
    }
    exports[z] = (exports[z] as number) + (offer ? filledWh : -filledWh);
    if (!living[i]) continue;
    const apart = green.length > 0 && (flags & GREEN) !== 0;
    if (!offer && flags & GREEN) expect(apart, "a green-only bid lives").to.equal(true);
    const price = (apart ? green[z]?.price : postings[z]?.price) as number;
    if (flags & GREEN)
      greenWh.set(root[z] as number, (greenWh.get(root[z] as number) ?? 0) + (offer ? filledWh : -filledWh));
    const fee = terms[z]?.fee ?? 0;
    const limit = columns.price[i] as number;
    const gain = offer
      ? price - Math.max(limit, offerFloor[z] as number)
      : Math.min(limit, bidCap[z] as number) - fee - price;
    if (gain > 0 ? filledWh !== columns.energyWh[i] : gain < 0 && filledWh > 0) {
      expect.fail(`order ${i} gains ${gain} and is filled with ${filledWh} of ${columns.energyWh[i]} Wh`);
    }
  }
  terms.forEach(({ hasBackup, backupCapacityWh }, z) => {
    const { backupSoldWh, backupBoughtWh } = postings[z] as (typeof postings)[number];
    for (const wh of [backupSoldWh, backupBoughtWh]) expect(wh).to.be.within(0, hasBackup ? backupCapacityWh : 0);
  });
  trades.forEach(({ from, to, limitWh }, i) => {
    const wh = tradesWh[i] as number;
    expect(wh).to.be.within(0, root[from] === root[to] ? limitWh : 0);
    exports[from] = (exports[from] as number) + wh;
    exports[to] = (exports[to] as number) - wh;
  });
  expect([...netExportWh], "net exports").to.deep.equal(exports.map((wh) => wh + 0));
  for (let z = terms.length - 1; z >= 0; z -= 1) {
    const { parent, toParentWh, fromParentWh } = terms[z] as ZoneTerms;
    const flow = exports[z] as number;
    if (parent === z) {
      expect(flow, `balance of island ${z}`).to.equal(0);
      continue;
    }
    expect(flow, `line of zone ${z}`).to.be.within(-fromParentWh, toParentWh);
    expect(flowToParentWh[z]).to.equal(flow);
    exports[parent] = (exports[parent] as number) + flow;
  }
  terms.forEach((_, z) => {
    if (green.length === 0) return;
    const premium = (green[z]?.price as number) - (postings[z]?.price as number);
    const top = root[z] as number;
    expect(premium, "one premium per island").to.equal(
      (green[top]?.price as number) - (postings[top]?.price as number),
    );
    expect(premium).to.be.at.least(0);
    expect(greenWh.get(top) ?? 0, "green Wh sold beyond what green-only bids take").to.be.at.least(0);
    if (premium > 0) expect(greenWh.get(top) ?? 0).to.equal(0);
  });
  const market = {
    columns: { ...columns, energyWh: columns.energyWh.map((wh, i) => (living[i] ? wh : 0)) },
    terms,
    band,
    trades,
  } as unknown as Parameters<typeof dualOf>[0];
  const decision = {
    prices: postings.map(({ price }) => price),
    fillsWh,
    backups: postings,
    tradesWh,
    ...(green.length > 0 ? { greenPrices: green.map(({ price }) => price) } : {}),
  };
  expect(dualOf(market, decision), "dual").to.equal(moneySums(market, decision).welfareNano);
};
