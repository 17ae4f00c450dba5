import { createHash } from "node:crypto";
import type {
  ApiPoint,
  ApiState,
  ApiTerms,
  LiveView,
  LocalWallet,
  NodeStatus,
  PointSlot,
  SlotStory,
  SlotSummary,
} from "../../../services/protocol/api.ts";

export interface FakeWorld {
  state: ApiState;
  live: LiveView;
  slots: SlotSummary[];
  nodes: NodeStatus[];
  wallet: LocalWallet;
  terms(slot: number): ApiTerms;
  story(slot: number): SlotStory;
  pointSlot(point: number, slot: number): PointSlot;
}

/** A hash that looks like one and is the same every time. */
export const hashOf = (text: string): string => `0x${createHash("sha256").update(text).digest("hex")}`;
const addressOf = (text: string): string => hashOf(text).slice(0, 42);
/** 0..1, the same for the same words. */
const chance = (text: string): number => parseInt(hashOf(text).slice(2, 10), 16) / 2 ** 32;

const names = ["North", "Middle", "South", "Hill", "Quay", "Mill", "Park", "Bridge"];
/** 2026-06-14 11:33:20 UTC: noon, a gate just ahead. */
const NOW = 1_781_436_800;
const SLOT = Math.floor(NOW / 900);
/** Every home's order has one word. */
const WORD_FEE_NANO = 1_000n;

