import { createServer } from "node:net";
import { wrongInput } from "../../services/platform/errors.ts";

/** Finds free loopback ports; all are held open until all are known, so that no port is given twice. */
export const freePorts = async (count: number): Promise<number[]> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
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
