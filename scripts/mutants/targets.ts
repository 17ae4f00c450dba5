/** Which contracts a changed file ends up in, and which tests look at them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../local/root.ts";
import type { Compiler, Deployable } from "./compiler.ts";

export interface Group {
  name: "verifier" | "order book" | "ledger" | "settlement" | "production" | "consumption" | "balancing" | "tariffs";
  files: string[];
}

const inFolder = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(projectRoot, "contracts", folder))
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => `contracts/${folder}/${file}`);

export const groups: Group[] = [
  {
    name: "verifier",
    files: [
      ...inFolder(
        "libraries",
        /^(Clearing(?!Types)|Mesh|Part(?!Types)|BookTable|ZoneTallies|PackedEnergy|PackedLimits)\w*\.sol$/,
      ),
      ...inFolder("pricing", /^(Auction|Clearing)\w*\.sol$/),
    ],
  },
  {
    name: "order book",
    files: [
      ...inFolder("libraries", /^(Order|Packed(Order|Days)|Day|Replay|Margin|BookRing|Signatures|PointWord)\w*\.sol$/),
      ...inFolder("pricing", /^(OrderBook|DayBook|DayOrders|BookMargin|Sealed)\w*\.sol$/),
    ],
  },
  {
    name: "ledger",
    files: [...inFolder("libraries", /^(Balance|Word|Defaults)\w*\.sol$/), ...inFolder("pricing", /^Ledger\.sol$/)],
  },
  {
    name: "settlement",
    files: [
      ...inFolder(
        "libraries",
        /^(SlotPayments|ExtraPayments|EnvelopeCharges|Unmet|Trade|SlotTime|StatusRing|Packed(Readings|Positions|Slots)|Record|KeptWords|LanePayments|TermsWord)\w*\.sol$/,
      ),
      ...inFolder("pricing", /^(Settlement|Bilateral)\w*\.sol$/),
    ],
  },
  {
    name: "production",
    files: [
      ...inFolder("production", /\.sol$/),
      ...inFolder("libraries", /^(Certif|GreenSales|ReadingProof)\w*\.sol$/),
      "contracts/consumption/ReadingArchive.sol",
    ],
  },
  {
    name: "consumption",
    files: [
      ...inFolder("consumption", /^(?!ReadingArchive)\w*\.sol$/),
      ...inFolder("libraries", /^(Baseline|CalendarMonth|Response|Usage|ZoneImports)\w*\.sol$/),
    ],
  },
  {
    name: "balancing",
    files: [
      ...inFolder("balancing", /\.sol$/),
      ...inFolder("libraries", /^(EmergencyWord|SharedCost|WholeSlots)\w*\.sol$/),
    ],
  },
  {
    name: "tariffs",
    files: [
      ...inFolder("pricing", /^(Tariffs|DynamicTariffs)\.sol$/),
      ...inFolder("libraries", /^(CommitteeQuorum|DynamicPricing)\.sol$/),
    ],
  },
];

interface StagePlan {
  targets: Deployable[];
  /** In order. */
  tests: RegExp[];
}

const inGroup =
  (folder: string) =>
  (name: string): Deployable => ({ file: `contracts/${folder}/${name}.sol`, name });
const library = inGroup("libraries");
const pricing = inGroup("pricing");
const production = inGroup("production");
const consumption = inGroup("consumption");
const balancing = inGroup("balancing");
const harness: Deployable = { file: "contracts/test/ClearingHarness.sol", name: "ClearingHarness" };
const parts: Deployable = { file: "contracts/test/PartsHarness.sol", name: "PartsHarness" };

