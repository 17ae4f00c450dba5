import { expect } from "chai";
import type { Result } from "ethers";
import type { Addresses } from "../../../services/protocol/addresses.ts";
import type { Contracts } from "../../../services/protocol/contracts.ts";
import type { RawLog } from "../../../services/protocol/events.ts";
import { BACKUP, CONGESTION, DEFAULT_FUND, MEMBERS, OPERATOR } from "../../../services/protocol/market-store.ts";
import { rebuildCommunity, type Community } from "../../../services/protocol/rebuild/community.ts";
import { packedMonth } from "../../../services/protocol/rebuild/usage.ts";
import { rebuiltAddresses } from "../../../services/protocol/rebuild/log-events.ts";

/** What the contracts are asked through. */
export interface RebuiltWorld {
  addresses: Addresses;
  c: Contracts;
  provider: { send(method: string, params: unknown[]): Promise<unknown> };
}

/** Every log that a rebuild needs. */
export const logsOf = async ({ provider, addresses }: RebuiltWorld): Promise<RawLog[]> =>
  (await provider.send("eth_getLogs", [
    { address: rebuiltAddresses(addresses), fromBlock: "0x0", toBlock: "latest" },
  ])) as RawLog[];

/** Collects what differs between two values, by name. */
const createDiffer = () => {
  const found: string[] = [];
  const plain = (value: unknown): string =>
    JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each));
  const same = async (name: string, rebuilt: unknown, held: unknown): Promise<void> => {
    const got = await held;
    const normal = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(normal) : typeof value === "number" ? BigInt(value) : value;
    if (plain(normal(rebuilt)) !== plain(normal(got)))
      found.push(`${name}: rebuilt ${plain(rebuilt)}, held ${plain(got)}`);
  };
  return { found, same };
};

type Same = ReturnType<typeof createDiffer>["same"];

/** Every field of a struct that a contract holds. */
const sameFields = async (name: string, rebuilt: object, held: Promise<object>, same: Same): Promise<void> => {
  const fields = Object.entries(((await held) as Result).toObject()) as [string, unknown][];
  for (const [field, value] of fields) await same(`${name}.${field}`, rebuilt[field as keyof typeof rebuilt], value);
};

const moneyDiffers = async ({ ledger, meteringPoints, sealedBatches }: Contracts, it: Community, same: Same) => {
  await same("points", it.facts.points.length, meteringPoints.count());
  const count = Number(await meteringPoints.count());
  const accounts = [
    ...Array.from({ length: count }, (_, point) => point),
    BACKUP,
    OPERATOR,
    MEMBERS,
    CONGESTION,
    DEFAULT_FUND,
  ];
  for (const account of accounts) {
    const held = ledger.balanceOf(account);
    await same(`balance of ${account}`, it.balancesNano.get(account) ?? 0n, held);
    const billed = (it.bills.get(account) ?? []).reduce((sum, { nano }) => sum + nano, 0n);
    await same(`bill of ${account}`, billed, held);
  }
  for (const [clearer, nano] of it.earnedNano) await same(`earned by ${clearer}`, nano, ledger.earnedOf(clearer));
  for (const [point, standing] of it.standings) {
    const { creditNano, drawnNano, sinceSlot, fundNano } = await ledger.standingOf(point);
    const { creditNano: credit, drawnNano: drawn, sinceSlot: since, fundNano: fund } = standing;
    await same(`standing of ${point}`, [credit, drawn, since, fund], [creditNano, drawnNano, sinceSlot, fundNano]);
  }
  for (const [relayer, amount] of it.bonds) await same(`deposit of ${relayer}`, amount, sealedBatches.freeOf(relayer));
};

const certificatesDiffer = async ({ certificates }: Contracts, it: Community, same: Same) => {
  const { balances, issued, matched } = it.certificates;
  const ids = [...issued.keys()];
  for (const holder of new Set([...balances.keys(), ...it.facts.points.map(({ owner }) => owner)])) {
    const held = certificates.balanceOfBatch(
      ids.map(() => holder),
      ids,
    );
    await same(
      `certificates of ${holder}`,
      ids.map((id) => balances.get(holder)?.get(id) ?? 0n),
      held,
    );
  }
  for (const [key, wh] of matched) {
    const [point, slot] = key.split(":").map(Number) as [number, number];
    await same(`matched of ${key}`, wh, certificates.matchedOf(point, slot));
  }
};

const generatorsDiffer = async ({ generators, incentives }: Contracts, it: Community, same: Same) => {
  await same("generators", it.generators.length, generators.generatorCount());
  for (const one of it.generators) {
    const { generator, state, certification, months } = one;
    await sameFields(`generator ${generator}`, one, generators.generatorOf(generator), same);
    await same(`state of generator ${generator}`, Object.values(state), generators.stateOf(generator));
    await same(`certification of ${generator}`, Object.values(certification), generators.certificationOf(generator));
    for (const [month, sums] of months)
      await same(`month ${month} of generator ${generator}`, Object.values(sums), generators.monthOf(generator, month));
    await same(`premium of ${generator}`, it.incentives.paidWh.get(generator) ?? 0n, incentives.paidOf(generator));
  }
  await same("incentives' pool", it.incentives.poolNano, incentives.poolNano());
  for (const [producer, nano] of it.incentives.earnedNano)
    await same(`premiums of ${producer}`, nano, incentives.earnedOf(producer));
  for (const [key, wh] of it.incentives.paidInMonth) {
    const [generator, month] = key.split(":").map(Number) as [number, number];
    await same(`premium of ${key}`, wh, incentives.paidInMonth(generator, month));
  }
};

