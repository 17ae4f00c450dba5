import { decodeExtras } from "../extras.ts";
import { backedZones, tradedWh } from "../slot-money.ts";
import type { PackedReading } from "../words.ts";
import type { MarketFacts } from "./facts.ts";

/** What demand response counts of readings and positions, in the slots from `firstSlot` on. Energy Wh. */
export interface Window {
  firstSlot: number;
  slots: number;
}

const LARGEST_QUALITY = 1;

const isMetered = (reading: PackedReading | undefined): reading is PackedReading =>
  reading !== undefined && reading.quality <= LARGEST_QUALITY;

const slotsOf = ({ firstSlot, slots }: Window): number[] => Array.from({ length: slots }, (_, i) => firstSlot + i);

/** Imports of a point, slot by slot; undefined where it was not measured. */
export const importsOf = (facts: MarketFacts, point: number, window: Window): (number | undefined)[] =>
  slotsOf(window).map((slot) => {
    const reading = facts.archivedAt(slot)?.readings?.[point];
    return isMetered(reading) ? reading.importWh : undefined;
  });

/** The sum, undefined where a slot was not measured. */
export const sumOf = (imports: readonly (number | undefined)[]): number | undefined =>
  imports.reduce((sum, wh) => (sum === undefined || wh === undefined ? undefined : sum + wh), 0);

/** What a point bought in the window, net of what it sold in each slot, and the most that settlement pays for a Wh of it left unused. */
export const boughtOf = (
  facts: MarketFacts,
  { point, zone, increase }: { point: number; zone: number; increase: boolean },
  window: Window,
): { boughtWh: number; surplusPrice: number } => {
  let [boughtWh, surplusPrice] = [0, 0];
  for (const slot of slotsOf(window)) {
    const exportTariff = facts.termsAt(slot)?.exportTariff ?? 0;
    if (!increase && backedZones(facts.gridAt(slot))[zone]) surplusPrice = Math.max(surplusPrice, exportTariff);
    const clearing = facts.clearingAt(slot);
    const traded = tradedWh(decodeExtras(clearing?.extras ?? "0x").trades, point);
    boughtWh += Math.max(0, -(clearing?.positions[point] ?? 0) - Number(traded));
  }
  return { boughtWh, surplusPrice };
};

/** Points that were read in the window, but not measured in all of its slots. */
export const gapsIn = (facts: MarketFacts, window: Window): Set<number> =>
  new Set(
    slotsOf(window).flatMap((slot) =>
      (facts.archivedAt(slot)?.readings ?? []).flatMap((reading, point) => (isMetered(reading) ? [] : [point])),
    ),
  );

/** Whether a slot has no report, so that nobody knows what was used. */
export const isBlind = (facts: MarketFacts, window: Window): boolean =>
  slotsOf(window).some((slot) => facts.archivedAt(slot)?.readings === undefined);

/** Measured imports of these zones' points but those in `gaps`. */
export const zoneImportsOf = (
  facts: MarketFacts,
  zones: readonly number[],
  window: Window,
  gaps: ReadonlySet<number>,
): number[] => {
  const sums = new Map<number, number>();
  for (const slot of slotsOf(window)) {
    for (const [point, reading] of (facts.archivedAt(slot)?.readings ?? []).entries()) {
      const zone = facts.points[point]?.zone;
      if (zone === undefined || gaps.has(point) || !isMetered(reading)) continue;
      sums.set(zone, (sums.get(zone) ?? 0) + reading.importWh);
    }
  }
  return zones.map((zone) => sums.get(zone) ?? 0);
};
