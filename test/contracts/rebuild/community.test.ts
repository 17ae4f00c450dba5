import { expect } from "chai";
import { Interface, keccak256, ZeroHash, type Wallet } from "ethers";
import { encodeEnvelopes } from "../../../services/protocol/envelopes.ts";
import { proveWhole } from "../../../services/protocol/archive.ts";
import { abiOf, contractNames } from "../../../services/protocol/contracts.ts";
import { packSignatures, readingsRoot } from "../../../services/protocol/report.ts";
import { packReadings, type PackedReading } from "../../../services/protocol/words.ts";
import { createProduction, type Production } from "../production/support.ts";
import { differencesOf, expectRebuilt, logsOf } from "../support/community.ts";
import { unnoticed } from "../support/unnoticed.ts";
import { emptyRecord, reading, TOKEN } from "../support/world.ts";
import { rebuildCommunity } from "../../../services/protocol/rebuild/community.ts";

const JUNE = 12 * 2030 + 5;
const PENALTY = 50_000;
const both = (a: number, c: number): PackedReading[] => [
  reading(0, a),
  reading(400, 0),
  reading(0, c),
  reading(900, 30),
];

/** Who decides and when, requests, what no money, energy or certificate goes by, and bounds that nothing here comes near. */
const MOVES_NOTHING = [
  ...["AuthorityUpdated", "CommitteeSet", "CommitteeSet.epoch", "CommitteeSet.faults"],
  ...["Cleared.boughtWh", "Cleared.record.backupBoughtWh", "Cleared.welfareNano"],
  ...["FinalThrough", "FinalThrough.slot", "GridSet.fromSlot", "GridSet.version"],
  ...["Reported.attempt", "Reported.signers", "ScheduleSet.capWhPerMonth", "Sealed.slot"],
  ...["WithdrawalRequested", "WithdrawalRequested.account", "WithdrawalRequested.amount", "WithdrawalRequested.slot"],
  // Readings of head meters are in no event; the first slot stands nowhere else.
  ...["LossesBought.firstSlot", "LossesBought.lossWh"],
];
/** The tests of demand response, usage and the peak charge try these. */
const TRIED_ELSEWHERE = [
  ...["MethodSet", "MethodSet.days_", "MethodSet.high", "MethodSet.minimum", "PriceSet", "PriceSet.pricePerKw"],
  ...["PeriodsSet", "PeriodsSet.gramsPerKwh", "PeriodsSet.periods"],
];

/** Two generators that sell green energy, a storage unit, an envelope, a corrected report, and money in and out. */
const live = async (): Promise<Production> => {
  const p = await createProduction({ penaltyPrice: PENALTY });
  const { c, genesisSlot: first, addresses } = p;
  const addressOf = (home: number): string => (p.owners[home] as Wallet).address;
  await p.register();
  await p.register({ connection: 2, maintenanceHours: 1 } as object);
  await p.register({ connection: 1, ownMeter: true } as object, false);
  await p.of(3).storageUnits.register({
    ...{ connection: 3, ownMeter: false, capacityWh: 2_000, powerW: 4_000 },
    ...{ efficiencyPpm: 900_000, reservePpm: 0 },
  });
  const list = encodeEnvelopes([
    { kind: "point", index: 0, importLimitWh: 100, exportLimitWh: 700, forecastWh: 0 },
    { kind: "zone", index: 0, importLimitWh: 600, exportLimitWh: 5_000, forecastWh: 0 },
  ]);
  await p.asOperator.envelopes.set(first + 1, [list]);
  await p.sellGreen(first + 1, [600, -250, 300, -200]);
  await p.sellGreen(first + 2, [600, -500, 300, -400]);
  await p.run(both(500, 500));
  const cleared = await p.run(both(1_000, 500));
  await p.run(both(300, 500));

  // The second slot's report is corrected.
  const readings = packReadings(both(900, 450));
  const root = readingsRoot(cleared, readings);
  const content = { ...p.reportOf(cleared, readings, 2), root };
  await c.meterOracle.report(content, packSignatures([0, 1, 2], await p.signReport(content, [0, 1, 2])));
  const slot = p.slotAt(cleared);
  const settledReadings = slot.readings as string;
  const record = p.clearings.get(cleared)?.record ?? emptyRecord(cleared);
  const settledRoot = readingsRoot(cleared, settledReadings);
  await c.settlement.resettle([{ record, settledReadings, settledRoot, readings, root }]);
  slot.readings = readings;

  await p.asOperator.generators.recordMaintenance(1, ZeroHash);
  await p.run(both(200, 300));
  await p.of(2).generators.changeProducer(1, addressOf(1));
  await p.run(both(800, 100));
  await p.asOperator.generators.revoke(0, ZeroHash);
  await p.finalize();
  await p.archive();

  const last = first + p.slots.length - 1;
  await c.certificates.issue([p.issueOf(0, 0, first, last), p.issueOf(1, 2, first, last)]);
  const id = p.idOf(0, first + 1);
  const [owner, buyer] = [addressOf(0), addressOf(1)];
  await p.of(0).certificates.safeTransferFrom(owner, buyer, id, 100, "0x");
  await p.of(1).certificates.claim({
    ...{ holder: buyer, consumption: p.prove(1, first, last), ids: [id], values: [150] },
    ...{ beneficiary: owner, purpose: "tea" },
  });
  await c.storageUnits.count(0, p.prove(3, first, last));
  await c.token.mint(await p.relayer.getAddress(), 30n * TOKEN);
  await c.token.approve(addresses.incentives, 10n * TOKEN);
  await c.incentives.fund(5n * TOKEN);
  await c.incentives.accrue(0, JUNE, 700);
  await c.incentives.accrue(1, JUNE, 400);
  await p.of(0).incentives.withdraw(owner);
  await c.token.approve(addresses.sealedBatches, 20n * TOKEN);
  await c.sealedBatches.deposit(owner, 13n * TOKEN);
  await p.of(0).sealedBatches.withdraw(TOKEN);
  await p.of(0).sealedBatches.seal(Math.floor((await p.networkHelpers.time.latest()) / 900) + 9, keccak256("0x01"));
  await p.of(2).meteringPoints.changeOwner(2, addressOf(3));

  const whole = proveWhole(p.slots, p.leaves());
  await c.losses.buy(whole.range, whole.slots);
  await c.peakCharge.offer(whole.range, whole.slots);
  await c.refunds.count(whole.range, whole.slots);
  await c.ledger.deposit(await c.ledger.DEFAULT_FUND(), TOKEN);
  await p.of(0).ledger.requestWithdrawal(0, 2n * TOKEN);
  const [, asked] = await c.ledger.requestOf(0);
  await p.goTo(p.startOf(Number(asked) + 1));
  await c.ledger.withdrawEarned();
  return p;
};

