import { getBytes } from "ethers";
import { clearBook } from "../core/market/clear.ts";
import type { ZoneTerms } from "../core/market/types.ts";
import { decodeBook } from "../core/market/words.ts";
import type { GridZone, SlotTerms } from "../protocol/events.ts";
import type { PostedZone } from "./calls.ts";

/** Beyond any energy of a slot: an unlimited line stays an exact integer. */
const MOST_WH = 2n ** 48n;
const limited = (wh: bigint): number => Number(wh < MOST_WH ? wh : MOST_WH);

/** Zones as the auction sees them: the network with the slot's tariffs where a backup supplier is connected. */
export const zoneTermsOf = (grid: readonly GridZone[], terms: SlotTerms): ZoneTerms[] =>
  grid.map((zone) => {
    const hasBackup = zone.backupCapacityWh > 0n;
    return {
      parent: zone.parent,
      toParentWh: limited(zone.toParentWh),
      fromParentWh: limited(zone.fromParentWh),
      fee: terms.fee,
      hasBackup,
      backupSell: hasBackup ? terms.importTariff : 0,
      backupBuy: hasBackup ? terms.exportTariff : 0,
      backupCapacityWh: limited(zone.backupCapacityWh),
    };
  });

/** Postings of one slot. @param words the whole book, 0x and 16 bytes per word */
export const solveSlot = ({
  words,
  grid,
  terms,
}: {
  words: string;
  grid: readonly GridZone[];
  terms: SlotTerms;
}): PostedZone[] =>
  clearBook(decodeBook(getBytes(words)), zoneTermsOf(grid, terms), {
    min: terms.bandMin,
    max: terms.bandMax,
    reference: terms.reference,
  }).postings;
