import { createMeter, type Meter } from "../services/devices/meter.ts";
import { createModbusClient, type ModbusClient } from "../services/devices/modbus-client.ts";
import { unwrapCounter } from "../services/devices/sunspec/points.ts";
import { slotAt, slotStart } from "../services/platform/clock.ts";
import { messageOf } from "../services/platform/errors.ts";
import type { Log } from "../services/platform/log.ts";
import type { Registers } from "../services/protocol/committee.ts";
import type { OracleConfig } from "./config.ts";
import type { ByMeter, Records } from "./records.ts";
import { boundariesBetween, implausible, type ConnectionLimits, type Sample } from "./registers.ts";

/** Why a meter gives no reading at present. */
export interface MeterProblem {
  kind: "unreachable" | "implausible";
  message: string;
  /** Chain time of the first failure in a row. */
  since: number;
}

/** Present power, W, positive = import from the grid; null where the meter does not tell. */
export interface LivePower {
  powerW: number | null;
  /** Chain time of the reading. */
  time: number;
}

/** Reads the node's meters at every slot boundary and keeps what they showed. */
export interface Meters {
  /**
   * Reads every meter that was not read since the last slot boundary (again, where it failed before), concurrently, and
   * stores the samples and the boundaries they resolve.
   * @param within runs in the transaction that stores them
   * @returns whether anything was due
   */
  readDue(now: number, within?: (now: number) => void): Promise<boolean>;
  /** Reads the present power of all meters. */
  readLive(now: number): Promise<void>;
  live(): ByMeter<LivePower>;
  problems(): ByMeter<MeterProblem>;
  /** Meter readings done so far, those before a restart included. */
  reads(): number;
  close(): Promise<void>;
}

export const pointKey = (point: number): string => String(point);
export const headKey = (zone: number): string => `head${zone}`;

/** Connections to one gateway: it serves its units at once, but few sockets. */
const CONNECTIONS = 2;

export const createMeters = ({
  config,
  limitsOf,
  records,
  log,
}: {
  config: Pick<OracleConfig, "meters" | "heads" | "timeouts" | "firstSlot">;
  /** Limits of a point, Wh per slot; undefined where the chain does not know it. */
  limitsOf(point: number): ConnectionLimits | undefined;
  records: Records;
  log: Log;
}): Meters => {
  const clients = new Map<string, ModbusClient>();
  const open = ({
    host,
    port,
    unit,
    profile,
  }: OracleConfig["heads"][number] | OracleConfig["meters"][number]): Meter => {
    const key = `${host}:${port}`;
    let client = clients.get(key);
    if (!client) {
      client = createModbusClient({
        host,
        port,
        timeoutMs: config.timeouts.modbusMs,
        connections: CONNECTIONS,
        patient: false,
      });
      clients.set(key, client);
    }
    return createMeter(client, unit, profile);
  };
  const targets = [
    ...config.meters.map((each) => ({ key: pointKey(each.point), point: each.point, meter: open(each) })),
    ...config.heads.map((each) => ({ key: headKey(each.zone), point: undefined, meter: open(each) })),
  ];
  type Target = (typeof targets)[number];

  const stored = records.meters();
  let samples = stored.samples;
  let reads = stored.reads;
  const live: ByMeter<LivePower> = {};
  const problems: ByMeter<MeterProblem> = {};

  const failed = (key: string, kind: MeterProblem["kind"], message: string, now: number): void => {
    const before = problems[key];
    if (before?.kind !== kind) log.warn({ meter: key, kind, message }, "a meter gives no reading");
    problems[key] = { kind, message, since: before?.since ?? now };
  };

  /** One reading, or undefined with the reason among the problems. */
  const read = async ({ key, point, meter }: Target, now: number): Promise<Sample | undefined> => {
    let sample: Sample;
    const before = samples[key];
    try {
      const { importWh, exportWh, powerW, wrapsAtWh } = await meter.read();
      live[key] = { powerW, time: now };
      sample = {
        time: now,
        importWh: before ? (unwrapCounter(before.importWh, importWh, wrapsAtWh) ?? importWh) : importWh,
        exportWh: before ? (unwrapCounter(before.exportWh, exportWh, wrapsAtWh) ?? exportWh) : exportWh,
      };
    } catch (error) {
      failed(key, "unreachable", messageOf(error), now);
      return undefined;
    }
    reads += 1;
    const wrong = implausible(before, sample, point === undefined ? undefined : limitsOf(point));
    if (wrong) {
      failed(key, "implausible", wrong, now);
      return undefined;
    }
    delete problems[key];
    return sample;
  };

  return {
    readDue: async (now, within) => {
      const boundary = slotStart(slotAt(now));
      const due = targets.filter(({ key }) => (samples[key]?.time ?? -1) < boundary);
      if (due.length === 0) return false;
      const found = await Promise.all(
        due.map(async (target) => ({ key: target.key, sample: await read(target, now) })),
      );
      const next = { ...samples };
      const resolved = new Map<number, ByMeter<Registers>>();
      // What is reported already needs no boundary; the start of the next slot does.
      const firstSlot = Math.max(config.firstSlot, records.next());
      for (const { key, sample } of found) {
        if (!sample) continue;
        for (const [slot, registers] of boundariesBetween(samples[key], sample, firstSlot)) {
          const row = resolved.get(slot) ?? {};
          row[key] = registers;
          resolved.set(slot, row);
        }
        next[key] = sample;
      }
      records.store.transaction(() => {
        records.saveMeters(next, reads, resolved);
        within?.(now);
      });
      samples = next;
      return true;
    },
    readLive: async (now) => {
      await Promise.all(
        targets.map(async ({ key, meter }) => {
          try {
            const { powerW } = await meter.read();
            reads += 1;
            live[key] = { powerW, time: now };
          } catch (error) {
            failed(key, "unreachable", messageOf(error), now);
          }
        }),
      );
    },
    live: () => live,
    problems: () => problems,
    reads: () => reads,
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
};
