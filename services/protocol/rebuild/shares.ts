import type { Addresses } from "../addresses.ts";
import { BACKUP, CONGESTION, MEMBERS, OPERATOR } from "../market-store.ts";
import type { PackedReading } from "../words.ts";
import type { MarketFacts } from "./facts.ts";
import type { Arguments, LogEvent, Report } from "./log-events.ts";

export interface RebuiltShares {
  /** By month (12 x year + month - 1): its three highest slots with their net import, Wh, the highest first. */
  peaks: Map<number, { slot: number; wh: number }[]>;
  /** By month: import plus export of every point, Wh. */
  energyWh: Map<number, number[]>;
  /** By month: which peak is charged next, and from which point on. */
  charged: Map<number, { peak: number; nextPoint: number }>;
  /** First month that is not refunded, and its next point; undefined before the first refund. */
  refunded: { month: number; nextPoint: number } | undefined;
  /** Last slot counted for refunds, and last one whose losses are bought; undefined before any. */
  countedThrough: number | undefined;
  boughtThrough: number | undefined;
  /** By root zone: what its meters counted too much and later losses are less by, Wh. */
  carriedWh: Map<number, bigint>;
}

const PEAKS = 3;
const SLOTS_PER_HOUR = 4;
const MISSING = 3;
const LARGEST_QUALITY = 1;

/** Shares of the parties from `from` on and before `until`: the first k together get floor(amount x their weights / all). */
const shareOut = (amount: bigint, weights: readonly number[], from: number, until: number): bigint[] => {
  const all = BigInt(weights.reduce((sum, each) => sum + each, 0));
  let before = 0n;
  return weights.slice(0, until).flatMap((weight, index) => {
    const given = (amount * before) / all;
    before += BigInt(weight);
    return index < from ? [] : [(amount * before) / all - given];
  });
};

