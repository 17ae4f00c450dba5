/** Exit codes of the command line (design, section 7): 1 wrong input, 2 refused result, 75 try again. */
export type ExitCode = 1 | 2 | 75;

/** An error that a user can act on: its message is one sentence that names the field and the fix. */
export class DaegError extends Error {
  override readonly name = "DaegError";
  readonly exitCode: ExitCode;
  readonly retryable: boolean;

  constructor(message: string, exitCode: ExitCode, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.retryable = options.retryable ?? exitCode === 75;
  }
}

/** Wrong input: the user has to change something. Exit 1. */
export const wrongInput = (message: string, options: { cause?: unknown } = {}): DaegError =>
  new DaegError(message, 1, options);

/** A well-formed result that the contract (or a check) refuses. Exit 2. */
export const refused = (message: string, options: { cause?: unknown } = {}): DaegError =>
  new DaegError(message, 2, options);

/** Something outside was not there; the same call may succeed later. Exit 75. */
export const tryAgain = (message: string, options: { cause?: unknown } = {}): DaegError =>
  new DaegError(message, 75, options);

/** True for errors after which the same call may succeed: time-outs, refused connections, `tryAgain`. */
export const isRetryable = (error: unknown): boolean => {
  if (error instanceof DaegError) return error.retryable;
  if (!(error instanceof Error)) return false;
  if (error.name === "TimeoutError" || error.name === "AbortError") return true;
  const code = (error as NodeJS.ErrnoException).code ?? (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && retryableCodes.has(code);
};

const retryableCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "NETWORK_ERROR",
  "TIMEOUT",
  "SERVER_ERROR",
]);

/** One line for a person: the message, and the cause's where it adds something. */
export const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  const own = error.message.split("\n")[0] ?? "";
  return cause && !own.includes(cause) ? `${own} (${cause.split("\n")[0]})` : own;
};
