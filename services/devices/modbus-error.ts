import { DaegError } from "../platform/errors.ts";

export type ModbusErrorKind =
  /** No TCP connection: refused, unreachable, or cut while waiting. */
  | "connection"
  /** The unit did not answer in time. */
  | "timeout"
  /** The device (or the gateway before it) answered with a Modbus exception. */
  | "exception"
  /** The answer does not fit the request. */
  | "protocol";

const exceptionText: Record<number, string> = {
  1: "does not support this function",
  2: "has no such register",
  3: "refuses this value",
  4: "reports an internal failure",
  5: "needs more time",
  6: "is busy",
  8: "reports a memory error",
  10: "cannot be reached: the gateway has no path to it",
  11: "does not answer its gateway: no such unit, or it is off",
};

/** Exceptions after which the same request may succeed later. */
const passing = new Set([4, 5, 6, 8, 10, 11]);

/** A failed Modbus request; `retryable` says whether the same request may succeed later. */
export class ModbusError extends DaegError {
  readonly kind: ModbusErrorKind;
  readonly unit: number;
  /** Modbus exception code, for kind "exception". */
  readonly code: number | undefined;

  constructor(kind: ModbusErrorKind, unit: number, message: string, options: { code?: number; cause?: unknown } = {}) {
    const retryable = kind === "exception" ? passing.has(options.code ?? 0) : true;
    super(message, retryable ? 75 : 1, { cause: options.cause, retryable });
    this.kind = kind;
    this.unit = unit;
    this.code = options.code;
  }
}

export function exceptionError(where: string, unit: number, code: number): ModbusError {
  const text = exceptionText[code] ?? "answers with an error";
  return new ModbusError("exception", unit, `${where} unit ${unit} ${text} (Modbus exception ${code})`, { code });
}
