import { expect } from "chai";
import type { Wallet } from "ethers";
import { createWorld } from "./support/world.ts";

const YEAR_2106 = 2n ** 32n;

describe("delegates in batches", () => {
  it("are those that the point names, whoever came last, and whatever its neighbour does", async () => {
    const world = await createWorld({ homes: 3, depositTokens: 0, publish: 0 });
    const { c, networkHelpers } = world;
    const agents = [0, 1, 2].map((index) => world.wallet(`agent:${index}`).address);
    const owner = (point: number): Wallet => world.owners[point] as Wallet;
    for (const { address } of world.owners) await world.fund(address);
    /** Every point with every agent, as the order book reads them, and as the points say. */
    const check = async (): Promise<boolean[]> => {
      const keys: bigint[] = [];
      for (const point of [0, 1, 2]) for (const agent of agents) keys.push((BigInt(agent) << 32n) | BigInt(point));
      const words = await c.meteringPoints.orderTermsBatch(keys);
      const got = words.map((word) => word >> 248n === 1n);
      const wanted: boolean[] = [];
      for (const point of [0, 1, 2])
        for (const agent of agents) wanted.push(await c.meteringPoints.isDelegate(point, agent));
      expect(got).to.deep.equal(wanted);
      return got;
    };
    const name = async (point: number, agent: number, validUntil: number | bigint): Promise<boolean[]> => {
      await world.as(owner(point)).meteringPoints.setDelegate(point, agents[agent] as string, validUntil);
      return check();
    };
    const now = await networkHelpers.time.latest();
    const soon = now + 1_000;
    const [t, f] = [true, false];
    expect(await check()).to.deep.equal([f, f, f, f, f, f, f, f, f]);
    expect(await name(0, 0, soon + 5_000)).to.deep.equal([t, f, f, f, f, f, f, f, f]);
    expect(await name(1, 0, YEAR_2106 + 5n)).to.deep.equal([t, f, f, t, f, f, f, f, f]);
    expect(await name(0, 1, soon)).to.deep.equal([t, t, f, t, f, f, f, f, f]);
    expect(await name(2, 2, 2n ** 40n - 1n)).to.deep.equal([t, t, f, t, f, f, f, f, t]);
    // Revoking the one that is not the last, and the last.
    expect(await name(0, 0, 0)).to.deep.equal([f, t, f, t, f, f, f, f, t]);
    expect(await name(1, 1, 0)).to.deep.equal([f, t, f, t, f, f, f, f, t]);
    expect(await name(1, 0, 0)).to.deep.equal([f, t, f, f, f, f, f, f, t]);
    expect(await name(1, 2, soon + 9_000)).to.deep.equal([f, t, f, f, f, t, f, f, t]);
    // A validity that ends.
    await networkHelpers.time.increaseTo(soon + 1);
    expect(await check()).to.deep.equal([f, f, f, f, f, t, f, f, t]);
    expect(await name(0, 1, soon + 9_000)).to.deep.equal([f, t, f, f, f, t, f, f, t]);
    // A new owner starts without delegates, a former one's come back with nobody.
    await world.as(owner(1)).meteringPoints.changeOwner(1, owner(0).address);
    expect(await check()).to.deep.equal([f, t, f, f, f, f, f, f, t]);
    await world.as(owner(0)).meteringPoints.changeOwner(1, owner(1).address);
    expect(await check()).to.deep.equal([f, t, f, f, f, f, f, f, t]);
  });
});
