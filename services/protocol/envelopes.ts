import { concat, dataLength } from "ethers";
import type { ConnectionLimits } from "../core/settlement/envelopes.ts";
import { hexOf } from "./words.ts";

/** One entry of a slot's operating envelopes (contracts/interfaces/IEnvelopes.sol). Wh per slot. */
export interface EnvelopeEntry {
  kind: "zone" | "line" | "point";
  /** Number of the zone, line or metering point. */
  index: number;
  importLimitWh: number;
  exportLimitWh: number;
  /** What the operator expects there of everything outside the market; positive feeds in (a line: flows towards the parent). */
  forecastWh: number;
}

const ENTRY_BYTES = 14;
const FIRST = { zone: 0, line: 2 ** 30, point: 2 ** 31 } as const;

const numberOf = ({ kind, index }: EnvelopeEntry): number => FIRST[kind] + index;

/** A slot's list as the contract takes it, in order of the numbers. */
export const encodeEnvelopes = (entries: readonly EnvelopeEntry[]): string =>
  concat(
    [...entries]
      .sort((a, b) => numberOf(a) - numberOf(b))
      .map(
        (entry) =>
          `0x${hexOf(numberOf(entry), 4)}${hexOf(entry.importLimitWh, 3)}${hexOf(entry.exportLimitWh, 3)}${hexOf(entry.forecastWh >>> 0, 4)}`,
      ),
  );

/** The entries of a list from `EnvelopesSet`. */
export const decodeEnvelopes = (list: string): EnvelopeEntry[] =>
  Array.from({ length: dataLength(list) / ENTRY_BYTES }, (_, i) => {
    const at = 2 + 2 * ENTRY_BYTES * i;
    const field = (from: number, bytes: number): number =>
      Number.parseInt(list.slice(at + 2 * from, at + 2 * (from + bytes)), 16);
    const entry = field(0, 4);
    const kind = entry >= FIRST.point ? "point" : entry >= FIRST.line ? "line" : "zone";
    return {
      kind,
      index: entry - FIRST[kind],
      importLimitWh: field(4, 3),
      exportLimitWh: field(7, 3),
      forecastWh: field(10, 4) | 0,
    };
  });

/** What binds a connection in a slot: its own entry, else its zone's; undefined where the list has neither. */
export const envelopeOf = (
  entries: readonly EnvelopeEntry[],
  point: number,
  zone: number,
): ConnectionLimits | undefined => {
  const found =
    entries.find(({ kind, index }) => kind === "point" && index === point) ??
    entries.find(({ kind, index }) => kind === "zone" && index === zone);
  return found && { importLimitWh: BigInt(found.importLimitWh), exportLimitWh: BigInt(found.exportLimitWh) };
};
