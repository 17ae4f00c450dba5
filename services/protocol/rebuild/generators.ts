import { placeOf } from "../../core/usage/month.ts";
import { SLOTS_PER_DAY } from "../archive.ts";
import { createSpans, type Certification } from "./certified-spans.ts";
import type { MarketFacts } from "./facts.ts";
import type { Arguments, LogEvent, Report } from "./log-events.ts";

/** As IGenerators.GeneratorState. */
export interface GeneratorState {
  issuedThrough: number;
  operatingSlots: number;
  countedFrom: number;
  month: number;
  monthWh: bigint;
  monthSlots: number;
  monthCertifiedWh: bigint;
  certifiedWh: bigint;
}

export interface RebuiltGenerator {
  generator: number;
  producer: string;
  connection: number;
  meter: number;
  ownMeter: boolean;
  storageBacked: boolean;
  consented: boolean;
  /** IGenerators.GeneratorKind. */
  kind: number;
  nameplateW: number;
  capacityFactorPpm: number;
  operatingAboveWh: number;
  maintenanceHours: number;
  maintenanceDays: number;
  commissionedSlot: number;
  certification: Certification;
  state: GeneratorState;
  months: Map<number, { meteredWh: bigint; certifiedWh: bigint; slots: number }>;
}

/** Slots of a generator that were counted at once, and what of each is certified. */
export interface CountedRange {
  generator: RebuiltGenerator;
  firstSlot: number;
  throughSlot: number;
  /** What the contract said. */
  certifiedWh: bigint;
  /**
   * By slot, from the readings in events; undefined for a meter whose readings are in none, and where the producer gave up slots (which
   * ones, no event tells).
   */
  amounts: number[] | undefined;
}

const LARGEST_QUALITY = 1;
const SLOTS_PER_HOUR = 4;

