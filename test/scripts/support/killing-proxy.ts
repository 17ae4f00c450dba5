import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** When a client of the chain is killed: before its transaction arrives, before it learns that it did, or before it learns that it was mined. */
export const MOMENTS = ["before", "after", "mined"] as const;
export type Moment = (typeof MOMENTS)[number];

/** JSON-RPC between a client and its chain that ends the client, as `kill -9` does, at a moment of its next transaction. */
export const createKillingProxy = async (chainUrl: string) => {
  let moment: Moment | undefined;
  let kill: () => void = () => undefined;
  let sent = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(Buffer.concat(chunks).toString()).then((text) => response.end(text)));
  });
  const answer = async (body: string): Promise<string> => {
    const { method } = JSON.parse(body) as { method: string };
    const sends = method === "eth_sendRawTransaction";
    if (sends) sent += 1;
    if (sends && moment === "before") return end();
    const answered = await fetch(chainUrl, { method: "POST", headers: { "content-type": "application/json" }, body });
    const text = await answered.text();
    if (sends && moment === "after") return end();
    const { result } = JSON.parse(text) as { result?: unknown };
    if (moment === "mined" && sent > 0 && method === "eth_getTransactionReceipt" && result !== null) return end();
    return text;
  };
  /** Never answers: the client is gone. */
  const end = (): Promise<string> => {
    moment = undefined;
    kill();
    return new Promise(() => undefined);
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    /** The next client, and when it dies; no moment lets it live. */
    arm: (how: () => void, when?: Moment): void => {
      kill = how;
      moment = when;
      sent = 0;
    },
    close: (): void => {
      server.closeAllConnections();
      server.close();
    },
  };
};
