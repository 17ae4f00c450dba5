import { beyondWh, type ConnectionLimits } from "../core/settlement/envelopes.ts";
import {
  slotMoney,
  type FilledTrade,
  type MeteredPosition,
  type SlotMoney,
  type ZoneMoney,
} from "../core/settlement/payments.ts";
import { decodeEnvelopes, envelopeOf } from "./envelopes.ts";
import type { GridZone, SettlementStatus, SlotTerms } from "./events.ts";
import { decodeExtras } from "./extras.ts";
import { decodeReadings } from "./words.ts";

/** The accepted clearing of a slot, as far as money needs it. Energy Wh, prices micro-token per kWh, money nano-token. */
export interface ClearedSlot {
  /** By zone. */
  prices: readonly (number | bigint)[];
  /** By point, sold positive. */
  positions: readonly number[];
  /** Words in the book, by point. */
  words: readonly number[];
  backupSoldWh: bigint;
  backupNano: bigint;
  congestionNano: bigint;
  /** `record.extras`. */
  extras: string;
}

/** What the chain knew of a slot when it settled it. */
export interface SlotFacts {
  /** Undefined: nothing was cleared. */
  clearing: ClearedSlot | undefined;
  /** Undefined: never published. */
  terms: SlotTerms | undefined;
  /** The network in force in the slot. */
  grid: readonly GridZone[];
  /** All registered points with their ratings. */
  connections: readonly (ConnectionLimits & { zone: number })[];
  /** List of operating envelopes; undefined where none were set. */
  envelopes: string | undefined;
  wordFeeNano: bigint;
  penaltyMicroPerKwh: bigint;
}

export interface CountedPoint extends MeteredPosition {
  beyondWh: bigint;
  /** 0 measured, 1 interpolated, 2 estimated, 3 missing. */
  quality: number;
}

const ESTIMATED = 2;
const MISSING = 3;

/** The money of a slot as its `Settled` event and what was published before it have it, with what was counted of every point. */
export const settledMoney = (
  { status, readings: packed }: { status: SettlementStatus; readings: string },
  { clearing, terms, grid, connections, envelopes, wordFeeNano, penaltyMicroPerKwh }: SlotFacts,
): { money: SlotMoney; points: CountedPoint[]; zones: ZoneMoney[] } => {
  const extras = decodeExtras(clearing?.extras ?? "0x");
  const readings = decodeReadings(packed);
  // Without terms nobody pays, penalties neither.
  const limits = terms && envelopes !== undefined ? decodeEnvelopes(envelopes) : undefined;
  // An estimated slot counts every position as metered; its event carries no readings.
  const estimated = status === "estimated";
  const points = connections.map(({ zone, ...rating }, point): CountedPoint => {
    const positionWh = BigInt(clearing?.positions[point] ?? 0);
    const words = clearing?.words[point] ?? 0;
    const own = { zone, positionWh, greenWh: BigInt(extras.greenWh[point] ?? 0), words };
    const reading = readings[point];
    if (estimated) {
      const wholeWh = positionWh + tradedWh(extras.trades, point);
      const energy = { importWh: wholeWh < 0n ? -wholeWh : 0n, exportWh: wholeWh > 0n ? wholeWh : 0n };
      return { ...own, ...energy, missing: false, quality: ESTIMATED, beyondWh: 0n };
    }
    const quality = reading?.quality ?? MISSING;
    const energy = {
      importWh: BigInt(reading?.importWh ?? 0),
      exportWh: BigInt(reading?.exportWh ?? 0),
      missing: quality === MISSING,
    };
    const beyond = limits ? beyondWh(energy, rating, envelopeOf(limits, point, zone)) : 0n;
    return { ...own, ...energy, quality, beyondWh: beyond };
  });
  const zones = zonesOf(grid, clearing?.prices ?? [], extras.greenPrices, terms?.reference ?? 0);
  // Without terms the slot took no orders and nobody pays; an estimated slot without a clearing pays nobody either.
  const money = slotMoney({
    points,
    zones,
    tariffs: {
      importMicroPerKwh: BigInt(terms?.importTariff ?? 0),
      exportMicroPerKwh: BigInt(terms?.exportTariff ?? 0),
      feeMicroPerKwh: BigInt(terms?.fee ?? 0),
      wordFeeNano,
      penaltyMicroPerKwh,
    },
    clearing: {
      backupSoldWh: clearing?.backupSoldWh ?? 0n,
      backupNano: clearing?.backupNano ?? 0n,
      congestionNano: clearing?.congestionNano ?? 0n,
    },
    trades: extras.trades,
  });
  return { money, points, zones };
};

/** What a point sold minus what it bought in bilateral trades, Wh. */
export const tradedWh = (trades: readonly FilledTrade[], point: number): bigint =>
  trades.reduce(
    (sum, { seller, buyer, filledWh }) => sum + (seller === point ? filledWh : 0n) - (buyer === point ? filledWh : 0n),
    0n,
  );

/** Root of the island of every zone. */
export const rootsOf = (grid: readonly Pick<GridZone, "parent">[]): number[] => {
  const roots: number[] = [];
  grid.forEach(({ parent }, zone) => roots.push(parent === zone ? zone : (roots[parent] as number)));
  return roots;
};

/** Of every zone, whether a backup supplier is connected somewhere in its island. */
export const backedZones = (grid: readonly GridZone[]): boolean[] => {
  const roots = rootsOf(grid);
  const backed = new Set(grid.flatMap((row, zone) => (row.backupCapacityWh === 0n ? [] : [roots[zone] as number])));
  return roots.map((root) => backed.has(root));
};

/** Zone prices, green prices, and whether a backup supplier is connected somewhere in each zone's island. */
const zonesOf = (
  grid: readonly GridZone[],
  prices: readonly (number | bigint)[],
  greenPrices: readonly bigint[],
  referencePrice: number,
): ZoneMoney[] => {
  const backed = backedZones(grid);
  return grid.map((_, zone) => ({
    priceMicroPerKwh: BigInt(prices[zone] ?? referencePrice),
    greenMicroPerKwh: greenPrices[zone] ?? BigInt(prices[zone] ?? referencePrice),
    hasBackup: backed[zone] as boolean,
  }));
};
