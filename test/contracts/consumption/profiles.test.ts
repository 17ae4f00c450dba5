import { expect } from "chai";
import { keccak256, ZeroHash, type Result, type Wallet } from "ethers";
import { createWorld, type World } from "../support/world.ts";

const ADVANCED = { greenOnly: true, hasCeiling: true, priceCeiling: -12_345, priority: 3 };
const BLOB = "0x0011223344";

describe("profiles", () => {
  let world: World;
  before(async () => {
    world = await createWorld({ homes: 2, depositTokens: 0, publish: 0 });
    for (const owner of world.owners) await world.fund(owner.address);
  });
  const of = (home: number) => world.as(world.owners[home] as Wallet);
  const profile = async (point: number) => {
    const [preferences, hash] = await world.c.profiles.profileOf(point);
    return { ...(preferences as unknown as Result).toObject(), hash };
  };
  const nothing = { greenOnly: false, hasCeiling: false, priceCeiling: 0n, priority: 0n, hash: `0x${"00".repeat(25)}` };

  it("are set by a point's owner alone, with the blob in the event", async () => {
    const { profiles } = world.c;
    const hash = keccak256(BLOB);
    await expect(of(1).profiles.setProfile(0, ADVANCED, hash, "", "0x"))
      .to.be.revertedWithCustomError(profiles, "NotOwner")
      .withArgs(0, world.owners[1]?.address);
    await expect(of(0).profiles.setProfile(0, { ...ADVANCED, priority: 4 }, hash, "", "0x"))
      .to.be.revertedWithCustomError(profiles, "UnknownPriority")
      .withArgs(4);
    await expect(of(0).profiles.setProfile(0, ADVANCED, ZeroHash, "", BLOB))
      .to.be.revertedWithCustomError(profiles, "BlobMismatch")
      .withArgs(ZeroHash, hash);
    expect(await profile(0)).to.deep.equal(nothing);
    await expect(of(0).profiles.setProfile(0, ADVANCED, hash, "ipfs://x", BLOB))
      .to.emit(profiles, "ProfileSet")
      .withArgs(0, world.owners[0]?.address, hash, Object.values(ADVANCED), "ipfs://x", BLOB);
    expect(await profile(0)).to.deep.equal({
      ...{ greenOnly: true, hasCeiling: true, priceCeiling: -12_345n, priority: 3n },
      hash: hash.slice(0, 52),
    });
    await of(0).profiles.setProfile(0, { ...ADVANCED, greenOnly: false, hasCeiling: false }, ZeroHash, "", "0x");
    expect(await profile(0)).to.deep.equal({ ...nothing, priceCeiling: -12_345n, priority: 3n });
  });

  it("do not outlive their owner", async () => {
    await of(0).profiles.setProfile(0, ADVANCED, keccak256(BLOB), "", "0x");
    await of(0).meteringPoints.changeOwner(0, world.owners[1]?.address as string);
    expect(await profile(0)).to.deep.equal(nothing);
    expect(await profile(9)).to.deep.equal(nothing);
  });
});
