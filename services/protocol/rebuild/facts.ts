import { keccak256, ZeroHash } from "ethers";
import type { ConnectionLimits } from "../../core/settlement/envelopes.ts";
import { greenOf, leafOfRoot, salesList, SLOTS_PER_DAY } from "../archive.ts";
import type { ChainEvent, GridZone, SlotTerms } from "../events.ts";
import type { ClearedSlot } from "../slot-money.ts";
import { decodePositions, decodeReadings, decodeWordCounts, type PackedReading } from "../words.ts";
import type { LogEvent, ModuleEvent, Report } from "./log-events.ts";

export interface PointFacts extends ConnectionLimits {
  owner: string;
  zone: number;
}

export interface RebuiltClearing extends ClearedSlot {
  clearer: string;
}

/** An archived slot; one whose leaf is zero has neither readings nor sales. */
export interface ArchivedFacts {
  readings: PackedReading[] | undefined;
  /** Of green energy (`salesList`); 0x without. */
  sales: string;
}

/** What everybody can know of a market from its events: what is computed from them starts here. */
export interface MarketFacts {
  points: readonly PointFacts[];
  gridAt(slot: number): readonly GridZone[];
  termsAt(slot: number): SlotTerms | undefined;
  clearingAt(slot: number): RebuiltClearing | undefined;
  /** List of operating envelopes. */
  envelopesAt(slot: number): string | undefined;
  /** Undefined before it is archived. */
  archivedAt(slot: number): ArchivedFacts | undefined;
}

interface SettledReport {
  version: number;
  readings: string;
}

/** Keeps the facts up to date, and checks readings against their report, and the archive against reports and clearings. */
export const createFacts = (report: Report) => {
  const points: PointFacts[] = [];
  const grids: { fromSlot: number; zones: GridZone[] }[] = [];
  const terms = new Map<number, SlotTerms>();
  const clearings = new Map<number, RebuiltClearing>();
  const envelopes = new Map<number, string>();
  const reports = new Map<string, { readingsHash: string; root: string }>();
  const settled = new Map<number, SettledReport>();
  const archived = new Map<number, ArchivedFacts>();

  const gridAt = (slot: number): readonly GridZone[] => grids.findLast(({ fromSlot }) => fromSlot <= slot)?.zones ?? [];

  const applyCore = (event: ChainEvent): void => {
    switch (event.name) {
      case "PointRegistered":
        points[event.point] = {
          ...{ owner: event.owner, zone: event.zone },
          ...{ importLimitWh: BigInt(event.importLimitWh), exportLimitWh: BigInt(event.exportLimitWh) },
        };
        return;
      case "OwnerChanged":
        (points[event.point] as PointFacts).owner = event.owner;
        return;
      case "GridSet":
        grids.push({ fromSlot: event.fromSlot, zones: event.zones });
        return;
      case "TermsPublished":
        event.terms.forEach((each, index) => terms.set(event.firstSlot + index, each));
        return;
      case "EnvelopesSet":
        event.lists.forEach((list, index) => envelopes.set(event.firstSlot + index, list));
        return;
      case "Cleared": {
        const { prices, positions, backupSoldWh, backupNano, congestionNano, extras } = event.record;
        const [byPoint, words] = [decodePositions(positions), decodeWordCounts(positions)];
        if (event.record.slot !== event.slot) report(`slot ${event.slot}: cleared by a record of ${event.record.slot}`);
        const sums = { backupSoldWh, backupNano, congestionNano };
        clearings.set(event.slot, { prices, positions: byPoint, words, ...sums, extras, clearer: event.clearer });
        return;
      }
      case "Reported":
        reports.set(`${event.slot}:${event.version}`, event);
        return;
      case "Settled": {
        if (event.status !== "settled") return;
        const { slot, version, readings } = event;
        if (reports.get(`${slot}:${version}`)?.readingsHash !== keccak256(readings))
          report(`slot ${slot}: the readings settled are not those of report ${version}`);
        settled.set(slot, { version, readings });
        return;
      }
      default:
        return;
    }
  };

  const archive = (slot: number, leaf: string): void => {
    if (leaf === ZeroHash) {
      archived.set(slot, { readings: undefined, sales: "0x" });
      return;
    }
    const of = settled.get(slot);
    const root = reports.get(`${slot}:${of?.version}`)?.root ?? ZeroHash;
    const zones = points.map(({ zone }) => zone);
    const parents = gridAt(slot).map(({ parent }) => parent);
    const sales = salesList(greenOf(clearings.get(slot)?.extras ?? "0x"), zones, parents);
    if (leafOfRoot(root, sales) !== leaf) report(`slot ${slot}: the archive's leaf is not of its report and its sales`);
    archived.set(slot, { readings: decodeReadings(of?.readings ?? "0x"), sales });
  };

  const applyModule = ({ contract, name, args }: ModuleEvent): void => {
    if (contract !== "readingArchive" || name !== "Archived") return;
    const first = args.num("day") * SLOTS_PER_DAY + args.num("from");
    args.texts("leaves").forEach((leaf, index) => archive(first + index, leaf));
  };

  const facts: MarketFacts = {
    points,
    gridAt,
    termsAt: (slot) => terms.get(slot),
    clearingAt: (slot) => clearings.get(slot),
    envelopesAt: (slot) => envelopes.get(slot),
    archivedAt: (slot) => archived.get(slot),
  };
  const apply = ({ core, module }: LogEvent): void => (core ? applyCore(core) : applyModule(module));
  return { facts, apply };
};