/** Peak charge, refunds and losses: what each account paid or got by its readings, compared with what the ledger was told to transfer. */
export const createShares = (
  addresses: Pick<Addresses, "losses" | "peakCharge" | "refunds">,
  facts: MarketFacts,
  balancesNano: ReadonlyMap<number, bigint>,
  report: Report,
) => {
  const own = new Set([addresses.losses, addresses.peakCharge, addresses.refunds].map((each) => each.toLowerCase()));
  const shares: RebuiltShares = {
    ...{ peaks: new Map(), energyWh: new Map(), countedThrough: undefined },
    ...{ charged: new Map(), refunded: undefined },
    ...{ boughtThrough: undefined, carriedWh: new Map() },
  };
  const { peaks, charged, energyWh } = shares;
  /** Of this transaction. */
  let transferred = new Map<number, bigint>();
  /** One of these three transferred, and did not tell why yet. */
  let unexplained = false;
  let refund = { membersNano: 0n, congestionNano: 0n };
  let pricePerKw = 0n;

  /** Of the points that are registered now. */
  const readingsOf = (slot: number): PackedReading[] =>
    (facts.archivedAt(slot)?.readings ?? []).slice(0, facts.points.length);
  const netImportOf = (slot: number): number[] =>
    readingsOf(slot).map(({ importWh, exportWh, quality }) => (quality === MISSING ? 0 : importWh - exportWh));
  const held = (account: number): bigint => {
    const nano = balancesNano.get(account) ?? 0n;
    return nano < 0n ? 0n : nano;
  };
  const check = (what: string, told: unknown, found: unknown): void => {
    if (String(told) !== String(found)) report(`${what}: told ${String(told)}, found ${String(found)}`);
  };
  const checkTransfer = (what: string, from: number, due: readonly bigint[], pools: [number, bigint][]): void => {
    unexplained = false;
    due.forEach((nano, index) => check(`${what}, point ${from + index}`, transferred.get(from + index) ?? 0n, nano));
    for (const [pool, nano] of pools) check(`${what}, account ${pool}`, transferred.get(pool) ?? 0n, nano);
  };
  const total = (wh: readonly number[]): number => wh.reduce((a, b) => a + b, 0);
  const sum = (nano: readonly bigint[]): bigint => nano.reduce((a, b) => a + b, 0n);

  const follows = (what: string, last: number | undefined, first: number): void => {
    if (last !== undefined && first !== last + 1) report(`slots from ${first} on were ${what}, up to ${last} before`);
  };

  const offer = (args: Arguments): void => {
    const [month, slot, wh] = [args.num("month"), args.num("slot"), args.num("netImportWh")];
    check(`peak of slot ${slot}`, wh, total(netImportOf(slot)));
    const list = [...(peaks.get(month) ?? []), { slot, wh }].sort((a, b) => b.wh - a.wh || a.slot - b.slot);
    peaks.set(month, list.slice(0, PEAKS));
  };

  const charge = (args: Arguments): void => {
    const [slot, from, until] = [args.num("slot"), args.num("fromPoint"), args.num("untilPoint")];
    const month = args.num("month");
    const wh = peaks.get(month)?.find((peak) => peak.slot === slot)?.wh ?? 0;
    const costNano = (BigInt(wh * SLOTS_PER_HOUR) * pricePerKw) / BigInt(PEAKS);
    const weights = netImportOf(slot).map((each) => Math.max(0, each));
    const due = shareOut(costNano, weights, from, until);
    const { peak, nextPoint } = charged.get(month) ?? { peak: 0, nextPoint: 0 };
    check(`peak of slot ${slot}, points from`, from, nextPoint);
    charged.set(month, until === weights.length ? { peak: peak + 1, nextPoint: 0 } : { peak, nextPoint: until });
    check(`peak of slot ${slot}`, args.big("nano"), sum(due));
    checkTransfer(
      `peak of slot ${slot}`,
      from,
      due.map((nano) => -nano),
      [[BACKUP, sum(due)]],
    );
  };

  const countEnergy = (args: Arguments): void => {
    const [month, first, through] = [args.num("month"), args.num("firstSlot"), args.num("throughSlot")];
    const energy = energyWh.get(month) ?? [];
    energyWh.set(month, energy);
    follows("counted", shares.countedThrough, first);
    shares.countedThrough = through;
    for (let slot = first; slot <= through; slot += 1)
      for (const [point, { importWh, exportWh, quality }] of readingsOf(slot).entries())
        energy[point] = (energy[point] ?? 0) + (quality > LARGEST_QUALITY ? 0 : importWh + exportWh);
    check(`energy of month ${month}`, args.num("totalWh"), total(energy));
  };

  const open = (args: Arguments): void => {
    refund = { membersNano: args.big("membersNano"), congestionNano: args.big("congestionNano") };
    const [month, totalWh] = [args.num("month"), args.num("totalWh")];
    check(`energy of month ${month}`, totalWh, total(energyWh.get(month) ?? []));
    shares.refunded = totalWh === 0 ? { month: month + 1, nextPoint: 0 } : { month, nextPoint: 0 };
    check("members' money to refund", refund.membersNano, held(MEMBERS));
    check("congestion rent to refund", refund.congestionNano, held(CONGESTION));
  };

  const pay = (args: Arguments): void => {
    const [month, from, until] = [args.num("month"), args.num("fromPoint"), args.num("untilPoint")];
    const energy = energyWh.get(month) ?? [];
    check(`refund of month ${month}, points from`, from, shares.refunded?.nextPoint);
    shares.refunded = until === energy.length ? { month: month + 1, nextPoint: 0 } : { month, nextPoint: until };
    const members = shareOut(refund.membersNano, energy, from, until);
    const congestion = shareOut(refund.congestionNano, energy, from, until);
    check(
      `refund of month ${month}`,
      [args.big("membersNano"), args.big("congestionNano")],
      [sum(members), sum(congestion)],
    );
    const due = members.map((nano, index) => nano + (congestion[index] as bigint));
    checkTransfer(`refund of month ${month}`, from, due, [
      [MEMBERS, -sum(members)],
      [CONGESTION, -sum(congestion)],
    ]);
  };

  /** What was lost only head meters know, whose readings are in no event; but not who pays it. */
  const buy = (args: Arguments): void => {
    const [costNano, operatorNano, membersNano] = [
      args.big("costNano"),
      args.big("operatorNano"),
      args.big("membersNano"),
    ];
    follows("bought", shares.boughtThrough, args.num("firstSlot"));
    shares.boughtThrough = args.num("throughSlot");
    const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
    const before = (account: number): bigint => {
      const nano = (balancesNano.get(account) ?? 0n) - (transferred.get(account) ?? 0n);
      return nano < 0n ? 0n : nano;
    };
    const operatorDue = least(costNano, before(OPERATOR));
    const due = [operatorDue, least(costNano - operatorDue, before(MEMBERS))] as const;
    check("losses", [operatorNano, membersNano], due);
    checkTransfer(
      "losses",
      0,
      [],
      [
        [OPERATOR, -due[0]],
        [MEMBERS, -due[1]],
        [BACKUP, due[0] + due[1]],
      ],
    );
  };

  const steps: Record<string, (args: Arguments) => void> = {
    "peakCharge PriceSet": (args) => (pricePerKw = args.big("pricePerKw")),
    "peakCharge PeakOffered": offer,
    "peakCharge PeakCharged": charge,
    "refunds EnergyCounted": countEnergy,
    "refunds RefundOpened": open,
    "refunds Refunded": pay,
    "losses LossesBought": buy,
    "losses LossesCarried": (args) => shares.carriedWh.set(args.num("rootZone"), args.big("carriedWh")),
  };
  let lastTx = "";
  const next = (): void => {
    if (unexplained) report("a transfer that no event explains");
    unexplained = false;
    transferred = new Map();
  };
  const apply = ({ core, module }: LogEvent): void => {
    const { txHash } = core ?? module;
    if (txHash !== lastTx) next();
    lastTx = txHash;
    if (core?.name === "TransferredBetween") {
      next();
      unexplained = own.has(core.module.toLowerCase());
      core.accounts.forEach((account, index) =>
        transferred.set(account, (transferred.get(account) ?? 0n) + (core.deltasNano[index] ?? 0n)),
      );
    }
    if (module) steps[`${module.contract} ${module.name}`]?.(module.args);
  };
  return { shares, apply, finish: next };
};
