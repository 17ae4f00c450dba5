import type { Child } from "../../../scripts/local/child.ts";
import { chance, metered } from "./community.ts";
import { DAY, DAYS, GENESIS } from "./market.ts";
import type { Meters } from "./metering.ts";
import type { Week } from "./week.ts";

/** When what goes wrong, in slots from the genesis slot. */
export const FAULTS = {
  /** Its first report said too little of home 0's certified generator; corrected long before it is final. */
  certified: 50,
  /** A plain mistake in one meter, and another one that is corrected twice. */
  plain: 116,
  twice: 124,
  /** No report ever comes. */
  unreported: DAY + 40,
  /** Home 2's meter is out of reach for three slots; then its register says what went through. */
  missing: [DAY + 50, DAY + 51, DAY + 52],
  /** The market service is dead over the gates of these slots: nobody clears them. */
  uncleared: [2 * DAY + 31, 2 * DAY + 32],
  /** The auctioneer is dead while a report is replaced, and resettles it when it is back. */
  whileDead: 3 * DAY + 12,
  /** The nodes serve no readings: the whole day is settled at once when they do. */
  silentDay: DAYS - 1,
};

/** Faults of meters, nodes and the auctioneer: what was reported wrong, missing or late, and kills with -9. */
export const faultsStory = (week: Week, meters: Meters) => {
  const { on, auctioneer, market } = week;
  const { certified, plain, twice, unreported, missing, uncleared, whileDead, silentDay } = FAULTS;

  meters.distort(GENESIS + certified, ({ points }, version) => {
    if (version === 1 && points[0]) points[0] = { ...points[0], exportWh: Math.floor(points[0].exportWh / 3) };
  });
  on(certified + 60, () => meters.correct(GENESIS + certified));
  meters.distort(GENESIS + plain, ({ points }, version) => {
    if (version === 1) points[1] = metered(-2_600);
  });
  on(plain + 20, () => meters.correct(GENESIS + plain));
  meters.distort(GENESIS + twice, ({ points }, version) => {
    if (version < 3) points[2] = metered(version === 1 ? -1_700 : 900);
  });
  on(twice + 12, () => meters.correct(GENESIS + twice));
  on(twice + 60, () => meters.correct(GENESIS + twice));

  meters.silence(GENESIS + unreported);
  for (const at of missing)
    meters.distort(GENESIS + at, ({ points }) => void (points[2] = { importWh: 0, exportWh: 0, quality: 3 }));
  const after = GENESIS + (missing.at(-1) as number) + 1;
  meters.distort(after, ({ points }) => {
    const net = (slot: number): number => {
      const { importWh = 0, exportWh = 0 } = meters.truth(slot).points[2] ?? {};
      return exportWh - importWh;
    };
    points[2] = metered(net(after) + missing.reduce((sum, at) => sum + net(GENESIS + at), 0));
  });

  on((uncleared[0] as number) - 1, () => auctioneer.kill({ hold: true }));
  on(uncleared.at(-1) as number, () => auctioneer.revive());

  meters.distort(GENESIS + whileDead, ({ points }, version) => {
    if (version === 1) points[3] = metered(-20);
  });
  on(whileDead + 40, async () => {
    await auctioneer.kill({ hold: true });
    await meters.correct(GENESIS + whileDead);
    await auctioneer.revive();
  });

  on(silentDay * DAY, async () => market.silence(true));
  on(DAYS * DAY, async () => market.silence(false));

  // Killed in the middle of what it does: clearing, relaying day orders, settling eight slots, and the whole last day.
  const moments = [
    ...[DAY + 17, 2 * DAY + 44, 3 * DAY + 61, 4 * DAY + 30, 5 * DAY + 74, 6 * DAY + 9].map((at, index) => {
      return [at, 4 + 60 * chance(week.seed, "kill", index)] as const;
    }),
    [DAYS * DAY, 100 + 300 * chance(week.seed, "kill", "day")] as const,
  ];
  for (const [at, milliseconds] of moments) on(at, async () => void week.kills.push(milliseconds));

  // The indexer reads once a day, and is killed while it writes.
  let indexer: Child | undefined;
  let indexerKills = 0;
  on(0, async () => void (indexer = await market.indexer()));
  week.daily(50, async (day) => {
    const ticking = indexer?.tick(week.now());
    if (day % 2 === 1) {
      await new Promise((resolve) => setTimeout(resolve, 30 + 200 * chance(week.seed, "indexer", day)));
      await indexer?.kill();
      indexerKills += 1;
    }
    await ticking;
  });
  return {
    killsPlanned: moments.length,
    indexerKills: (): number => indexerKills,
    /** Where the indexer keeps what it knows, when it has read everything. */
    indexerStore: async (): Promise<string> => {
      await indexer?.tick(week.now());
      return String(indexer?.info["storePath"]);
    },
  };
};
