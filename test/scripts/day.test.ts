import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { playDay } from "../../scripts/local/day.ts";
import { planRun } from "../../scripts/local/plan.ts";
import { projectRoot } from "../../scripts/local/root.ts";
import type { DayReport } from "../../scripts/report/types.ts";
import {
  fixedSums,
  paymentsOf,
  problems,
  termsOf,
  type FixedSums,
  type PaymentRow,
  type TermsRow,
} from "../../services/protocol/market-store.ts";

const fontana = join(projectRoot, "..", "shared", "data", "fontana");
const hasFontana = existsSync(join(fontana, "community.json"));
const dataName = hasFontana ? "Fontana's default day" : "the built-in neighbourhood, as ../shared/data is absent";
const isLong = process.env["DAEG_LONG"] === "1";

interface Played {
  report: DayReport;
  payments: PaymentRow[];
  terms: Map<number, TermsRow>;
  fixed: FixedSums;
  problems: string[];
}

const play = async (slots: number): Promise<Played> => {
  const stateDir = mkdtempSync(join(tmpdir(), "daeg-day-test-"));
  let read: Omit<Played, "report"> | undefined;
  try {
    const plan = planRun({ ...(hasFontana ? { data: fontana } : {}), seed: 1 }, stateDir, { homes: 10, cars: 0 });
    const range = { first: plan.firstSlot, last: plan.firstSlot + slots - 1 };
    const { report } = await playDay({
      plan: { ...plan, slots },
      stateDir,
      began: Date.now(),
      onProblem: (message) => process.stderr.write(`note: ${message}\n`),
      atEnd: async (_system, store) => {
        read = {
          payments: paymentsOf(store, range),
          terms: new Map(termsOf(store, range).map((terms) => [terms.slot, terms])),
          fixed: fixedSums(store, range),
          problems: problems(store).map(({ message }) => message),
        };
      },
    });
    return { report, ...(read as Omit<Played, "report">) };
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
};

describe(`a day of the whole system: ${dataName}`, function () {
  this.timeout(600_000);
  let day: Played;
  before(async () => {
    day = await play(96);
  });

  it("settles every slot, with nothing lost of money or energy", () => {
    const { report } = day;
    expect(report.conservation).to.deep.equal({ moneyNano: "0", energyWh: 0 });
    expect(day.problems).to.deep.equal([]);
    expect(report.chain).to.include({ slotsCleared: 96, slotsSettled: 96, slotsEstimated: 0, maxGapNano: "0" });
    expect(report.oracle).to.include({ nodes: 4, faultsTolerated: 1, reports: 96 });
    expect(report.totals.unservedWh).to.equal(0);
    expect(day.payments).to.have.lengthOf(96 * report.homes);
    expect(report.bills).to.have.lengthOf(report.homes);
  });

  it("costs no home more than the tariff in any slot, but for its own imbalance and the words of its orders, exactly", () => {
    expect(day.payments.some(({ wordFeeNano }) => BigInt(wordFeeNano) < 0n)).to.equal(true);
    for (const { slot, point, paymentNano, tariffNano, wordFeeNano, meteredWh, positionWh } of day.payments) {
      const { importTariff, exportTariff } = day.terms.get(slot) as TermsRow;
      const imbalanceWh = BigInt(Math.abs(meteredWh - positionWh));
      const allowedNano = imbalanceWh * BigInt(importTariff - exportTariff) - BigInt(wordFeeNano);
      const costs = { market: -BigInt(paymentNano), tariff: -BigInt(tariffNano) };
      expect(costs.market <= costs.tariff + allowedNano, `slot ${slot}, point ${point}: ${JSON.stringify(paymentNano)}`)
        .to.be.true;
    }
  });

  it("sums to zero over homes, backup supplier, operator, members, congestion and clearer", () => {
    const homes = day.payments.reduce((sum, { paymentNano }) => sum + BigInt(paymentNano), 0n);
    const { backupNano, operatorNano, membersNano, congestionNano, clearerNano } = day.fixed;
    expect(homes + backupNano + operatorNano + membersNano + congestionNano + clearerNano).to.equal(0n);
  });

  it("ends with bills ordered: bound, market, selfish, passive", function () {
    if (!hasFontana) this.skip();
    const { boundCost, marketCost, selfishCost, passiveCost } = day.report.totals;
    expect(boundCost).to.be.at.most(marketCost);
    expect(marketCost).to.be.at.most(selfishCost);
    expect(selfishCost).to.be.at.most(passiveCost);
    expect(day.report.totals.localTradeKwh).to.be.greaterThan(0);
  });

  it(`is the same again with the same seed, but for wall time (${isLong ? "the whole day" : "8 slots"})`, async () => {
    const withoutWall = ({ report: { wallSeconds: _wall, ...rest } }: Played): unknown => rest;
    const first = isLong ? day : await play(8);
    const second = await play(isLong ? 96 : 8);
    expect(withoutWall(second)).to.deep.equal(withoutWall(first));
    expect(second.payments).to.deep.equal(first.payments);
  });
});
