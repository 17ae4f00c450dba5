import { expect } from "chai";
import { PeakCharge__factory } from "../../../types/contracts/factories/balancing/PeakCharge__factory.ts";
import { missing, reading } from "../support/world.ts";
import { createArchived, JUNE, type Archived } from "./support.ts";
import { expectRebuilt } from "../support/community.ts";
import { unnoticed } from "../support/unnoticed.ts";

const PRICE = 5_000_000n;
/** Net import of all: 3,000 Wh times `factor`. */
const homes = (factor: number) => [
  reading(1_000 * factor, 0),
  reading(2_333 * factor, 0),
  reading(0, 333 * factor),
  factor === 5 ? missing : reading(0, 0),
];

describe("peak charge", () => {
  let p: Archived;
  let first: number;
  before(async () => {
    p = await createArchived();
    first = p.genesisSlot;
    for (const factor of [3, 1, 5, 4]) await p.run(homes(factor));
    await p.run([reading(0, 4_000), reading(0, 0), reading(0, 0), reading(0, 0)]);
    await p.run(homes(1));
    await p.archive();
  });
  afterEach(async () => {
    expect(await p.discrepancyNano(), "conservation").to.equal(0n);
  });
  after(async () => {
    await expectRebuilt(p);
    expect(await unnoticed(p, ["PriceSet", "PeakOffered", "PeakCharged", "TransferredBetween"])).to.deep.equal([]);
  });

  it("has a bounded price", async () => {
    const { readingArchive, ledger, meteringPoints } = p.addresses;
    await expect(new PeakCharge__factory(p.relayer).deploy(readingArchive, ledger, meteringPoints, 100_000_001))
      .to.be.revertedWithCustomError(p.c.peakCharge, "PriceTooHigh")
      .withArgs(100_000_001, 100_000_000);
  });

  it("keeps the month's three highest slots, whoever offers them in whatever order", async () => {
    const { peakCharge } = p.c;
    await peakCharge.offer(...p.whole(first + 1, first + 1));
    await expect(peakCharge.offer(...p.whole(first, first + 3)))
      .to.emit(peakCharge, "PeakOffered")
      .withArgs(JUNE, first + 2, 15_000);
    const [slots, wh] = await peakCharge.peaksOf(JUNE);
    expect([...slots]).to.deep.equal([first + 2, first + 3, first].map(BigInt));
    expect([...wh]).to.deep.equal([15_000n, 12_000n, 9_000n]);
    await expect(peakCharge.offer(...p.whole(first, first + 3)))
      .to.be.revertedWithCustomError(peakCharge, "NothingHigher")
      .withArgs(JUNE, 9_000);
    // A slot that feeds in is no peak; another month has peaks of its own.
    await expect(peakCharge.offer(...p.whole(first + 4, first + 4)))
      .to.be.revertedWithCustomError(peakCharge, "NothingHigher")
      .withArgs(JUNE + 1, 0);
    await peakCharge.offer(...p.whole(first + 4, first + 5));
    expect((await peakCharge.peaksOf(JUNE + 1))[1][0]).to.equal(3_000n);
  });

  it("waits until ten days after the month", async () => {
    const { peakCharge } = p.c;
    const peak = p.whole(first + 2, first + 2);
    await p.goTo(p.startOf(first + 4 + 960) - 10);
    await expect(peakCharge.charge(JUNE, ...peak, 10))
      .to.be.revertedWithCustomError(peakCharge, "PeakWindowOpen")
      .withArgs(JUNE);
    await p.goTo(p.startOf(first + 4 + 960));
    await expect(peakCharge.offer(...p.whole(first, first + 3)))
      .to.be.revertedWithCustomError(peakCharge, "PeakWindowOver")
      .withArgs(JUNE);
    await expect(peakCharge.charge(JUNE, ...p.whole(first, first), 10))
      .to.be.revertedWithCustomError(peakCharge, "WrongPeak")
      .withArgs(first + 2, first);
    await expect(peakCharge.charge(JUNE, ...peak, 0)).to.be.revertedWithCustomError(peakCharge, "NothingToCharge");
  });

  it("is shared by import in each peak, exactly, in any chunks, and goes to the backup supplier", async () => {
    const { peakCharge } = p.c;
    const [before, pools] = [await p.balances(), await p.fixed()];
    await peakCharge.charge(JUNE, ...p.whole(first + 2, first + 2), 1);
    expect([...(await peakCharge.progressOf(JUNE))]).to.deep.equal([0n, 1n]);
    await expect(peakCharge.charge(JUNE, ...p.whole(first + 2, first + 2), 100))
      .to.emit(peakCharge, "PeakCharged")
      .withArgs(JUNE, first + 2, 1, 4, (2_333n * 100_000_000_000n) / 3_333n + 1n);
    expect([...(await peakCharge.progressOf(JUNE))]).to.deep.equal([1n, 0n]);
    await peakCharge.charge(JUNE, ...p.whole(first + 3, first + 3), 100);
    await peakCharge.charge(JUNE, ...p.whole(first, first), 2 ** 32 - 1);
    await expect(peakCharge.charge(JUNE, ...p.whole(first, first), 1))
      .to.be.revertedWithCustomError(peakCharge, "NothingToCharge")
      .withArgs(JUNE);
    const [after, later] = [await p.balances(), await p.fixed()];
    const cost = [15_000n, 12_000n, 9_000n].map((wh) => (wh * 4n * PRICE) / 3n);
    const paid = after.map((nano, i) => (before[i] as bigint) - nano);
    expect(paid[0]).to.equal(cost.reduce((sum, nano) => sum + (nano * 1_000n) / 3_333n, 0n));
    expect(paid[2]).to.equal(0n);
    expect(paid[3]).to.equal(0n);
    expect(paid.reduce((a, b) => a + b)).to.equal(cost.reduce((a, b) => a + b));
    expect(later).to.deep.equal({ ...pools, backup: pools.backup + cost.reduce((a, b) => a + b) });
  });
});