describe("a community rebuilt from events alone", () => {
  let p: Production;
  before(async () => {
    p = await live();
  });

  it("is what the contracts hold: balances, bills, certificates, premiums, generators, storage", async () => {
    const community = await expectRebuilt(p);
    const { bills, certificates, generators, incentives, storageUnits, bonds, shares } = community;
    const kinds = new Set((bills.get(0) ?? []).map(({ kind }) => kind));
    expect([...kinds].sort()).to.deep.equal(["deposit", "energy", "imbalance", "penalty", "words"]);
    // A correction is a line of its own: 100 Wh less beyond the envelope of 700.
    const [of, penalties] = [p.genesisSlot + 1, (bills.get(0) ?? []).filter(({ kind }) => kind === "penalty")];
    expect(penalties.map(({ slot, version, nano }) => [slot, version, nano])).to.deep.equal([
      [of, 1, -300n * BigInt(PENALTY)],
      [of, 2, 100n * BigInt(PENALTY)],
    ]);
    expect(certificates.matched.get(`1:${of}`)).to.equal(150n);
    expect(generators.map(({ state }) => state.certifiedWh > 0n)).to.deep.equal([true, true, false]);
    expect(incentives.paidWh.get(0)).to.equal(700n);
    expect(storageUnits[0]?.charge.chargedWh).to.equal(900n * BigInt(p.slots.length));
    expect(bonds.get((p.owners[0] as Wallet).address)).to.equal(12n * TOKEN - (await p.c.sealedBatches.bond()));
    expect(shares.energyWh.get(JUNE)?.length).to.equal(4);
  });

  it("depends on every event and every figure in it, but for those that move nothing", async () => {
    expect(await unnoticed(p)).to.deep.equal([...MOVES_NOTHING, ...TRIED_ELSEWHERE].sort());
  });

  it("differs from what the contracts hold when logs are missing", async () => {
    const logs = await logsOf(p);
    const topicOf = (name: string): string | undefined =>
      contractNames.flatMap((contract) => new Interface(abiOf(contract)).getEvent(name)?.topicHash ?? [])[0];
    for (const name of ["Settled", "Moved", "UnitCounted"]) {
      const rest = logs.filter(({ topics }) => topics[0] !== topicOf(name));
      expect(rest.length, name).to.be.lessThan(logs.length);
      const { problems: _, ...community } = rebuildCommunity(rest, p.addresses);
      expect(await differencesOf(p, { ...community, problems: [] }), name).to.not.deep.equal([]);
    }
  });
});
