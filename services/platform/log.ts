import pino from "pino";

/** Structured logging to stderr; stdout carries results only. */
export type Log = pino.Logger;

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** A logger that writes JSON lines to stderr at once, so that nothing is lost when the process is killed. */
export const createLog = ({ name, level = "info" }: { name: string; level?: LogLevel }): Log =>
  pino(
    { name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
