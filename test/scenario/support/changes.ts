import { id as hashText, Signature, type Wallet } from "ethers";
import { DIESEL, IDLE, POOR } from "./community.ts";
import { ADMIN_DELAY_SECONDS, DAY, DAYS, GENESIS, TOKEN } from "./market.ts";
import { GENERATORS, REVOKED } from "./production.ts";
import { safeOf } from "./safe.ts";
import type { Week } from "./week.ts";

export const CHANGES = {
  node: 3,
  nodeReplaced: 4 * DAY + 33,
  consented: DAY + 5,
  withdrawn: DAY + 80,
  house: IDLE,
  sold: (DAYS - 1) * DAY + 10,
  /** A roof that somebody else declares behind this connection. */
  foreign: GENERATORS.length,
  /** Dynamic tariffs would end at this midnight. */
  switchedOff: GENESIS + (DAYS + 2) * DAY,
  bondTaken: 5_000_000n,
  permitted: 25n * TOKEN,
};

/** What changes hands: a node's key, a house, a generator and its consent, a battery that ends, certificates by an operator, tariffs that end. */
export const changesStory = (week: Week) => {
  const { c, who, send, on, byHome, homes, market, addresses } = week;

  // Two of three name the committee, two days before.
  const { bySafe } = safeOf(week);
  const [first, second] = who.admins as [Wallet, Wallet];
  const renewed = market.wallet("node:3, its second key");
  const naming = async (name: "schedule" | "execute"): Promise<string> => {
    const nodes = who.nodes.map(({ address }) => address);
    nodes[CHANGES.node] = (await renewed).address;
    const call = c.meterOracle.interface.encodeFunctionData("setCommittee", [nodes, 1]);
    const { interface: abi } = c.accessManager;
    return name === "schedule"
      ? abi.encodeFunctionData(name, [addresses.meterOracle, call, 0])
      : abi.encodeFunctionData(name, [addresses.meterOracle, call]);
  };
  on(CHANGES.nodeReplaced - ADMIN_DELAY_SECONDS / 900 - 2, async () =>
    send(who.stranger, bySafe(await naming("schedule"), [first, second])).then(() => undefined),
  );
  on(CHANGES.nodeReplaced, async () => {
    await send(who.stranger, bySafe(await naming("execute"), [second, first]));
    who.nodes[CHANGES.node] = await renewed;
  });
  on(CHANGES.consented, async () => {
    const terms = {
      ...{
        connection: POOR,
        kind: 0,
        storageBacked: false,
        ownMeter: false,
        nameplateW: 500,
        capacityFactorPpm: 100_000,
      },
      ...{ commissionedSlot: GENESIS, operatingAboveWh: 0, maintenanceDays: 0, maintenanceHours: 0 },
      locationHash: hashText("a panel on somebody's balcony"),
    };
    await send(who.stranger, c.generators.register.populateTransaction(terms));
    await byHome(POOR, c.generators.consent.populateTransaction(CHANGES.foreign));
  });
  on(CHANGES.withdrawn, async () => {
    await byHome(POOR, c.generators.withdrawConsent.populateTransaction(CHANGES.foreign));
    await send(who.certifier, c.generators.flagStorage.populateTransaction(CHANGES.foreign));
    await byHome(8, c.generators.changeProducer.populateTransaction(REVOKED, who.stranger.address));
  });
  on(CHANGES.sold, async () => {
    const buyer = await market.wallet("home:2, its second owner");
    await byHome(CHANGES.house, c.meteringPoints.changeOwner.populateTransaction(CHANGES.house, buyer.address));
    homes[CHANGES.house] = buyer;
    await send(who.operator, c.dynamicTariffs.switchOff.populateTransaction(CHANGES.switchedOff));
    await send(who.stranger, c.sealedBatches.withdraw.populateTransaction(CHANGES.bondTaken));
    await permit(homes[DIESEL] as Wallet);
  });

  /** Money in without an approval of its own. */
  const permit = async (owner: Wallet): Promise<void> => {
    const [, name, version, chainId, verifyingContract] = await c.token.eip712Domain();
    const types = {
      Permit: ["owner:address", "spender:address", "value:uint256", "nonce:uint256", "deadline:uint256"].map(
        (field) => {
          const [of = "", type = ""] = field.split(":");
          return { name: of, type };
        },
      ),
    };
    const nonce = await c.token.nonces(owner.address);
    const content = {
      owner: owner.address,
      spender: week.addresses.ledger,
      value: CHANGES.permitted,
      nonce,
      deadline: 2n ** 40n,
    };
    const domain = { name, version, chainId, verifyingContract };
    const { v, r, s } = Signature.from(await owner.signTypedData(domain, types, content));
    await send(
      owner,
      c.ledger.depositWithPermit.populateTransaction(DIESEL, CHANGES.permitted, content.deadline, v, r, s),
    );
  };

  /** When everything is counted. */
  const finish = async (): Promise<void> => {
    await byHome(5, c.storageUnits.retire.populateTransaction(0));
    const seller = week.ownerOf(0);
    await byHome(0, c.certificates.setApprovalForAll.populateTransaction(who.stranger.address, true));
    for (let slot = GENESIS + 2 * DAY + 40; slot < GENESIS + 2 * DAY + 60; slot += 1) {
      const id = BigInt(slot);
      const wh = await c.certificates.balanceOf(seller, id);
      if (wh === 0n) continue;
      const call = c.certificates.safeTransferFrom.populateTransaction(
        seller,
        week.ownerOf(CHANGES.house),
        id,
        wh,
        "0x",
      );
      await send(who.stranger, call);
      break;
    }
  };
  return { finish };
};
