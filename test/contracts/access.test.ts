import { expect } from "chai";
import type { Wallet } from "ethers";
import { ZeroAddress, type Signer } from "ethers";
import { Grid__factory } from "../../types/contracts/factories/balancing/Grid__factory.ts";
import { MeterOracle__factory } from "../../types/contracts/factories/consumption/MeterOracle__factory.ts";
import { OrderBook__factory } from "../../types/contracts/factories/pricing/OrderBook__factory.ts";
import { Ledger__factory } from "../../types/contracts/factories/pricing/Ledger__factory.ts";
import { Settlement__factory } from "../../types/contracts/factories/pricing/Settlement__factory.ts";
import { TestFeeToken__factory } from "../../types/contracts/factories/test/TestFeeToken__factory.ts";
import { TestMerkle__factory } from "../../types/contracts/factories/test/TestMerkle__factory.ts";
import { Tariffs__factory } from "../../types/contracts/factories/pricing/Tariffs__factory.ts";
import { allErrorNames, decodeContractError } from "../../services/protocol/contracts.ts";
import { hasSentence } from "../../services/protocol/error-words.ts";
import { packSignatures, readingProof, readingsRoot, storedDigest } from "../../services/protocol/report.ts";
import { packReadings } from "../../services/protocol/words.ts";
import { TERMS, TOKEN, createWorld, oneZone, reading, type World } from "./support/world.ts";

const slotsOf = (world: World, count: number, terms: object = {}) =>
  Array.from({ length: count }, () => ({ ...TERMS, ...terms }));

