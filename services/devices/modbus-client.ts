import type { Log } from "../platform/log.ts";
import { createModbusConnection, type ModbusConnection, type ModbusRequest } from "./modbus-connection.ts";
import { ModbusError } from "./modbus-error.ts";

/** A Modbus TCP client of one server or gateway. Requests may be made at any time; each unit is served in turn. */
export interface ModbusClient {
  readonly host: string;
  readonly port: number;
  /** Function 3: up to 125 holding registers. */
  readHolding(unit: number, address: number, count: number): Promise<number[]>;
  /** Function 4: up to 125 input registers. */
  readInput(unit: number, address: number, count: number): Promise<number[]>;
  /** Function 16: up to 123 holding registers, in one request. */
  write(unit: number, address: number, values: readonly number[]): Promise<void>;
  /** Requests sent so far. */
  requests(): number;
  close(): Promise<void>;
}

export interface ModbusClientOptions {
  host: string;
  port: number;
  /** Limit of one request from its start on the wire, connecting included. */
  timeoutMs?: number;
  /** Most TCP connections, each with one request at a time; opened as needed. A mute unit holds up at most one of them. */
  connections?: number;
  /** Wait for a server that refuses or drops the connection (until the time-out) instead of failing at once. */
  patient?: boolean;
  log?: Log | undefined;
}

interface Job extends ModbusRequest {
  resolve(values: number[]): void;
  reject(error: unknown): void;
}

/** What is known about a unit that did not answer: it is left alone for a while so that the others are not held up. */
interface Silence {
  misses: number;
  untilMs: number;
}

const MISSES_BEFORE_REST = 2;
const LONGEST_REST_MS = 10_000;

/**
 * Creates a client; it connects at the first request and reconnects by itself, with backoff.
 * All its calls fail with `ModbusError`. A unit that missed two requests in a row rests: its requests fail at once, retryable,
 * until the rest is over.
 */
export function createModbusClient(options: ModbusClientOptions): ModbusClient {
  const { host, port, timeoutMs = 1_000, connections = 2, patient = true, log } = options;
  const where = `${host}:${port}`;
  const open: ModbusConnection[] = [];
  const idle: ModbusConnection[] = [];
  /** Waiting jobs of each unit, and the order in which units are served; a unit has one request under way at most. */
  const waiting = new Map<number, Job[]>();
  const turn: number[] = [];
  const underWay = new Set<number>();
  const silent = new Map<number, Silence>();
  let sent = 0;
  let closed = false;

  const nextConnection = (): ModbusConnection | undefined => {
    const free = idle.pop();
    if (free) return free;
    if (open.length >= connections) return undefined;
    const connection = createModbusConnection({ host, port, timeoutMs, patient });
    open.push(connection);
    return connection;
  };

  const pump = (): void => {
    while (turn.length > 0) {
      const connection = nextConnection();
      if (!connection) return;
      const unit = turn.shift()!;
      const jobs = waiting.get(unit)!;
      const job = jobs.shift()!;
      if (jobs.length === 0) waiting.delete(unit);
      underWay.add(unit);
      sent += 1;
      void connection
        .request(job)
        .then(
          (values) => {
            silent.delete(unit);
            job.resolve(values);
          },
          (error: unknown) => {
            if (error instanceof ModbusError && error.kind === "timeout") missed(unit);
            job.reject(error);
          },
        )
        .finally(() => {
          underWay.delete(unit);
          idle.push(connection);
          if (waiting.has(unit)) turn.push(unit);
          pump();
        });
    }
  };

  const missed = (unit: number): void => {
    const misses = (silent.get(unit)?.misses ?? 0) + 1;
    const restMs =
      misses < MISSES_BEFORE_REST ? 0 : Math.min(LONGEST_REST_MS, timeoutMs * 2 ** (misses - MISSES_BEFORE_REST));
    silent.set(unit, { misses, untilMs: performance.now() + restMs });
    log?.warn({ where, unit, misses, restMs }, "unit does not answer");
  };

  const submit = (request: ModbusRequest): Promise<number[]> => {
    if (closed) return Promise.reject(new ModbusError("connection", request.unit, `client of ${where} is closed`));
    const restMs = (silent.get(request.unit)?.untilMs ?? 0) - performance.now();
    if (restMs > 0) {
      const message = `${where} unit ${request.unit} did not answer before; it is tried again in ${Math.ceil(restMs)} ms`;
      return Promise.reject(new ModbusError("timeout", request.unit, message));
    }
    return new Promise((resolve, reject) => {
      const job: Job = { ...request, resolve, reject };
      const jobs = waiting.get(request.unit);
      if (jobs) jobs.push(job);
      else {
        waiting.set(request.unit, [job]);
        if (!underWay.has(request.unit)) turn.push(request.unit);
      }
      pump();
    });
  };

  return {
    host,
    port,
    readHolding: (unit, address, count) => submit({ kind: "holding", unit, address, count }),
    readInput: (unit, address, count) => submit({ kind: "input", unit, address, count }),
    write: async (unit, address, values) =>
      void (await submit({ kind: "write", unit, address, count: values.length, values })),
    requests: () => sent,
    close: async () => {
      closed = true;
      for (const jobs of waiting.values()) {
        for (const job of jobs) job.reject(new ModbusError("connection", job.unit, `client of ${where} was closed`));
      }
      waiting.clear();
      turn.length = 0;
      await Promise.all(open.map((connection) => connection.close()));
    },
  };
}
