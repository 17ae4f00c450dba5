import { expect } from "chai";
import { keccak256, toBeHex, type Wallet } from "ethers";
import { TestBatch__factory } from "../../../types/contracts/factories/test/TestBatch__factory.ts";
import { bid, createWorld, offer, posting, reading, TOKEN, type WorldOptions } from "../support/world.ts";

const DAY_SLOTS = 96;
/** Transactions of the settlement of void slots stay below the bound of one transaction. */
const CHUNK = 64;
/** An hour before a midnight. */
const START = Date.UTC(2030, 5, 30) / 1_000 - 5_400;
export const FOREVER = 2n ** 40n - 1n;

/** A market of three homes, and a community battery at point 3 whose key is `key`. */
export const createBattery = async (options: WorldOptions = {}) => {
  const world = await createWorld({ startAt: START, homes: 3, publish: 0, ...options });
  const { c, asOperator, addresses } = world;
  const vault = c.communityStorage;
  const manager = asOperator.communityStorage;
  const point = 3;
  const key = world.wallet("agent:battery");
  const batch = await new TestBatch__factory(world.relayer).deploy(addresses.settlement);
  await asOperator.meteringPoints.register(addresses.communityStorage, 0, 5_000, 5_000);
  for (const owner of world.owners) {
    await world.fund(owner.address);
    await world.as(owner).token.approve(addresses.communityStorage, 2n ** 255n);
  }
  await c.token.mint(await world.relayer.getAddress(), 100n * TOKEN);
  const of = (home: number) => world.as(world.owners[home] as Wallet).communityStorage;
  const addressOf = (home: number): string => (world.owners[home] as Wallet).address;
  const current = async (): Promise<number> => Math.floor((await world.networkHelpers.time.latest()) / 900);
  const today = async (): Promise<number> => Math.floor((await current()) / DAY_SLOTS);

  /**
   * Lets every slot up to one become final: those that nobody reported as void ones. `quick` writes their states into the ring, as settlement does
   * (a few hundred slots per batch would take most of a test's time).
   */
  const finalize = async (last: number, quick = true): Promise<void> => {
    await world.goTo(world.startOf(last + 9 + DAY_SLOTS));
    for (let first = Number(await c.settlement.finalThrough()) + 1; first <= last; first += CHUNK) {
      const through = Math.min(last, first + CHUNK - 1);
      if (quick) await writeVoid(first, through);
      else {
        await batch.estimate(first, through);
        await batch.settle(first, through);
        expect(await c.settlement.statusOf(through)).to.deep.equal([2n, BigInt(through + 9), 0n]);
      }
      await c.settlement.advanceFinal(300);
    }
    await c.settlement.advanceFinal(300);
  };
  /** Open slots, from `first` to `last`, as estimated and settled: status 2 since their deadline, version 0 (StatusRing.sol). */
  const writeVoid = async (first: number, last: number): Promise<void> => {
    for (let page = Math.floor(first / 4); page * 4 <= last; page += 1) {
      const place = BigInt(keccak256(toBeHex((BigInt(page % 64) << 256n) | 1n, 64)));
      let word = BigInt(await world.networkHelpers.getStorageAt(addresses.settlement, place));
      for (let slot = Math.max(first, page * 4); slot <= Math.min(last, page * 4 + 3); slot += 1) {
        const shift = BigInt((slot % 4) * 64);
        const lap = BigInt(Math.floor(slot / 256));
        if (((word >> shift) >> 40n) % 2n ** 24n === lap) continue;
        const entry = (lap << 40n) | (BigInt(slot + 9) << 16n) | 2n;
        word = (word & ~((2n ** 64n - 1n) << shift)) | (entry << shift);
      }
      await world.networkHelpers.setStorageAt(addresses.settlement, place, toBeHex(word, 32));
    }
  };
  /** Until a day's batch can be marked. */
  const settleAll = async (day: number): Promise<void> => finalize(Number(await vault.throughSlotOf(day)));
  /** Price of a share never falls by what a batch does. */
  const unharmed = async (call: () => Promise<unknown>): Promise<void> => {
    const [assets, supply] = [await vault.totalAssets(), await vault.totalSupply()];
    await call();
    const [after, left] = [await vault.totalAssets(), await vault.totalSupply()];
    expect((after + 1n) * (supply + TOKEN) >= (assets + 1n) * (left + TOKEN), "the worth of a share fell").to.equal(
      true,
    );
  };
  const execute = (day: number): Promise<void> => unharmed(() => vault.execute(day));
  const pay = (): Promise<void> => unharmed(() => vault.pay());
  /** Until a marked batch can be executed. */
  const makeFinal = async (day: number): Promise<void> => finalize(Number((await vault.markOf(day)).slot) - 1);
  /** Marks and executes a day's batch; nothing happens meanwhile. */
  const run = async (day: number): Promise<void> => {
    await settleAll(day);
    await vault.mark(day);
    await makeFinal(day);
    await execute(day);
  };

  const requestDeposit = async (home: number, amount: bigint): Promise<void> => {
    await c.token.mint(addressOf(home), amount);
    await of(home).requestDeposit(amount);
  };
  const takeShares = async (home: number): Promise<bigint> => {
    const shares = await vault.maxMint(addressOf(home));
    await of(home).deposit(await vault.maxDeposit(addressOf(home)), addressOf(home));
    return shares;
  };
  /** Takes everything that was paid to a home. */
  const takeTokens = async (home: number): Promise<bigint> => {
    const assets = await vault.maxWithdraw(addressOf(home));
    await of(home).redeem(await vault.maxRedeem(addressOf(home)), addressOf(home), addressOf(home));
    return assets;
  };
  /** Deposits of homes 0, 1, .. of the same day become shares; all but `keep` goes into the ledger, and the key may trade. */
  const start = async (amounts: bigint[], keep = 0n): Promise<bigint[]> => {
    await manager.setPoint(point);
    for (const [home, amount] of amounts.entries()) await requestDeposit(home, amount);
    await run(await today());
    const shares: bigint[] = [];
    for (const home of amounts.keys()) shares.push(await takeShares(home));
    await manager.appoint(key.address, FOREVER);
    await manager.fundLedger(amounts.reduce((a, b) => a + b, 0n) - keep);
    return shares;
  };

  /** The battery buys at 135,000 or sells at 205,001 micro-token per kWh in a slot; cleared, not yet reported. */
  const clearTrade = async (slot: number, buys: boolean, wh: number) => {
    if ((await c.tariffs.wordOf(slot)) === 0n) await world.publishTerms(slot, 1);
    const words = await world.append(slot, [
      await world.order(buys ? 0 : 1, slot, [buys ? offer(wh, 70_000) : bid(wh, 300_000)]),
      await world.order(point, slot, [buys ? bid(wh, 160_000) : offer(wh, 150_002)], 1, key, key.address),
    ]);
    expect(words.skipped).to.deep.equal([]);
    await world.goTo(world.startOf(slot) - 500);
    return world.clear(slot, words.words as string, [posting(buys ? 95_000 : 205_001)]);
  };
  const metersOf = (buys: boolean, wh: number, metered = wh) => [
    buys ? reading(0, wh) : reading(0, 0),
    buys ? reading(0, 0) : reading(wh, 0),
    reading(0, 0),
    buys ? reading(metered, 0) : reading(0, metered),
  ];
  /** The same, reported and settled; the battery's meter shows `metered`. */
  const trade = async (slot: number, buys: boolean, wh: number, metered = wh) => {
    const { record } = await clearTrade(slot, buys, wh);
    await world.goTo(world.startOf(slot + 1));
    const { readings, root } = await world.report(slot, metersOf(buys, wh, metered));
    await c.settlement.settle([{ record, readings, root }]);
    return { slot, record, readings, root };
  };

  const held = async (): Promise<bigint> => c.token.balanceOf(addresses.communityStorage);
  /** Every token of the vault is somebody's, once, and nobody can take more than there is. */
  const checkSolvency = async (): Promise<void> => {
    expect(await world.discrepancyNano(), "conservation in the ledger").to.equal(0n);
    const owed = await vault.owedAssets();
    expect(await held(), "conservation in the vault").to.equal(
      (await vault.idle()) + (await vault.pendingAssets()) + owed,
    );
    let claims = 0n;
    for (const { address } of world.owners) {
      const [deposits, redemptions] = [await vault.depositsOf(address), await vault.redemptionsOf(address)];
      claims += deposits.returned + redemptions.given;
    }
    expect(claims <= owed, `claims of ${claims} against ${owed}`).to.equal(true);
  };

  return {
    ...world,
    vault,
    manager,
    point,
    key,
    of,
    addressOf,
    current,
    today,
    finalize,
    settleAll,
    makeFinal,
    execute,
    pay,
    run,
    requestDeposit,
    takeShares,
    takeTokens,
    start,
    clearTrade,
    metersOf,
    trade,
    held,
    checkSolvency,
  };
};

export type Battery = Awaited<ReturnType<typeof createBattery>>;
