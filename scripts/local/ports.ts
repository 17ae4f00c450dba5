import { createServer } from "node:net";
import { tryAgain, wrongInput } from "../../services/platform/errors.ts";

/**
 * Below the ports that systems give to outgoing connections (32768 and up on Linux, 49152 elsewhere): a port found free
 * here is not taken by somebody's connection before its process listens on it.
 */
const FIRST_PORT = 12_000;
const PORTS = 20_000;

/** Listens on a loopback port; undefined when it is taken. */
const hold = (port: number): Promise<ReturnType<typeof createServer> | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

/** Finds free loopback ports; all are held open until all are known, so that no port is given twice. */
export const freePorts = async (count: number): Promise<number[]> => {
  const servers: ReturnType<typeof createServer>[] = [];
  const ports: number[] = [];
  // Two programs that start at once look in different places.
  const start = (process.pid * 613) % PORTS;
  for (let tried = 0; ports.length < count; tried += 1) {
    if (tried === PORTS) throw tryAgain(`no ${count} ports from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} are free`);
    const port = FIRST_PORT + ((start + tried) % PORTS);
    const server = await hold(port);
    if (!server) continue;
    servers.push(server);
    ports.push(port);
  }
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
};

/**
 * Makes sure that nobody listens on a port.
 * @throws DaegError exit 1 naming the option that chooses another one
 */
export const requireFreePort = async (port: number, option: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? wrongInput(`port ${port} is busy: stop the program that uses it or choose another one with ${option}`)
          : wrongInput(`port ${port} cannot be opened (${error.code}): choose another one with ${option}`),
      ),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
