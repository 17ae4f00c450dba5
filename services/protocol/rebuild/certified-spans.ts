import type { Arguments } from "./log-events.ts";

/** The latest certification, as contracts/interfaces/IGenerators.sol has it. */
export interface Certification {
  fromSlot: number;
  untilSlot: number;
  expirySlot: number;
  maintainedSlot: number;
  maintenanceDue: number;
  older: number;
}

interface Span {
  untilSlot: number;
  maintainedSlot: number;
  certified: boolean;
}

const NEVER = 2 ** 32 - 1;
const SLOTS_PER_DAY = 96;

/** All periods in which a generator was certified. Twin of contracts/libraries/CertifiedSpans.sol, driven by the events. */
export const createSpans = (commissionedSlot: number, maintenanceDays: number) => {
  const due = maintenanceDays === 0 ? NEVER : Math.min(NEVER, commissionedSlot + maintenanceDays * SLOTS_PER_DAY);
  const latest: Certification = {
    ...{ fromSlot: 0, untilSlot: 0, expirySlot: 0, maintainedSlot: 0 },
    ...{ maintenanceDue: due, older: 0 },
  };
  const older: Pick<Certification, "fromSlot" | "untilSlot" | "maintainedSlot">[] = [];

  /** Puts the latest period to the older ones, unless it is empty. */
  const keep = (): void => {
    const { fromSlot, untilSlot, maintainedSlot } = latest;
    if (untilSlot <= fromSlot) return;
    older.push({ fromSlot, untilSlot, maintainedSlot });
    latest.older = older.length;
  };

  const certified = (args: Arguments): void => {
    if (args.num("fromSlot") !== latest.fromSlot) keep();
    latest.fromSlot = args.num("fromSlot");
    latest.untilSlot = args.num("untilSlot");
    latest.expirySlot = args.num("expirySlot");
  };

  /** Nothing is certified from `slot` on. */
  const end = (slot: number): void => {
    latest.expirySlot = Math.min(latest.expirySlot, slot);
    if (latest.untilSlot > slot) latest.untilSlot = Math.max(slot, latest.fromSlot);
    const before = older.at(-1);
    // Maintained in this very slot: the period before reaches to its end.
    if (slot < latest.fromSlot && before && before.untilSlot > slot) before.untilSlot = slot;
  };

  const maintained = (args: Arguments): void => {
    const from = args.num("slot");
    latest.untilSlot = Math.min(latest.untilSlot, from);
    keep();
    latest.fromSlot = from;
    latest.maintainedSlot = from;
    latest.maintenanceDue = args.num("maintenanceDue");
    latest.untilSlot = Math.max(args.num("untilSlot"), from);
  };

  /** The stretch that `slot` lies in. */
  const at = (slot: number): Span => {
    const { fromSlot, untilSlot, maintainedSlot } = latest;
    if (slot >= untilSlot) return { untilSlot: NEVER, maintainedSlot, certified: false };
    if (slot >= fromSlot) return { untilSlot, maintainedSlot, certified: true };
    let next = fromSlot;
    for (const span of [...older].reverse()) {
      if (slot >= span.untilSlot) return { ...span, untilSlot: next, certified: false };
      if (slot >= span.fromSlot) return { ...span, certified: true };
      next = span.fromSlot;
    }
    return { untilSlot: next, maintainedSlot: 0, certified: false };
  };

  return { latest, certified, end, maintained, at };
};
