import { expect } from "chai";
import { expectNothingLostOrDoubled, expectSound } from "./support/expectations.ts";
import { chances, dataName, isLong, play, seed, SLOTS } from "./support/run.ts";

/** Wall time of a slot is not known beforehand; a kill falls somewhere within this from the slot's start. */
const WITHIN_MS = 600;
const VICTIMS = ["auctioneer", "agent-0", "agent-1", "simulator"];

describe(`kill -9 at random moments (seed ${seed}, ${SLOTS} slots of ${dataName})`, function () {
  this.timeout(SLOTS * 5_000 + 120_000);

  it("auctioneer, agents and devices: nothing is lost, nothing is doubled", async () => {
    const { below } = chances(4);
    const moments = Array.from({ length: SLOTS + 24 }, (_, at) =>
      at % (isLong ? 2 : 1) === 0
        ? { victim: VICTIMS[below(VICTIMS.length)] as string, afterMs: below(WITHIN_MS) }
        : null,
    );
    // Each of them dies at least once.
    VICTIMS.forEach((victim, at) => {
      moments[1 + 2 * at] = { victim, afterMs: below(WITHIN_MS) };
    });
    const timers: NodeJS.Timeout[] = [];
    const run = await play({
      beforeSlot: async ({ children, plan }, slot) => {
        const moment = moments[slot - plan.firstSlot];
        if (!moment) return;
        timers.push(setTimeout(() => void children.get(moment.victim)?.kill(), moment.afterMs));
      },
    });
    for (const timer of timers) clearTimeout(timer);
    const died = run.problems.filter((problem) => /ended \(SIGKILL\)/.test(problem));
    expect(died.length, "deaths").to.be.at.least(VICTIMS.length);
    expectSound(run);
    expectNothingLostOrDoubled(run);
    // While devices or auctioneer are dead a slot may go without orders; every slot that has a book is cleared all the same.
    const { facts } = run;
    const traded = new Set(facts.book.map(({ slot }) => slot).filter((slot) => slot <= facts.lastSlot));
    expect([...facts.clearings.keys()]).to.deep.equal([...traded]);
    const deaths = died.filter((problem) => /^(simulator|auctioneer)/.test(problem)).length;
    expect(traded.size).to.be.at.least(SLOTS - deaths);
  });
});
