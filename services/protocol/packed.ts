/** Packed words of the contracts as numbers (contracts/libraries: OrderWord, PackedEnergy, PackedReadings). */
export interface BookWord {
  point: number;
  sequence: number;
  zone: number;
  sell: boolean;
  green: boolean;
  energyWh: number;
  /** Limit, micro-token per kWh. */
  price: number;
  /** The 16 bytes, hex without 0x. */
  word: string;
}

const WORD_HEX = 32;

export const decodeWords = (words: string): BookWord[] => {
  const result: BookWord[] = [];
  for (let at = 2; at + WORD_HEX <= words.length; at += WORD_HEX) {
    const word = words.slice(at, at + WORD_HEX);
    const field = (from: number, to: number): number => parseInt(word.slice(from, to), 16);
    const flags = field(12, 14);
    result.push({
      point: field(0, 8),
      sequence: field(8, 10),
      zone: field(10, 12),
      sell: (flags & 1) !== 0,
      green: (flags & 2) !== 0,
      energyWh: field(14, 22),
      price: signed40(field(22, 32)),
      word,
    });
  }
  return result;
};

const signed40 = (raw: number): number => (raw >= 2 ** 39 ? raw - 2 ** 40 : raw);

/** Signed Wh by point, sold positive; points beyond the end are zero. */
export const decodePositions = (positions: string): number[] => {
  const result: number[] = [];
  for (let at = 2; at + 8 <= positions.length; at += 8) {
    const raw = parseInt(positions.slice(at, at + 8), 16);
    result.push(raw >= 2 ** 31 ? 2 ** 31 - raw : raw);
  }
  return result;
};

export const qualities = ["measured", "interpolated", "estimated", "missing"] as const;

export interface PackedReading {
  importWh: number;
  exportWh: number;
  /** Index into `qualities`. */
  quality: number;
}

export const decodeReadings = (readings: string): PackedReading[] => {
  const result: PackedReading[] = [];
  for (let at = 2; at + 16 <= readings.length; at += 16) {
    const raw = BigInt(`0x${readings.slice(at, at + 16)}`);
    result.push({
      quality: Number(raw >> 62n),
      importWh: Number((raw >> 31n) & 0x7fffffffn),
      exportWh: Number(raw & 0x7fffffffn),
    });
  }
  return result;
};
