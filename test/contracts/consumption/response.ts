import { SLOTS_PER_DAY } from "../../../services/protocol/archive.ts";
import { gateOf } from "../../../services/protocol/clearing.ts";
import { paymentsOf, type PointResponse, type ResponseOffer } from "../../../services/core/demand/baseline.ts";
import type { PackedReading } from "../../../services/protocol/words.ts";
import { reading, TERMS, TOKEN } from "../support/world.ts";
import { createStand, METHOD } from "./stand.ts";

export const SLOTS = 4;
const INDEX = 12;
/** Import per slot of homes 0 to 4 on Friday, at the weekend, and on Monday. */
const FRIDAY = [1_000, 500, 400, 700, 300];
const WEEKEND = [2_000, 2_000, 2_000, 2_000, 2_000];
const MONDAY = [800, 600, 400, 700, 300];
export const using = (wh: number[]): PackedReading[] => wh.map((each) => reading(each, 0));

export interface Terms {
  zones: bigint;
  firstSlot: number;
  slots: number;
  increase: boolean;
  targetWh: number;
  price: number;
  penaltyPpm: number;
  enrolUntil: number;
}

export interface Story {
  terms?: Partial<Terms>;
  /** Home and capacity. */
  enrolled?: [number, number][];
  /** What each home buys per slot. */
  boughtWh?: number[];
  /** What each home uses per slot of the window. */
  usedWh?: number[];
  /** The window's readings where they are not plain. */
  metersAt?: (index: number) => PackedReading[];
  /** Reported slots of the event's day. */
  reported?: number;
}

