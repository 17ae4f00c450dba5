import { id as hashText, ZeroHash } from "ethers";
import { FIRST_OWN_METER } from "../../../services/protocol/archive.ts";
import { FIRST_STORAGE_METER } from "../../../services/protocol/report.ts";
import { BATTERY, DELEGATED, DIESEL, HYDRO } from "./community.ts";
import { DAY, GENESIS, TOKEN } from "./market.ts";
import type { Week } from "./week.ts";

const KIND = { solar: 0, wind: 1, hydro: 2, conventional: 3 } as const;
export interface GeneratorFacts {
  connection: number;
  kind: number;
  ownMeter?: boolean;
  maintenanceDays?: number;
  /** Certified from the slot after this one on; never where it is undefined. */
  certifiedAt: number | undefined;
}

/** In order of registration. */
export const GENERATORS: GeneratorFacts[] = [
  { connection: 0, kind: KIND.solar, certifiedAt: -1 },
  { connection: 4, kind: KIND.solar, certifiedAt: -1 },
  // Its maintenance falls due on the second day of the week.
  { connection: 7, kind: KIND.solar, maintenanceDays: 3, certifiedAt: -1 },
  { connection: BATTERY, kind: KIND.wind, ownMeter: true, certifiedAt: 30 },
  { connection: HYDRO, kind: KIND.hydro, certifiedAt: -1 },
  { connection: DIESEL, kind: KIND.conventional, certifiedAt: undefined },
];
export const OVERDUE = 2;
export const REVOKED = 4;
export const MOMENTS = { maintained: 3 * DAY + 12, revoked: 4 * DAY + 50 };

const expiry = GENESIS + 400 * DAY;

/** Generators and what is proved of them, and the battery. */
export const productionStory = (week: Week) => {
  const { c, who, send, on, byHome, homes } = week;

  on(-DAY, async () => {
    for (const { connection, kind, ownMeter = false, maintenanceDays = 0 } of GENERATORS) {
      const terms = {
        ...{ connection, kind, storageBacked: connection === BATTERY, ownMeter, nameplateW: 8_000 },
        ...{ commissionedSlot: GENESIS - 2 * DAY, capacityFactorPpm: 140_000, operatingAboveWh: 20 },
        ...{ maintenanceDays, maintenanceHours: 0, locationHash: hashText(`roof ${connection}`) },
      };
      await byHome(connection, c.generators.register.populateTransaction(terms));
    }
    await send(who.stranger, c.token.approve.populateTransaction(week.addresses.incentives, 2n ** 255n));
    await send(who.stranger, c.incentives.fund.populateTransaction(1_000n * TOKEN));
  });
  on(-1, async () => {
    const terms = {
      connection: BATTERY,
      ownMeter: true,
      capacityWh: 4_000,
      powerW: 2_000,
      efficiencyPpm: 900_000,
      reservePpm: 100_000,
    };
    await byHome(BATTERY, c.storageUnits.register.populateTransaction(terms));
  });
  GENERATORS.forEach(({ certifiedAt }, generator) => {
    if (certifiedAt === undefined) return;
    on(certifiedAt, () =>
      send(who.certifier, c.generators.certify.populateTransaction(generator, expiry, ZeroHash)).then(() => undefined),
    );
  });
  on(MOMENTS.maintained, async () => {
    const call = c.generators.recordMaintenance.populateTransaction(OVERDUE, hashText("new inverter fan"));
    await send(who.maintainer, call);
  });
  on(MOMENTS.revoked, async () => {
    await send(who.certifier, c.generators.revoke.populateTransaction(REVOKED, hashText("weir without a permit")));
  });

  const meterOf = ({ connection, ownMeter = false }: GeneratorFacts): number =>
    ownMeter ? FIRST_OWN_METER : connection;

  /** A whole archived day: certificates of every generator, and the battery's state of charge. */
  const day = async (number: number): Promise<void> => {
    const first = GENESIS + number * DAY;
    const slots = await week.reports.slotsOf(first, DAY);
    const sales = slots.flatMap(({ sales: list = "0x", readings }) => (list === "0x" || !readings ? [] : [list]));
    for (const [generator, facts] of GENERATORS.entries()) {
      if (facts.certifiedAt === undefined) continue;
      const range = await week.reports.prove(meterOf(facts), first, DAY);
      await send(who.stranger, c.certificates.issue.populateTransaction([{ generator, range, sales }]));
    }
    const range = await week.reports.prove(FIRST_STORAGE_METER, first, DAY);
    await send(who.stranger, c.storageUnits.count.populateTransaction(0, range));
    if (number === 1) await trade(first);
  };

  const idOf = (generator: number, slot: number): bigint => (BigInt(generator) << 32n) | BigInt(slot);
  const transferred: { id: bigint; value: bigint }[] = [];
  /** Home 0 hands some of its certificates to home 1, which claims them for what it drew in the same slots. */
  const trade = async (first: number): Promise<void> => {
    const [seller, buyer] = [homes[0]?.address as string, homes[DELEGATED]?.address as string];
    for (let slot = first + 44; slot < first + 50; slot += 1) {
      const held = await c.certificates.balanceOf(seller, idOf(0, slot));
      const drawn = BigInt(week.community.loadWh(DELEGATED, slot)) / 2n;
      const value = held < drawn ? held : drawn;
      if (value > 0n) transferred.push({ id: idOf(0, slot), value });
    }
    const [ids, values] = [transferred.map(({ id }) => id), transferred.map(({ value }) => value)];
    const call = c.certificates.safeBatchTransferFrom.populateTransaction(seller, buyer, ids, values, "0x");
    await byHome(0, call);
    const claim = {
      ...{ holder: buyer, consumption: await week.reports.prove(DELEGATED, first + 44, 6), ids, values },
      ...{ beneficiary: buyer, purpose: "washing on Friday" },
    };
    await byHome(DELEGATED, c.certificates.claim.populateTransaction(claim));
    await send(who.stranger, c.usage.credit.populateTransaction(DELEGATED, first / DAY));
  };

  /** Premiums of what was certified in both months, and what a producer takes out. */
  const premiums = async (months: readonly number[]): Promise<void> => {
    for (const [generator, { certifiedAt, connection }] of GENERATORS.entries()) {
      if (certifiedAt === undefined) continue;
      for (const month of months) {
        const call = c.incentives.accrue.populateTransaction(generator, month, 2n ** 40n);
        if ((await week.market.refusal(who.stranger, call)) === undefined) await send(who.stranger, call);
      }
      if (generator === 0)
        await byHome(connection, c.incentives.withdraw.populateTransaction(homes[0]?.address as string));
    }
  };
  return { day, premiums, idOf, transferred };
};
