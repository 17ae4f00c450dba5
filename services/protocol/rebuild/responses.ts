import {
  highMean,
  paymentsOf,
  responseWh,
  type BaselineMethod,
  type PointPayment,
  type PointResponse,
  type ResponseOffer,
  type ZoneImports,
} from "../../core/demand/baseline.ts";
import { SLOTS_PER_DAY } from "../archive.ts";
import type { MarketFacts } from "./facts.ts";
import type { Arguments, LogEvent, Report } from "./log-events.ts";
import { boughtOf, gapsIn, importsOf, isBlind, sumOf, zoneImportsOf, type Window } from "./response-energy.ts";

/** One enrolled point, as far as the event went. */
export interface RebuiltResponse extends PointResponse {
  /** Imports on every day of the event, slot by slot, the window first; undefined where not measured. Empty before it is proved. */
  importsWh: (number | undefined)[][];
  /** By readings and positions, once proved: baseline and accounted energy of the whole window; money (token base units) once closed. */
  due: PointPayment | undefined;
  /** What the contract told it paid, token base units. */
  paid: { payment: bigint; penalty: bigint; returned: bigint } | undefined;
}

export interface RebuiltEvent {
  id: number;
  sponsor: string;
  zones: number[];
  offer: ResponseOffer;
  /** The window, then the days of the baseline. */
  days: Window[];
  points: Map<number, RebuiltResponse>;
  /** Slots in which the zones are counted. */
  counted: number;
  /** Imports by zone on every day, the window first. */
  totalsWh: Map<number, number[]>;
  /** Points that count on no day, and whether a slot of the window has no report. */
  gaps: Set<number>;
  blind: boolean;
  closed: boolean;
  /** Token base units: the fund until it closes, then what its payments may still take. */
  held: bigint;
}

