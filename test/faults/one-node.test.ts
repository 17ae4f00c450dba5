import { expect } from "chai";
import { expectSound } from "./support/expectations.ts";
import { chances, cleanRun, dataName, marketPart, play, seed, SLOTS } from "./support/run.ts";

const NODES = 4;

describe(`one faulty oracle node of four (seed ${seed}, ${SLOTS} slots of ${dataName})`, function () {
  this.timeout(SLOTS * 5_000 + 120_000);

  it("killed for good: the report is the clean run's", async () => {
    const { below } = chances(1);
    const node = below(NODES);
    const after = 1 + below(SLOTS - 2);
    const clean = await cleanRun();
    const run = await play({
      beforeSlot: async ({ children, plan }, slot) => {
        if (slot === plan.firstSlot + after) await children.get(`oracle-${node}`)?.kill({ hold: true });
      },
    });
    const what = `node ${node} killed before slot ${after}`;
    expect(marketPart(run.report), what).to.deep.equal(marketPart(clean.report));
    expect(run.report.oracle.modbusReads, what).to.be.lessThan(clean.report.oracle.modbusReads);
    expectSound(run);
  });

  it("lying by a factor ten: the report is the clean run's", async () => {
    const node = chances(2).below(NODES);
    const clean = await cleanRun();
    const run = await play({ lie: { node, factor: 10 } });
    expect(marketPart(run.report), `node ${node} lies`).to.deep.equal(marketPart(clean.report));
    expect(clean.report.totals.localTradeKwh).to.be.greaterThan(0);
    expectSound(run);
  });
});
