import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A line that can be cut. */
export interface CutLine {
  url: string;
  /** `refuse`: connections break at once; `swallow`: they are taken and never answered. */
  cut(how: "refuse" | "swallow"): void;
  join(): void;
  close(): Promise<void>;
}

/** A TCP proxy before an HTTP endpoint, for taking it away from whoever uses it. */
export const createCutLine = async (target: string): Promise<CutLine> => {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let state: "joined" | "refuse" | "swallow" = "joined";
  const keep = (socket: Socket): Socket => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    keep(near);
    if (state === "refuse") {
      near.destroy();
      return;
    }
    if (state === "swallow") {
      near.resume();
      return;
    }
    const far = keep(connect({ host: hostname, port: Number(port) }));
    near.pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const dropAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: (how) => {
      state = how;
      dropAll();
    },
    join: () => {
      state = "joined";
      dropAll();
    },
    close: async () => {
      dropAll();
      server.close();
      await once(server, "close");
    },
  };
};