/** Contracts that are tested together, with the test files that know them best first. */
const STAGES: StagePlan[] = [
  {
    targets: [harness],
    tests: [/^clearing\/(proof|green|trades|ration)/, /^clearing\/(?!mesh|parts)/],
  },
  {
    targets: [harness, library("ClearingMesh")],
    tests: [/^clearing\/mesh\./, /^clearing\/mesh/],
  },
  { targets: [parts, library("ClearingParts"), library("ClearingMesh")], tests: [/^clearing\/parts/] },
  {
    targets: [pricing("Auction"), library("ClearingParts"), library("ClearingMesh")],
    tests: [/^(life|auction|chunk|parts)/, /^(mesh|islands|green-settlement|bilateral-settlement)/],
  },
  { targets: [{ ...pricing("OrderBook"), viaIR: true }], tests: [/^order-book/, /^(day|green-only|abuse|word-fee)/] },
  { targets: [pricing("SealedBatches")], tests: [/^sealed/] },
  { targets: [pricing("Ledger")], tests: [/^(access|word-fee|bilaterals|default|modules)/, /^life/] },
  {
    targets: [pricing("Settlement")],
    tests: [
      /^life/,
      /^(word-fee|green-settlement|bilateral-settlement|unmet|resettle|balancing.envelopes)/,
      /^(islands|abuse|access)/,
    ],
  },
  { targets: [pricing("Bilaterals")], tests: [/^bilateral/] },
  { targets: [pricing("Tariffs")], tests: [/^access/, /^dynamic-tariffs/] },
  { targets: [pricing("DynamicTariffs")], tests: [/^dynamic-tariffs/] },
  { targets: [consumption("MeterOracle")], tests: [/^(access|report-batches)/, /^(resettle|life)/] },
  { targets: [consumption("MeteringPoints")], tests: [/^(access|delegates)/, /^(order-book|abuse)/] },
  { targets: [consumption("Profiles")], tests: [/^consumption.profiles/, /^green-only/] },
  { targets: [{ ...consumption("DemandResponse"), viaIR: true }], tests: [/^consumption.(demand|response)/] },
  { targets: [{ ...consumption("Usage"), viaIR: true }], tests: [/^consumption.usage/] },
  { targets: [consumption("ReadingArchive")], tests: [/^production.archive/, /^production.certificates/] },
  {
    targets: [{ ...production("Generators"), viaIR: true }],
    tests: [/^production.generators/, /^production.certificates/],
  },
  { targets: [production("Certificates")], tests: [/^production.certificates/] },
  { targets: [production("Incentives")], tests: [/^production.incentives/] },
  { targets: [balancing("Emergency")], tests: [/^emergency/] },
  { targets: [balancing("Grid")], tests: [/^(islanding|islands|access|mesh)/] },
  { targets: [balancing("Envelopes")], tests: [/^balancing.envelopes/] },
  { targets: [balancing("Losses")], tests: [/^balancing.(losses|libraries)/] },
  { targets: [{ ...balancing("PeakCharge"), viaIR: true }], tests: [/^balancing.(peak|libraries)/] },
  { targets: [balancing("Refunds")], tests: [/^balancing.(refunds|libraries)/] },
  { targets: [balancing("StorageUnits")], tests: [/^balancing.storage-units/] },
];

/** Contracts to compile together, and the tests to run on them. */
export interface Stage {
  /** Those that the changed file is part of. */
  targets: Deployable[];
  /** All contracts of the stage. */
  all: Deployable[];
  tests: string[];
}

export const createPlanner = (compiler: Compiler) => {
  const testFiles = readdirSync(join(projectRoot, "test", "contracts"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .sort();
  const closures = new Map<string, Set<string>>();
  const closureOf = (file: string): Set<string> => {
    const known = closures.get(file) ?? compiler.closureOf(file);
    closures.set(file, known);
    return known;
  };
  const stages = STAGES.map(({ targets, tests }) => ({
    all: targets.filter(({ file }) => compiler.exists(file)),
    tests: [...new Set(tests.flatMap((pattern) => testFiles.filter((test) => pattern.test(test))))].map(
      (test) => `test/contracts/${test}`,
    ),
  }));

  const own: Record<Group["name"], RegExp> = {
    verifier: /^$/,
    "order book": /OrderBook|SealedBatches/,
    ledger: /Ledger/,
    settlement: /Settlement|Bilaterals/,
    production: /Certificates|Generators|Incentives|ReadingArchive/,
    consumption: /MeterOracle|MeteringPoints|Profiles|DemandResponse|Usage/,
    balancing: /Emergency|Grid|Envelopes|Losses|PeakCharge|Refunds|StorageUnits/,
    tariffs: /Tariffs/,
  };

  /** Stages that a file reaches: its own contract's first, then its group's, meshed networks' first for what only they have. */
  return (file: string): Stage[] => {
    const group = groups.find(({ files }) => files.includes(file));
    const rank = ({ targets, tests }: Stage): number => {
      if (targets.some((target) => target.file === file)) return 0;
      if (/Mesh|Limits/.test(file) && /mesh/.test(tests[0] ?? "")) return 0;
      return group && targets.some(({ name }) => own[group.name].test(name)) ? 1 : 2;
    };
    return stages
      .map(({ all, tests }) => ({ all, targets: all.filter((target) => closureOf(target.file).has(file)), tests }))
      .filter(({ targets, tests }) => targets.length > 0 && tests.length > 0)
      .sort((a, b) => rank(a) - rank(b));
  };
};
