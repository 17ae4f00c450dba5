import { expect } from "chai";
import fc from "fast-check";
import { clearBook } from "../../../../services/core/market/clear.ts";
import { groupsOf } from "../../../../services/core/market/groups.ts";
import { dispatchJointly } from "../../../../services/core/market/joint.ts";
import { limitBounds, orderKeys } from "../../../../services/core/market/keys.ts";
import { meritOrders } from "../../../../services/core/market/merit.ts";
import { GREEN, OFFER } from "../../../../services/core/market/types.ts";
import type { TradeTerms, ZoneTerms } from "../../../../services/core/market/types.ts";
import { liveOrders } from "../../../../services/core/market/words.ts";
import { checkClearing } from "./check-clearing.ts";
import type { Book } from "./check-clearing.ts";

const long = process.env["DAEG_LONG"] === "1";

const BAND = { min: -1_000_000, max: 10_000_000, reference: 150_000 };
const STEPS = 8;

/** What one attacker appends: an order of up to eight steps of one point. */
interface Draw {
  readonly point: number;
  readonly offer: boolean;
  readonly green: boolean;
  readonly priority: number;
  readonly steps: readonly { readonly energyWh: number; readonly price: number }[];
}

const price = {
  any: fc.integer(BAND),
  edges: fc.constantFrom(BAND.min, BAND.min + 1, BAND.max - 1, BAND.max, 0, -1),
  one: fc.constant(200_000),
  near: fc.integer({ min: 199_999, max: 200_001 }),
};
const energy = {
  any: fc.integer({ min: 50, max: 20_000 }),
  least: fc.constant(50),
  most: fc.constantFrom(2 ** 32 - 1, 2 ** 31, 50),
  cancelling: fc.constantFrom(0, 0, 50, 700),
};

const drawsOf = (
  prices: fc.Arbitrary<number>,
  energies: fc.Arbitrary<number>,
  {
    points = 30,
    most = 12,
    side = fc.boolean(),
  }: { points?: number; most?: number; side?: fc.Arbitrary<boolean> } = {},
): fc.Arbitrary<Draw[]> =>
  fc.array(
    fc.record({
      point: fc.nat(points - 1),
      offer: side,
      green: fc.boolean(),
      priority: fc.nat(3),
      steps: fc.array(fc.record({ energyWh: energies, price: prices }), { minLength: 1, maxLength: STEPS }),
    }),
    { maxLength: most },
  );

/** Kinds of attack: each is a way to write orders. */
const ATTACKS: Record<string, fc.Arbitrary<Draw[]>> = {
  "phantom steps, replaced again and again": drawsOf(price.any, energy.any, { points: 3, most: 20 }),
  cancellations: drawsOf(price.any, energy.cancelling, { points: 5, most: 20 }),
  "the band's edges": drawsOf(price.edges, energy.any),
  "one price for everything": drawsOf(price.one, energy.any),
  "many at the margin": drawsOf(price.near, energy.any, { points: 200, most: 20 }),
  "offers alone": drawsOf(price.any, energy.any, { side: fc.constant(true) }),
  "bids alone": drawsOf(price.near, energy.any, { side: fc.constant(false) }),
  "the least energies": drawsOf(price.near, energy.least, { most: 20 }),
  "the most energies": drawsOf(price.edges, energy.most),
  "all different": drawsOf(price.any, energy.any, { points: 100, most: 20 }),
};

const networks = fc.record({
  parents: fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
  capacities: fc.array(fc.constantFrom(0, 0, 1, 49, 1_000, 10_000, 2 ** 48), { minLength: 18, maxLength: 18 }),
  shape: fc.constantFrom("chain", "star", "tree", "islands"),
  fee: fc.constantFrom(0, 1, 40_000),
  backup: fc.constantFrom(undefined, 0, 1, 10_000, 2 ** 40),
});

const zonesOf = ({ parents, capacities, shape, fee, backup }: Network): ZoneTerms[] =>
  parents.map((draw, z) => {
    const parent = { chain: Math.max(0, z - 1), star: 0, tree: z === 0 ? 0 : draw % z, islands: draw % (z + 1) }[shape];
    const own = backup !== undefined && (z === 0 || (parent !== z && draw % 5 === 0 && shape !== "islands"));
    return {
      parent,
      toParentWh: capacities[2 * z] as number,
      fromParentWh: capacities[2 * z + 1] as number,
      fee,
      hasBackup: own,
      backupSell: own ? 300_000 : 0,
      backupBuy: own ? 60_000 : 0,
      backupCapacityWh: own ? backup : 0,
    };
  });