describe("what is registered and published", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({ publish: 0, homes: 2 });
  });

  it("is the operator's alone, and nobody has a role in the money", async () => {
    const { c, addresses } = world;
    const calls = [
      () => c.meteringPoints.register(addresses.grid, 0, 1, 1),
      () => c.grid.setGrid(0, oneZone),
      () => c.tariffs.publish(world.genesisSlot, slotsOf(world, 1)),
      () => c.meterOracle.setCommittee([addresses.grid], 0),
      // Who names the committee writes the readings.
      () => world.asOperator.meterOracle.setCommittee([addresses.grid], 0),
    ];
    for (const call of calls) await expect(call()).to.be.revertedWithCustomError(c.grid, "AccessManagedUnauthorized");
    const deployer = world.as(world.deployer);
    await expect(deployer.meteringPoints.register(addresses.grid, 0, 1, 1)).to.be.revertedWithCustomError(
      c.grid,
      "AccessManagedUnauthorized",
    );
    expect(await c.accessManager.hasRole(0, await world.deployer.getAddress())).to.deep.equal([false, 0n]);
    expect(await c.accessManager.hasRole(0, await world.admin.getAddress())).to.deep.equal([true, 0n]);
    expect(await c.accessManager.hasRole(2, await world.guardian.getAddress())).to.deep.equal([true, 0n]);
    for (const { interface: abi } of [c.ledger, c.orderBook, c.auction, c.settlement])
      expect(abi.getFunction("authority" as never)).to.equal(null);
  });

  it("keeps points, limits, owners and zones", async () => {
    const { c, asOperator } = world;
    const [owner, other] = world.owners as [Wallet, Wallet];
    await world.fund(owner.address);
    const mine = world.as(owner);
    expect(await c.meteringPoints.pointOf(0)).to.deep.equal([owner.address, 0n, 5_000n, 5_000n, 5_000n, 0n, 0n, 0n]);
    await expect(asOperator.meteringPoints.register(ZeroAddress, 0, 1, 1)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "ZeroAddress",
    );
    await expect(asOperator.meteringPoints.register(owner.address, 1, 1, 1))
      .to.be.revertedWithCustomError(c.meteringPoints, "UnknownZone")
      .withArgs(1, 1);
    await expect(c.meteringPoints.pointOf(2))
      .to.be.revertedWithCustomError(c.meteringPoints, "UnknownPoint")
      .withArgs(2);
    await expect(c.meteringPoints.isDelegate(2, other.address)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "UnknownPoint",
    );
    await expect(c.meteringPoints.changeOwner(0, other.address)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "NotOwner",
    );
    await expect(mine.meteringPoints.changeOwner(0, ZeroAddress)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "ZeroAddress",
    );
    await expect(mine.meteringPoints.setDelegate(0, ZeroAddress, 1)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "ZeroAddress",
    );
    await expect(mine.meteringPoints.setTradeLimit(0, 5_001)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "TradeLimitTooHigh",
    );
    await expect(mine.meteringPoints.setTradeLimit(0, 70)).to.emit(c.meteringPoints, "TradeLimitSet").withArgs(0, 70);
    for (let raise = 0; raise < 62; raise += 1) await mine.meteringPoints.setTradeLimit(0, 71 + raise);
    await expect(mine.meteringPoints.setTradeLimit(0, 4_000)).to.be.revertedWithCustomError(
      c.meteringPoints,
      "TooManyRaises",
    );
    await expect(mine.meteringPoints.changeOwner(0, other.address))
      .to.emit(c.meteringPoints, "OwnerChanged")
      .withArgs(0, owner.address, other.address);
    expect((await c.meteringPoints.pointOf(0)).handovers).to.equal(1n);
    expect(await c.meteringPoints.zones()).to.equal("0x0000");
  });

  it("pages the zones of many points", async () => {
    const zones = [...oneZone, { ...oneZone[0]!, parent: 0 }, { ...oneZone[0]!, parent: 2 }];
    const many = await createWorld({ homes: 70, zones, zoneOf: (home) => home % 3, depositTokens: 0, publish: 0 });
    const expected = Array.from({ length: 70 }, (_, home) => (home % 3).toString(16).padStart(2, "0")).join("");
    expect(await many.c.meteringPoints.zones()).to.equal(`0x${expected}`);
  });

  it("keeps networks in versions", async () => {
    const { c, asOperator } = world;
    const now = world.genesisSlot - 1;
    const two = [
      { ...oneZone[0]!, backupCapacityWh: 0 },
      { parent: 0, toParentWh: 500, fromParentWh: 600, backupCapacityWh: 7 },
      { parent: 2, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 0 },
    ];
    await expect(asOperator.grid.setGrid(now + 120, two))
      .to.be.revertedWithCustomError(c.grid, "SlotTooEarly")
      .withArgs(now + 120, now + 121);
    await expect(asOperator.grid.setGrid(now + 121, [])).to.be.revertedWithCustomError(c.grid, "TooManyZones");
    await expect(
      asOperator.grid.setGrid(
        now + 121,
        Array.from({ length: 129 }, () => oneZone[0]!),
      ),
    ).to.be.revertedWithCustomError(c.grid, "TooManyZones");
    await expect(asOperator.grid.setGrid(now + 121, [{ ...oneZone[0]!, parent: 1 }])).to.be.revertedWithCustomError(
      c.grid,
      "NotTopological",
    );
    await expect(asOperator.grid.setGrid(now + 121, two)).to.emit(c.grid, "GridSet");
    await expect(asOperator.grid.setGrid(now + 121, two)).to.be.revertedWithCustomError(c.grid, "SlotTooEarly");
    await expect(asOperator.grid.setGrid(now + 122, oneZone)).to.be.revertedWithCustomError(c.grid, "ZoneCountFell");
    expect(await c.grid.versionOf(now)).to.deep.equal([1n, BigInt(now + 120), 1n, 1n]);
    expect(await c.grid.versionOf(now + 121)).to.deep.equal([2n, 2n ** 32n - 1n, 3n, 3n]);
    expect(await c.grid.gridOf(now + 130)).to.deep.equal(
      two.map((z) => [z.parent, z.toParentWh, z.fromParentWh, z.backupCapacityWh].map(BigInt)),
    );
    expect(await c.grid.zoneCount()).to.equal(1n);
    const bare = await new Grid__factory(world.relayer).deploy(world.addresses.accessManager, ZeroAddress);
    await expect(bare.gridOf(now)).to.be.revertedWithCustomError(bare, "NoGrid").withArgs(now);
  });

  it("publishes terms once, ahead, within the bounds", async () => {
    const { c, asOperator } = world;
    const s = world.genesisSlot + 1;
    const publish = (slot: number, terms: object = {}) => asOperator.tariffs.publish(slot, slotsOf(world, 1, terms));
    await expect(publish(s)).to.emit(c.tariffs, "TermsPublished");
    expect(await c.tariffs.termsOf(s)).to.deep.equal(Object.values(TERMS).map(BigInt));
    expect(await c.tariffs.isPublished(s)).to.equal(true);
    expect(await c.tariffs.isPublished(s + 256)).to.equal(false);
    await expect(publish(s)).to.be.revertedWithCustomError(c.tariffs, "AlreadyPublished");
    await expect(publish(world.genesisSlot - 2)).to.be.revertedWithCustomError(c.tariffs, "SlotOver");
    await expect(publish(world.genesisSlot + 120)).to.be.revertedWithCustomError(c.tariffs, "TooFarAhead");
    await expect(c.tariffs.termsOf(s + 1)).to.be.revertedWithCustomError(c.tariffs, "NotPublished");
    await expect(publish(s + 1, { exportTariff: 260_000 })).to.be.revertedWithCustomError(c.tariffs, "TariffsCross");
    for (const wrong of [
      { importTariff: 400_001 },
      { exportTariff: -1 },
      { bandMin: -1_000_001 },
      { bandMax: 10_000_001 },
      { bandMax: -600_000 },
      { reference_: 1_000_001 },
    ]) {
      await expect(publish(s + 1, wrong)).to.be.revertedWithCustomError(c.tariffs, "OutsideBounds");
    }
    const deploying = new Tariffs__factory(world.relayer);
    for (const [highest, lowestPrice] of [
      [1, 0],
      [2, 1],
    ] as const) {
      await expect(
        deploying.deploy(world.addresses.accessManager, highest, 1, lowestPrice, 1, 0, 0, ZeroAddress, ZeroAddress),
      ).to.be.revertedWithCustomError(c.tariffs, "BoundsCross");
    }
  });

  it("checks the wiring when it is deployed", async () => {
    const { addresses: a, relayer, c } = world;
    const book = new OrderBook__factory(relayer);
    await expect(
      book.deploy(a.meteringPoints, a.tariffs, a.ledger, a.settlement, a.sealedBatches, a.emergency),
    ).to.be.revertedWithCustomError(c.orderBook, "WrongWiring");
    await expect(new Settlement__factory(relayer).deploy(a, 10)).to.be.revertedWithCustomError(
      c.settlement,
      "WrongWiring",
    );
    const ledger = await new Ledger__factory(relayer).deploy(
      a.token,
      a.meteringPoints,
      a.settlement,
      a.orderBook,
      a.bilaterals,
      a.grid,
      a.grid,
      [],
    );
    await expect(
      book.deploy(a.meteringPoints, a.tariffs, await ledger.getAddress(), a.settlement, a.sealedBatches, a.emergency),
    ).to.be.revertedWithCustomError(c.orderBook, "WrongWiring");
  });
});

