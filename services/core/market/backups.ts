import { MarketError } from "./types.ts";
import type { ZoneTerms } from "./types.ts";

export interface MarketBackup {
  readonly zone: string;
  readonly sellMicroPerKwh: number;
  readonly buyMicroPerKwh: number;
  readonly capacityWh: number;
}

/**
 * Zones with their fees and backups.
 * @param open zones without either, parents before children
 * @throws MarketError on crossed tariffs, and on fees or tariffs that differ in an island with a backup
 */
export const withBackups = (
  backups: readonly MarketBackup[],
  open: readonly ZoneTerms[],
  names: readonly string[],
  fees: ReadonlyMap<number, number>,
  zoneOf: (name: string, path: string) => number,
): ZoneTerms[] => {
  const terms = open.map((zone, i) => ({ ...zone, fee: fees.get(i) ?? 0 }));
  const roots = terms
    .map((zone, i) => ({ parent: zone.parent, i }))
    .reduce<number[]>((found, { parent, i }) => {
      found.push(parent === i ? i : (found[parent] as number));
      return found;
    }, []);
  const first = new Map<number, { zone: number; at: number }>();
  backups.forEach((backup, at) => {
    const path = `backup[${at}]`;
    const zone = zoneOf(backup.zone, `${path}.zone`);
    const own = terms[zone] as ZoneTerms;
    if (own.hasBackup) throw new MarketError(`${path}.zone`, `zone "${backup.zone}" has a backup already: give it one`);
    if (backup.buyMicroPerKwh >= backup.sellMicroPerKwh - own.fee) {
      throw new MarketError(
        `${path}.buyMicroPerKwh`,
        `${backup.buyMicroPerKwh} must be below sellMicroPerKwh less the zone's fee, ${backup.sellMicroPerKwh - own.fee}`,
      );
    }
    terms[zone] = {
      ...own,
      hasBackup: true,
      backupSell: backup.sellMicroPerKwh,
      backupBuy: backup.buyMicroPerKwh,
      backupCapacityWh: backup.capacityWh,
    };
    const root = roots[zone] as number;
    const other = first.get(root);
    if (!other) {
      first.set(root, { zone, at });
      return;
    }
    const before = terms[other.zone] as ZoneTerms;
    if (before.backupSell !== backup.sellMicroPerKwh || before.backupBuy !== backup.buyMicroPerKwh) {
      throw new MarketError(path, `has other tariffs than backup[${other.at}] in the same island: make them equal`);
    }
  });
  terms.forEach((zone, i) => {
    const backup = first.get(roots[i] as number);
    if (!backup || zone.fee === (terms[backup.zone] as ZoneTerms).fee) return;
    throw new MarketError(
      "feesMicroPerKwh",
      `zones "${names[i]}" and "${names[backup.zone]}" share an island with a backup: make their fees equal`,
    );
  });
  return terms;
};