/** A neighbourhood at noon, the same numbers every time. */
export const fakeWorld = ({ homes, zones: count }: { homes: number; zones: number }): FakeWorld => {
  const zones = names.slice(0, count);
  const points = Array.from({ length: homes }, (_, i): ApiPoint => ({
    point: i,
    home: `Home ${i + 1}`,
    zone: zones[Math.floor((i * count) / homes)]!,
    owner: addressOf(`owner ${i}`),
    importLimitWh: 2300,
    exportLimitWh: 2000,
    pvW: chance(`pv ${i}`) < 0.55 ? 4000 + Math.round(chance(`pvw ${i}`) * 6) * 1000 : 0,
    batteryWh: chance(`battery ${i}`) < 0.45 ? 9600 : 0,
    vehicle: i % 9 === 2,
  }));
  const powerW = points.map((point, i) => {
    const load = 250 + chance(`load ${i}`) * 2400 + (point.vehicle ? 2600 : 0);
    return Math.round(load - point.pvW * 0.55 * (point.batteryWh > 0 ? 0.7 : 1));
  });
  const net = (zone: string): number =>
    points.reduce((sum, point, i) => (point.zone === zone ? sum + powerW[i]! : sum), 0);
  const lines = zones.slice(1).map((zone, i) => ({
    id: `${zones[i % 2 === 0 ? i : i - 1]!}-${zone}`,
    from: zones[i % 2 === 0 ? i : i - 1]!,
    to: zone,
    capacityWh: Math.max(2000, Math.ceil((homes * 180) / 500) * 500),
  }));
  /** What flows to a zone and to everything behind it. */
  const behind = (zone: string): number =>
    net(zone) + lines.filter((line) => line.from === zone).reduce((sum, line) => sum + behind(line.to), 0);
  const state: ApiState = {
    chainId: 31337,
    now: NOW,
    slot: SLOT,
    addresses: { orderBook: addressOf("book"), auction: addressOf("auction") },
    community: { name: "Linden Street", currency: "EUR" },
    slotSeconds: 600,
    zones,
    lines,
    gridZone: zones[0]!,
    points,
    nodes: [0, 1, 2, 3].map((index) => ({
      index,
      url: `http://127.0.0.1:${4100 + index}`,
      address: addressOf(`node ${index}`),
    })),
  };
  const terms = (slot: number): ApiTerms => {
    const hour = (slot % 96) / 4;
    const peak = hour >= 16 && hour < 20;
    return {
      slot,
      importTariff: peak ? 420_000 : 310_000,
      exportTariff: 72_000,
      fee: 12_000,
      bandMin: -1_000_000,
      bandMax: 4_000_000,
    };
  };
  const priceOf = (zone: string, slot: number): number => {
    const hour = (slot % 96) / 4;
    const sun = Math.max(0, Math.sin(((hour - 5) / 14) * Math.PI));
    const { importTariff, exportTariff, fee } = terms(slot);
    const share = Math.min(1, Math.max(0, 1 - sun * 0.72 + (chance(`p ${slot}`) - 0.5) * 0.14));
    const far = zone === zones.at(-1) && slot % 7 < 3 ? -22_500 : 0;
    return Math.max(exportTariff, Math.round(exportTariff + (importTariff - fee - exportTariff) * share) + far);
  };
  const pricesOf = (slot: number): Record<string, number> =>
    Object.fromEntries(zones.map((zone) => [zone, priceOf(zone, slot)]));
  const slots = Array.from({ length: 44 }, (_, i): SlotSummary => {
    const slot = SLOT - 42 + i;
    const sun = Math.max(0, Math.sin((((slot % 96) / 4 - 5) / 14) * Math.PI));
    const localWh = Math.round(homes * (20 + 190 * sun * (0.8 + 0.4 * chance(`v ${slot}`))));
    return {
      slot,
      phase: slot > SLOT ? "open" : slot === SLOT ? "delivery" : slot === SLOT - 1 ? "reported" : "settled",
      prices: slot > SLOT ? {} : pricesOf(slot),
      greenPrices: {},
      importTariff: terms(slot).importTariff,
      exportTariff: terms(slot).exportTariff,
      volumeWh: localWh,
      localWh: slot > SLOT ? 0 : localWh,
      backupSoldWh: slot > SLOT ? 0 : Math.round(homes * 130 * (1 - sun)),
      backupBoughtWh: slot > SLOT ? 0 : Math.round(homes * 12 * sun),
      imbalanceWh: 120,
      orders: homes,
    };
  });

  const story = (slot: number): SlotStory => {
    const cleared = slot <= SLOT;
    const settled = slot < SLOT - 1;
    const { importTariff, exportTariff, fee } = terms(slot);
    const prices = pricesOf(slot);
    const orders = points.map((point, i) => {
      const sell = powerW[i]! < 0;
      const price = prices[point.zone]!;
      const limit =
        Math.round(
          (sell
            ? exportTariff + chance(`o ${i}`) * (price - exportTariff) * 1.25
            : importTariff - chance(`o ${i}`) * (importTariff - fee - price) * 1.2) / 500,
        ) * 500;
      const energyWh = Math.max(50, Math.round(Math.abs(powerW[i]!) / 4));
      const good = sell ? limit <= price : limit - fee >= price;
      return {
        point: i,
        home: point.home,
        zone: point.zone,
        sequence: 1,
        sell,
        green: false,
        energyWh,
        priceMicroPerKwh: limit,
        live: true,
        filledWh: cleared ? (good ? energyWh : 0) : null,
        txHash: hashOf(`append ${slot} ${i % 2}`),
      };
    });
    const positions = orders.map((order) => (order.sell ? 1 : -1) * (order.filledWh ?? 0));
    const readings = points.map((_, i) => {
      const wh = Math.round((powerW[i]! / 4) * (0.97 + 0.06 * chance(`m ${slot} ${i}`)));
      return { point: i, importWh: Math.max(0, wh), exportWh: Math.max(0, -wh), quality: "measured" as const };
    });
    const payments = points.map((point, i) => {
      const { importWh, exportWh } = readings[i]!;
      const d = exportWh - importWh - positions[i]!;
      const energyNano = BigInt(positions[i]!) * BigInt(prices[point.zone]!);
      const feeNano = -BigInt(Math.max(0, -positions[i]!)) * BigInt(fee);
      const imbalanceNano = BigInt(d) * BigInt(d >= 0 ? exportTariff : importTariff);
      const tariffNano = BigInt(exportWh) * BigInt(exportTariff) - BigInt(importWh) * BigInt(importTariff);
      return {
        point: i,
        home: point.home,
        positionWh: positions[i]!,
        importWh,
        exportWh,
        paymentNano: String(energyNano + feeNano + imbalanceNano - WORD_FEE_NANO),
        energyNano: String(energyNano),
        feeNano: String(feeNano),
        imbalanceNano: String(imbalanceNano),
        wordFeeNano: String(-WORD_FEE_NANO),
        tariffNano: String(tariffNano),
      };
    });
    const paid = payments.reduce((sum, payment) => sum + BigInt(payment.paymentNano), 0n);
    return {
      slot,
      phase: slots.find((row) => row.slot === slot)?.phase ?? "open",
      start: slot * 900,
      gate: slot * 900 - 600,
      terms: terms(slot),
      orders: slot > SLOT + 1 ? [] : orders,
      skipped: [],
      book: {
        hash: hashOf(`book ${slot}`),
        words: orders.length,
        appendTxs: [hashOf(`append ${slot} 0`), hashOf(`append ${slot} 1`)],
      },
      clearing: cleared
        ? {
            prices,
            greenPrices: {},
            trades: [],
            flows: lines.map((line) => ({
              id: line.id,
              flowWh: Math.round(behind(line.to) / 4),
              capacityWh: line.capacityWh,
            })),
            positions,
            boughtWh: positions.reduce((sum, wh) => sum + Math.max(0, -wh), 0),
            backupSoldWh: 0,
            backupBoughtWh: 310,
            welfareNano: "1082450000",
            congestionNano: "31500000",
            clearer: addressOf("auctioneer"),
            txHash: hashOf(`clear ${slot}`),
            gasUsed: 284_112,
          }
        : null,
      report:
        slot < SLOT
          ? {
              version: 1,
              attempt: 0,
              readingsHash: hashOf(`readings ${slot}`),
              root: hashOf(`root ${slot}`),
              signers: [0, 1, 2],
              readings,
              observations: [0, 1, 2, 3].map((node) => ({
                node,
                readings: readings.map((reading, i) =>
                  node === 3 && i === 1
                    ? { ...reading, exportWh: reading.exportWh * 10, importWh: reading.importWh * 10 }
                    : { ...reading, exportWh: reading.exportWh && reading.exportWh + ((node + i) % 3) - 1 },
                ),
              })),
              txHash: hashOf(`report ${slot}`),
              gasUsed: 61_204,
            }
          : null,
      settlement: settled
        ? {
            status: "settled",
            payments,
            backupNano: String(-paid - 44_000_000n - WORD_FEE_NANO * BigInt(payments.length)),
            operatorNano: "0",
            membersNano: "12500000",
            congestionNano: "31500000",
            clearerNano: String(WORD_FEE_NANO * BigInt(payments.length)),
            txHash: hashOf(`settle ${slot}`),
            gasUsed: 142_870,
          }
        : null,
    };
  };

  const pointSlot = (point: number, slot: number): PointSlot => {
    const told = story(Math.min(slot, SLOT));
    const late = slot >= SLOT - 1 && slot <= SLOT ? null : story(Math.min(slot, SLOT - 2));
    const payment = late?.settlement?.payments[point];
    return {
      slot,
      orders: told.orders
        .filter((order) => order.point === point)
        .map(({ sequence, sell, energyWh, priceMicroPerKwh }) => ({ sequence, sell, energyWh, priceMicroPerKwh })),
      priceMicroPerKwh: told.clearing?.prices[points[point]!.zone] ?? null,
      positionWh: told.clearing?.positions[point] ?? null,
      importWh: payment?.importWh ?? null,
      exportWh: payment?.exportWh ?? null,
      quality: payment ? "measured" : null,
      paymentNano: payment?.paymentNano ?? null,
      energyNano: payment?.energyNano ?? null,
      feeNano: payment?.feeNano ?? null,
      imbalanceNano: payment?.imbalanceNano ?? null,
      wordFeeNano: payment?.wordFeeNano ?? null,
      tariffNano: payment?.tariffNano ?? null,
      appendTx: hashOf(`append ${slot} 0`),
      clearTx: hashOf(`clear ${slot}`),
      reportTx: payment ? hashOf(`report ${slot}`) : null,
      settleTx: payment ? hashOf(`settle ${slot}`) : null,
    };
  };

  const burner = Math.max(
    0,
    powerW.findIndex((w) => w < -500),
  );
  return {
    state,
    live: {
      now: NOW,
      points: points.map((point, i) => ({ point: point.point, powerW: powerW[i]!, at: NOW })),
      heads: zones.map((zone) => ({ zone, powerW: net(zone) })),
      lines: lines.map((line) => ({ id: line.id, flowW: behind(line.to) })),
      stale: false,
    },
    slots,
    nodes: state.nodes.map((node) => ({
      ...node,
      reachable: true,
      lastReportedSlot: SLOT - 1,
      deviations: node.index === 3 ? 2 : 0,
      status: {},
    })),
    wallet: {
      point: burner,
      address: addressOf("burner"),
      privateKey: hashOf("burner key"),
      warning: "Its key lies in the open in this browser. Never send real money to it.",
    },
    terms,
    story,
    pointSlot,
  };
};
