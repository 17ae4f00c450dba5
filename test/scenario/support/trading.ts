import { ZeroAddress, type Wallet } from "ethers";
import {
  encodeParameters,
  packWeather,
  weatherDomain,
  weatherTypes,
} from "../../../services/protocol/dynamic-tariffs.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { bodyOfDayOrder, signDayOrder } from "../../../services/protocol/day-order.ts";
import { orderDomain } from "../../../services/protocol/order.ts";
import { packSignatures } from "../../../services/protocol/report.ts";
import { BATTERY, chance, CONTRACT_WALLET, DELEGATED, HOMES, HYDRO, POOR, PV } from "./community.ts";
import { DAY, DAYS, GENESIS } from "./market.ts";
import type { Week } from "./week.ts";

const hours = (importTariff: number, exportTariff: number) =>
  Array.from({ length: 24 }, (_, hour) => ({
    importTariff: importTariff + (hour >= 17 && hour < 21 ? 60_000 : 0),
    exportTariff,
  }));

export const PARAMETERS = {
  ...{ importMin: 150_000, importMax: 390_000, exportMin: 10_000, exportMax: 120_000, maxChange: 25_000 },
  ...{ fee: 40_000, bandMin: -50_000, bandMax: 900_000 },
  ...{
    importPerScarcity: 60_000,
    exportPerScarcity: 30_000,
    importPerCongestion: 30_000,
    exportPerCongestion: -10_000,
  },
  ...{ importPerWeather: 40_000, exportPerWeather: 5_000, fullRent: 20_000 },
  ...{ utcOffsetQuarters: 4, leadSlots: 24, stepSlots: 96, windowSlots: 8 },
  ...{ weekday: hours(240_000, 60_000), weekend: hours(220_000, 50_000) },
};
/** Slots before a day: its tariffs follow from the clearings until then; then its orders are signed. */
export const TARIFFS_BEFORE = PARAMETERS.leadSlots;
const ORDERS_BEFORE = 22;
const MOST_SLOTS_OF_ORDER = DAY;
/** What an order of less is not worth. */
const LEAST_WH = 50;
const SURE = 390_000;
/** First day of the home that could not pay before. */
export const POOR_FROM = 4;

/** Days whose orders are sealed in single orders, and those of the poor home, come from other stories. */
export const dayOrderSteps = (week: Week, home: number, day: number, islanded: (slot: number) => boolean) => {
  const energyWh: number[] = [];
  const priceMicroPerKwh: number[] = [];
  for (let at = 0; at < MOST_SLOTS_OF_ORDER; at += 1) {
    const slot = GENESIS + day * DAY + at;
    const wh = week.community.forecastWh(home, slot, islanded(slot));
    const luck = chance(week.seed, "price", home, slot);
    energyWh.push(Math.abs(wh) < LEAST_WH ? 0 : wh);
    // In the evening they want to be sure: what nobody else offers the grid sells.
    const bidPrice = at >= 66 && at < 82 ? SURE : Math.round(170_000 + 150_000 * luck);
    priceMicroPerKwh.push(wh < 0 ? bidPrice : Math.round(50_000 + 90_000 * luck));
    if (home !== BATTERY) continue;
    // Between the offers and the bids of the day it would also take a little cheap energy, or give some dear one away.
    energyWh.push(wh < 0 ? 100 : -100);
    priceMicroPerKwh.push(wh < 0 ? 390_000 : 20_000);
  }
  return { energyWh, priceMicroPerKwh, stepsPerSlot: home === BATTERY ? 2 : 1 };
};

/**
 * Tariffs out of clearings and weather, day after day, and day orders over HTTP: nine homes sign one each evening for the whole next day, one
 * of them by its delegate and one by a contract wallet, which takes green energy alone.
 */
export const tradingStory = (week: Week, { islanded }: { islanded(slot: number): boolean }) => {
  const { c, who, market, addresses } = week;
  const posted: string[] = [];
  const published: number[] = [];
  const firstDay = GENESIS / DAY;

  week.on(-DAY, async () => {
    const agent = await market.wallet("agent:1");
    await week.byHome(DELEGATED, c.meteringPoints.setDelegate.populateTransaction(DELEGATED, agent.address, 2 ** 39));
  });
  const announce = async (): Promise<void> => {
    await week.send(who.operator, c.dynamicTariffs.announce.populateTransaction(GENESIS, encodeParameters(PARAMETERS)));
  };

  const publish = async (day: number): Promise<void> => {
    await week.reports.readRecords();
    const percents = Array.from(
      { length: 24 },
      (_, hour) => Math.round(160 * chance(week.seed, "weather", day, hour)) - 80,
    );
    const weather = { day: firstDay + day, version: 1, percentByHour: packWeather(percents) };
    const signers = [0, 1, 2].map((index) => (index + day) % 4).sort();
    const signatures = await Promise.all(
      signers.map((index) =>
        (who.nodes[index] as Wallet).signTypedData(weatherDomain(addresses), weatherTypes, weather),
      ),
    );
    const packed = packSignatures(signers, signatures);
    await week.send(
      who.stranger,
      c.dynamicTariffs.index.populateTransaction(weather.day, weather.version, weather.percentByHour, packed),
    );
    const { windowFrom, windowSlots } = await c.dynamicTariffs.nextStep();
    const records = Array.from({ length: Number(windowSlots) }, (_, index) => Number(windowFrom) + index).flatMap(
      (slot) => {
        const record = week.reports.records.get(slot);
        return record ? [record] : [];
      },
    );
    published.push(records.length);
    await week.send(who.stranger, c.dynamicTariffs.publishNext.populateTransaction(records));
  };

  const postDayOrders = async (day: number): Promise<void> => {
    const agent = await market.wallet("agent:1");
    for (let home = 0; home < HOMES; home += 1) {
      if (home === POOR && day < POOR_FROM) continue;
      const steps = dayOrderSteps(week, home, day, islanded);
      const green = home === CONTRACT_WALLET || home === HYDRO || (PV as readonly number[]).includes(home);
      const order = { point: home, firstSlot: GENESIS + day * DAY, sequence: 1, green, ...steps };
      const delegated = home === DELEGATED;
      const signer = delegated ? agent : (week.homes[home] as Wallet);
      const signed = await signDayOrder(signer, orderDomain(addresses), order, delegated ? agent.address : ZeroAddress);
      const url = `${String(week.auctioneer.info["url"])}/day-orders`;
      posted.push((await fetchJson<{ id: string }>(url, { method: "POST", body: bodyOfDayOrder(signed) })).id);
    }
  };

  for (let day = 0; day < DAYS; day += 1) {
    week.on(day * DAY - TARIFFS_BEFORE, () => publish(day));
    week.on(day * DAY - ORDERS_BEFORE, () => postDayOrders(day));
  }

  return {
    announce,
    posted,
    /** Clearings that each day's tariffs follow from. */
    published,
    states: async (): Promise<string[]> => {
      const url = String(week.auctioneer.info["url"]);
      const all = await Promise.all(posted.map((id) => fetchJson<{ state: string }>(`${url}/day-orders/${id}`)));
      return all.map(({ state }) => state);
    },
  };
};
