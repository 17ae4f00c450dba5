import { createServer, type Socket } from "node:net";
import { wrongInput } from "../platform/errors.ts";
import { answerPdu, type ModbusUnit } from "./modbus-pdu.ts";

export type { ModbusUnit, RegisterBlock } from "./modbus-pdu.ts";

/** A Modbus TCP server or gateway: up to 247 units behind one address. */
export interface ModbusServer {
  readonly host: string;
  /** The port it is bound to (also when 0 was asked for). */
  readonly port: number;
  close(): Promise<void>;
}

export interface ModbusServerOptions {
  host?: string;
  /** 0 takes any free port. */
  port: number;
  /** Register blocks of each unit; the caller may change them, and add or remove units, at any time. */
  units: ReadonlyMap<number, ModbusUnit>;
  /**
   * Called for a write to registers that exist and are writable, before the answer; the registers are not changed
   * unless it changes them. Returns undefined when done, or a Modbus exception code. A rejected promise answers 4.
   */
  onWrite?: (
    unit: number,
    address: number,
    values: readonly number[],
  ) => Promise<number | undefined> | number | undefined;
  /** What a unit that is not in `units` does: exception 0x0B like a gateway, or nothing. */
  unknownUnit?: "exception" | "silence";
}

const HEADER = 7;
const LONGEST_PDU = 253;

/**
 * Starts a server on node:net. (modbus-serial's ServerTCP waits a timer turn of a millisecond for every request and keeps
 * quiet about a malformed one.) Requests of one connection are answered in order.
 * @throws DaegError exit 1 when the port is busy
 */
export async function createModbusServer(options: ModbusServerOptions): Promise<ModbusServer> {
  const { host = "127.0.0.1", port, units, onWrite, unknownUnit = "exception" } = options;
  const sockets = new Set<Socket>();

  const answer = (header: Buffer, pdu: Buffer): Promise<Buffer | undefined> | Buffer | undefined => {
    const unitId = header[6]!;
    const unit = units.get(unitId);
    if (!unit && unknownUnit === "silence") return undefined;
    const result = unit
      ? answerPdu(unit, pdu, onWrite && ((address, values) => onWrite(unitId, address, values)))
      : Buffer.from([pdu[0]! | 0x80, 0x0b]);
    return result instanceof Promise ? result.then((body) => frame(header, body)) : frame(header, result);
  };

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    /** Set while a write waits for its owner; later requests of the connection queue behind it. */
    let busy = false;

    const work = (): void => {
      const out: Buffer[] = [];
      while (!busy && received.length >= HEADER + 1) {
        const length = received.readUInt16BE(4);
        // A wrong protocol or length means that the stream is out of step: nothing after it can be trusted.
        if (received.readUInt16BE(2) !== 0 || length < 2 || length > LONGEST_PDU + 1) {
          socket.destroy();
          return;
        }
        if (received.length < 6 + length) break;
        const reply = answer(received.subarray(0, HEADER), received.subarray(HEADER, 6 + length));
        received = received.subarray(6 + length);
        if (reply instanceof Promise) {
          busy = true;
          void reply.then((bytes) => {
            busy = false;
            if (bytes && !socket.destroyed) socket.write(bytes);
            work();
          });
        } else if (reply) out.push(reply);
      }
      if (out.length > 0 && !socket.destroyed) socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
    };

    socket.on("data", (data: Buffer) => {
      received = received.length === 0 ? data : Buffer.concat([received, data]);
      work();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? wrongInput(`port ${port} on ${host} is busy: stop the program that uses it or choose another port`)
          : wrongInput(`cannot listen on ${host}:${port} (${error.code}): choose another address`, { cause: error }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    host,
    port: typeof address === "object" && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function frame(header: Buffer, body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(HEADER + body.length);
  header.copy(out, 0, 0, HEADER);
  out.writeUInt16BE(body.length + 1, 4);
  body.copy(out, HEADER);
  return out;
}
