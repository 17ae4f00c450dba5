import { expect } from "chai";
import { GREEN } from "../../../services/core/market/types.ts";
import { createProver, LINE, posting, triangle } from "./mesh-case.ts";
import type { MeshCase, MeshClaim, Step } from "./mesh-case.ts";

const UNIT = 1_000_000_000_000n;

/** As `triangle`, with the orders of these places green. */
const greenTriangle = (steps: readonly Step[], green: readonly number[], change: Partial<MeshCase> = {}): MeshCase => {
  const plain = triangle(steps, change);
  const flags = plain.columns.flags.map((own, i) => (green.includes(i) ? own | GREEN : own));
  return { ...plain, columns: { ...plain.columns, flags } };
};

describe("the proof on meshed networks: green orders and trades", function () {
  this.timeout(240_000);
  let prover: Awaited<ReturnType<typeof createProver>>;
  before(async () => {
    prover = await createProver();
  });

  const three = (price: number) => [posting(price), posting(price), posting(price)];
  const plain = (price: number, marginalOfferWh = 0) => ({ price, marginalBidWh: 0, marginalOfferWh });
  const mu = [0n, 0n, 0n];

  it("refuses green energy that nobody offers", async () => {
    const given = greenTriangle(
      [
        [0, 10, 10],
        [1, -10, 50],
      ],
      [1],
    );
    const green = [plain(30), plain(30), plain(30)];
    await prover.refuses(given, { postings: three(30), green, mu }, "GreenNotCovered", 0, -10);
  });

  it("refuses a premium while green energy is left over", async () => {
    const steps: readonly Step[] = [
      [0, -5, 50],
      [1, -5, 40],
      [0, 10, 10],
      [2, 10, 30],
    ];
    const given = greenTriangle(steps, [0, 3]);
    const claim = (ordinaryWh: number, greenWh: number): MeshClaim => ({
      postings: [posting(10, { marginalOfferWh: ordinaryWh }), posting(10), posting(10)],
      green: [plain(30), plain(30), plain(30, greenWh)],
      mu,
    });
    await prover.refuses(given, claim(0, 10), "GreenNotTight", 0, 5);
    expect((await prover.prove(given, claim(5, 5))).boughtWh).to.equal(10n);
  });

  it("holds duals against filled green orders at the edge of the band", async () => {
    const given = greenTriangle(
      [
        [0, 150, -100],
        [1, -150, 100],
      ],
      [0, 1],
    );
    const dual = 310_000_000n;
    await prover.refuses(
      given,
      { postings: three(0), green: [plain(0), plain(0), plain(0)], mu: [dual, 0n, 0n] },
      "DualsContradictFills",
      0,
      -100n * UNIT + BigInt(LINE) * dual,
      100n * UNIT - BigInt(LINE) * dual,
    );
  });

  it("takes a dual price that only a trade against the flow needs", async () => {
    // The line is full of what the orders send less what the trade sends back, 10 of its 20 Wh, for 30.
    const given = (maxSpread: number) =>
      greenTriangle(
        [
          [0, 160, 10],
          [1, -160, 51],
        ],
        [],
        { trades: [{ from: 1, to: 0, limitWh: 20, maxSpread }] },
      );
    const claim: MeshClaim = {
      postings: [posting(15), posting(45), posting(30)],
      tradesWh: [10],
      mu: [45_000_045n, 0n, 0n],
    };
    expect((await prover.prove(given(-30), claim)).welfareNano).to.equal(160n * 41n - 10n * 30n);
  });
});
