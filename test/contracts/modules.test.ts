import { expect } from "chai";
import { Wallet, ZeroAddress } from "ethers";
import { deriveKey } from "../../services/protocol/keys.ts";
import { rebuild } from "./support/rebuild.ts";
import { NANO, TOKEN, createWorld, type World } from "./support/world.ts";

const MODULE = new Wallet(deriveKey("test", "module")).address;

describe("modules of the ledger", () => {
  let world: World;
  let module: World["c"];
  before(async () => {
    world = await createWorld({ homes: 2, ledgerModules: [MODULE] });
    await world.fund(MODULE);
    module = world.as(world.wallet("module"));
  });
  afterEach(async () => {
    expect(await world.discrepancyNano(), "conservation").to.equal(0n);
  });

  it("are named at deployment, for ever, and nobody else transfers", async () => {
    const { c } = world;
    expect(await c.ledger.isModule(MODULE)).to.equal(true);
    expect(await c.ledger.isModule(ZeroAddress)).to.equal(false);
    const named = await c.ledger.queryFilter(c.ledger.filters.ModuleNamed());
    const { losses, peakCharge, refunds } = world.addresses;
    expect(named.map(({ args }) => args.module)).to.deep.equal([MODULE, losses, peakCharge, refunds]);
    for (const runner of [world.relayer, world.operator, world.admin])
      await expect(world.as(runner).ledger.transferBetween([0, 1], [-1n, 1n]))
        .to.be.revertedWithCustomError(c.ledger, "NotModule")
        .withArgs(await runner.getAddress());
  });

  it("transfer between points and fixed accounts, also below zero and one account twice, when it sums to zero", async () => {
    const { c } = world;
    const before = [await world.balances(), await world.fixed()] as const;
    const members = await c.ledger.MEMBERS();
    const deltas = [-6_000n * TOKEN * NANO, 5_000n * TOKEN * NANO, 999n * TOKEN * NANO, TOKEN * NANO];
    await expect(module.ledger.transferBetween([0, 1, members, 0], deltas))
      .to.emit(c.ledger, "TransferredBetween")
      .withArgs(MODULE, [0, 1, members, 0], deltas);
    const after = [await world.balances(), await world.fixed()] as const;
    expect(after[0][0]).to.equal((before[0][0] as bigint) - 5_999n * TOKEN * NANO);
    expect(after[0][0] as bigint).to.be.lessThan(0n);
    expect(after[0][1]).to.equal((before[0][1] as bigint) + 5_000n * TOKEN * NANO);
    expect(after[1].members).to.equal(before[1].members + 999n * TOKEN * NANO);
  });

  it("are refused what does not sum to zero, lists of two lengths, unknown accounts and impossible amounts", async () => {
    const { c } = world;
    const refused = async (accounts: number[], deltas: bigint[], error: string, ...values: unknown[]) =>
      expect(module.ledger.transferBetween(accounts, deltas))
        .to.be.revertedWithCustomError(c.ledger, error)
        .withArgs(...values);
    await refused([0, 1], [1n, 1n], "SumNotZero", 2n);
    await refused([0], [1n, -1n], "TransferLengthsDiffer", 1, 2);
    await refused([0, 2], [1n, -1n], "UnknownAccount", 2);
    const most = 1n << 120n;
    const balance = await c.ledger.balanceOf(1);
    await refused([1, 0], [most, -most], "BalanceOutOfRange", 1, balance + most);
    await refused([0, 1], [-most, most], "BalanceOutOfRange", 0, (await c.ledger.balanceOf(0)) - most);
  });

  it("have a default fund that anybody pays into and nobody takes out of", async () => {
    const { c } = world;
    const fund = await c.ledger.DEFAULT_FUND();
    await c.token.mint(await world.relayer.getAddress(), TOKEN);
    await c.ledger.deposit(fund, TOKEN);
    expect((await world.fixed()).defaultFund).to.equal(TOKEN * NANO);
    expect(await c.ledger.ownerOf(fund)).to.equal(ZeroAddress);
    expect(await c.ledger.ownerOf(await c.ledger.OPERATOR())).to.equal(await world.operator.getAddress());
    await expect(world.asOperator.ledger.requestWithdrawal(fund, 1)).to.be.revertedWithCustomError(
      c.ledger,
      "NotAccountOwner",
    );
  });

  it("are in the balances that events alone rebuild", async () => {
    (await rebuild(world)).close();
  });
});
