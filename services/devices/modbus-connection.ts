import { connect as connectSocket, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import modbusSerial from "modbus-serial";
import { ModbusError, exceptionError } from "./modbus-error.ts";

// modbus-serial is CommonJS: Node gives the class itself as default export, its types say "module with a default".
const ModbusRTU = modbusSerial as unknown as typeof modbusSerial.default;
type Wire = InstanceType<typeof ModbusRTU>;

interface Line {
  socket: Socket;
  wire: Wire;
  /** Time-outs since the last answer of any unit. */
  misses: number;
  /** After a time-out: requests left until the line is renewed. */
  renewIn: number;
}

/** So many time-outs in a row, and the line itself may be dead (a peer that lost power says nothing). */
const MISSES_OF_A_DEAD_LINE = 3;
/** modbus-serial numbers requests modulo 256: an answer this late could be taken for another request's. */
const RENEW_AFTER = 200;

export interface ModbusRequest {
  readonly kind: "holding" | "input" | "write";
  readonly unit: number;
  readonly address: number;
  readonly count: number;
  readonly values?: readonly number[];
}

/** One TCP connection with one request at a time (the caller waits for its answer before the next one). */
export interface ModbusConnection {
  /** Registers read, empty for writes. Connects when needed. @throws ModbusError */
  request(request: ModbusRequest): Promise<number[]>;
  close(): Promise<void>;
}

const FIRST_BACKOFF_MS = 20;
const LONGEST_BACKOFF_MS = 2_000;

export function createModbusConnection({
  host,
  port,
  timeoutMs,
  patient,
}: {
  host: string;
  port: number;
  timeoutMs: number;
  patient: boolean;
}): ModbusConnection {
  const where = `${host}:${port}`;
  let line: Line | undefined;
  let closed = false;
  let backoffMs = 0;
  let retryAtMs = 0;
  /** Fails the request under way: modbus-serial itself would wait for its time-out after the connection is gone. */
  let abort: ((error: ModbusError) => void) | undefined;

  const drop = (gone: Line): void => {
    if (line === gone) line = undefined;
    gone.socket.destroy();
  };

  /** The socket is ours, so that a reset is seen at once; modbus-serial frames requests and matches answers on it. */
  const connectOnce = (unit: number, budgetMs: number): Promise<Line> =>
    new Promise((resolve, reject) => {
      const socket = connectSocket({ host, port, noDelay: true });
      const failed = (error: ModbusError): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const late = `${where} did not accept a connection within ${timeoutMs} ms: check host, port and the network`;
      const timer = setTimeout(() => failed(new ModbusError("connection", unit, late)), budgetMs);
      socket.once("error", (cause) =>
        failed(new ModbusError("connection", unit, connectMessage(where, cause), { cause })),
      );
      socket.once("connect", () => {
        clearTimeout(timer);
        const wire = new ModbusRTU();
        const opened: Line = { socket, wire, misses: 0, renewIn: Infinity };
        wire.on("error", () => undefined);
        socket.once("close", () => {
          if (line !== opened) return;
          line = undefined;
          abort?.(new ModbusError("connection", unit, `${where} closed the connection`));
        });
        if (closed) failed(new ModbusError("connection", unit, `connection to ${where} was closed`));
        else {
          wire.linkTCP(socket, { port }).then(() => {
            // After linking, or the library takes it for a limit of the idle socket.
            wire.setTimeout(timeoutMs);
            resolve(opened);
          }, reject);
        }
      });
    });

  const connect = async (unit: number): Promise<Line> => {
    if (line) return line;
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const waitMs = retryAtMs - performance.now();
      if (waitMs > 0 && patient) await sleep(Math.min(waitMs, Math.max(0, deadlineMs - performance.now())));
      try {
        line = await connectOnce(unit, Math.max(1, deadlineMs - performance.now()));
        backoffMs = 0;
        return line;
      } catch (error) {
        backoffMs = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2 || FIRST_BACKOFF_MS);
        retryAtMs = performance.now() + backoffMs;
        if (!patient || closed || retryAtMs >= deadlineMs) throw error;
      }
    }
  };

  const transact = (on: Wire, { kind, unit, address, count, values }: ModbusRequest): Promise<number[]> =>
    new Promise((resolve, reject) => {
      abort = reject;
      const done = (error: unknown, result?: { data?: number[] }): void => {
        abort = undefined;
        if (error) reject(translate(where, unit, timeoutMs, error));
        else resolve(result?.data ?? []);
      };
      if (kind === "holding") on.writeFC3(unit, address, count, done);
      else if (kind === "input") on.writeFC4(unit, address, count, done);
      else on.writeFC16(unit, address, [...values!], (error) => done(error));
    });

  return {
    async request(request) {
      const on = await connect(request.unit);
      on.renewIn -= 1;
      try {
        const values = await transact(on.wire, request);
        on.misses = 0;
        return values;
      } catch (error) {
        if (error instanceof ModbusError && error.kind === "exception") on.misses = 0;
        if (error instanceof ModbusError && error.kind === "timeout") {
          on.misses += 1;
          on.renewIn = Math.min(on.renewIn, RENEW_AFTER);
        }
        throw error;
      } finally {
        if (on.misses >= MISSES_OF_A_DEAD_LINE || on.renewIn <= 0) drop(on);
      }
    },
    async close() {
      closed = true;
      abort?.(new ModbusError("connection", 0, `connection to ${where} was closed`));
      line?.socket.destroy();
    },
  };
}

function translate(where: string, unit: number, timeoutMs: number, error: unknown): ModbusError {
  const { modbusCode, errno, message } = error as { modbusCode?: number; errno?: unknown; message?: string };
  if (modbusCode !== undefined) return exceptionError(where, unit, modbusCode);
  if (errno === "ETIMEDOUT") {
    return new ModbusError("timeout", unit, `${where} unit ${unit} did not answer within ${timeoutMs} ms`, {
      cause: error,
    });
  }
  if (errno === "ECONNREFUSED")
    return new ModbusError("connection", unit, `${where} closed the connection`, { cause: error });
  return new ModbusError("protocol", unit, `${where} unit ${unit} gave an answer that does not fit: ${message}`, {
    cause: error,
  });
}

function connectMessage(where: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED")
    return `nothing listens on ${where} (connection refused): check host, port and that the device is on`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `host of ${where} is not known: check its name`;
  return `no connection to ${where} (${code ?? (error as Error).message}): check host, port and the network`;
}
