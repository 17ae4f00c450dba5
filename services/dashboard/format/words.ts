import type { SlotPhase } from "../../protocol/api.ts";

/** "0x12ab…9f00": the ends of a hash. */
export const shortHash = (hash: string, ends = 4): string =>
  hash.length <= 4 + 2 * ends ? hash : `${hash.slice(0, 2 + ends)}…${hash.slice(-ends)}`;

/** A thing and how many: "1 order", "3 orders". */
export const count = (n: number, noun: string): string => `${n}\u00a0${noun}${n === 1 ? "" : "s"}`;

const phases: Record<SlotPhase, string> = {
  open: "Open for orders",
  closed: "Gate closed",
  cleared: "Cleared",
  void: "Void",
  delivery: "Delivering",
  "awaiting-report": "Awaiting report",
  reported: "Reported",
  estimated: "Estimated",
  settled: "Settled",
  final: "Final",
};

/** The phase of a slot for a badge. */
export const phaseWord = (phase: SlotPhase): string => phases[phase];

/** "WrongPrice" to "Wrong price": a contract's error as a heading. */
export const errorTitle = (name: string): string => {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

/** "price-off-by-one" spoken. */
export const nameOf = (point: { home: string | null; point: number }): string => point.home ?? `Point ${point.point}`;
