import type { MarketFacts } from "./facts.ts";
import type { Arguments, LogEvent, Report } from "./log-events.ts";

/** As IStorageUnits.StorageState, without the number of its last slot. */
interface Charge {
  storedMicroWh: bigint;
  chargedWh: bigint;
  dischargedWh: bigint;
  unmeteredSlots: number;
  missingMicroWh: bigint;
  excessMicroWh: bigint;
}

export interface RebuiltUnit {
  unit: number;
  connection: number;
  meter: number;
  capacityWh: number;
  efficiencyPpm: number;
  powerW: number;
  reservePpm: number;
  retired: boolean;
  countedThrough: number;
  charge: Charge;
}

const PPM = 1_000_000n;
const MISSING = 3;
const FIELDS = [
  ...["storedMicroWh", "chargedWh", "dischargedWh"],
  ...["unmeteredSlots", "missingMicroWh", "excessMicroWh"],
] as (keyof Charge)[];

/**
 * Storage units: where the connection's meter measures them, their charge from its readings; else as the contract told it, since readings of their
 * own meters are in no event.
 */
export const createStorage = (facts: MarketFacts, report: Report) => {
  const units: RebuiltUnit[] = [];

  const recount = (
    { connection, capacityWh, efficiencyPpm, charge }: RebuiltUnit,
    first: number,
    last: number,
  ): Charge => {
    const after = { ...charge };
    const capacity = BigInt(capacityWh) * PPM;
    for (let slot = first; slot <= last; slot += 1) {
      const reading = facts.archivedAt(slot)?.readings?.[connection];
      if (!reading || reading.quality === MISSING) {
        after.unmeteredSlots += 1;
        continue;
      }
      after.chargedWh += BigInt(reading.importWh);
      after.dischargedWh += BigInt(reading.exportWh);
      const left =
        after.storedMicroWh + BigInt(reading.importWh) * BigInt(efficiencyPpm) - BigInt(reading.exportWh) * PPM;
      if (left < 0n) after.missingMicroWh -= left;
      if (left > capacity) after.excessMicroWh += left - capacity;
      after.storedMicroWh = left < 0n ? 0n : left > capacity ? capacity : left;
    }
    return after;
  };

  const count = (of: RebuiltUnit, args: Arguments): void => {
    const state = args.inner("state");
    const told = Object.fromEntries(
      FIELDS.map((name) => [name, name === "unmeteredSlots" ? state.num(name) : state.big(name)]),
    ) as unknown as Charge;
    const first = args.num("firstSlot");
    if (first !== of.countedThrough + 1)
      report(`unit ${of.unit}: counted from ${first}, through ${of.countedThrough} before`);
    const through = state.num("countedThrough");
    const found = of.meter === of.connection ? recount(of, first, through) : told;
    if (FIELDS.some((name) => found[name] !== told[name]))
      report(
        `unit ${of.unit}: told ${FIELDS.map((name) => told[name])}, its readings give ${FIELDS.map((name) => found[name])}`,
      );
    of.charge = found;
    of.countedThrough = through;
  };

  const apply = ({ module }: LogEvent): void => {
    if (module?.contract !== "storageUnits") return;
    const { name, args } = module;
    const unit = args.num("unit");
    if (name === "UnitRegistered") {
      const terms = args.inner("terms");
      units[unit] = {
        ...{ unit, connection: terms.num("connection"), meter: args.num("meter"), retired: false },
        ...{ capacityWh: terms.num("capacityWh"), efficiencyPpm: terms.num("efficiencyPpm") },
        ...{ powerW: terms.num("powerW"), reservePpm: terms.num("reservePpm") },
        countedThrough: args.num("slot"),
        charge: {
          ...{ storedMicroWh: 0n, chargedWh: 0n, dischargedWh: 0n },
          ...{ unmeteredSlots: 0, missingMicroWh: 0n, excessMicroWh: 0n },
        },
      };
      return;
    }
    const of = units[unit];
    if (!of) report(`unit ${unit} was never registered`);
    else if (name === "UnitRetired") of.retired = true;
    else if (name === "UnitCounted") count(of, args);
  };
  return { units, apply };
};
