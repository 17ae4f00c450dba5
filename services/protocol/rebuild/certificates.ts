import { ZeroAddress } from "ethers";
import type { MarketFacts } from "./facts.ts";
import type { CountedRange } from "./generators.ts";
import { greenShares } from "./green-sales.ts";
import type { Arguments, LogEvent, Report } from "./log-events.ts";

export interface RebuiltClaim {
  holder: string;
  point: number;
  beneficiary: string;
  ids: bigint[];
  /** Wh of each. */
  values: bigint[];
  purpose: string;
}

export interface RebuiltCertificates {
  /** Wh by holder and id. */
  balances: Map<string, Map<bigint, bigint>>;
  /** Wh ever issued, by id. */
  issued: Map<bigint, bigint>;
  claims: RebuiltClaim[];
  /** Wh of a point's consumption that certificates were claimed for, by `point:slot`. */
  matched: Map<string, bigint>;
}

/** What a counted slot may issue, with everybody as he stood when it was counted. */
interface Issue {
  /** Undefined where the readings are in no event. */
  wh: bigint | undefined;
  connection: number;
  sales: string;
  producer: string;
  ownerOf: Map<number, string>;
}

const LARGEST_QUALITY = 1;

/** Certificates by their transfers; issues are compared with what was metered and sold green, claims with what was consumed. */
export const createCertificates = (facts: MarketFacts, report: Report) => {
  const balances: RebuiltCertificates["balances"] = new Map();
  const issued: RebuiltCertificates["issued"] = new Map();
  const claims: RebuiltClaim[] = [];
  const matched: RebuiltCertificates["matched"] = new Map();
  /** Who got what at issue, by id. */
  const received = new Map<bigint, Map<string, bigint>>();
  const burned = new Map<bigint, bigint>();
  const issues = new Map<bigint, Issue>();
  const ranges: CountedRange[] = [];

  const add = <Key>(sums: Map<Key, bigint>, key: Key, wh: bigint): void => {
    sums.set(key, (sums.get(key) ?? 0n) + wh);
  };
  const inner = <Key>(maps: Map<Key, Map<string, bigint>>, key: Key): Map<string, bigint> => {
    const found = maps.get(key) ?? new Map<string, bigint>();
    maps.set(key, found);
    return found;
  };
  const holding = (holder: string): Map<bigint, bigint> => {
    const found = balances.get(holder) ?? new Map<bigint, bigint>();
    balances.set(holder, found);
    return found;
  };

  const transfer = (from: string, to: string, id: bigint, wh: bigint): void => {
    if (from === ZeroAddress) {
      add(issued, id, wh);
      add(inner(received, id), to, wh);
    } else add(holding(from), id, -wh);
    if (to === ZeroAddress) add(burned, id, wh);
    else add(holding(to), id, wh);
  };

  const claim = (args: Arguments): void => {
    const [point, ids, values] = [args.num("point"), args.bigs("ids"), args.bigs("values")];
    const who = { holder: args.text("holder"), beneficiary: args.text("beneficiary"), purpose: args.text("purpose") };
    claims.push({ ...who, point, ids, values });
    ids.forEach((id, index) => {
      const slot = slotOf(id);
      const key = `${point}:${slot}`;
      add(matched, key, values[index] as bigint);
      const reading = facts.archivedAt(slot)?.readings?.[point];
      const consumed = reading && reading.quality <= LARGEST_QUALITY ? BigInt(reading.importWh) : 0n;
      if ((matched.get(key) as bigint) > consumed)
        report(`point ${point}, slot ${slot}: claims of ${matched.get(key)} Wh, consumed ${consumed} Wh`);
    });
  };

  /** Takes note of what slots that a generator just counted may issue. */
  const expect = (range: CountedRange): void => {
    ranges.push(range);
    const { generator, firstSlot, throughSlot, amounts } = range;
    const { producer, connection } = generator;
    for (let slot = firstSlot; slot <= throughSlot; slot += 1) {
      const amount = amounts?.[slot - firstSlot];
      const sales = facts.archivedAt(slot)?.sales ?? "0x";
      const ownerOf = new Map(sales === "0x" ? [] : facts.points.map(({ owner }, point) => [point, owner]));
      const wh = amount === undefined ? undefined : BigInt(amount);
      issues.set(idOf(generator.generator, slot), { wh, connection, sales, producer, ownerOf });
    }
  };

  const apply = ({ module }: LogEvent): void => {
    if (module?.contract !== "certificates") return;
    const { name, args } = module;
    if (name === "TransferSingle") transfer(args.text("from"), args.text("to"), args.big("id"), args.big("value"));
    if (name === "TransferBatch") {
      const values = args.bigs("values");
      args.bigs("ids").forEach((id, index) => transfer(args.text("from"), args.text("to"), id, values[index] ?? 0n));
    }
    if (name === "Claimed") claim(args);
  };

  const checkIssue = (id: bigint, { wh, connection, sales, producer, ownerOf }: Issue): void => {
    const all = issued.get(id) ?? 0n;
    if (wh !== undefined && all !== wh) report(`certificate ${id}: issued ${all} Wh, metered and certified ${wh} Wh`);
    const shares = new Map<string, bigint>();
    let rest = all;
    for (const share of greenShares(sales, connection, all)) {
      add(shares, ownerOf.get(share.point) as string, share.wh);
      rest -= share.wh;
    }
    if (rest !== 0n) add(shares, producer, rest);
    const got = received.get(id) ?? new Map<string, bigint>();
    for (const holder of new Set([...shares.keys(), ...got.keys()])) {
      const [due, has] = [shares.get(holder) ?? 0n, got.get(holder) ?? 0n];
      if (due !== has) report(`certificate ${id}: ${holder} was issued ${has} Wh instead of ${due} Wh`);
    }
  };

  /** What can be said only at the end. */
  const finish = (): void => {
    for (const [id, issue] of issues) checkIssue(id, issue);
    for (const id of issued.keys()) if (!issues.has(id)) report(`certificate ${id}: issued for a slot never counted`);
    for (const { generator, firstSlot, throughSlot, certifiedWh } of ranges) {
      let sum = 0n;
      for (let slot = firstSlot; slot <= throughSlot; slot += 1)
        sum += issued.get(idOf(generator.generator, slot)) ?? 0n;
      if (sum !== certifiedWh)
        report(
          `generator ${generator.generator}, slots ${firstSlot} to ${throughSlot}: issued ${sum} of ${certifiedWh} Wh`,
        );
    }
    const claimed = new Map<bigint, bigint>();
    for (const { ids, values } of claims) ids.forEach((id, index) => add(claimed, id, values[index] as bigint));
    for (const id of new Set([...burned.keys(), ...claimed.keys()])) {
      const [used, told] = [burned.get(id) ?? 0n, claimed.get(id) ?? 0n];
      if (used !== told) report(`certificate ${id}: ${used} Wh used up, claims of ${told} Wh`);
    }
    for (const [holder, held] of balances)
      for (const [id, wh] of held) if (wh < 0n) report(`certificate ${id}: ${holder} holds ${wh} Wh`);
  };

  const certificates: RebuiltCertificates = { balances, issued, claims, matched };
  return { certificates, expect, apply, finish };
};

const idOf = (generator: number, slot: number): bigint => (BigInt(generator) << 32n) | BigInt(slot);
const slotOf = (id: bigint): number => Number(id & 0xffffffffn);
