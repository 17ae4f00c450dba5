import { changesStory } from "./changes.ts";
import { faultsStory } from "./faults.ts";
import { housekeeping, JANUARY, FEBRUARY } from "./housekeeping.ts";
import { isIslanded, islandStory } from "./island.ts";
import { DAY, DAYS, GENESIS } from "./market.ts";
import { createMeters } from "./metering.ts";
import { moneyStory } from "./money.ts";
import { peopleStory } from "./people.ts";
import { productionStory } from "./production.ts";
import { isCut, responseStory } from "./response.ts";
import { storeFromEvents } from "./rebuilt.ts";
import { tradingStory } from "./trading.ts";
import { vaultStory } from "./vault.ts";
import { createWeek } from "./week.ts";

/** Midnight after which January takes no more peaks. */
const PEAKS_OVER = (Date.UTC(2026, 1, 11) + 900_000) / 900_000;

/** Plays the whole week with all its stories, and what can only be done when its last slots are final. */
export const playWeek = async (seed: string) => {
  const week = await createWeek(seed);
  const meters = createMeters(week, { islanded: isIslanded, cut: isCut });
  const trading = tradingStory(week, { islanded: isIslanded });
  const faults = faultsStory(week, meters);
  const production = productionStory(week);
  const keeping = housekeeping(week, production.day);
  const island = islandStory(week);
  const money = moneyStory(week);
  const response = responseStory(week, meters);
  const people = peopleStory(week);
  const changes = changesStory(week);
  const vault = vaultStory(week);
  try {
    await trading.announce();
    await week.play();
    const end = GENESIS + DAYS * DAY;
    // Nobody goes on after the week: its last slots become final while the slots behind it are estimated.
    for (const slot of [end + 1, end + 105, end + 106, end + 110, end + 111]) {
      await week.goTo(slot * 900 + 10);
      await week.tick();
    }
    await keeping.run();
    await response.finish();
    await production.premiums([JANUARY, FEBRUARY]);
    await vault.finish();
    await changes.finish();
    await week.send(week.who.stranger, week.c.emergency.raiseForSilence.populateTransaction());
    await week.goTo(PEAKS_OVER * 900);
    await keeping.chargePeaks();
    const store = await storeFromEvents(week);
    return { week, meters, trading, faults, production, keeping, island, money, response, people, vault, store };
  } catch (error) {
    await week.close();
    throw error;
  }
};

export type Played = Awaited<ReturnType<typeof playWeek>>;