/** Demand response: every baseline, payment and penalty from readings and positions, compared with what the contract told. */
export const createResponses = (facts: MarketFacts, report: Report) => {
  const events: RebuiltEvent[] = [];
  /** By sponsor, token base units. */
  const owed = new Map<string, bigint>();
  let method: BaselineMethod = { days: 1, high: 1, minimum: 1 };

  const owe = (sponsor: string, amount: bigint): void => {
    owed.set(sponsor, (owed.get(sponsor) ?? 0n) + amount);
  };
  const check = (what: string, told: unknown, found: unknown): void => {
    if (String(told) !== String(found)) report(`${what}: told ${String(told)}, found ${String(found)}`);
  };

  const announce = (args: Arguments): void => {
    const [id, terms, back] = [args.num("id"), args.inner("terms"), args.big("daysBack")];
    const window = { firstSlot: terms.num("firstSlot"), slots: terms.num("slots") };
    const history = Array.from({ length: args.num("historyDays") }, (_, index) => ({
      ...window,
      firstSlot: window.firstSlot - Number((back >> BigInt(8 * index)) & 0xffn) * SLOTS_PER_DAY,
    }));
    const days = [window, ...history];
    const mask = terms.big("zones");
    const zones = Array.from({ length: 256 }, (_, zone) => zone).filter((zone) => (mask >> BigInt(zone)) & 1n);
    const offer = {
      ...{ increase: terms.flag("increase"), price: terms.num("price"), penaltyPpm: terms.num("penaltyPpm") },
      ...{ targetWh: terms.num("targetWh"), method },
    };
    events[id] = {
      ...{ id, sponsor: args.text("sponsor"), zones, offer, days, points: new Map(), counted: 0 },
      totalsWh: new Map(zones.map((zone) => [zone, days.map(() => 0)])),
      ...{ gaps: new Set(), blind: false, closed: false, held: args.big("fund") },
    };
    check(`event ${id}: fund`, args.big("fund"), paymentsOf([], new Map(), offer).fund);
  };

  const enrol = (event: RebuiltEvent, args: Arguments): void => {
    const [point, capacityWh, zone] = [args.num("point"), args.num("capacityWh"), args.num("zone")];
    const rating = facts.points[point];
    check(`event ${event.id}, point ${point}: zone`, zone, rating?.zone);
    const of: RebuiltResponse = {
      ...{ point, zone, capacityWh, boughtWh: undefined, surplusPrice: 0, proof: undefined },
      ratingWh: Number(rating?.importLimitWh ?? 0n) * (event.days[0] as Window).slots,
      ...{ importsWh: [], due: undefined, paid: undefined },
    };
    event.points.set(point, of);
    const [own] = paymentsOf([of], new Map(), event.offer).payments;
    check(`event ${event.id}, point ${point}: deposit`, args.big("deposit"), own?.deposit);
  };

  const keep = (event: RebuiltEvent, of: RebuiltResponse, args: Arguments): void => {
    const found = boughtOf(facts, { ...of, increase: event.offer.increase }, event.days[0] as Window);
    check(`event ${event.id}, point ${of.point}: bought`, args.num("boughtWh"), found.boughtWh);
    check(`event ${event.id}, point ${of.point}: surplus price`, args.num("surplusPrice"), found.surplusPrice);
    Object.assign(of, found);
  };

  const count = (event: RebuiltEvent, args: Arguments): void => {
    const [day, slots] = [args.num("day"), args.num("slots")];
    const of = event.days[day] as Window;
    const range = { firstSlot: of.firstSlot + (event.counted % of.slots), slots };
    if (day === 0 && !event.offer.increase) event.gaps = gapsIn(facts, range);
    if (day === 0 && isBlind(facts, range)) event.blind = true;
    const found = zoneImportsOf(facts, event.zones, range, event.gaps);
    check(`event ${event.id}, day ${day}: imports of its zones`, args.nums("importWh"), found);
    event.zones.forEach((zone, index) => {
      const totals = event.totalsWh.get(zone) as number[];
      totals[day] = (totals[day] as number) + (found[index] as number);
    });
    event.counted += slots;
  };

  const prove = (event: RebuiltEvent, of: RebuiltResponse, args: Arguments): void => {
    of.importsWh = event.days.map((day) => importsOf(facts, of.point, day));
    const [meteredWh, ...historyWh] = of.importsWh.map(sumOf);
    of.proof = { meteredWh, historyWh };
    [of.due] = paymentsOf([of], new Map(), event.offer).payments;
    check(`event ${event.id}, point ${of.point}: baseline`, args.num("baselineWh"), of.due?.baselineWh);
    check(`event ${event.id}, point ${of.point}: verified`, args.num("verifiedWh"), of.due?.verifiedWh);
    if (meteredWh !== undefined)
      check(`event ${event.id}, point ${of.point}: metered`, args.num("meteredWh"), meteredWh);
  };

  const close = (event: RebuiltEvent, args: Arguments): void => {
    const { days, offer, zones, totalsWh, blind } = event;
    const complete = !blind && event.counted === days.length * (days[0] as Window).slots;
    const imports = new Map<number, ZoneImports>();
    for (const [zone, [windowWh = 0, ...historyWh]] of complete ? totalsWh : [])
      imports.set(zone, { windowWh, historyWh });
    const points = [...event.points.values()];
    const { payments } = paymentsOf(points, imports, offer);
    payments.forEach((due, index) => ((points[index] as RebuiltResponse).due = due));
    const verified = zones.map((zone) =>
      payments.reduce((sum, { verifiedWh }, i) => sum + (points[i]?.zone === zone ? verifiedWh : 0), 0),
    );
    const payable = zones.map((zone, index) => {
      const of = imports.get(zone);
      if (!of) return 0;
      const baselineWh = highMean(of.historyWh, offer.method, offer.increase);
      return Math.min(verified[index] as number, responseWh(baselineWh, of.windowWh, offer.increase));
    });
    check(`event ${event.id}: verified by zone`, args.nums("verifiedWh"), verified);
    check(`event ${event.id}: payable by zone`, args.nums("payableWh"), payable);
    // Rounding down each payment leaves less than a base unit per point, which comes back when all are paid.
    const [held, due] = [args.big("held"), payments.reduce((sum, { payment }) => sum + payment, 0n)];
    if (held < due || held > due + BigInt(payments.length))
      report(`event ${event.id}: holds ${held}, its payments are ${due}`);
    check(`event ${event.id}: refunded`, args.big("refunded"), event.held - held);
    Object.assign(event, { closed: true, held });
    owe(event.sponsor, args.big("refunded"));
  };

  const pay = (event: RebuiltEvent, of: RebuiltResponse, args: Arguments): void => {
    of.paid = { payment: args.big("payment"), penalty: args.big("penalty"), returned: args.big("returned") };
    const { payment = 0n, penalty = 0n, deposit = 0n } = of.due ?? {};
    const told = [of.paid.payment, of.paid.penalty, of.paid.returned];
    check(`event ${event.id}, point ${of.point}: paid`, told, [payment, penalty, deposit - penalty]);
    event.held -= of.paid.payment;
  };

  const giveBack = (event: RebuiltEvent, args: Arguments): void => {
    check(`event ${event.id}: rest`, args.big("amount"), event.held);
    event.held = 0n;
    owe(event.sponsor, args.big("amount"));
  };

  const steps = { Enrolled: enrol, ZonesCounted: count, Closed: close, RestReturned: giveBack };
  const pointSteps = { PositionKept: keep, Proved: prove, Paid: pay };

  const apply = ({ module }: LogEvent): void => {
    if (module?.contract !== "demandResponse") return;
    const { name, args } = module;
    if (name === "MethodSet")
      method = { days: args.num("days_"), high: args.num("high"), minimum: args.num("minimum") };
    else if (name === "Announced") announce(args);
    else if (name === "Withdrawn") owe(args.text("sponsor"), -args.big("amount"));
    else if (Object.hasOwn(steps, name)) {
      const event = events[args.num("id")];
      if (event) steps[name as keyof typeof steps](event, args);
      else report(`event ${args.num("id")} was never announced`);
    } else if (Object.hasOwn(pointSteps, name)) {
      const event = events[args.num("id")];
      const of = event?.points.get(args.num("point"));
      if (event && of) pointSteps[name as keyof typeof pointSteps](event, of, args);
      else report(`event ${args.num("id")}: point ${args.num("point")} was never enrolled`);
    }
  };
  return { events, owed, apply };
};
