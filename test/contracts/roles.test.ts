import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { concat, Contract, Wallet, ZeroAddress, type Signer } from "ethers";
import { privilegedFunctions, isRefused } from "../../scripts/deploy/privileged.ts";
import { ROLES } from "../../scripts/deploy/deploy.ts";
import { projectRoot } from "../../scripts/local/root.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { createWorld, type World } from "./support/world.ts";

const DELAY = 172_800;
const SAFE_ABI = [
  "function nonce() view returns (uint256)",
  "function getOwners() view returns (address[])",
  "function getThreshold() view returns (uint256)",
  "function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures) returns (bool)",
];
const SAFE_TX = {
  SafeTx: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
    { name: "operation", type: "uint8" },
    { name: "safeTxGas", type: "uint256" },
    { name: "baseGas", type: "uint256" },
    { name: "gasPrice", type: "uint256" },
    { name: "gasToken", type: "address" },
    { name: "refundReceiver", type: "address" },
    { name: "nonce", type: "uint256" },
  ],
};

describe("roles, with a multi-signature admin and a delay", () => {
  const owners = [0, 1, 2].map((index) => new Wallet(deriveKey("test", `admin:${index}`)));
  let world: World;
  let safe: Contract;
  let manager: World["c"]["accessManager"];

  before(async () => {
    world = await createWorld({
      homes: 1,
      publish: 0,
      depositTokens: 0,
      admin: { owners: owners.map(({ address }) => address), threshold: 2 },
      adminDelaySeconds: DELAY,
    });
    manager = world.c.accessManager;
    const grants = await manager.queryFilter(manager.filters.RoleGranted(ROLES.ADMIN));
    safe = new Contract(grants.at(-1)?.args.account as string, SAFE_ABI, world.relayer);
  });

  /** A transaction of the multi-signature account to the access manager, signed by these owners, sent by anybody. */
  const bySafe = async (data: string, signers: Wallet[]) => {
    const content = {
      to: world.addresses.accessManager,
      value: 0,
      data,
      operation: 0,
      safeTxGas: 0,
      baseGas: 0,
      gasPrice: 0,
      gasToken: ZeroAddress,
      refundReceiver: ZeroAddress,
      nonce: await safe["nonce"]!(),
    };
    const domain = { chainId: world.addresses.chainId, verifyingContract: await safe.getAddress() };
    const sorted = [...signers].sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
    const signatures = concat(await Promise.all(sorted.map((one) => one.signTypedData(domain, SAFE_TX, content))));
    const { nonce: _, ...call } = content;
    return safe["execTransaction"]!(...Object.values(call), signatures);
  };
  const two = owners.slice(0, 2);
  const abi = () => manager.interface;
  const schedule = (data: string) => abi().encodeFunctionData("schedule", [world.addresses.accessManager, data, 0]);
  const later = () => world.networkHelpers.time.increase(DELAY);
  const newcomer = (name: string): string => world.wallet(name).address;
  const granting = (account: string): string => abi().encodeFunctionData("grantRole", [ROLES.OPERATOR, account, 0]);
  const isOperator = async (account: string): Promise<boolean> => (await manager.hasRole(ROLES.OPERATOR, account))[0];

  it("give the admin's to an account of three owners, two of whom must sign, with the stated delay", async () => {
    expect([...(await safe["getOwners"]!())].sort()).to.deep.equal(owners.map(({ address }) => address).sort());
    expect(await safe["getThreshold"]!()).to.equal(2n);
    expect(await manager.hasRole(ROLES.ADMIN, await safe.getAddress())).to.deep.equal([true, BigInt(DELAY)]);
  });

  it("leave an owner alone powerless", async () => {
    const account = newcomer("alone");
    for (const owner of owners) {
      await expect(bySafe(schedule(granting(account)), [owner])).to.be.revertedWith("GS020");
      await world.fund(owner.address);
      const direct = world.as(owner.connect(world.provider as never)).accessManager;
      await expect(direct.grantRole(ROLES.OPERATOR, account, 0))
        .to.be.revertedWithCustomError(manager, "AccessManagerUnauthorizedAccount")
        .withArgs(owner.address, ROLES.ADMIN);
    }
    await expect(bySafe(schedule(granting(account)), [owners[0] as Wallet, owners[0] as Wallet])).to.be.revertedWith(
      "GS026",
    );
  });

  it("let two owners act, but only after the delay", async () => {
    const account = newcomer("after");
    const data = granting(account);
    await expect(bySafe(data, two)).to.be.revertedWith("GS013");
    await bySafe(schedule(data), two);
    await expect(bySafe(data, two)).to.be.revertedWith("GS013");
    await world.networkHelpers.time.increase(DELAY - 60);
    await expect(bySafe(data, two)).to.be.revertedWith("GS013");
    await world.networkHelpers.time.increase(60);
    expect(await isOperator(account)).to.equal(false);
    await bySafe(data, [owners[2] as Wallet, owners[1] as Wallet]);
    expect(await isOperator(account)).to.equal(true);
  });

  it("let the guardian cancel what waits, but not its own removal", async () => {
    const account = newcomer("cancelled");
    const guardian = world.as(world.guardian).accessManager;
    const [admin, target] = [await safe.getAddress(), world.addresses.accessManager];
    const data = granting(account);
    await bySafe(schedule(data), two);
    await expect(manager.cancel(admin, target, data)).to.be.revertedWithCustomError(
      manager,
      "AccessManagerUnauthorizedCancel",
    );
    await expect(guardian.cancel(admin, target, data)).to.emit(manager, "OperationCanceled");
    await later();
    await expect(bySafe(data, two)).to.be.revertedWith("GS013");
    expect(await isOperator(account)).to.equal(false);

    const removal = abi().encodeFunctionData("revokeRole", [ROLES.GUARDIAN, await world.guardian.getAddress()]);
    await bySafe(schedule(removal), two);
    await expect(guardian.cancel(admin, target, removal)).to.be.revertedWithCustomError(
      manager,
      "AccessManagerUnauthorizedCancel",
    );
  });

  it("let nobody but the admin administer, the guardian and the operator neither", async () => {
    const zero = `0x${"00".repeat(20)}`;
    const calls = [
      abi().encodeFunctionData("grantRole", [ROLES.OPERATOR, zero, 0]),
      abi().encodeFunctionData("revokeRole", [ROLES.OPERATOR, zero]),
      abi().encodeFunctionData("labelRole", [ROLES.OPERATOR, "x"]),
      abi().encodeFunctionData("setRoleAdmin", [ROLES.OPERATOR, 0]),
      abi().encodeFunctionData("setRoleGuardian", [ROLES.OPERATOR, 0]),
      abi().encodeFunctionData("setGrantDelay", [ROLES.OPERATOR, 0]),
      abi().encodeFunctionData("setTargetAdminDelay", [world.addresses.grid, 0]),
      abi().encodeFunctionData("setTargetFunctionRole", [world.addresses.grid, ["0x12345678"], 0]),
      abi().encodeFunctionData("setTargetClosed", [world.addresses.grid, true]),
      abi().encodeFunctionData("updateAuthority", [world.addresses.grid, zero]),
    ];
    for (const who of [world.guardian, world.operator, world.deployer, world.relayer] as Signer[]) {
      const from = await who.getAddress();
      for (const data of calls) {
        await expect(who.sendTransaction({ to: world.addresses.accessManager, data }))
          .to.be.revertedWithCustomError(manager, "AccessManagerUnauthorizedAccount")
          .withArgs(from, ROLES.ADMIN);
        await expect(
          world.as(who).accessManager.schedule(world.addresses.accessManager, data, 0),
        ).to.be.revertedWithCustomError(manager, "AccessManagerUnauthorizedCall");
      }
    }
  });

  it("leave the deployer none", async () => {
    const deployer = await world.deployer.getAddress();
    const granted = await manager.queryFilter(manager.filters.RoleGranted());
    const roles = new Set([...Object.values(ROLES), ...granted.map(({ args }) => args.roleId)]);
    for (const role of roles) expect(await manager.hasRole(role, deployer), `role ${role}`).to.deep.equal([false, 0n]);
  });

  it("are asked by every restricted function: no account calls one without its role", async () => {
    const functions = await privilegedFunctions(world.provider as never, world.addresses);
    const sources = readdirSync(join(projectRoot, "contracts"), { recursive: true, encoding: "utf8" });
    const marked = sources
      .filter((path) => path.endsWith(".sol") && !path.startsWith("test"))
      .flatMap(
        (path) =>
          readFileSync(join(projectRoot, "contracts", path), "utf8").match(
            /(?:external|public)\s+(?:\w+\s+)*?restricted\b/g,
          ) ?? [],
      );
    expect(functions).to.have.lengthOf(marked.length);
    const accounts = await Promise.all(
      [world.deployer, world.guardian, world.operator, world.backup, world.relayer].map((who) => who.getAddress()),
    );
    accounts.push(await safe.getAddress(), ...owners.map(({ address }) => address));
    for (const one of functions) {
      expect(one.role, `${one.contract}.${one.signature} has no role`).to.not.equal(ROLES.ADMIN);
      for (const account of accounts) {
        const [isMember] = await manager.hasRole(one.role, account);
        expect(await isRefused(world.provider as never, account, one), `${one.signature} by ${account}`).to.equal(
          !isMember,
        );
      }
    }
  });
});