/** A weekend and the workdays around it, and an event on the Tuesday after. */
export const createResponse = async () => {
  const s = await createStand();
  const { c, asOperator, firstDay, ethers } = s;
  const [friday, monday, tuesday] = [firstDay, firstDay + 3, firstDay + 4];
  const window = tuesday * SLOTS_PER_DAY + INDEX;
  const { demandResponse: dr } = c;
  const sponsor = asOperator.demandResponse;

  const termsOf = (more: Partial<Terms> = {}): Terms => ({
    ...{ zones: 1n, firstSlot: window, slots: SLOTS, increase: false, targetWh: 4_000 },
    ...{ price: 500_000, penaltyPpm: 200_000, enrolUntil: gateOf(more.firstSlot ?? window) },
    ...more,
  });

  await s.runDay(friday, () => using(FRIDAY));
  await s.runDay(friday + 1, () => using(WEEKEND));
  await s.archiveDay(friday);
  await s.runDay(friday + 2, () => using(WEEKEND));
  await s.archiveDay(friday + 1);
  // Monday evening in zone 1: that Monday is no baseline there.
  await sponsor.announce(termsOf({ zones: 2n, firstSlot: monday * SLOTS_PER_DAY + 90, slots: 2 }));
  await s.runDay(monday, () => using(MONDAY));
  await s.archiveDay(friday + 2);

  /** Announces and enrols; the number of the event. */
  const begin = async ({ terms = {}, enrolled = [] }: Story): Promise<number> => {
    const id = Number(await dr.eventCount());
    await sponsor.announce(termsOf(terms));
    for (const [home, capacityWh] of enrolled) await s.of(home).demandResponse.enrol(id, home, capacityWh);
    return id;
  };

  /** Clears the window, keeps positions, and reports and archives it. */
  const pass = async (id: number, story: Story): Promise<void> => {
    const {
      enrolled = [],
      boughtWh = [],
      usedWh = [],
      metersAt = () => using(usedWh),
      reported = INDEX + SLOTS,
    } = story;
    const { firstSlot } = await dr.eventOf(id);
    const records = await s.buy(Number(firstSlot), SLOTS, boughtWh);
    await s.goTo(s.startOf(Number(firstSlot) + SLOTS - 1));
    await dr.keepPositions(
      id,
      records,
      enrolled.map(([home]) => home),
    );
    await over(metersAt, reported);
  };

  /** The event's day is over: it is reported and archived, and the Monday before it. */
  const over = async (metersAt: (index: number) => PackedReading[], reported = INDEX + SLOTS): Promise<void> => {
    await s.runDay(tuesday, (index) => (index < INDEX ? using(MONDAY) : metersAt(index - INDEX)), reported);
    await s.archiveDay(monday);
    await s.archiveDay(tuesday);
  };

  const daysOf = async (id: number): Promise<number[]> => {
    const { historyDays } = await dr.eventOf(id);
    const days = Array.from({ length: Number(historyDays) + 1 }, (_, index) => dr.dayOf(id, index));
    return (await Promise.all(days)).map(Number);
  };

  const rangesOf = async (id: number, home: number) =>
    (await daysOf(id)).map((firstSlot) => s.prove(home, firstSlot, SLOTS));

  const countZones = async (id: number): Promise<bigint[]> => {
    const gas: bigint[] = [];
    for (const firstSlot of await daysOf(id)) {
      const { slots, nodes } = s.reports(firstSlot, SLOTS);
      gas.push((await (await dr.countZones(id, slots, nodes)).wait())?.gasUsed ?? 0n);
    }
    return gas;
  };

  const proveAll = async (id: number, enrolled: [number, number][]): Promise<bigint[]> => {
    const gas: bigint[] = [];
    for (const [home] of enrolled) {
      gas.push((await (await dr.prove(id, home, await rangesOf(id, home))).wait())?.gasUsed ?? 0n);
    }
    return gas;
  };

  /** The whole of it; what changed in the ledger's accounts and in the pool. */
  const tell = async (story: Story) => {
    const { enrolled = [] } = story;
    const poolBefore = await c.token.balanceOf(s.addresses.demandResponse);
    const id = await begin(story);
    await pass(id, story);
    await countZones(id);
    await proveAll(id, enrolled);
    await dr.close(id);
    const before = await s.balances();
    const members = (await s.fixed()).members;
    const closed = await dr.eventOf(id);
    await dr.settle(
      id,
      enrolled.map(([home]) => home),
    );
    const after = await s.balances();
    const events = await dr.queryFilter(dr.filters.Paid(id));
    return {
      id,
      closed,
      paid: events.map(({ args: { point, payment, penalty, returned } }) => ({
        ...{ point: Number(point), payment, penalty, returned },
      })),
      gainedNano: after.map((nano, home) => nano - (before[home] as bigint)),
      membersNano: (await s.fixed()).members - members,
      poolBefore,
    };
  };

  /** The same by the TypeScript twin. */
  const expected = ({ terms = {}, enrolled = [], boughtWh = [], usedWh = [] }: Story) => {
    const { increase, price, penaltyPpm, targetWh } = termsOf(terms);
    const offer: ResponseOffer = { increase, price, penaltyPpm, targetWh, method: METHOD };
    const points = enrolled.map(([point, capacityWh]): PointResponse => ({
      ...{ point, zone: 0, capacityWh, ratingWh: 5_000 * SLOTS, surplusPrice: TERMS.exportTariff },
      boughtWh: SLOTS * (boughtWh[point] ?? 0),
      proof: {
        meteredWh: SLOTS * (usedWh[point] ?? 0),
        historyWh: [MONDAY, FRIDAY].map((day) => SLOTS * (day[point] as number)),
      },
    }));
    const zone = (day: number[]): number => SLOTS * day.slice(0, 3).reduce((a, b) => a + b, 0);
    return paymentsOf(points, new Map([[0, { windowWh: zone(usedWh), historyWh: [MONDAY, FRIDAY].map(zone) }]]), offer);
  };

  return {
    ...s,
    ...{ dr, sponsor, friday, monday, tuesday, window, ethers, TOKEN },
    ...{ termsOf, begin, pass, over, daysOf, rangesOf, countZones, proveAll, tell, expected },
  };
};

export type ResponseStand = Awaited<ReturnType<typeof createResponse>>;