/** Generators and how far they are counted; where their meter is the connection's, counted anew from its readings. */
export const createGenerators = (facts: MarketFacts, report: Report) => {
  const generators: RebuiltGenerator[] = [];
  const spans: ReturnType<typeof createSpans>[] = [];

  const register = (args: Arguments): void => {
    const generator = args.num("generator");
    const terms = args.inner("terms");
    const figure = (name: string): number => terms.num(name);
    const own = createSpans(figure("commissionedSlot"), figure("maintenanceDays"));
    spans[generator] = own;
    generators[generator] = {
      ...{ generator, producer: args.text("producer"), connection: figure("connection"), meter: args.num("meter") },
      ...{ ownMeter: terms.flag("ownMeter"), storageBacked: terms.flag("storageBacked"), consented: false },
      ...{ kind: figure("kind"), nameplateW: figure("nameplateW"), capacityFactorPpm: figure("capacityFactorPpm") },
      ...{ operatingAboveWh: figure("operatingAboveWh"), maintenanceHours: figure("maintenanceHours") },
      ...{ maintenanceDays: figure("maintenanceDays"), commissionedSlot: figure("commissionedSlot") },
      ...{ certification: own.latest, months: new Map() },
      state: {
        ...{ issuedThrough: args.num("slot"), operatingSlots: 0, countedFrom: 0, month: 0 },
        ...{ monthWh: 0n, monthSlots: 0, monthCertifiedWh: 0n, certifiedWh: 0n },
      },
    };
  };

  /** What the contract counts of these slots, if all of them were proved. */
  const recount = (of: RebuiltGenerator, firstSlot: number, throughSlot: number) => {
    const own = spans[of.generator] as ReturnType<typeof createSpans>;
    const highest = Math.floor(of.nameplateW / 4);
    const amounts: number[] = [];
    let { operatingSlots: operating, countedFrom } = of.state;
    let [meteredWh, certifiedWh, slots] = [0, 0, 0];
    for (let slot = firstSlot; slot <= throughSlot; slot += 1) {
      const span = own.at(slot);
      if (span.maintainedSlot !== countedFrom) [countedFrom, operating] = [span.maintainedSlot, 0];
      const reading = facts.archivedAt(slot)?.readings?.[of.connection];
      amounts.push(0);
      if (!reading || reading.quality > LARGEST_QUALITY) continue;
      slots += 1;
      meteredWh += reading.exportWh;
      const inHours = of.maintenanceHours === 0 || operating < of.maintenanceHours * SLOTS_PER_HOUR;
      if (span.certified && inHours) {
        const wh = Math.min(reading.exportWh, highest);
        amounts[amounts.length - 1] = wh;
        certifiedWh += wh;
      }
      if (reading.exportWh > of.operatingAboveWh) operating += 1;
    }
    return { amounts, countedFrom, meteredWh, certifiedWh, slots, operating };
  };

  const meter = (args: Arguments): CountedRange => {
    const of = generators[args.num("generator")] as RebuiltGenerator;
    const [firstSlot, throughSlot] = [args.num("firstSlot"), args.num("throughSlot")];
    const [meteredWh, certifiedWh, slots] = [args.big("meteredWh"), args.big("certifiedWh"), args.num("slots")];
    const counted = recount(of, firstSlot, throughSlot);
    // The producer may give up slots of his own; then fewer have a reading than there are.
    const complete = !of.ownMeter && slots === counted.slots;
    const told = [meteredWh, certifiedWh, args.big("operatingSlots")];
    const found = [counted.meteredWh, counted.certifiedWh, counted.operating].map(BigInt);
    if (complete && told.join() !== found.join())
      report(`generator ${of.generator}, slots ${firstSlot} to ${throughSlot}: told ${told}, counted ${found}`);
    if (!of.ownMeter && slots > counted.slots)
      report(
        `generator ${of.generator}, slots ${firstSlot} to ${throughSlot}: ${slots} counted, ${counted.slots} read`,
      );

    const { state } = of;
    const { month } = placeOf(Math.floor(firstSlot / SLOTS_PER_DAY));
    if (month !== state.month)
      Object.assign(state, {
        month,
        monthWh: 0n,
        monthSlots: 0,
        monthCertifiedWh: 0n,
      } satisfies Partial<GeneratorState>);
    state.issuedThrough = throughSlot;
    state.operatingSlots = args.num("operatingSlots");
    state.countedFrom = counted.countedFrom;
    state.monthWh += meteredWh;
    state.monthSlots += slots;
    state.monthCertifiedWh += certifiedWh;
    state.certifiedWh += certifiedWh;
    of.months.set(month, { meteredWh: state.monthWh, certifiedWh: state.monthCertifiedWh, slots: state.monthSlots });
    return { generator: of, firstSlot, throughSlot, certifiedWh, amounts: complete ? counted.amounts : undefined };
  };

  /** The slots that an event counted; undefined for any other event. */
  const apply = ({ module }: LogEvent): CountedRange | undefined => {
    if (module?.contract !== "generators" || module.name === "AuthorityUpdated") return undefined;
    const { name, args } = module;
    if (name === "GeneratorRegistered") register(args);
    if (name === "Metered") return meter(args);
    const of = generators[args.num("generator")];
    const own = spans[args.num("generator")];
    if (!of || !own) {
      report(`${name} of generator ${args.num("generator")}, which was never registered`);
      return undefined;
    }
    if (name === "ProducerChanged") of.producer = args.text("producer");
    if (name === "ConsentGiven") {
      of.consented = true;
      if (args.num("connection") !== of.connection) report(`generator ${of.generator} is not at that connection`);
    }
    if (name === "ConsentWithdrawn") of.consented = false;
    if (name === "StorageFlagged") of.storageBacked = true;
    if (name === "Certified") {
      const until = Math.min(args.num("expirySlot"), own.latest.maintenanceDue);
      if (until !== args.num("untilSlot")) report(`generator ${of.generator}: certified until ${until}`);
      own.certified(args);
    }
    if (name === "Maintained") own.maintained(args);
    const ends = name === "ConsentWithdrawn" || name === "Revoked" || (name === "StorageFlagged" && !of.ownMeter);
    if (ends) own.end(args.num("fromSlot"));
    return undefined;
  };

  return { generators, apply };
};