const responsesDiffer = async ({ demandResponse }: Contracts, it: Community, same: Same) => {
  await same("events", it.responses.length, demandResponse.eventCount());
  for (const { id, sponsor, closed, counted, gaps, blind, held, zones, totalsWh, points } of it.responses) {
    const event = await demandResponse.eventOf(id);
    const name = `event ${id}`;
    await same(
      name,
      [sponsor, closed, counted, gaps.size > 0, blind, held, points.size],
      [...[event.sponsor, event.closed, event.counted, event.gaps, event.blind, event.held, event.enrolled]],
    );
    for (const zone of zones)
      await same(`${name}, zone ${zone}`, totalsWh.get(zone), demandResponse.totalsOf(id, zone));
    for (const of of points.values()) {
      const on = await demandResponse.enrolmentOf(id, of.point);
      const rebuilt = [
        of.capacityWh,
        of.zone,
        of.boughtWh !== undefined,
        of.proof !== undefined,
        of.paid !== undefined,
      ];
      const more = [of.boughtWh ?? 0, of.surplusPrice, of.due?.verifiedWh ?? 0];
      await same(`${name}, point ${of.point}`, [...rebuilt, ...more], [...on]);
    }
  }
  for (const [sponsor, amount] of it.owedToSponsors)
    await same(`owed to ${sponsor}`, amount, demandResponse.owedOf(sponsor));
};

const usageDiffers = async (
  { usage, storageUnits, peakCharge, refunds, losses }: Contracts,
  it: Community,
  same: Same,
) => {
  for (const [point, months] of it.usage)
    for (const [month, sums] of months) {
      await same(`usage of ${point} in ${month}`, packedMonth(sums), usage.monthOf(point, month));
      await same(
        `footprint of ${point} in ${month}`,
        sums.importedMg - sums.creditedMg,
        usage.footprintOf(point, month),
      );
      const peakWh = BigInt(sums.peakImportWh) * BigInt(sums.slots);
      const ppm = peakWh === 0n ? 0n : (sums.importWh * 1_000_000n) / peakWh;
      await same(`load factor of ${point} in ${month}`, ppm, usage.loadFactorOf(point, month));
    }
  await same("storage units", it.storageUnits.length, storageUnits.unitCount());
  for (const one of it.storageUnits) {
    const { unit, countedThrough, charge } = one;
    const { storedMicroWh, chargedWh, dischargedWh, unmeteredSlots, missingMicroWh, excessMicroWh } = charge;
    const state = [
      countedThrough,
      storedMicroWh,
      chargedWh,
      dischargedWh,
      unmeteredSlots,
      missingMicroWh,
      excessMicroWh,
    ];
    await same(`state of unit ${unit}`, state, storageUnits.stateOf(unit));
    await sameFields(`unit ${unit}`, one, storageUnits.unitOf(unit), same);
  }
  for (const [month, list] of it.shares.peaks) {
    const padded = [0, 1, 2].map((at) => list[at] ?? { slot: 0, wh: 0 });
    await same(
      `peaks of ${month}`,
      [padded.map(({ slot }) => slot), padded.map(({ wh }) => wh)],
      peakCharge.peaksOf(month),
    );
  }
  const { countedThrough, boughtThrough, carriedWh, charged, refunded } = it.shares;
  for (const [month, { peak, nextPoint }] of charged)
    await same(`charged of ${month}`, [peak, nextPoint], peakCharge.progressOf(month));
  if (refunded) await same("refunded", [refunded.month, refunded.nextPoint], refunds.progress());
  if (countedThrough !== undefined) await same("refunds", countedThrough, refunds.countedThrough());
  if (boughtThrough !== undefined) await same("losses", boughtThrough, losses.boughtThrough());
  for (const [zone, wh] of carriedWh) await same(`carried in ${zone}`, wh, losses.carriedWh(zone));
  for (const [month, energy] of it.shares.energyWh)
    for (const [point, wh] of energy.entries())
      await same(`energy of ${point} in ${month}`, wh, refunds.energyOf(month, point));
};

const batteryDiffers = async ({ communityStorage: vault }: Contracts, it: Community, same: Same) => {
  const { shares, totalShares, pendingAssets, pendingShares, owedAssets } = it.battery;
  const held = [vault.totalSupply(), vault.pendingAssets(), vault.pendingShares(), vault.owedAssets()];
  await same("battery", [totalShares, pendingAssets, pendingShares, owedAssets], await Promise.all(held));
  for (const [holder, each] of shares) await same(`shares of ${holder}`, each, vault.balanceOf(holder));
};

/** Where a rebuilt community and the contracts' views differ, and what the rebuild itself found; empty when all is one. */
export const differencesOf = async ({ c }: Pick<RebuiltWorld, "c">, it: Community): Promise<string[]> => {
  const { found, same } = createDiffer();
  await moneyDiffers(c, it, same);
  await certificatesDiffer(c, it, same);
  await generatorsDiffer(c, it, same);
  await responsesDiffer(c, it, same);
  await usageDiffers(c, it, same);
  await batteryDiffers(c, it, same);
  return [...it.problems, ...found];
};

/** Rebuilds a world from its logs and compares everything with what the contracts hold. */
export const expectRebuilt = async (world: RebuiltWorld): Promise<Community> => {
  const community = rebuildCommunity(await logsOf(world), world.addresses);
  expect(await differencesOf(world, community)).to.deep.equal([]);
  return community;
};
