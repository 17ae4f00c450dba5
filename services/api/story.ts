import { slotStart } from "../platform/clock.ts";
import type { SlotStory } from "../protocol/api.ts";
import { gateOf } from "../protocol/clearing.ts";
import { clearingOf, paymentsOf, termsOf } from "../protocol/market-store.ts";
import { decodeExtras } from "../protocol/extras.ts";
import { decodeReadings, qualities } from "../protocol/words.ts";
import { skipReasonOf } from "../protocol/events.ts";
import { greenByZone, homeName, pricesByZone, zoneName, type ApiContext } from "./context.ts";
import { solvedSlot, type Solved } from "./market.ts";
import type { Observations } from "./observations.ts";
import { phaseOf, reportRow, settlementRow } from "./slots.ts";

/** Everything that happened to a slot, each step with its transaction. */
export const slotStory = async (context: ApiContext, slot: number, observations: Observations): Promise<SlotStory> => {
  const { store } = context;
  const [terms] = termsOf(store, { first: slot, last: slot });
  const solved = await solvedSlot(context, slot);
  const appends = store.all<{ tx: string; book: string; wordCount: number }>(
    "SELECT tx, book, wordCount FROM appends WHERE slot = ? ORDER BY block, log",
    slot,
  );
  const skipped = store.all<{ point: number; sequence: number; reason: number; tx: string }>(
    "SELECT point, sequence, reason, tx FROM skipped WHERE slot = ? ORDER BY block, log",
    slot,
  );
  return {
    slot,
    phase: phaseOf(context, slot),
    start: slotStart(slot),
    gate: gateOf(slot),
    terms: terms ?? null,
    orders: solved.orders.map((order, at) => ({
      point: order.point,
      home: homeName(context, order.point),
      zone: zoneName(context, order.zone),
      sequence: order.sequence,
      sell: order.sell === 1,
      green: order.green === 1,
      energyWh: order.energyWh,
      priceMicroPerKwh: order.price,
      live: solved.live[at] === 1,
      filledWh: solved.clearing ? (solved.clearing.fillsWh[at] ?? 0) : null,
      txHash: order.tx,
    })),
    skipped: skipped.map(({ point, sequence, reason, tx }) => ({
      point,
      sequence,
      reason: skipReasonOf(reason),
      txHash: tx,
    })),
    book: {
      hash: appends.at(-1)?.book ?? null,
      words: appends.at(-1)?.wordCount ?? 0,
      appendTxs: appends.map(({ tx }) => tx),
    },
    clearing: clearingPart(context, slot, solved),
    report: await reportPart(context, slot, observations),
    settlement: settlementPart(context, slot),
  };
};

const gasOf = ({ store }: ApiContext, tx: string): number =>
  store.get<{ gasUsed: number }>("SELECT gasUsed FROM transactions WHERE tx = ?", tx)?.gasUsed ?? 0;

const clearingPart = (context: ApiContext, slot: number, solved: Solved): SlotStory["clearing"] => {
  const row = clearingOf(context.store, slot);
  if (!row) return null;
  return {
    prices: pricesByZone(context, row.prices),
    greenPrices: greenByZone(context, row.extras),
    flows: flowsOf(context, solved),
    positions: JSON.parse(row.positions) as number[],
    trades: decodeExtras(row.extras).trades.map(({ seller, buyer, filledWh, priceMicroPerKwh }) => ({
      ...{ seller, buyer, filledWh: Number(filledWh), priceMicroPerKwh: Number(priceMicroPerKwh) },
    })),
    boughtWh: Number(row.boughtWh),
    backupSoldWh: Number(row.backupSoldWh),
    backupBoughtWh: Number(row.backupBoughtWh),
    welfareNano: row.welfareNano,
    congestionNano: row.congestionNano,
    clearer: row.clearer,
    txHash: row.tx,
    gasUsed: gasOf(context, row.tx),
  };
};

/** Flow over each line of the community, positive from `from` to `to`, Wh; on a meshed network what each limit sees. */
const flowsOf = (
  context: ApiContext,
  { zones, limits, clearing }: Solved,
): NonNullable<SlotStory["clearing"]>["flows"] => {
  if (limits.length > 0) {
    return limits.map(({ minWh, maxWh }, l) => {
      const flowWh = Math.round(Number(clearing?.flows[l] ?? 0n) / 1e6);
      return { id: `limit ${l + 1}`, flowWh: flowWh === 0 ? 0 : flowWh, capacityWh: flowWh < 0 ? -minWh : maxWh };
    });
  }
  return context.community.lines.map(({ id, from, to, capacityW }) => {
    const [a, b] = [context.zoneNames.indexOf(from), context.zoneNames.indexOf(to)];
    const toParent = (zone: number): number => clearing?.flowToParentWh[zone] ?? 0;
    const flowWh = zones[a]?.parent === b && a !== b ? toParent(a) : -toParent(b);
    return { id, flowWh: flowWh === 0 ? 0 : flowWh, capacityWh: Math.floor(capacityW / 4) };
  });
};

const reportPart = async (
  context: ApiContext,
  slot: number,
  observations: Observations,
): Promise<SlotStory["report"]> => {
  const row = reportRow(context, slot);
  if (!row) return null;
  const packed = settlementRow(context, slot)?.["readings"];
  const seen = await observations.of(slot);
  const readings = decodeReadings(packed && packed !== "0x" ? packed : (seen?.readings ?? "0x"));
  return {
    version: row.version,
    attempt: row.attempt,
    readingsHash: row.readingsHash,
    root: row.root,
    signers: Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => ((row.signers >>> bit) & 1) === 1),
    readings: readings.map(({ importWh, exportWh, quality }, point) => ({
      point,
      importWh,
      exportWh,
      quality: qualities[quality] ?? "missing",
    })),
    observations: seen?.observations ?? [],
    txHash: row.tx,
    gasUsed: gasOf(context, row.tx),
  };
};

const settlementPart = (context: ApiContext, slot: number): SlotStory["settlement"] => {
  const row = settlementRow(context, slot);
  if (!row) return null;
  return {
    status: row["status"] === "estimated" ? "estimated" : "settled",
    payments: paymentsOf(context.store, { first: slot, last: slot }).map((payment) => ({
      point: payment.point,
      home: homeName(context, payment.point),
      positionWh: payment.positionWh,
      importWh: payment.importWh,
      exportWh: payment.exportWh,
      paymentNano: payment.paymentNano,
      energyNano: payment.energyNano,
      feeNano: payment.feeNano,
      imbalanceNano: payment.imbalanceNano,
      wordFeeNano: payment.wordFeeNano,
      tariffNano: payment.tariffNano,
    })),
    backupNano: row["backupNano"] as string,
    operatorNano: row["operatorNano"] as string,
    membersNano: row["membersNano"] as string,
    congestionNano: row["congestionNano"] as string,
    clearerNano: row["clearerNano"] as string,
    txHash: row.tx,
    gasUsed: gasOf(context, row.tx),
  };
};
