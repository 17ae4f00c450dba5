import { tryAgain } from "../platform/errors.ts";

export interface Forwarded {
  status: number;
  body: unknown;
}

/** The auctioneer behind the api: requests go through unchanged, and so do its answers. */
export interface OrderDesk {
  post(order: unknown): Promise<Forwarded>;
  stateOf(id: string): Promise<Forwarded>;
  postDay(order: unknown): Promise<Forwarded>;
  dayStateOf(id: string): Promise<Forwarded>;
  /** Sequences of a point's orders that wait to be appended; empty when the auctioneer does not answer. */
  pending(point: number, from: number, count: number): Promise<Array<{ slot: number; sequence: number }>>;
}

export const createOrderDesk = ({ url, timeoutMs }: { url: string; timeoutMs: number }): OrderDesk => {
  const call = async (path: string, init: RequestInit = {}): Promise<Forwarded> => {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
      return { status: response.status, body: await response.json() };
    } catch (error) {
      throw tryAgain("the auctioneer does not answer: try again, or append the order on chain yourself", {
        cause: error,
      });
    }
  };
  const post = (path: string, body: unknown): Promise<Forwarded> =>
    call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return {
    post: (order) => post("/orders", order),
    stateOf: (id) => call(`/orders/${encodeURIComponent(id)}`),
    postDay: (order) => post("/day-orders", order),
    dayStateOf: (id) => call(`/day-orders/${encodeURIComponent(id)}`),
    pending: async (point, from, count) => {
      try {
        const { status, body } = await call(`/pending/${point}?from=${from}&count=${count}`);
        return status === 200 ? (body as Array<{ slot: number; sequence: number }>) : [];
      } catch {
        return [];
      }
    },
  };
};
