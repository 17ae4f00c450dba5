import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { ApiEvent, ApiState, ApiTerms, LiveView, SlotSummary } from "../../protocol/api.ts";
import type { Client } from "./client.ts";
import { runningNow } from "./slot-clock.ts";

export const SLOTS_SHOWN = 48;

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** `sinceMs`: Date.now() when the last word was heard; `reason`: a sentence, or null for a dropped stream. */
  | { readonly kind: "lost"; readonly sinceMs: number; readonly reason: string | null };

export interface Store {
  readonly client: Client;
  readonly market: ReadonlySignal<ApiState | null>;
  readonly live: ReadonlySignal<LiveView | null>;
  /** Oldest first. */
  readonly slots: ReadonlySignal<readonly SlotSummary[]>;
  readonly terms: ReadonlySignal<ReadonlyMap<number, ApiTerms>>;
  readonly connection: ReadonlySignal<Connection>;
  /** Counts events about a slot (-1: any slot), so that a view knows when to read it again. */
  readonly changes: ReadonlySignal<ReadonlyMap<number, number>>;
  /** Chain time now, running on between ticks. */
  now(): number;
  start(): () => void;
}

const RETRY_MS = 2_000;
const EVENT_TYPES = ["tick", "appended", "skipped", "cleared", "reported", "settled", "live"] as const;

/** Everything the screens read, kept current by the event stream; a lost stream is retried without end. */
export const createStore = (client: Client): Store => {
  const market = signal<ApiState | null>(null);
  const live = signal<LiveView | null>(null);
  const slots = signal<readonly SlotSummary[]>([]);
  const terms = signal<ReadonlyMap<number, ApiTerms>>(new Map());
  const connection = signal<Connection>({ kind: "connecting" });
  const changes = signal<ReadonlyMap<number, number>>(new Map());
  let tick = { now: 0, atMs: 0 };
  let heardMs = Date.now();
  let refreshing: Promise<void> | null = null;
  let refreshAgain = false;

  const setTick = (now: number): void => {
    if (now > tick.now) tick = { now, atMs: performance.now() };
  };
  const lose = (reason: string | null): void => {
    const known = connection.value;
    if (known.kind === "lost" && known.reason === reason) return;
    connection.value = { kind: "lost", sinceMs: heardMs, reason };
  };
  const touch = (slot: number): void => {
    const next = new Map(changes.value);
    for (const key of [slot, -1]) next.set(key, (next.get(key) ?? 0) + 1);
    changes.value = next;
  };

  const loadTerms = async (from: number): Promise<void> => {
    const rows = await client.terms(from, 4);
    terms.value = new Map(rows.map((row) => [row.slot, row]));
  };
  /** Reads the compact slots and terms again; calls that come in meanwhile are folded into one more round. */
  const refresh = async (): Promise<void> => {
    if (refreshing) {
      refreshAgain = true;
      return refreshing;
    }
    refreshing = (async () => {
      do {
        refreshAgain = false;
        const [rows] = await Promise.all([
          client.slots(SLOTS_SHOWN),
          loadTerms(Math.floor(tick.now / 900)).catch(() => undefined),
        ]);
        slots.value = rows;
      } while (refreshAgain);
    })().finally(() => {
      refreshing = null;
    });
    return refreshing;
  };
  const load = async (): Promise<void> => {
    const state = await client.state();
    batch(() => {
      market.value = state;
      setTick(state.now);
    });
    await Promise.all([
      refresh(),
      client.live().then((view) => {
        live.value = view;
      }),
    ]);
    heardMs = Date.now();
  };

  const onEvent = (event: ApiEvent): void => {
    heardMs = Date.now();
    if (event.type === "live") {
      live.value = event.live;
      return;
    }
    if (event.type === "tick") {
      const before = Math.floor(tick.now / 900);
      setTick(event.now);
      const state = market.value;
      if (state && state.slot !== event.slot) market.value = { ...state, now: event.now, slot: event.slot };
      if (before !== event.slot) touch(event.slot);
    } else touch(event.slot);
    void refresh().catch(() => undefined);
  };

  const start = (): (() => void) => {
    let stopped = false;
    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    const again = (): void => {
      if (stopped) return;
      clearTimeout(retry);
      retry = setTimeout(() => void open(), RETRY_MS);
    };
    const open = async (): Promise<void> => {
      source?.close();
      try {
        await load();
      } catch (error) {
        lose(error instanceof Error ? error.message : String(error));
        again();
        return;
      }
      if (stopped) return;
      const stream = new EventSource(client.eventsUrl);
      source = stream;
      stream.onopen = () => {
        connection.value = { kind: "live" };
      };
      stream.onerror = () => {
        stream.close();
        lose(null);
        again();
      };
      for (const type of EVENT_TYPES)
        stream.addEventListener(type, (message: MessageEvent<string>) => {
          onEvent({ ...(JSON.parse(message.data) as object), type } as ApiEvent);
        });
    };
    void open();
    return () => {
      stopped = true;
      clearTimeout(retry);
      source?.close();
    };
  };

  return {
    client,
    market,
    live,
    slots,
    terms,
    connection,
    changes,
    now: () => runningNow(tick.now, performance.now() - tick.atMs, market.value?.slotSeconds ?? 0),
    start,
  };
};
