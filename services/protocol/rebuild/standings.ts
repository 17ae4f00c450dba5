import type { LogEvent } from "./log-events.ts";

/** Credit and default of a point, nano-token. */
export interface RebuiltStanding {
  /** What the backup supplier still stands for, and what of it was drawn and is owed to it. */
  creditNano: bigint;
  drawnNano: bigint;
  /** Owed to the default fund. */
  fundNano: bigint;
  /** Slot in which the account was suspended; 0 when it is not. */
  sinceSlot: number;
}

export const createStandings = () => {
  const standings = new Map<number, RebuiltStanding>();
  const of = (point: number): RebuiltStanding => {
    const found = standings.get(point) ?? { creditNano: 0n, drawnNano: 0n, fundNano: 0n, sinceSlot: 0 };
    standings.set(point, found);
    return found;
  };
  const pay = (point: number, fromFundNano: bigint, fromCreditNano: bigint): void => {
    const standing = of(point);
    standing.fundNano += fromFundNano;
    standing.drawnNano += fromCreditNano;
    standing.creditNano -= fromCreditNano;
  };
  const apply = ({ core }: LogEvent): void => {
    if (core?.name === "CreditSet") of(core.point).creditNano = core.creditNano;
    if (core?.name === "Suspended") of(core.point).sinceSlot = core.slot;
    if (core?.name === "Reinstated") of(core.point).sinceSlot = 0;
    if (core?.name === "Covered") pay(core.point, core.fromFundNano, core.fromCreditNano);
    if (core?.name === "Repaid") pay(core.point, -core.toFundNano, -core.toBackupNano);
  };
  return { standings, apply };
};
