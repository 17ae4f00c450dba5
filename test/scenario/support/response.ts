import { paymentsOf, type PointResponse } from "../../../services/core/demand/baseline.ts";
import { decodePositions } from "../../../services/protocol/words.ts";
import { DELEGATED, IDLE, metered, ZONE_OF } from "./community.ts";
import { BASELINE, DAY, GENESIS } from "./market.ts";
import type { Meters } from "./metering.ts";
import type { Week } from "./week.ts";

const EVENT_DAY = 5;
const WINDOW = { at: 70, slots: 8 };
const FIRST = GENESIS + EVENT_DAY * DAY + WINDOW.at;
export const RESPONSE = {
  ...{ firstSlot: FIRST, slots: WINDOW.slots, price: 600_000, penaltyPpm: 200_000, targetWh: 6_000 },
  enrolled: [
    { home: 0, capacityWh: 2_000 },
    { home: DELEGATED, capacityWh: 2_000 },
    { home: IDLE, capacityWh: 800 },
  ],
  /** Thursday, Friday and Monday: workdays before the day of the announcement. */
  history: [4, 1, 0].map((day) => GENESIS + day * DAY + WINDOW.at),
  /** A reading of Monday's same slots that was reported too low first: its correction moves the baseline. */
  corrected: GENESIS + 4 * DAY + WINDOW.at + 3,
};
export const isCut = (slot: number): boolean => slot >= FIRST && slot < FIRST + WINDOW.slots;

/** A sponsor pays three homes of zone 0 for using less on Tuesday evening; one of them does nothing. */
export const responseStory = (week: Week, meters: Meters) => {
  const { c, who, send, on, byHome, reports, homes } = week;
  const { demandResponse: dr } = c;
  const told: Record<string, unknown> = {};

  meters.distort(RESPONSE.corrected, ({ points }, version) => {
    if (version === 1) points[DELEGATED] = metered(-30);
  });
  on(RESPONSE.corrected - GENESIS + 40, () => meters.correct(RESPONSE.corrected));

  on(EVENT_DAY * DAY + 10, async () => {
    for (const one of [who.sponsor, ...RESPONSE.enrolled.map(({ home }) => homes[home] as never)])
      await send(one, c.token.approve.populateTransaction(week.addresses.demandResponse, 2n ** 255n));
    const { firstSlot, slots, targetWh, price, penaltyPpm } = RESPONSE;
    const terms = {
      zones: 1n,
      firstSlot,
      slots,
      increase: false,
      targetWh,
      price,
      penaltyPpm,
      enrolUntil: firstSlot * 900 - 600,
    };
    await send(who.sponsor, dr.announce.populateTransaction(terms));
  });
  on(EVENT_DAY * DAY + 14, async () => {
    for (const { home, capacityWh } of RESPONSE.enrolled)
      await byHome(home, dr.enrol.populateTransaction(0, home, capacityWh));
  });
  on(EVENT_DAY * DAY + WINDOW.at + WINDOW.slots, async () => {
    await reports.readRecords();
    const records = Array.from({ length: WINDOW.slots }, (_, index) => reports.records.get(FIRST + index) as never);
    const points = RESPONSE.enrolled.map(({ home }) => home);
    await send(who.stranger, dr.keepPositions.populateTransaction(0, records, points));
  });

  /** When the window's day is archived: everything is proved, closed and paid. */
  const finish = async (): Promise<void> => {
    const days = [FIRST, ...RESPONSE.history];
    const known = Array.from({ length: days.length }, (_, index) => dr.dayOf(0, index));
    told["days"] = (await Promise.all(known)).map(Number);
    for (const first of days) {
      const { range, slots } = await reports.whole(first, WINDOW.slots);
      await send(who.stranger, dr.countZones.populateTransaction(0, slots, range.nodes.slice(WINDOW.slots)));
    }
    for (const { home } of RESPONSE.enrolled) {
      const ranges = [];
      for (const first of days) ranges.push(await reports.prove(home, first, WINDOW.slots));
      await send(who.stranger, dr.prove.populateTransaction(0, home, ranges));
    }
    await send(who.stranger, dr.close.populateTransaction(0));
    await send(
      who.stranger,
      dr.settle.populateTransaction(
        0,
        RESPONSE.enrolled.map(({ home }) => home),
      ),
    );
    told["owed"] = await dr.owedOf(who.sponsor.address);
    await send(who.sponsor, dr.withdraw.populateTransaction(who.sponsor.address));
  };

  /** The same by core/demand/baseline.ts, from the last reports and the clearings. */
  const expected = async () => {
    const importOf = async (home: number, first: number): Promise<number> => {
      const slots = await reports.slotsOf(first, WINDOW.slots);
      return slots.reduce((sum, { readings = "0x" }) => {
        const word = BigInt(`0x${readings.slice(2 + 16 * home, 18 + 16 * home)}`);
        return sum + Number((word >> 31n) & 0x7fffffffn);
      }, 0);
    };
    const zoneOf = async (first: number): Promise<number> => {
      let sum = 0;
      for (const [home, zone] of ZONE_OF.entries()) if (zone === 0) sum += await importOf(home, first);
      return sum;
    };
    const bought = (home: number): number =>
      Array.from({ length: WINDOW.slots }, (_, index) => {
        const record = reports.records.get(FIRST + index);
        const sold = decodePositions(record?.positions ?? "0x")[home] ?? 0;
        return Math.max(0, -sold);
      }).reduce((a, b) => a + b, 0);
    const points: PointResponse[] = [];
    for (const { home, capacityWh } of RESPONSE.enrolled) {
      const historyWh = [];
      for (const first of RESPONSE.history) historyWh.push(await importOf(home, first));
      const { surplusPrice } = await dr.enrolmentOf(0, home);
      points.push({
        ...{ point: home, zone: ZONE_OF[home] as number, capacityWh, boughtWh: bought(home) },
        ...{ surplusPrice: Number(surplusPrice), ratingWh: 4_000 * WINDOW.slots },
        proof: { meteredWh: await importOf(home, FIRST), historyWh },
      });
    }
    const historyWh = [];
    for (const first of RESPONSE.history) historyWh.push(await zoneOf(first));
    const zones = new Map([[0, { windowWh: await zoneOf(FIRST), historyWh }]]);
    const { price, penaltyPpm, targetWh } = RESPONSE;
    return paymentsOf(points, zones, { increase: false, price, penaltyPpm, targetWh, method: BASELINE });
  };
  return { told, finish, expected };
};
