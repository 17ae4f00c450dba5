import type { Wallet } from "ethers";
import { fetchJson } from "../../../services/platform/http.ts";
import { bodyOfDayOrder, signDayOrder } from "../../../services/protocol/day-order.ts";
import { bodyOfOrder, orderDomain, signOrder, type OrderStep } from "../../../services/protocol/order.ts";
import { DIESEL, HYDRO } from "./community.ts";
import { DAY, GENESIS, ZONES } from "./market.ts";
import { dayOrderSteps, PARAMETERS } from "./trading.ts";
import { EARLY, type Week } from "./week.ts";

/** IEmergency.GridState and MarketState. */
const GRID = { normal: 0, alert: 1, emergency: 2, blackout: 3, restoration: 4 } as const;
const STATE = { open: 0, noNewOrders: 1, noClearing: 2 } as const;

const CUT = 2 * DAY + 60;
/** Slots from the genesis slot. */
export const ISLAND = {
  cut: CUT,
  /** The first slot with an open gate, 330 s into the slot before it. */
  from: CUT + 2,
  /** Beyond every open book. */
  reconnected: CUT + 121,
  /** Bids of two classes at the band's edge, and less energy than they want. */
  rationed: 3 * DAY + 72,
  /** A price out of the market's limits: no new orders until the operator lowers the state. */
  halted: 3 * DAY + 72,
  opened: 3 * DAY + 78,
  /** The guardian stops orders, then clearing too. */
  guarded: 4 * DAY + 16,
  paused: 4 * DAY + 18,
  /** An hour after it was announced. */
  lowered: 4 * DAY + 22,
};
export const ISLAND_ZONE = 2;
const ISLAND_HOMES = [7, HYDRO, DIESEL];
/** Not cleared while the guardian forbade it. */
export const PAUSED_SLOTS = Array.from({ length: ISLAND.lowered - ISLAND.paused }, (_, i) => ISLAND.paused + 1 + i);
export const isIslanded = (slot: number): boolean =>
  slot >= GENESIS + ISLAND.from && slot < GENESIS + ISLAND.reconnected;

/** A zone is cut off for thirty hours and comes back; both ladders go up and down. */
export const islandStory = (week: Week) => {
  const { c, who, send, on, addresses } = week;
  const told: Record<string, unknown> = {};
  const url = (path: string): string => `${String(week.auctioneer.info["url"])}${path}`;
  const grid = (at: number, state: keyof typeof GRID): void =>
    on(at, () =>
      send(who.operator, c.emergency.setGridState.populateTransaction(1n << BigInt(ISLAND_ZONE), GRID[state])).then(
        () => undefined,
      ),
    );
  grid(CUT - 2, "alert");
  grid(CUT, "emergency");
  grid(CUT + 30, "blackout");
  grid(CUT + 34, "emergency");
  grid(ISLAND.reconnected - 4, "restoration");
  grid(ISLAND.reconnected + 4, "normal");

  on(-DAY, () => send(who.operator, c.meteringPoints.setPriority.populateTransaction(7, 2)).then(() => undefined));
  on(CUT, async () => {
    await send(who.operator, c.grid.island.populateTransaction(ISLAND_ZONE));
    await send(who.operator, c.grid.setGrid.populateTransaction(GENESIS + ISLAND.reconnected, ZONES));
  });
  const posted: string[] = [];
  const post = async (
    point: number,
    firstSlot: number,
    energyWh: number[],
    priceMicroPerKwh: number[],
  ): Promise<void> => {
    const order = { point, firstSlot, sequence: 2, green: false, stepsPerSlot: 1, energyWh, priceMicroPerKwh };
    const signed = await signDayOrder(week.homes[point] as Wallet, orderDomain(addresses), order);
    const body = bodyOfDayOrder(signed);
    posted.push((await fetchJson<{ id: string }>(url("/day-orders"), { method: "POST", body })).id);
  };
  // What stood in the open books is void: the island's homes sign anew for the rest of the day.
  on(CUT, async () => {
    for (const home of ISLAND_HOMES) {
      const { energyWh, priceMicroPerKwh } = dayOrderSteps(week, home, 2, isIslanded);
      const skip = ISLAND.from - 2 * DAY;
      await post(home, GENESIS + ISLAND.from, energyWh.slice(skip), priceMicroPerKwh.slice(skip));
    }
  });
  const rationed = GENESIS + ISLAND.rationed;
  /** Sealed, these would be void: the service sends them openly. */
  const singles: string[] = [];
  const single = async (point: number, steps: OrderStep[]): Promise<void> => {
    const order = { point, slot: rationed, sequence: 2, steps };
    const body = bodyOfOrder(await signOrder(week.homes[point] as Wallet, orderDomain(addresses), order));
    singles.push((await fetchJson<{ id: string }>(url("/orders"), { method: "POST", body })).id);
  };
  on(ISLAND.rationed - 1, async () => undefined, EARLY);
  on(ISLAND.rationed - 3, async () => {
    const step = { green: false, priceMicroPerKwh: PARAMETERS.bandMax };
    await single(7, [{ ...step, sell: false, energyWh: 400 }]);
    await single(HYDRO, [{ ...step, sell: false, energyWh: 400 }]);
    await single(DIESEL, [{ sell: true, green: false, energyWh: 300, priceMicroPerKwh: 200_000 }]);
  });
  on(ISLAND.halted, async () => {
    await week.reports.readRecords();
    const record = week.reports.records.get(rationed);
    if (!record) throw new Error("the rationed slot was not cleared");
    told["raisedForPrice"] = record.prices;
    await send(who.stranger, c.emergency.raiseForPrice.populateTransaction(record));
    await send(who.operator, c.emergency.announceLowering.populateTransaction(STATE.open));
  });
  on(ISLAND.opened, () => send(who.operator, c.emergency.lower.populateTransaction()).then(() => undefined));

  on(ISLAND.guarded, () =>
    send(who.guardian, c.emergency.raise.populateTransaction(STATE.noNewOrders)).then(() => undefined),
  );
  on(ISLAND.paused, async () => {
    await send(who.guardian, c.emergency.raise.populateTransaction(STATE.noClearing));
    await send(who.operator, c.emergency.announceLowering.populateTransaction(STATE.open));
    told["tooSoon"] = await week.market.refusal(who.operator, c.emergency.lower.populateTransaction());
  });
  on(ISLAND.lowered, () => send(who.operator, c.emergency.lower.populateTransaction()).then(() => undefined));

  return {
    told,
    states: async (): Promise<string[]> =>
      Promise.all(
        [...posted.map((id) => `/day-orders/${id}`), ...singles.map((id) => `/orders/${id}`)].map(
          async (path) => (await fetchJson<{ state: string }>(url(path))).state,
        ),
      ),
  };
};
