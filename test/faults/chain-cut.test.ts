import { expect } from "chai";
import { expectNothingLostOrDoubled, expectSound } from "./support/expectations.ts";
import { createCutLine, type CutLine } from "./support/proxy.ts";
import { chances, cleanRun, dataName, isLong, play, seed, SLOTS } from "./support/run.ts";

/** Slots during which the chain is away and calls break at once; long: a minute of wall time in which they hang. */
const CUT_SLOTS = 3;
const LONG_CUT_MS = 60_000;

describe(`the chain cut off from all processes (seed ${seed}, ${SLOTS} slots of ${dataName})`, function () {
  this.timeout(SLOTS * 5_000 + 240_000);

  it("is survived: unreachable slots are void, all others settle, nothing is doubled", async () => {
    const { below } = chances(5);
    const from = 2 + below(SLOTS - CUT_SLOTS - 4);
    let line: CutLine | undefined;
    const run = await play({
      chainFor: async (url) => {
        line = await createCutLine(url);
        return line.url;
      },
      beforeSlot: ({ plan }, slot) => {
        if (slot === plan.firstSlot + from) {
          line?.cut(isLong ? "swallow" : "refuse");
          if (isLong) setTimeout(() => line?.join(), LONG_CUT_MS);
        }
        if (slot === plan.firstSlot + from + CUT_SLOTS && !isLong) line?.join();
        return Promise.resolve();
      },
    });
    await line?.close();
    const what = `cut in slots ${from} to ${from + CUT_SLOTS - 1}`;
    expectSound(run);
    expectNothingLostOrDoubled(run);

    // Slots that could not be cleared have no positions: all their energy is imbalance at the tariffs.
    const { facts } = run;
    const missed = Array.from({ length: SLOTS }, (_, at) => facts.firstSlot + at).filter(
      (slot) => !facts.clearings.has(slot),
    );
    if (!isLong) expect(missed, what).to.include(facts.firstSlot + from + 1);
    const cut = Array.from({ length: CUT_SLOTS }, (_, at) => facts.firstSlot + from + 1 + at);
    expect(cut, what).to.include.members(missed);
    for (const { slot, point, positionWh, paymentNano, tariffNano } of facts.payments) {
      if (!missed.includes(slot)) continue;
      expect([positionWh, paymentNano], `slot ${slot}, point ${point}`).to.deep.equal([0, tariffNano]);
    }
    const clean = await cleanRun();
    expect(run.report.chain.slotsCleared, what).to.equal(clean.report.chain.slotsCleared - missed.length);
  });
});
