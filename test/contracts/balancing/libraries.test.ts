import { expect } from "chai";
import { ZeroHash, type Signer } from "ethers";
import fc from "fast-check";
import { network } from "hardhat";
import type { BalancingHarness } from "../../../types/contracts/test/BalancingHarness.ts";
import { BalancingHarness__factory } from "../../../types/contracts/factories/test/BalancingHarness__factory.ts";
import { beyondWh } from "../../../services/core/settlement/envelopes.ts";
import { decodeEnvelopes, encodeEnvelopes, envelopeOf } from "../../../services/protocol/envelopes.ts";
import { readingsRoot } from "../../../services/protocol/report.ts";
import { hexOf, packReadings } from "../../../services/protocol/words.ts";

const RUNS = { numRuns: 60 };
const reading = fc.record({
  importWh: fc.oneof(fc.integer({ min: 0, max: 6_000 }), fc.constant(2 ** 31 - 1)),
  exportWh: fc.oneof(fc.integer({ min: 0, max: 6_000 }), fc.constant(0)),
  quality: fc.integer({ min: 0, max: 3 }),
});
const limit = fc.oneof(fc.integer({ min: 0, max: 6_000 }), fc.constant(0xffffff));
const connection = fc.record({ zone: fc.integer({ min: 0, max: 3 }), importWh: limit, exportWh: limit, reading });
const entries = fc.uniqueArray(
  fc.record({
    kind: fc.constantFrom("zone" as const, "line" as const, "point" as const),
    index: fc.integer({ min: 0, max: 12 }),
    importLimitWh: limit,
    exportLimitWh: limit,
    forecastWh: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  }),
  { maxLength: 12, selector: ({ kind, index }) => `${kind}${index}` },
);

describe("libraries of balancing", () => {
  let harness: BalancingHarness;
  before(async () => {
    const { ethers } = await network.create();
    const [signer] = (await ethers.getSigners()) as unknown as Signer[];
    harness = await new BalancingHarness__factory(signer as Signer).deploy();
  });

  it("charge beyond envelopes as the services compute it", async () => {
    await fc.assert(
      fc.asyncProperty(entries, fc.array(connection, { maxLength: 12 }), async (list, connections) => {
        const price = 123_457n;
        const packed = encodeEnvelopes(list);
        const read = decodeEnvelopes(packed);
        expect(new Set(read.map((entry) => JSON.stringify(Object.entries(entry).sort())))).to.deep.equal(
          new Set(list.map((entry) => JSON.stringify(Object.entries(entry).sort()))),
        );
        const words = connections.map(
          ({ zone, importWh, exportWh }) =>
            (BigInt(exportWh) << 192n) | (BigInt(importWh) << 168n) | (BigInt(zone) << 160n),
        );
        const [deltas, sum] = await harness.charge(
          packed,
          words,
          packReadings(connections.map(({ reading: own }) => own)),
          price,
        );
        const wanted = connections.map(({ zone, importWh, exportWh, reading: own }, point) => {
          const energy = { importWh: BigInt(own.importWh), exportWh: BigInt(own.exportWh), missing: own.quality === 3 };
          const rating = { importLimitWh: BigInt(importWh), exportLimitWh: BigInt(exportWh) };
          return -price * beyondWh(energy, rating, envelopeOf(read, point, zone));
        });
        expect([...deltas]).to.deep.equal(wanted);
        expect(-sum).to.equal(wanted.reduce((a, b) => a + b, 0n));
      }),
      RUNS,
    );
  });

  it("find the root of a report from all its readings", async () => {
    const meters = fc.array(reading, { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(
        meters,
        meters,
        meters,
        fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 4 }),
        async (a, b, d, zones) => {
          const [points, own, stores] = [packReadings(a), packReadings(b), packReadings(d)];
          const heads = `0x${zones.map((zone) => `${hexOf(zone, 1)}${packReadings([{ importWh: zone, exportWh: 7, quality: 1 }]).slice(2)}`).join("")}`;
          expect(await harness.rootOf(77, { points, own, heads, stores, salesHash: ZeroHash })).to.equal(
            readingsRoot(77, points, own, heads, stores),
          );
        },
      ),
      RUNS,
    );
  });

  it("share an amount exactly, alike in any chunks, each within one unit of its proportion", async () => {
    const weight = fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 2n ** 40n }));
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt({ min: 0n, max: 2n ** 100n }),
        fc.array(weight, { minLength: 1, maxLength: 12 }),
        fc.nat(12),
        async (amount, weights, at) => {
          const all = weights.reduce((a, b) => a + b);
          fc.pre(all > 0n);
          const [shares, through] = await harness.split(amount, all, weights, 0);
          expect(through).to.equal(all);
          expect(shares.reduce((a, b) => a + b, 0n)).to.equal(amount);
          shares.forEach((share, i) => {
            const error = share * all - amount * (weights[i] as bigint);
            expect(error > -all && error < all).to.equal(true);
          });
          const [first, before] = await harness.split(amount, all, weights.slice(0, at), 0);
          const [rest] = await harness.split(amount, all, weights.slice(at), before);
          expect([...first, ...rest]).to.deep.equal([...shares]);
        },
      ),
      RUNS,
    );
  });
});
