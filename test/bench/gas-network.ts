import { getBytes } from "ethers";
import { createSolver } from "../../services/core/dispatch/solver.ts";
import { clearBook } from "../../services/core/market/clear.ts";
import { compileMarket } from "../../services/core/market/market.ts";
import { clearMesh } from "../../services/core/market/mesh/clear.ts";
import { networkLimits } from "../../services/core/market/mesh/ptdf.ts";
import type { NetworkLimit } from "../../services/core/market/types.ts";
import { decodeBook } from "../../services/core/market/words.ts";
import { bandOf, zoneTermsOf, type Submission } from "../../services/protocol/clearing.ts";
import type { OrderStep } from "../../services/protocol/order.ts";
import { gridOf } from "../contracts/support/solve.ts";
import { bid, createWorld, offer, submit, TERMS, type World } from "../contracts/support/world.ts";
import type { GasRow } from "./gas-row.ts";

const HOMES = 125;
const STEPS = 8;
/** Beyond every open book when a test's first slot begins. */
const AHEAD = 125;

/** Design section 8: clearing proven on chain, per order word. */
const ASKED = 700;

/** Gas of clearings of 1,000 words, whole transactions: in few zones, and on larger networks with full lines. */
export const measureNetworkGas = async (): Promise<GasRow[]> => [
  await measureTree(1, ASKED),
  await measureTree(3, ASKED),
  await measureTree(33),
  await measureMesh(12),
];

const row = (what: string, gasUsed: bigint, figure = 0): GasRow => ({
  what,
  figure,
  measured: Math.round(Number(gasUsed) / (HOMES * STEPS)),
  unit: "gas per order word",
});

const measureTree = async (count: number, figure?: number): Promise<GasRow> => {
  const zones = Array.from({ length: count }, (_, z) => ({
    parent: Math.floor((z - 1) / 2) < 0 ? 0 : Math.floor((z - 1) / 2),
    toParentWh: 2_000,
    fromParentWh: 2_000,
    backupCapacityWh: z === 0 ? 1_000_000 : 0,
  }));
  const world = await createWorld({ homes: HOMES, zones, zoneOf: (home) => home % count, publish: 3 });
  const slot = world.genesisSlot + 1;
  const { words, given } = await booked(world, slot);
  const { postings } = clearBook(given.columns, given.terms, given.band);
  return row(
    `clearing, ${count} ${count === 1 ? "zone" : "zones"}, ${count - 1} lines, radial, ${HOMES * STEPS} words`,
    await cleared(world, submit(slot, words, postings)),
    figure,
  );
};

const measureMesh = async (count: number): Promise<GasRow> => {
  const zones = Array.from({ length: count }, (_, z) => ({
    parent: Math.max(0, z - 1),
    toParentWh: 0,
    fromParentWh: 0,
    backupCapacityWh: z === 0 ? 1_000_000 : 0,
  }));
  const limits = ring(count);
  const world = await createWorld({ homes: HOMES, zones, zoneOf: (home) => home % count, publish: 0 });
  const version = world.genesisSlot + AHEAD;
  const whole = limits.map((limit) => ({ ...limit, weights: [...limit.weights] }));
  await world.asOperator.grid.setMesh(version, zones, whole);
  await world.goTo(world.startOf(version - 2));
  await world.publishTerms(version, 3);
  const { words, given } = await booked(world, version);
  const { posting } = clearMesh({ ...given, trades: [], limits }, await createSolver());
  const submission = submit(version, words, [...posting.postings]);
  if (posting.mu.every((own) => own === 0n)) throw new Error("the bench expects full lines");
  return row(
    `clearing, ${count} zones, ${limits.length} lines, meshed, ${HOMES * STEPS} words`,
    await cleared(world, { ...submission, duals: { mu: [...posting.mu] } }),
  );
};

/** A ring of zones with chords, half as many again. */
const ring = (count: number): NetworkLimit[] => {
  const line = (from: number, to: number, capacityWh: number) => ({
    id: `${from}-${to}`,
    from: `z${from}`,
    to: `z${to}`,
    capacityWh,
    reactance: 1 + ((from * 7 + to) % 5),
  });
  const zones = Array.from({ length: count }, (_, z) => `z${z}`);
  const lines = zones.flatMap((_, z) => [
    line(z, (z + 1) % count, 1_000 + 300 * (z % 3)),
    ...(z % 2 === 0 ? [line(z, (z + 5) % count, 700)] : []),
  ]);
  return networkLimits(compileMarket({ zones, lines, orders: [] }));
};

/** Every home buys at four prices and sells at four higher ones. */
const stepsOf = (home: number): OrderStep[] =>
  Array.from({ length: STEPS }, (_, i) => {
    const spread = ((home * 7_919 + i * 104_729) % 11) * 1_000;
    const level = (home % 12) * 9_000;
    return i < STEPS / 2
      ? bid(200 + ((home * 31 + i * 17) % 400), 110_000 + level + i * 12_000 + spread)
      : offer(200 + ((home * 13 + i * 29) % 400), 130_000 + level + i * 12_000 + spread);
  });

const booked = async (world: World, slot: number) => {
  await world.goTo(world.startOf(slot - 1));
  const words: string[] = [];
  for (let from = 0; from < HOMES; from += 25) {
    const orders = await Promise.all(
      Array.from({ length: Math.min(25, HOMES - from) }, (_, i) => world.order(from + i, slot, stepsOf(from + i))),
    );
    const appended = await world.appendPacked(slot, orders);
    if (appended.words === undefined || appended.skipped.length > 0) {
      throw new Error(`orders skipped for ${appended.skipped.join(", ")}`);
    }
    words.push(appended.words);
  }
  const columns = decodeBook(getBytes(`0x${words.map((batch) => batch.slice(2)).join("")}`));
  const grid = await gridOf(world, slot);
  const terms = { ...TERMS, reference: TERMS.reference_ };
  return { words, given: { columns, terms: zoneTermsOf(grid, terms), band: bandOf(terms) } };
};

const cleared = async (world: World, submission: Submission): Promise<bigint> => {
  await world.goTo(world.startOf(submission.slot) - 500);
  const receipt = await (await world.c.auction.clear(submission)).wait();
  return receipt?.gasUsed ?? 0n;
};

if (process.argv[1] === import.meta.filename) {
  for (const { what, measured, unit } of await measureNetworkGas()) {
    process.stdout.write(`${String(measured).padStart(8)} ${unit}  ${what}\n`);
  }
}