describe("reports", () => {
  it("need a quorum of the committee, in order, over a slot that is over", async () => {
    const world = await createWorld({ homes: 1 });
    const { c, nodes } = world;
    const slot = world.genesisSlot;
    const readings = packReadings([reading(5, 7)]);
    const content = world.reportOf(slot, readings);
    const send = async (signers: number[], signatures?: string[], changed: object = {}) =>
      c.meterOracle.report(
        { ...content, ...changed },
        packSignatures(signers, signatures ?? (await world.signReport(content, signers))),
      );
    await expect(send([0, 1, 2])).to.be.revertedWithCustomError(c.meterOracle, "SlotNotOver");
    await world.goTo(world.startOf(slot + 1));
    await expect(send([0, 1]))
      .to.be.revertedWithCustomError(c.meterOracle, "TooFewSignatures")
      .withArgs(2, 3);
    await expect(send([0, 2, 1]))
      .to.be.revertedWithCustomError(c.meterOracle, "SignersNotAscending")
      .withArgs(2, 1);
    await expect(send([0, 1, 1])).to.be.revertedWithCustomError(c.meterOracle, "SignersNotAscending");
    await expect(c.meterOracle.report(content, `0x${"00".repeat(194)}`))
      .to.be.revertedWithCustomError(c.meterOracle, "MalformedSignatures")
      .withArgs(194);
    await expect(send([0, 1, 4], await world.signReport(content, [0, 1, 2])))
      .to.be.revertedWithCustomError(c.meterOracle, "UnknownSigner")
      .withArgs(4, 4);
    await expect(send([0, 1, 3], await world.signReport(content, [0, 1, 2]))).to.be.revertedWithCustomError(
      c.meterOracle,
      "WrongSignature",
    );
    await expect(
      send([0, 1, 2], await world.signReport(content, [0, 1, 2]), { attempt: 1 }),
    ).to.be.revertedWithCustomError(c.meterOracle, "WrongSignature");
    await expect(send([0, 1, 2], undefined, { version: 0 })).to.be.revertedWithCustomError(
      c.meterOracle,
      "VersionNotHigher",
    );
    await expect(send([0, 1, 3]))
      .to.emit(c.meterOracle, "Reported")
      .withArgs(slot, 1, 0, content.readingsHash, content.root, 0b1011);
    expect(await c.meterOracle.reportOf(slot)).to.deep.equal([1n, storedDigest(content)]);
    expect(await c.meterOracle.reportOf(slot + 256)).to.deep.equal([0n, `0x${"0".repeat(56)}`]);
    await expect(send([0, 1, 2]))
      .to.be.revertedWithCustomError(c.meterOracle, "VersionNotHigher")
      .withArgs(slot, 1, 1);
    await world.report(slot, [reading(6, 7)], 2, [1, 2, 3]);
    expect((await c.meterOracle.reportOf(slot))[0]).to.equal(2n);

    const addresses = nodes.map(({ address }) => address);
    const admin = world.as(world.admin).meterOracle;
    await expect(admin.setCommittee(addresses.slice(0, 3), 1)).to.be.revertedWithCustomError(
      c.meterOracle,
      "CommitteeTooSmall",
    );
    await expect(admin.setCommittee([addresses[0]!, addresses[0]!], 0)).to.be.revertedWithCustomError(
      c.meterOracle,
      "DuplicateNode",
    );
    await expect(admin.setCommittee([ZeroAddress], 0)).to.be.revertedWithCustomError(c.meterOracle, "DuplicateNode");
    await expect(
      admin.setCommittee(
        Array.from({ length: 32 }, (_, i) => world.wallet(`n${i}`).address),
        1,
      ),
    ).to.be.revertedWithCustomError(c.meterOracle, "CommitteeTooLarge");
    await expect(admin.setCommittee(addresses.slice(1), 0)).to.emit(c.meterOracle, "CommitteeSet");
    expect(await c.meterOracle.committee()).to.deep.equal([addresses.slice(1), 0n, 1n]);
    expect(await c.meterOracle.epoch()).to.equal(2n);
    const bare = await new MeterOracle__factory(world.relayer).deploy(
      world.addresses.accessManager,
      world.addresses.settlement,
    );
    await expect(bare.report(content, `0x${"00".repeat(65)}`)).to.be.revertedWithCustomError(bare, "CommitteeTooSmall");
  });

  it("prove each reading by OpenZeppelin's Merkle rules", async () => {
    const world = await createWorld({ homes: 0, depositTokens: 0, publish: 0 });
    const merkle = await new TestMerkle__factory(world.relayer).deploy();
    for (const points of [1, 2, 7, 8]) {
      const readings = packReadings(
        Array.from({ length: points }, (_, point) => reading(point, 10 * point, point % 3)),
      );
      const root = readingsRoot(9, readings);
      for (let point = 0; point < points; point += 1) {
        const raw = BigInt(`0x${readings.slice(2 + 16 * point, 18 + 16 * point)}`);
        const proof = readingProof(9, readings, point);
        expect(await merkle.verify(proof, root, point, 9, raw)).to.equal(true);
        expect(await merkle.verify(proof, root, point, 9, raw + 1n)).to.equal(false);
        expect(await merkle.verify(proof, root, point + 1, 9, raw)).to.equal(false);
        expect(await merkle.verify(proof, root, point, 10, raw)).to.equal(false);
      }
    }
  });
});

