import type {
  ApiState,
  ApiTerms,
  CheatKind,
  CheatResult,
  LiveView,
  LocalWallet,
  NodeStatus,
  OrderAccepted,
  OrderBody,
  OrderState,
  PointDetail,
  SlotStory,
  SlotSummary,
} from "../../protocol/api.ts";

/** Hash, block and gas of a transaction, where the API tells them. */
export interface TransactionDetail {
  readonly hash: string;
  readonly block: number | null;
  readonly gasUsed: number | null;
  readonly status: "success" | "reverted" | null;
}

/** A failed call: `message` is a sentence for the user, `status` the HTTP status or null when nobody answered. */
export class CallError extends Error {
  readonly status: number | null;
  constructor(message: string, status: number | null) {
    super(message);
    this.status = status;
  }
}

export interface Client {
  state(): Promise<ApiState>;
  terms(from: number, count: number): Promise<ApiTerms[]>;
  slots(last: number): Promise<SlotSummary[]>;
  slot(slot: number): Promise<SlotStory>;
  point(point: number): Promise<PointDetail>;
  sequences(point: number, from: number, count: number): Promise<number[]>;
  live(): Promise<LiveView>;
  nodes(): Promise<NodeStatus[]>;
  wallet(): Promise<LocalWallet>;
  placeOrder(body: OrderBody): Promise<OrderAccepted>;
  order(id: string): Promise<OrderState>;
  cheat(kind: CheatKind): Promise<CheatResult>;
  transaction(hash: string): Promise<TransactionDetail>;
  /** Address of the event stream. */
  eventsUrl: string;
}

const TIMEOUT_MS = 8_000;
/** A cheat waits for a mined block. */
const CHEAT_TIMEOUT_MS = 30_000;

/** Every call has a time-out; a failure carries the API's own sentence. `base` has no trailing slash. */
export const createClient = (base: string): Client => {
  const call = async <T>(path: string, body?: unknown, timeoutMs = TIMEOUT_MS, method?: "GET" | "POST"): Promise<T> => {
    let response: Response;
    let parsed: unknown;
    try {
      response = await fetch(`${base}${path}`, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      const text = await response.text();
      parsed = text === "" ? undefined : JSON.parse(text);
    } catch {
      throw new CallError("The market's API does not answer. Is `daeg up` still running?", null);
    }
    if (!response.ok) {
      const own = (parsed as { error?: unknown } | undefined)?.error;
      throw new CallError(
        typeof own === "string" ? own : `The API answered ${response.status} to ${path}.`,
        response.status,
      );
    }
    return parsed as T;
  };
  return {
    state: () => call("/state"),
    terms: (from, count) => call(`/terms?from=${from}&count=${count}`),
    slots: (last) => call(`/slots?last=${last}`),
    slot: (slot) => call(`/slots/${slot}`),
    point: (point) => call(`/points/${point}`),
    sequences: (point, from, count) => call(`/points/${point}/sequences?from=${from}&count=${count}`),
    live: () => call("/live"),
    nodes: () => call("/nodes"),
    wallet: () => call("/local/wallet"),
    placeOrder: (body) => call("/orders", body),
    order: (id) => call(`/orders/${encodeURIComponent(id)}`),
    cheat: (kind) => call(`/local/cheats/${kind}`, undefined, CHEAT_TIMEOUT_MS, "POST"),
    transaction: (hash) => call(`/transactions/${hash}`),
    eventsUrl: `${base}/events`,
  };
};
