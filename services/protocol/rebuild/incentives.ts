import type { RebuiltGenerator } from "./generators.ts";
import type { Arguments, LogEvent, Report } from "./log-events.ts";

export interface RebuiltIncentives {
  poolNano: bigint;
  /** By producer. */
  earnedNano: Map<string, bigint>;
  /** Wh paid so far, by generator; and by `generator:month`. */
  paidWh: Map<number, bigint>;
  paidInMonth: Map<string, bigint>;
}

const NANO_PER_BASE_UNIT = 1_000n;

/** The premium's pool and what producers earned of it; every premium is computed anew from the schedule. */
export const createIncentives = (generators: readonly RebuiltGenerator[], report: Report) => {
  const incentives: RebuiltIncentives = {
    ...{ poolNano: 0n, earnedNano: new Map(), paidWh: new Map(), paidInMonth: new Map() },
  };
  const { earnedNano, paidWh, paidInMonth } = incentives;
  let steps: { throughWh: bigint; premium: bigint }[] = [];
  let capWh = 0n;

  const add = <Key>(sums: Map<Key, bigint>, key: Key, more: bigint): bigint => {
    const sum = (sums.get(key) ?? 0n) + more;
    sums.set(key, sum);
    return sum;
  };

  const premiumOf = (fromWh: bigint, throughWh: bigint): bigint => {
    let [nano, from] = [0n, fromWh];
    for (const step of steps) {
      const end = step.throughWh < throughWh ? step.throughWh : throughWh;
      if (end <= from) continue;
      nano += (end - from) * step.premium;
      from = end;
    }
    return nano;
  };

  const accrue = (args: Arguments): void => {
    const [generator, month, wh] = [args.num("generator"), args.num("month"), args.big("wh")];
    const before = paidWh.get(generator) ?? 0n;
    const due = premiumOf(before, before + wh);
    const told = args.big("amountNano");
    if (told !== due) report(`generator ${generator}: earned a premium of ${told}, due were ${due} nano`);
    const paid = add(paidInMonth, `${generator}:${month}`, wh);
    const certified = generators[generator]?.months.get(month)?.certifiedWh ?? 0n;
    if (paid > certified || paid > capWh)
      report(`generator ${generator}, month ${month}: ${paid} Wh paid of ${certified}, the cap is ${capWh}`);
    const all = add(paidWh, generator, wh);
    if (all !== args.big("paidWh")) report(`generator ${generator}: paid ${all} Wh so far, told ${args.big("paidWh")}`);
    incentives.poolNano -= told;
    add(earnedNano, args.text("producer"), told);
  };

  const apply = ({ module }: LogEvent): void => {
    if (module?.contract !== "incentives") return;
    const { name, args } = module;
    if (name === "ScheduleSet") {
      capWh = args.big("capWhPerMonth");
      steps = args.inners("steps").map((step) => ({ throughWh: step.big("throughWh"), premium: step.big("premium") }));
    }
    if (name === "Funded") incentives.poolNano += args.big("amount") * NANO_PER_BASE_UNIT;
    if (name === "Accrued") accrue(args);
    if (name === "Withdrawn") add(earnedNano, args.text("producer"), -args.big("amount") * NANO_PER_BASE_UNIT);
  };

  return { incentives, apply };
};