describe("the ledger", () => {
  it("takes deposits, also by permit, and refuses what does not arrive", async () => {
    const world = await createWorld({ homes: 1, publish: 0 });
    const { c } = world;
    const owner = world.owners[0] as Wallet;
    await world.fund(owner.address);
    await c.token.mint(owner.address, 100n * TOKEN);
    const domain = {
      name: await c.token.name(),
      version: "1",
      chainId: world.addresses.chainId,
      verifyingContract: world.addresses.token,
    };
    const types = {
      Permit: ["owner:address", "spender:address", "value:uint256", "nonce:uint256", "deadline:uint256"].map((f) => ({
        name: f.split(":")[0]!,
        type: f.split(":")[1]!,
      })),
    };
    const permit = {
      owner: owner.address,
      spender: world.addresses.ledger,
      value: 40n * TOKEN,
      nonce: 0,
      deadline: 2n ** 40n,
    };
    const { r, s, v } = (await import("ethers")).Signature.from(await owner.signTypedData(domain, types, permit));
    const mine = world.as(owner);
    await expect(mine.ledger.depositWithPermit(0, permit.value, permit.deadline, v, r, s))
      .to.emit(c.ledger, "Deposited")
      .withArgs(0, owner.address, permit.value);
    await expect(
      mine.ledger.depositWithPermit(0, permit.value, permit.deadline, v, r, s),
    ).to.be.revertedWithCustomError(c.token, "ERC20InsufficientAllowance");
    const taking = await new TestFeeToken__factory(world.relayer).deploy();
    const { meteringPoints, settlement: settles, orderBook } = world.addresses;
    const poorer = await new Ledger__factory(world.relayer).deploy(
      taking,
      meteringPoints,
      settles,
      orderBook,
      world.addresses.bilaterals,
      ZeroAddress,
      ZeroAddress,
      [],
    );
    await taking.approve(poorer, 500);
    await expect(poorer.deposit(0, 500))
      .to.be.revertedWithCustomError(poorer, "WrongAmountReceived")
      .withArgs(500, 495);
    await expect(c.ledger.deposit(0, 0)).to.be.revertedWithCustomError(c.ledger, "ZeroAmount");
    await expect(c.ledger.deposit(7, 1)).to.be.revertedWithCustomError(c.ledger, "UnknownAccount").withArgs(7);
    await c.token.mint(await world.relayer.getAddress(), 100n);
    for (const name of ["BACKUP", "OPERATOR", "MEMBERS", "CONGESTION", "DEFAULT_FUND"] as const) {
      const account = await c.ledger[name]();
      await expect(c.ledger.deposit(account, 3)).to.emit(c.ledger, "Deposited");
    }
    const below = (await c.ledger.DEFAULT_FUND()) - 1n;
    await expect(c.ledger.deposit(below, 3)).to.be.revertedWithCustomError(c.ledger, "UnknownAccount");
    await expect(c.ledger.deposit(0, 2n ** 200n)).to.be.revertedWithCustomError(c.ledger, "DepositTooLarge");
    await expect(c.ledger.ownerOf(7)).to.be.revertedWithCustomError(c.ledger, "UnknownAccount");
    await expect(mine.ledger.requestWithdrawal(0, 0)).to.be.revertedWithCustomError(c.ledger, "ZeroAmount");
    await expect(c.ledger.requestWithdrawal(0, 1)).to.be.revertedWithCustomError(c.ledger, "NotAccountOwner");
    await expect(mine.ledger.requestWithdrawal(await c.ledger.MEMBERS(), 1)).to.be.revertedWithCustomError(
      c.ledger,
      "NotAccountOwner",
    );
    await expect(mine.ledger.move(0, [1], 0, 0, 0, 0, [])).to.be.revertedWithCustomError(c.ledger, "NotSettlement");
    await world.networkHelpers.impersonateAccount(world.addresses.settlement);
    await world.fund(world.addresses.settlement);
    const settlement = world.as((await world.ethers.getSigner(world.addresses.settlement)) as unknown as Signer);
    await expect(settlement.ledger.move(0, [1], 0, 0, 0, 0, []))
      .to.be.revertedWithCustomError(c.ledger, "SumNotZero")
      .withArgs(1);
    await settlement.ledger.move(1, [3, -5, 7], 0, -4, 0, -1, []);
    expect(await Promise.all([0, 1, 2, 3].map((point) => c.ledger.balanceOf(point)))).to.deep.equal([
      5_040n * TOKEN * 1_000n,
      3n,
      -5n,
      7n,
    ]);
    expect(await c.ledger.ownerOf(await c.ledger.BACKUP())).to.equal(await world.backup.getAddress());
    expect(await c.ledger.ownerOf(await c.ledger.CONGESTION())).to.equal(ZeroAddress);
  });
});

describe("the contracts' errors", () => {
  it("all have a sentence, and are decoded from what the chain answers", async () => {
    const foreign =
      /^(AccessManager|AccessManaged|ERC|SafeERC20|FailedCall|InsufficientBalance|InvalidShortString|StringTooLong|InvalidAccountNonce|ECDSA|SafeCast)/;
    expect(allErrorNames().filter((name) => !hasSentence(name) && !foreign.test(name))).to.deep.equal([]);
    const world = await createWorld({ homes: 1, publish: 0 });
    const failure = await world.c.ledger.deposit(9, 5).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(decodeContractError(failure)).to.deep.equal({
      name: "UnknownAccount",
      values: { account: "9" },
      words: "There is no account 9.",
    });
    expect(decodeContractError(new Error("no revert"))).to.equal(undefined);
  });
});
