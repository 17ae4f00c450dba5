import { keccak256, toUtf8Bytes, ZeroAddress, ZeroHash, type Wallet } from "ethers";
import { ROLES } from "../../../scripts/deploy/group.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { bodyOfOrder, orderDomain, signOrder, type OrderStep } from "../../../services/protocol/order.ts";
import { CONTRACT_WALLET, DELEGATED, IDLE } from "./community.ts";
import { ADMIN_DELAY_SECONDS, DAY, GENESIS } from "./market.ts";
import { safeOf } from "./safe.ts";
import { EARLY, type Week } from "./week.ts";

/** Slots of which four homes change their minds in single orders, which are sealed until the gate. */
export const SEALED = [DAY + 66, DAY + 67, 5 * DAY + 30];
export const PROFILES = [0, CONTRACT_WALLET];
/** What people do beside trading every day: profiles, single orders, and the administration by two of three with a delay. */
export const peopleStory = (week: Week) => {
  const { c, who, send, on, byHome, addresses, homes } = week;
  const told: Record<string, unknown> = {};
  const singles: string[] = [];

  on(-DAY, async () => {
    const preferences = { greenOnly: true, hasCeiling: true, priceCeiling: 330_000, priority: 1 };
    const blob = toUtf8Bytes("encrypted for nobody");
    for (const home of PROFILES)
      await byHome(home, c.profiles.setProfile.populateTransaction(home, preferences, keccak256(blob), "", blob));
    await byHome(IDLE, c.meteringPoints.setTradeLimit.populateTransaction(IDLE, 3_000));
  });

  const single = async (home: number, slot: number, steps: OrderStep[]): Promise<void> => {
    const agent = await week.market.wallet("agent:1");
    const delegated = home === DELEGATED;
    const signer = delegated ? agent : (homes[home] as Wallet);
    const order = { point: home, slot, sequence: 2, steps };
    const signed = await signOrder(signer, orderDomain(addresses), order, delegated ? agent.address : ZeroAddress);
    const url = `${String(week.auctioneer.info["url"])}/orders`;
    singles.push((await fetchJson<{ id: string }>(url, { method: "POST", body: bodyOfOrder(signed) })).id);
  };
  for (const at of SEALED) {
    on(at - 2, async () => {
      const slot = GENESIS + at;
      const bid = { sell: false, green: false, energyWh: 220, priceMicroPerKwh: 240_000 };
      await single(DELEGATED, slot, [bid, { ...bid, energyWh: 90, priceMicroPerKwh: 120_000 }]);
      await single(IDLE, slot, [bid]);
      await single(CONTRACT_WALLET, slot, [{ ...bid, green: true, energyWh: 150 }]);
      await single(4, slot, [{ sell: true, green: true, energyWh: 180, priceMicroPerKwh: 60_000 }]);
    });
    on(at - 1, async () => undefined, EARLY);
  }

  const manager = c.accessManager;
  const { safe, bySafe } = safeOf(week);
  const abi = manager.interface;
  const schedule = (data: string): string => abi.encodeFunctionData("schedule", [addresses.accessManager, data, 0]);
  const grant = (account: string): string => abi.encodeFunctionData("grantRole", [ROLES.CERTIFIER, account, 0]);
  const [first, second, third] = who.admins as [Wallet, Wallet, Wallet];
  const certifier = week.market.wallet("second certifier");

  on(4, async () => {
    const newcomer = (await certifier).address;
    await send(who.stranger, bySafe(schedule(grant(newcomer)), [first, third]));
    await send(who.stranger, bySafe(schedule(grant(who.stranger.address)), [first, second]));
    told["tooSoon"] = await week.market.refusal(who.stranger, bySafe(grant(newcomer), [first, second]));
    // The guardian stops one of the two.
    const cancel = manager.cancel.populateTransaction(
      await safe.getAddress(),
      addresses.accessManager,
      grant(who.stranger.address),
    );
    await send(who.guardian, cancel);
  });
  on(4 + ADMIN_DELAY_SECONDS / 900 + 2, async () => {
    const newcomer = (await certifier).address;
    await send(who.stranger, bySafe(grant(newcomer), [second, third]));
    told["cancelled"] = await week.market.refusal(who.stranger, bySafe(grant(who.stranger.address), [second, third]));
    told["granted"] = (await manager.hasRole(ROLES.CERTIFIER, newcomer))[0];
    // It uses its role: home 4's roof is certified for two years instead of one.
    await send(await certifier, c.generators.certify.populateTransaction(1, GENESIS + 800 * DAY, ZeroHash));
  });

  return {
    told,
    singles: async (): Promise<string[]> => {
      const url = String(week.auctioneer.info["url"]);
      return Promise.all(singles.map(async (id) => (await fetchJson<{ state: string }>(`${url}/orders/${id}`)).state));
    },
  };
};
