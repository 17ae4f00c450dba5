import type { ContractTransactionResponse } from "ethers";
import { SLOTS_PER_DAY } from "../../services/protocol/archive.ts";
import { createProduction } from "../contracts/production/support.ts";
import { reading } from "../contracts/support/world.ts";
import type { GasRow } from "./gas-row.ts";

const HOMES = 100;
/** Sun from 06:00 to 18:00. */
const SUNRISE = 24;
const SUNSET = 72;

/** Gas of archive, certificates and incentives with 100 metering points: a proof of a reading has seven nodes. */
export const measureProductionGas = async (): Promise<GasRow[]> => {
  const p = await createProduction({ homes: HOMES, depositTokens: 0, publish: 0 });
  const { genesisSlot: first } = p;
  const rows: GasRow[] = [];
  const row = (what: string, figure: number, measured: number, unit = "gas"): void => {
    rows.push({ what, figure, measured: Math.round(measured), unit });
  };
  const gasOf = async (sending: Promise<ContractTransactionResponse>): Promise<number> =>
    Number((await (await sending).wait())?.gasUsed);
  await p.register({ connection: 0 });
  await p.register({ connection: 2 });
  await p.register({ connection: 4 });
  for (let index = 0; index < SLOTS_PER_DAY; index += 1) {
    const sun = index >= SUNRISE && index < SUNSET;
    const meters = Array.from({ length: HOMES }, (_, home) =>
      home % 2 === 0 && sun ? reading(0, 700 + home + index) : reading(250 + home, 0),
    );
    await p.run(meters);
  }
  await p.finalize();
  row(`archive, a day at once, ${HOMES} meters`, 0, Number(await p.archive()) / SLOTS_PER_DAY, "gas per slot");

  const issue = (generator: number, meter: number, from: number, through: number) =>
    gasOf(p.c.certificates.issue([p.issueOf(generator, meter, first + from, first + through)]));
  await issue(0, 0, 0, SUNRISE - 1);
  row("certificate issue, one slot, first of its word", 48_000, await issue(0, 0, SUNRISE, SUNRISE));
  row("certificate issue, one slot, in a word of others", 48_000, await issue(0, 0, SUNRISE + 1, SUNRISE + 1));
  row("certificate issue, batch of 10 slots", 27_000, (await issue(0, 0, SUNRISE + 2, SUNRISE + 11)) / 10);
  const day = await issue(1, 2, 0, SLOTS_PER_DAY - 1);
  row("certificate issue, a day at once, per certified slot", 27_000, day / (SUNSET - SUNRISE));
  row("the same, per proved slot", 0, day / SLOTS_PER_DAY);

  const owner = p.of(0);
  const to = p.owners[1]?.address as string;
  const from = p.owners[0]?.address as string;
  const slots = Array.from({ length: 10 }, (_, i) => first + SUNRISE + i);
  const ids = slots.map((slot) => p.idOf(0, slot));
  row(
    "certificate transfer, one id",
    0,
    await gasOf(owner.certificates.safeTransferFrom(from, to, ids[0] ?? 0n, 9, "0x")),
  );
  const amounts = ids.map(() => 20);
  const many = await gasOf(owner.certificates.safeBatchTransferFrom(from, to, ids, amounts, "0x"));
  row("certificate transfer, batch of 10", 0, many / ids.length);
  const claim = (count: number) => ({
    holder: to,
    consumption: p.prove(1, first + SUNRISE, first + SUNRISE + count - 1),
    ids: ids.slice(0, count),
    values: ids.slice(0, count).map(() => 3),
    beneficiary: to,
    purpose: "own use",
  });
  row("certificate claim, one slot, first of its word", 0, await gasOf(p.of(1).certificates.claim(claim(1))));
  row("certificate claim, batch of 10 slots", 0, (await gasOf(p.of(1).certificates.claim(claim(10)))) / 10);

  const month = Number((await p.c.generators.stateOf(0)).month);
  const { token, incentives } = p.c;
  await token.mint(await p.relayer.getAddress(), 10n ** 9n);
  await token.approve(p.addresses.incentives, 10n ** 9n);
  await incentives.fund(10n ** 9n);
  row("premium accrued, first of a generator", 0, await gasOf(incentives.accrue(0, month, 1_000n)));
  row("premium accrued", 0, await gasOf(incentives.accrue(0, month, 1_000n)));
  return [...rows, ...(await greenRows())];
};

/** Slots in which 15 of 100 homes traded green energy: five sell to ten, so a seller's energy goes to two buyers. */
const greenRows = async (): Promise<GasRow[]> => {
  const green = Array.from({ length: HOMES }, (_, home) => (home % 20 === 0 ? 900 : home % 10 === 5 ? -300 : 0));
  const p = await createProduction({ homes: HOMES });
  await p.register();
  const slots = 8;
  for (let i = 0; i < slots; i += 1) await p.sellGreen(p.genesisSlot + i, green);
  for (let i = 0; i < slots; i += 1) await p.run(green.map((wh) => reading(wh < 0 ? -wh : 0, Math.max(0, wh))));
  await p.finalize();
  const archived = Number(await p.archive());
  const gas = async (from: number, through: number): Promise<number> => {
    const issue = p.issueOf(0, 0, p.genesisSlot + from, p.genesisSlot + through);
    return Number((await (await p.c.certificates.issue([issue])).wait())?.gasUsed);
  };
  await gas(0, 0);
  return [
    {
      what: "archive, eight slots with 15 green traders",
      figure: 0,
      measured: Math.round(archived / slots),
      unit: "gas per slot",
    },
    {
      what: "certificate issue, one slot, to producer and two buyers",
      figure: 0,
      measured: await gas(1, 1),
      unit: "gas",
    },
    {
      what: "the same, batch of 6 slots",
      figure: 0,
      measured: Math.round((await gas(2, 7)) / 6),
      unit: "gas per slot",
    },
  ];
};

if (process.argv[1] === import.meta.filename) {
  for (const { what, figure, measured, unit } of await measureProductionGas())
    process.stdout.write(
      `${String(measured).padStart(8)} ${figure ? `<= ${figure}` : "(no figure)"} ${unit}  ${what}\n`,
    );
}
