import { expect } from "chai";
import { network } from "hardhat";
import type { Signer } from "ethers";
import { createRandom } from "../../../services/simulator/random.ts";
import { TestShares__factory } from "../../../types/contracts/factories/test/TestShares__factory.ts";
import { TestToken__factory } from "../../../types/contracts/factories/test/TestToken__factory.ts";

const ROUNDS = process.env["DAEG_LONG"] === "1" ? 1_000 : 40;
const VIRTUAL = 1_000_000n;
const HOLDERS = 3;

/** Shares whose account and slots do what a walk says, with real requests, batches and payments. */
const createShares = async () => {
  const { ethers, networkHelpers } = await network.create();
  const signers = (await ethers.getSigners()) as unknown as Signer[];
  const [owner, ...rest] = signers as [Signer, ...Signer[]];
  const holders = rest.slice(0, HOLDERS);
  const token = await new TestToken__factory(owner).deploy();
  const vault = await new TestShares__factory(owner).deploy(await token.getAddress());
  const addresses = await Promise.all(holders.map((holder) => holder.getAddress()));
  for (const holder of holders) await token.connect(holder).approve(await vault.getAddress(), 2n ** 255n);
  return { networkHelpers, token, vault, holders, addresses };
};

describe("the shares of a battery, on random walks", () => {
  it("never promise more than there is, never fall by a batch, and pay what is final", async () => {
    const { networkHelpers, token, vault, holders, addresses } = await createShares();
    const at = await vault.getAddress();
    const met: Record<string, number> = {};
    for (const seed of [1, 2]) await walk(seed);

    async function walk(seed: number): Promise<void> {
      const random = createRandom(seed);
      const upTo = (most: number): number => Math.floor(random() * most);
      const amount = (): bigint => BigInt(1 + upTo(10 ** (1 + upTo(9))));
      const counts = { executed: 0, again: 0, parts: 0, returned: 0, paid: 0 };
      const open = new Set<number>();
      /** When a slot was last settled anew; when a day was marked, and through which slot all were settled then. */
      const corrected = new Map<number, number>();
      const marks = new Map<number, { when: number; settledThrough: number }>();
      let clock = 0;
      const note = (day: number, when: number, settledThrough: number): void => {
        marks.set(day, { when, settledThrough });
      };
      const current = async (): Promise<number> => Math.floor((await networkHelpers.time.latest()) / 900);
      const price = async () => ({ assets: await vault.totalAssets(), supply: await vault.totalSupply() });

      const advance = async (slots: number): Promise<void> => {
        await networkHelpers.time.increase(slots * 900);
        const now = await current();
        await vault.setSlots(now - 98 - upTo(6), now - 1 - upTo(3));
      };
      const markable = async (): Promise<number | undefined> => {
        const settled = Number(await vault.settledThrough());
        for (const day of [...open].sort((a, b) => a - b)) {
          if ((await vault.markOf(day)).slot === 0n && Number(await vault.throughSlotOf(day)) <= settled) return day;
        }
        return undefined;
      };
      const executable = async (): Promise<number | undefined> => {
        const final = Number(await vault.finalThrough());
        for (const day of open) {
          const { slot } = await vault.markOf(day);
          if (slot !== 0n && Number(slot) <= final + 1) return day;
        }
        return undefined;
      };
      /** No batch lowers the worth of a share. */
      const unharmed = async (call: () => Promise<void>): Promise<void> => {
        const before = await price();
        await call();
        const after = await price();
        const rose = (after.assets + 1n) * (before.supply + VIRTUAL) >= (before.assets + 1n) * (after.supply + VIRTUAL);
        expect(rose, `seed ${seed}: the worth of a share fell`).to.equal(true);
      };
      const execute = async (day: number): Promise<void> => {
        const marked = await vault.markOf(day);
        const before = await price();
        const asked = await vault.pendingAssets();
        const supply = await vault.totalSupply();
        await vault.execute(day);
        const { executedSlot, slot } = await vault.markOf(day);
        if (executedSlot === 0n) {
          counts.again += 1;
          expect(slot >= marked.slot).to.equal(true);
          note(day, clock, Number(await vault.settledThrough()));
          return;
        }
        counts.executed += 1;
        open.delete(day);
        // What was marked is final: nothing of it was settled anew since.
        const { when: since = 0, settledThrough = 0 } = marks.get(day) ?? {};
        const stale = [...corrected].some(([changed, when]) => when > since && changed <= settledThrough);
        expect(stale, `seed ${seed}: day ${day} was executed by a mark that changed`).to.equal(false);
        const entered = asked - (await vault.pendingAssets());
        const shares = (await vault.totalSupply()) - supply;
        expect(shares * (marked.assets + 1n) <= entered * (marked.supply + VIRTUAL)).to.equal(true);
        expect(shares * (before.assets + 1n) <= entered * (before.supply + VIRTUAL)).to.equal(true);
      };
      const pay = async (): Promise<void> => {
        const [head] = [...(await vault.unpaidDays())];
        if (head === undefined || (await vault.markOf(head)).executedSlot === 0n) return;
        const before = await price();
        if ((await vault.idle()) === 0n && before.assets > 0n) return;
        const marked = await vault.markOf(head);
        const owed = await vault.owedAssets();
        await vault.pay();
        const assets = (await vault.owedAssets()) - owed;
        const shares = before.supply - (await vault.totalSupply());
        expect(assets * (marked.supply + VIRTUAL) <= shares * (marked.assets + 1n)).to.equal(true);
        expect(assets * (before.supply + VIRTUAL) <= shares * (before.assets + 1n)).to.equal(true);
        const done = ![...(await vault.unpaidDays())].includes(head);
        counts[done ? (shares === 0n ? "returned" : "paid") : "parts"] += 1;
      };

      const enter = async () => {
        const holder = upTo(HOLDERS);
        const today = Math.floor((await current()) / 96);
        const standing = await vault.depositsOf(addresses[holder] as string);
        if (standing.asked !== 0n && Number(standing.day) !== today) return;
        const assets = amount();
        await token.mint(addresses[holder] as string, assets);
        await vault.connect(holders[holder] as Signer).requestDeposit(assets);
        open.add(today);
      };
      const leave = async () => {
        const holder = upTo(HOLDERS);
        const today = Math.floor((await current()) / 96);
        const standing = await vault.redemptionsOf(addresses[holder] as string);
        const shares = ((await vault.balanceOf(addresses[holder] as string)) * BigInt(1 + upTo(4))) / 4n;
        if (shares === 0n || (standing.asked !== 0n && Number(standing.day) !== today)) return;
        await vault.connect(holders[holder] as Signer).requestRedeem(shares);
        open.add(today);
      };
      const earn = async () => {
        const [assets, account] = [await vault.totalAssets(), await vault.account()];
        await vault.earn(assets === 0n && account < 0n ? amount() - account : (assets * BigInt(upTo(20))) / 100n);
      };
      const lose = async () => {
        await vault.earn(-((await vault.totalAssets()) * BigInt(upTo(random() < 0.2 ? 200 : 20))) / 100n);
      };
      const correct = async () => {
        // Within its window: 96 slots after it was settled, in the slot after it.
        const first = (await current()) - 96;
        const slot = first + upTo(Math.max(1, Number(await vault.settledThrough()) - first));
        corrected.set(slot, ++clock);
        await vault.correct(slot, (BigInt(upTo(200) - 100) * (await vault.totalAssets())) / 1_000n);
      };
      const mark = async () => {
        const day = await markable();
        if (day === undefined) return;
        await vault.mark(day);
        note(day, clock, Number(await vault.settledThrough()));
      };
      const executeNext = async () => {
        const day = await executable();
        if (day !== undefined) await unharmed(() => execute(day));
      };
      const fetch = async () => {
        const account = await vault.account();
        if (account > 0n) await vault.fetch((account * BigInt(upTo(40))) / 100n);
      };
      const fund = async () => {
        await vault.fundLedger(await vault.idle());
      };
      const claim = async () => {
        const holder = upTo(HOLDERS);
        const [own, address] = [vault.connect(holders[holder] as Signer), addresses[holder] as string];
        const { returned } = await vault.depositsOf(address);
        if (returned + (await vault.redemptionsOf(address)).returned > 0n) await own.takeBack(address);
        await own.deposit(await vault.maxDeposit(address), address);
        const part = (await vault.maxWithdraw(address)) / BigInt(1 + upTo(2));
        await own.withdraw(part, address, address);
      };

      const check = async (): Promise<void> => {
        const [owed, held, idle, pendingAssets, pendingShares, kept] = await Promise.all([
          vault.owedAssets(),
          token.balanceOf(at),
          vault.idle(),
          vault.pendingAssets(),
          vault.pendingShares(),
          vault.balanceOf(at),
        ]);
        expect(held).to.equal(idle + pendingAssets + owed);
        const deposits = await Promise.all(addresses.map((address) => vault.depositsOf(address)));
        const redemptions = await Promise.all(addresses.map((address) => vault.redemptionsOf(address)));
        const sum = (values: bigint[]): bigint => values.reduce((a, b) => a + b, 0n);
        const claims = sum(deposits.map(({ returned }) => returned)) + sum(redemptions.map(({ given }) => given));
        expect(claims <= owed, `seed ${seed}: claims of ${claims} against ${owed}`).to.equal(true);
        expect(sum(deposits.map(({ asked }) => asked))).to.equal(pendingAssets);
        expect(sum(redemptions.map(({ asked }) => asked)) >= pendingShares).to.equal(true);
        const shares = sum(deposits.map(({ given }) => given)) + sum(redemptions.map(({ returned }) => returned));
        expect(shares + pendingShares <= kept, `seed ${seed}: shares of ${shares}`).to.equal(true);
      };

      const either = (...actions: (() => Promise<void>)[]): Promise<void> =>
        (actions[upTo(actions.length)] as () => Promise<void>)();

      await advance(100);
      for (let round = 0; round < ROUNDS; round += 1) {
        await either(enter, leave, leave, claim);
        await either(earn, lose, correct, fund, fund);
        await advance(20 + upTo(90));
        await mark();
        await executeNext();
        await either(fetch, fetch, claim);
        await unharmed(pay);
        await check();
      }
      for (const [what, times] of Object.entries(counts)) met[what] = (met[what] ?? 0) + times;
    }
    // A walk that meets nothing proves nothing.
    for (const what of ["executed", "again", "parts", "returned", "paid"]) expect(met[what], what).to.be.greaterThan(0);
  });
});
