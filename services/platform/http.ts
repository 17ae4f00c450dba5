import { serve as serveNode } from "@hono/node-server";
import type { Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { DaegError, isRetryable, messageOf, tryAgain, wrongInput } from "./errors.ts";
import type { Log } from "./log.ts";

export interface HttpServer {
  /** Base URL without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

/**
 * Binds a Hono app to an address.
 * @param port 0 takes any free port
 * @throws DaegError exit 1 when the port is busy or forbidden
 */
export const serve = async ({
  app,
  hostname = "127.0.0.1",
  port,
}: {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an app of any environment type can be served
  app: Pick<Hono<any, any, any>, "fetch">;
  hostname?: string;
  port: number;
}): Promise<HttpServer> =>
  new Promise((resolve, reject) => {
    const server = serveNode({ fetch: app.fetch, hostname, port }, (info) => {
      resolve({
        url: `http://${hostname}:${info.port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ("closeAllConnections" in server) server.closeAllConnections();
          }),
      });
    });
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? wrongInput(`port ${port} on ${hostname} is busy: stop the program that uses it or choose another port`)
          : error.code === "EACCES"
            ? wrongInput(`port ${port} on ${hostname} is not allowed for this user: choose one above 1023`)
            : error,
      );
    });
  });

/**
 * Answers what goes wrong as `{ error }`: wrong input 400, what may succeed later 503, no such address 404. Anything else is a
 * fault of this program: 500 without details, which go to its log.
 */
export const answerErrors = (
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an app of any environment type
  app: Pick<Hono<any, any, any>, "onError" | "notFound">,
  log: Log,
): void => {
  app.onError((error, context) => {
    if (isRetryable(error)) return context.json({ error: messageOf(error) }, 503);
    if (error instanceof DaegError) return context.json({ error: messageOf(error) }, 400);
    log.error({ error: messageOf(error), stack: error.stack }, "a request failed");
    return context.json({ error: "internal error: see the server's log" }, 500);
  });
  app.notFound((context) => context.json({ error: `no such address: ${context.req.method} ${context.req.path}` }, 404));
};

/** Refuses larger bodies with 413 before they are in memory. */
export const limitBody = (maxBytes: number): MiddlewareHandler =>
  bodyLimit({
    maxSize: maxBytes,
    onError: (context) => context.json({ error: `the body is larger than ${maxBytes} bytes` }, 413),
  });

/** An HTTP answer outside 2xx; the message is the server's own `error` field where it has one. */
export class HttpStatusError extends DaegError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message, status >= 500 || status === 429 ? 75 : 1);
    this.status = status;
  }
}

/**
 * Calls a JSON endpoint.
 * @returns the parsed body; undefined for 204
 * @throws HttpStatusError for a status outside 2xx; DaegError exit 75 (retryable) when the server does not answer in time
 */
export const fetchJson = async <T = unknown>(
  url: string,
  {
    method = "GET",
    body,
    timeoutMs = 5_000,
    signal,
  }: { method?: "GET" | "POST"; body?: unknown; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<T> => {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    text = await response.text();
  } catch (error) {
    throw tryAgain(`${method} ${url} was not answered within ${timeoutMs} ms`, { cause: error });
  }
  const parsed = text === "" ? undefined : safeJson(text);
  if (!response.ok) {
    const own = (parsed as { error?: unknown } | undefined)?.error;
    throw new HttpStatusError(
      response.status,
      typeof own === "string" ? own : `${method} ${url} answered ${response.status}`,
    );
  }
  return parsed as T;
};

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};
