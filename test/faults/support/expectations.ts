import { expect } from "chai";
import type { RunOutcome } from "./run.ts";

const nameOf = ({ slot, point, sequence }: { slot: number; point: number; sequence: number }): string =>
  `slot ${slot}, point ${point}, sequence ${sequence}`;

/** Money and energy add up, every slot is settled, and what the contract moved is what positions and readings say. */
export const expectSound = ({ report, facts }: RunOutcome): void => {
  expect(report.conservation).to.deep.equal({ moneyNano: "0", energyWh: 0 });
  expect(facts.problems).to.deep.equal([]);
  expect(report.chain.slotsSettled).to.equal(report.slots);
  expect(report.chain.slotsEstimated).to.equal(0);
};

/** Nothing that was promised is lost, and nothing happened twice. */
export const expectNothingLostOrDoubled = ({ report, facts }: RunOutcome): void => {
  const fateOf = new Map(facts.fates.map((fate) => [nameOf(fate), fate.state]));
  expect(fateOf.size, "one row per order").to.equal(facts.fates.length);
  expect(facts.accepted, "orders").to.not.be.empty;
  const words = new Map<string, { sell: number; energyWh: number; price: number }[]>();
  for (const { sell, energyWh, price, ...order } of facts.book) {
    const name = nameOf(order);
    words.set(name, [...(words.get(name) ?? []), { sell, energyWh, price }]);
  }
  for (const order of facts.accepted) {
    const name = nameOf(order);
    const fate = fateOf.get(name);
    expect(fate, `${name} was accepted`).to.be.oneOf(["appended", "skipped", "superseded"]);
    // The book holds the order's steps exactly once, or not at all.
    const steps = order.body.steps.map(({ sell, energyWh, priceMicroPerKwh }) => ({
      sell: Number(sell),
      energyWh,
      price: priceMicroPerKwh,
    }));
    expect(words.get(name) ?? [], name).to.deep.equal(fate === "appended" ? steps : []);
  }
  const settled = facts.settlements.filter(({ status }) => status === "settled").map(({ slot }) => slot);
  expect(
    [...settled].sort((a, b) => a - b),
    "each slot is settled once",
  ).to.deep.equal(Array.from({ length: report.slots }, (_, at) => facts.firstSlot + at));
  expect(
    facts.reports.map(({ slot }) => slot),
    "each slot is reported once",
  ).to.deep.equal(Array.from({ length: report.slots }, (_, at) => facts.firstSlot + at));

  // An intent's store may not know yet that it was mined (killed in between); the chain does.
  const { outgoing } = facts;
  expect(new Set(outgoing.map(({ key }) => key)).size, "keys").to.equal(outgoing.length);
  expect(new Set(outgoing.map(({ nonce }) => nonce)).size, "nonces").to.equal(outgoing.length);
  expect(
    outgoing.filter(({ mined }) => !mined).map(({ key }) => key),
    "intents that hang",
  ).to.deep.equal([]);
  expect(facts.auctioneerNonce, "every transaction on chain belongs to one intent").to.equal(outgoing.length);
};