type Network = typeof networks extends fc.Arbitrary<infer T> ? T : never;

const spreads = fc.array(
  fc.tuple(
    fc.nat(),
    fc.nat(),
    fc.constantFrom(0, 1, 50, 5_000, 2 ** 32 - 1),
    fc.constantFrom(-1_000_000, -1, 0, 1, 5_000, 11_000_000),
  ),
  { maxLength: 6 },
);

/** The book: draws in order of append, each with a sequence byte that comes round again. */
const bookOf = (draws: readonly Draw[], zones: number, allowGreen: boolean): Book["columns"] => {
  const words = draws.flatMap((draw, n) => draw.steps.map((step) => ({ ...draw, ...step, sequence: n % 15 })));
  return {
    count: words.length,
    point: Uint32Array.from(words, ({ point }) => point),
    sequence: Uint8Array.from(words, ({ sequence }) => sequence),
    // A point's zone never changes.
    zone: Uint8Array.from(words, ({ point }) => point % zones),
    flags: Uint8Array.from(
      words,
      ({ offer, green, priority }) => (offer ? OFFER : priority << 2) | (green && (offer || allowGreen) ? GREEN : 0),
    ),
    energyWh: Uint32Array.from(words, ({ energyWh }) => energyWh),
    price: Float64Array.from(words, ({ price: own }) => own),
  };
};

/** Searches of the flow: for each doubling of the largest excess at most one per arc and two per node, twice. */
const mostSearches = ({ terms, trades, columns }: Book): number => {
  const nodes = 1 + 2 * terms.length;
  const arcs = 5 * terms.length + trades.length + nodes;
  let totalWh = 1;
  for (const wh of columns.energyWh) totalWh += wh;
  for (const { backupCapacityWh } of terms) totalWh += 2 * backupCapacityWh;
  for (const { limitWh } of trades) totalWh += limitWh;
  return 2 * (Math.ceil(Math.log2(totalWh)) + 2) * (arcs + 2 * nodes);
};

const searchesFor = ({ columns, terms, trades }: Book): number => {
  const live = liveOrders(columns);
  const limits = limitBounds(terms);
  const groups = groupsOf(columns, live, terms.length);
  const merit = meritOrders(columns, groups, orderKeys(columns, live, terms, limits), terms);
  return dispatchJointly(merit, groups, terms, limits, trades).searches;
};

describe("adversarial books", function () {
  this.timeout(long ? 3_600_000 : 120_000);

  for (const [attack, draws] of Object.entries(ATTACKS)) {
    it(`clear within all limits and in bounded work: ${attack}`, () => {
      fc.assert(
        fc.property(draws, networks, spreads, fc.boolean(), (drawn, network, drawnTrades, allowGreen) => {
          const terms = zonesOf(network);
          const columns = bookOf(drawn, terms.length, allowGreen);
          const trades = drawnTrades.map(([from, to, limitWh, maxSpread]): TradeTerms => ({
            from: from % terms.length,
            to: to % terms.length,
            limitWh,
            maxSpread,
          }));
          const book = { columns, terms, band: BAND, trades: network.shape === "star" ? [] : trades };
          checkClearing(book, clearBook(columns, terms, BAND, book.trades));
          expect(searchesFor(book)).to.be.at.most(mostSearches(book));
        }),
        { numRuns: long ? 5_000 : 300 },
      );
    });
  }

  it("clear when a thousand points collude at one price, with eight steps each", () => {
    const points = 1_000;
    const draws = Array.from({ length: points }, (_, point): Draw => ({
      point,
      offer: point % 2 === 0,
      green: point % 3 === 0,
      priority: point % 4,
      steps: Array.from({ length: STEPS }, (__, k) => ({ energyWh: 50 + k, price: 200_000 + (k % 2) })),
    }));
    const terms = zonesOf({
      parents: Array.from({ length: 9 }, (_, z) => z),
      capacities: Array.from({ length: 18 }, (_, z) => 1_000 * z),
      shape: "chain",
      fee: 1,
      backup: undefined,
    });
    const columns = bookOf(draws, terms.length, true);
    const trades = [{ from: 0, to: 8, limitWh: 100_000, maxSpread: 0 }];
    const book = { columns, terms, band: BAND, trades };
    checkClearing(book, clearBook(columns, terms, BAND, trades));
    expect(searchesFor(book)).to.be.at.most(mostSearches(book));
  });
});
