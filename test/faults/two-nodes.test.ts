import { expect } from "chai";
import { expectNothingLostOrDoubled, expectSound } from "./support/expectations.ts";
import { chances, cleanRun, dataName, isLong, play, seed, SLOTS, type RunOutcome } from "./support/run.ts";

/** Slots after their end from which unreported ones count as metered by position (SlotTime.REPORT_SLOTS). */
const REPORT_SLOTS = 8;

/** Metered net export of each point over the run, Wh. */
const meteredSums = ({ facts }: RunOutcome): Map<number, number> => {
  const sums = new Map<number, number>();
  for (const { point, meteredWh } of facts.payments) sums.set(point, (sums.get(point) ?? 0) + meteredWh);
  return sums;
};

describe(`two of four oracle nodes down (seed ${seed}, ${SLOTS} slots of ${dataName})`, function () {
  this.timeout(SLOTS * 5_000 + 120_000);

  it("slots without a quorum are estimated, and corrected when the nodes come back", async () => {
    const { below, pick } = chances(3);
    const nodes = pick(2, 4).map((node) => `oracle-${node}`);
    // Back before the run's last boundary, so that the registers at its end are read and not interpolated.
    const killedAt = isLong ? 1 + below(SLOTS / 2) : 1 + below(2);
    const backAt = killedAt + REPORT_SLOTS + 1 + (isLong ? below(SLOTS / 4) : 0);
    const clean = await cleanRun();
    const run = await play({
      beforeSlot: async ({ children, plan }, slot) => {
        if (slot === plan.firstSlot + killedAt)
          for (const node of nodes) await children.get(node)?.kill({ hold: true });
        if (slot === plan.firstSlot + backAt) for (const node of nodes) await children.get(node)?.revive();
      },
    });
    const what = `${nodes.join(" and ")} down in slots ${killedAt} to ${backAt}`;
    expect(run.facts.estimatedSlots, what).to.not.be.empty;
    expect(run.facts.estimatedSlots[0], what).to.equal(run.facts.firstSlot + killedAt - 1);
    expectSound(run);
    expectNothingLostOrDoubled(run);
    // Registers telescope: what the gap blurred between slots adds up to the same.
    expect(meteredSums(run), what).to.deep.equal(meteredSums(clean));
    const positions = ({ facts }: RunOutcome) => facts.payments.map(({ positionWh }) => positionWh);
    expect(positions(run), what).to.deep.equal(positions(clean));
  });
});
