import { expect } from "chai";
import type { Wallet } from "ethers";
import { reading } from "../support/world.ts";
import { checkInvariants } from "./invariants.ts";
import { createProduction, homes, type Production } from "./support.ts";
import { expectRebuilt } from "../support/community.ts";

describe("granular certificates of nothing and of very much", () => {
  let p: Production;
  let first: number;
  beforeEach(async () => {
    p = await createProduction();
    first = p.genesisSlot;
    await p.register();
  });
  afterEach(async () => {
    await checkInvariants(p);
    await expectRebuilt(p);
  });

  it("tell of no transfer where nothing was fed in", async () => {
    const { certificates, generators } = p.c;
    await p.run(homes(0));
    await p.run(homes(0));
    await p.finalize();
    await p.archive();
    const issue = () => certificates.issue([p.issueOf(0, 0, first, first + 1)]);
    const issued = await issue();
    await expect(issued).not.to.emit(certificates, "TransferBatch");
    await expect(issued).not.to.emit(certificates, "TransferSingle");
    await expect(issue()).to.be.revertedWithCustomError(generators, "SlotsOutOfOrder");
  });

  it("are claimed up to what one word of a slot holds, however much was used", async () => {
    await p.run([reading(0, 1_000), reading(20_000_000, 0), reading(0, 0), reading(0, 0)]);
    await p.finalize();
    await p.archive();
    const holder = (p.owners[1] as Wallet).address;
    const claim = p.of(1).certificates.claim({
      ...{ holder, consumption: p.prove(1, first, first), ids: [p.idOf(0, first)], values: [2 ** 24] },
      ...{ beneficiary: holder, purpose: "" },
    });
    await expect(claim)
      .to.be.revertedWithCustomError(p.c.certificates, "ConsumptionExceeded")
      .withArgs(1, first, 2 ** 24, 2 ** 24 - 1);
  });
});
