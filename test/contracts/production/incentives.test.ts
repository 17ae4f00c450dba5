import { expect } from "chai";
import type { Wallet } from "ethers";
import { Incentives__factory } from "../../../types/contracts/factories/production/Incentives__factory.ts";
import { TestFeeToken__factory } from "../../../types/contracts/factories/test/TestFeeToken__factory.ts";
import { TOKEN } from "../support/world.ts";
import { createProduction, homes, type Production } from "./support.ts";
import { expectRebuilt } from "../support/community.ts";

const JUNE = 12 * 2030 + 5;
const NANO_PER_BASE = 1_000n;
const STEPS = [
  { throughWh: 1_000n, premium: 20_000n },
  { throughWh: 2_500n, premium: 10_001n },
  { throughWh: 4_000n, premium: 500n },
];
const EVERYTHING = 2n ** 64n - 1n;

describe("the renewable incentive", () => {
  let p: Production;
  let incentives: Production["c"]["incentives"];
  let producer: string;

  const fund = async (amount: bigint): Promise<void> => {
    await p.c.token.mint(await p.relayer.getAddress(), amount);
    await p.c.token.approve(await incentives.getAddress(), amount);
    await incentives.fund(amount);
  };
  const issue = async (): Promise<void> => {
    await p.finalize();
    await p.archive();
    await p.c.certificates.issue([p.issueOf(0, 0, p.genesisSlot, p.genesisSlot + p.slots.length - 1)]);
  };
  const deploy = async (capWhPerMonth: bigint): Promise<void> => {
    incentives = await new Incentives__factory(p.relayer).deploy(
      p.addresses.token,
      p.addresses.generators,
      capWhPerMonth,
      STEPS,
    );
  };
  beforeEach(async () => {
    p = await createProduction();
    producer = (p.owners[0] as Wallet).address;
    await p.register();
    await deploy(1_000_000n);
  });
  afterEach(async () => {
    // Solvent, to the nano-token: what is left and what is earned is what was paid in.
    const held = (await p.c.token.balanceOf(await incentives.getAddress())) * NANO_PER_BASE;
    expect((await incentives.poolNano()) + (await incentives.earnedOf(producer))).to.equal(held);
    await expectRebuilt(p);
  });

  it("pays each certified Wh once, less and less", async () => {
    await p.run(homes(900));
    await p.run(homes(1_100));
    await p.run(homes(1_900));
    await p.run(homes(600));
    await issue();
    await expect(incentives.accrue(0, JUNE, EVERYTHING))
      .to.be.revertedWithCustomError(incentives, "PoolTooSmall")
      .withArgs(1_000n * 20_000n + 1_500n * 10_001n + 1_500n * 500n, 0);
    await fund(TOKEN);
    // In parts, it is the same.
    await expect(incentives.accrue(0, JUNE, 1_200n))
      .to.emit(incentives, "Accrued")
      .withArgs(0, JUNE, producer, 1_200, 1_000n * 20_000n + 200n * 10_001n, 1_200);
    await incentives.accrue(0, JUNE, EVERYTHING);
    const total = 1_000n * 20_000n + 1_500n * 10_001n + 1_500n * 500n;
    expect(await incentives.earnedOf(producer)).to.equal(total);
    expect(await incentives.paidOf(0)).to.equal(4_500n);
    expect(await incentives.paidInMonth(0, JUNE)).to.equal(4_500n);
    for (const month of [JUNE, JUNE - 1, JUNE + 1])
      await expect(incentives.accrue(0, month, EVERYTHING))
        .to.be.revertedWithCustomError(incentives, "NothingToPay")
        .withArgs(0, month);
    await expect(incentives.accrue(0, JUNE, 0n)).to.be.revertedWithCustomError(incentives, "NothingToPay");

    const mine = incentives.connect(p.owners[0] as Wallet);
    await expect(mine.withdraw(producer))
      .to.emit(incentives, "Withdrawn")
      .withArgs(producer, producer, total / NANO_PER_BASE);
    expect(await p.c.token.balanceOf(producer)).to.equal(total / NANO_PER_BASE);
    expect(await incentives.earnedOf(producer)).to.equal(total % NANO_PER_BASE);
    await expect(mine.withdraw(producer)).to.be.revertedWithCustomError(incentives, "NothingEarned").withArgs(producer);
  });

  it("pays at most the cap of a generator's month", async () => {
    await deploy(700n);
    await fund(TOKEN);
    await p.run(homes(900));
    await issue();
    await incentives.accrue(0, JUNE, EVERYTHING);
    expect(await incentives.earnedOf(producer)).to.equal(700n * 20_000n);
    await expect(incentives.accrue(0, JUNE, EVERYTHING)).to.be.revertedWithCustomError(incentives, "NothingToPay");
  });

  it("pays nothing for slots in which the certification did not run", async () => {
    await fund(TOKEN);
    await p.run(homes(900));
    await p.run(homes(800));
    await p.asOperator.generators.revoke(0, "0x" + "11".repeat(32));
    await p.run(homes(700));
    await issue();
    await incentives.accrue(0, JUNE, EVERYTHING);
    // Revoked within the third slot: it and everything after earns nothing.
    expect(await incentives.earnedOf(producer)).to.equal(1_000n * 20_000n + 700n * 10_001n);
  });

  it("has a falling schedule, and a pool that holds what it says", async () => {
    const factory = new Incentives__factory(p.relayer);
    const make = (steps: { throughWh: bigint; premium: bigint }[], token = p.addresses.token) =>
      factory.deploy(token, p.addresses.generators, 1n, steps);
    await expect(make([])).to.be.revertedWithCustomError(incentives, "EmptySchedule");
    const [one, two] = STEPS as [(typeof STEPS)[0], (typeof STEPS)[0]];
    await expect(make([one, { ...two, premium: one.premium + 1n }]))
      .to.be.revertedWithCustomError(incentives, "ScheduleNotDegressive")
      .withArgs(1);
    await expect(make([one, { ...two, throughWh: one.throughWh }])).to.be.revertedWithCustomError(
      incentives,
      "ScheduleNotDegressive",
    );
    expect([await incentives.stepCount(), await incentives.stepOf(1)]).to.deep.equal([
      3n,
      [two.throughWh, two.premium],
    ]);
    for (let cut = 0n; cut <= 4_500n; cut += 250n) {
      const whole = await incentives.premiumOf(0, 4_500n);
      expect((await incentives.premiumOf(0, cut)) + (await incentives.premiumOf(cut, 4_500n))).to.equal(whole);
    }
    await expect(incentives.fund(0)).to.be.revertedWithCustomError(incentives, "ZeroAmount");
    await fund(5n);
    expect(await incentives.poolNano()).to.equal(5n * NANO_PER_BASE);
    const taking = await new TestFeeToken__factory(p.relayer).deploy();
    const other = await make(STEPS, await taking.getAddress());
    await taking.approve(await other.getAddress(), 1_000n);
    await expect(other.fund(1_000n)).to.be.revertedWithCustomError(other, "WrongAmountReceived").withArgs(1_000, 990);
  });
});
