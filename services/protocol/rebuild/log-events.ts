import { Interface, type Result } from "ethers";
import type { Addresses } from "../addresses.ts";
import { abiOf } from "../contracts.ts";
import { decodeLog, type ChainEvent, type RawLog } from "../events.ts";
import { expandSlots } from "../settling.ts";

/** Contracts whose events are read by their ABI, since events.ts, which the indexer lives by, does not know them. */
const MODULES = {
  sealedBatches: "SealedBatches",
  readingArchive: "ReadingArchive",
  generators: "Generators",
  certificates: "Certificates",
  incentives: "Incentives",
  losses: "Losses",
  peakCharge: "PeakCharge",
  refunds: "Refunds",
  demandResponse: "DemandResponse",
  usage: "Usage",
  storageUnits: "StorageUnits",
  communityStorage: "CommunityStorage",
} as const;

const CORE = [
  "meteringPoints",
  "grid",
  "tariffs",
  "ledger",
  "auction",
  "meterOracle",
  "settlement",
  "envelopes",
] as const satisfies readonly (keyof Addresses)[];

export type ModuleName = keyof typeof MODULES;

const moduleNames = Object.keys(MODULES) as ModuleName[];
const interfaces = Object.fromEntries(moduleNames.map((name) => [name, new Interface(abiOf(MODULES[name]))])) as Record<
  ModuleName,
  Interface
>;

/** Arguments of an event or of a struct in it, by name. */
export interface Arguments {
  num(key: string): number;
  big(key: string): bigint;
  text(key: string): string;
  flag(key: string): boolean;
  nums(key: string): number[];
  bigs(key: string): bigint[];
  texts(key: string): string[];
  inner(key: string): Arguments;
  inners(key: string): Arguments[];
}

export interface ModuleEvent {
  contract: ModuleName;
  name: string;
  args: Arguments;
  block: number;
  txHash: string;
}

/** What a fold is told: an event of the market's core, or one of a module. */
export type LogEvent = { core: ChainEvent; module?: never } | { core?: never; module: ModuleEvent };

/** What a fold says where events contradict each other, or what was computed from readings. */
export type Report = (problem: string) => void;

/** Contracts whose logs the rebuild needs. */
export const rebuiltAddresses = (addresses: Addresses): string[] =>
  [...CORE, ...moduleNames].map((name) => addresses[name]);

/** The market's events among these logs, in the chain's order. Logs of other contracts do not count. */
export const eventsOfLogs = (logs: readonly RawLog[], addresses: Addresses): LogEvent[] => {
  const core = new Set(CORE.map((name) => addresses[name].toLowerCase()));
  const modules = new Map(moduleNames.map((name) => [addresses[name].toLowerCase(), name]));
  const sorted = [...logs].sort(
    (a, b) => Number(a.blockNumber) - Number(b.blockNumber) || Number(a.logIndex) - Number(b.logIndex),
  );
  return sorted.flatMap((log): LogEvent[] => {
    const address = log.address.toLowerCase();
    if (core.has(address)) {
      const event = decodeLog(log);
      return event ? expandSlots(event).map((core) => ({ core })) : [];
    }
    const contract = modules.get(address);
    const parsed = contract && interfaces[contract].parseLog(log);
    if (!contract || !parsed) return [];
    const at = { block: Number(log.blockNumber), txHash: log.transactionHash };
    return [{ module: { contract, name: parsed.name, args: argumentsOf(parsed.args), ...at } }];
  });
};

/** By `getValue`, since a name like `values` is a method of every array. */
const argumentsOf = (args: Result): Arguments => {
  const of = <T>(key: string): T => args.getValue(key) as T;
  return {
    num: (key) => Number(of<bigint>(key)),
    big: (key) => of<bigint>(key),
    text: (key) => of<string>(key),
    flag: (key) => of<boolean>(key),
    nums: (key) => [...of<bigint[]>(key)].map(Number),
    bigs: (key) => [...of<bigint[]>(key)],
    texts: (key) => [...of<string[]>(key)],
    inner: (key) => argumentsOf(of<Result>(key)),
    inners: (key) => [...of<Result[]>(key)].map(argumentsOf),
  };
};
