import { POINTS } from "./community.ts";
import { DAY, DAYS, GENESIS } from "./market.ts";
import type { Week } from "./week.ts";

/** Slots whose readings go into one transaction. */
const MOST_AT_ONCE = 48;
/** January 2026 and February, as 12 x year + month - 1. */
export const JANUARY = 12 * 2026;
export const FEBRUARY = JANUARY + 1;
/** First slot of February, from the genesis slot. */
export const MONTH_END = 3 * DAY;
export const gramsPerKwh = (day: number): bigint =>
  Array.from({ length: 16 }, (_, index) => BigInt(120 + 30 * ((index + day) % 9)) << BigInt(16 * index)).reduce(
    (a, b) => a | b,
  );

/**
 * What anybody does when slots are final: archives them, buys their losses, counts them for refunds, offers peaks, counts usage of every home. Twice a
 * day, as far as slots are final; whole days go on to `dayStory`.
 */
export const housekeeping = (week: Week, dayStory: (day: number) => Promise<void>) => {
  const { c, who, send, reports } = week;
  let archived = GENESIS;
  let daysDone = 0;
  const peaks: { month: number; slot: number }[] = [];

  const archiveNext = async (last: number): Promise<void> => {
    const first = archived;
    await reports.archive(last);
    archived = last + 1;
    const { range, slots } = await reports.whole(first, last + 1 - first);
    await send(who.stranger, c.losses.buy.populateTransaction(range, slots));
    await send(who.stranger, c.refunds.count.populateTransaction(range, slots));
  };

  /** The slots of a whole day that are higher than the month's third peak so far. */
  const offerPeaks = async (day: number): Promise<void> => {
    const first = GENESIS + day * DAY;
    const month = first < GENESIS + MONTH_END ? JANUARY : FEBRUARY;
    const slots = await reports.slotsOf(first, DAY);
    const imports = slots.map(({ slot, readings = "0x" }) => {
      const words = readings.slice(2).match(/.{16}/g) ?? [];
      const net = words.map((word) => BigInt(`0x${word}`)).filter((word) => word >> 62n !== 3n);
      const wh = net.reduce((sum, word) => sum + ((word >> 31n) & 0x7fffffffn) - (word & 0x7fffffffn), 0n);
      return { slot, wh };
    });
    for (const { slot, wh } of imports.sort((a, b) => Number(b.wh - a.wh) || a.slot - b.slot).slice(0, 3)) {
      const third = (await c.peakCharge.peaksOf(month))[1][2] as bigint;
      if (wh <= third) break;
      const whole = await reports.whole(slot, 1);
      await send(who.stranger, c.peakCharge.offer.populateTransaction(whole.range, whole.slots));
      peaks.push({ month, slot });
    }
  };

  const countUsage = async (day: number): Promise<void> => {
    const first = GENESIS + day * DAY;
    for (let home = 0; home < POINTS; home += 1) {
      await send(who.stranger, c.usage.count.populateTransaction([await reports.prove(home, first, DAY)]));
    }
  };

  const run = async (): Promise<void> => {
    const final = Math.min(Number(await c.settlement.finalThrough()), GENESIS + DAYS * DAY - 1);
    while (archived <= final) {
      const dayEnd = archived - (archived % DAY) + DAY - 1;
      await archiveNext(Math.min(final, dayEnd, archived + MOST_AT_ONCE - 1));
      if (archived % DAY !== 0) continue;
      const day = daysDone;
      daysDone += 1;
      await offerPeaks(day);
      await countUsage(day);
      await dayStory(day);
    }
  };
  week.daily(20, run);
  week.daily(66, run);
  week.daily(1, (day) =>
    send(who.publisher, c.usage.publishIntensity.populateTransaction(GENESIS / DAY + day, gramsPerKwh(day))).then(
      () => undefined,
    ),
  );

  /** Refunds of January, once all of it is counted. */
  const refund = async (): Promise<void> => {
    await send(who.stranger, c.refunds.refund.populateTransaction(4));
    await send(who.stranger, c.refunds.refund.populateTransaction(POINTS));
  };
  week.on(4 * DAY + 40, refund);

  return {
    run,
    peaks,
    /** When January takes no more peaks, its three are charged. */
    chargePeaks: async (): Promise<void> => {
      const [slots] = await c.peakCharge.peaksOf(JANUARY);
      for (const slot of slots.map(Number)) {
        const { range, slots: whole } = await reports.whole(slot, 1);
        for (const count of [6, POINTS])
          await send(who.stranger, c.peakCharge.charge.populateTransaction(JANUARY, range, whole, count));
      }
    },
    daysDone: (): number => daysDone,
  };
};
