import { Interface, type ParamType, type Result } from "ethers";
import type { Addresses } from "../../../services/protocol/addresses.ts";
import { abiOf, type ContractName } from "../../../services/protocol/contracts.ts";
import type { RawLog } from "../../../services/protocol/events.ts";
import { communityOf, type Community } from "../../../services/protocol/rebuild/community.ts";
import { eventsOfLogs, type LogEvent } from "../../../services/protocol/rebuild/log-events.ts";
import { logsOf, type RebuiltWorld } from "./community.ts";

/** The contract at an address, by its key in the address book: `demandResponse` is DemandResponse. */
const interfaceOf = (addresses: Addresses, address: string): Interface => {
  const [key = ""] =
    Object.entries(addresses).find(([, at]) => String(at).toLowerCase() === address.toLowerCase()) ?? [];
  return new Interface(abiOf(`${key.charAt(0).toUpperCase()}${key.slice(1)}` as ContractName));
};

const dump = ({ facts, ...rest }: Community): string =>
  JSON.stringify({ points: facts.points, ...rest }, (_, each: unknown) =>
    typeof each === "bigint" ? String(each) : each instanceof Map || each instanceof Set ? [...each] : each,
  );

/** One more of the first number in a value; undefined where there is none. */
const bumped = (type: ParamType, value: unknown): unknown => {
  if (type.isArray()) {
    const list = [...(value as unknown[])];
    const [first] = list.length > 0 ? [bumped(type.arrayChildren as ParamType, list[0])] : [];
    return first === undefined ? undefined : [first, ...list.slice(1)];
  }
  return /^u?int/.test(type.baseType) ? (value as bigint) + ((value as bigint) % 2n === 0n ? 1n : -1n) : undefined;
};

/** The log with each of its figures changed by one, by the figure's name. */
const variants = (abi: Interface, log: RawLog): [string, RawLog][] => {
  const parsed = abi.parseLog(log);
  if (!parsed) return [];
  const plain = (value: unknown): unknown => (Array.isArray(value) ? [...(value as Result)].map(plain) : value);
  const args = plain(parsed.args) as unknown[];
  const encode = (values: unknown[]): RawLog => ({ ...log, ...abi.encodeEventLog(parsed.fragment, values) });
  return parsed.fragment.inputs.flatMap((input, at): [string, RawLog][] => {
    const name = `${parsed.name}.${input.name}`;
    if (input.isTuple()) {
      const fields = args[at] as unknown[];
      return (input.components as readonly ParamType[]).flatMap((field, place): [string, RawLog][] => {
        const value = bumped(field, fields[place]);
        return value === undefined ? [] : [[`${name}.${field.name}`, encode(args.with(at, fields.with(place, value)))]];
      });
    }
    const value = bumped(input, args[at]);
    return value === undefined ? [] : [[name, encode(args.with(at, value))]];
  });
};

/**
 * Of what a world's events are made of, everything that could be missing or one more or less without anybody noticing: neither does the rebuild report a
 * problem, nor is anything rebuilt otherwise. One log is tried of each name, the last.
 * @param names of events to try; all by default
 */
export const unnoticed = async (world: RebuiltWorld, names?: readonly string[]): Promise<string[]> => {
  const { addresses } = world;
  const logs = await logsOf(world);
  // Decoded once: only one log differs from one rebuild to the next.
  const events = logs.map((log) => eventsOfLogs([log], addresses));
  const last = new Map<string, number>();
  for (const [index, [event]] of events.entries()) {
    const name = event && (event.core ?? event.module).name;
    if (name !== undefined && (names === undefined || names.includes(name))) last.set(name, index);
  }
  const whole = dump(communityOf(events.flat(), addresses));
  const changesNothing = (index: number, instead: LogEvent[]): boolean => {
    const community = communityOf(events.with(index, instead).flat(), addresses);
    return community.problems.length === 0 && dump(community) === whole;
  };
  const found: string[] = [];
  for (const [name, index] of last) {
    if (changesNothing(index, [])) found.push(name);
    const log = logs[index] as RawLog;
    for (const [figure, changed] of variants(interfaceOf(addresses, log.address), log))
      if (changesNothing(index, eventsOfLogs([changed], addresses))) found.push(figure);
  }
  return found.sort();
};
