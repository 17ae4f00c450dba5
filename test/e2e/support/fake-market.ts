import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type {
  ApiState,
  CheatKind,
  CheatResult,
  LiveView,
  OrderBody,
  PointDetail,
} from "../../../services/protocol/api.ts";
import { serve, type HttpServer } from "../../../services/platform/http.ts";
import { fakeWorld, hashOf, type FakeWorld } from "./fake-world.ts";

/** Which state of the page is to be designed. `silent`: the API answers 503; `empty`: before the first slot. */
export type FakeMode = "running" | "empty" | "stale" | "silent" | "down-node";

export interface FakeMarket extends HttpServer {
  setMode(mode: FakeMode): void;
  /** Ends every event stream, as a crash of the API would. */
  dropStreams(): void;
}

const types: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  map: "application/json",
};

/** Serves the built dashboard over an API that answers from made-up numbers: for design states only, never as proof. */
export const startFakeMarket = async ({
  dist,
  homes,
  zones = 3,
  mode: first = "running",
}: {
  dist: string;
  homes: number;
  zones?: number;
  mode?: FakeMode;
}): Promise<FakeMarket> => {
  let mode = first;
  const world = fakeWorld({ homes, zones });
  const orders: OrderBody[] = [];
  const streams = new Set<() => void>();
  const app = new Hono();

  app.use(async (context, next) => {
    const path = context.req.path;
    if (mode === "silent" && path !== "/" && !/\.\w+$/.test(path)) return context.json({ error: "starting" }, 503);
    await next();
  });
  const empty = (): boolean => mode === "empty";
  app.get("/state", (context) => context.json(world.state satisfies ApiState));
  app.get("/live", (context) => context.json({ ...world.live, stale: mode === "stale" } satisfies LiveView));
  app.get("/terms", (context) => {
    const from = Number(context.req.query("from"));
    return context.json(Array.from({ length: Number(context.req.query("count")) }, (_, i) => world.terms(from + i)));
  });
  app.get("/slots", (context) => context.json(empty() ? [] : world.slots));
  app.get("/slots/:slot", (context) => context.json(world.story(Number(context.req.param("slot")))));
  app.get("/points/:point/sequences", (context) => context.json([0]));
  app.get("/points/:point", (context) =>
    context.json(detailOf(world, Number(context.req.param("point")), orders, empty())),
  );
  app.get("/nodes", (context) =>
    context.json(
      world.nodes.map((node) =>
        mode === "down-node" && node.index === 2
          ? { ...node, reachable: false, lastReportedSlot: null, deviations: null, status: null }
          : node,
      ),
    ),
  );
  app.get("/local/wallet", (context) => context.json(world.wallet));
  app.post("/orders", async (context) => {
    orders.push(await context.req.json<OrderBody>());
    return context.json({ id: String(orders.length) }, 202);
  });
  app.get("/orders/:id", (context) => {
    const order = orders[Number(context.req.param("id")) - 1];
    if (!order) return context.json({ error: "no such order" }, 404);
    return context.json({
      id: context.req.param("id"),
      point: order.point,
      slot: order.slot,
      sequence: order.sequence,
      state: "appended",
      reason: null,
      txHash: hashOf("append"),
    });
  });
  app.post("/local/cheats/:kind", (context) => context.json(cheat(context.req.param("kind") as CheatKind)));
  app.get("/transactions/:hash", (context) =>
    context.json({ hash: context.req.param("hash"), block: 412, gasUsed: 318_204, status: "success" }),
  );
  app.get("/events", (context) =>
    streamSSE(context, async (stream) => {
      await stream.writeSSE({
        event: "tick",
        data: JSON.stringify({ type: "tick", now: world.state.now, slot: world.state.slot }),
      });
      await new Promise<void>((done) => {
        streams.add(done);
        stream.onAbort(done);
      });
    }),
  );
  app.get("*", async (context) => {
    const name = context.req.path === "/" ? "index.html" : context.req.path.slice(1);
    try {
      const body = await readFile(join(dist, name));
      return context.body(new Uint8Array(body), 200, {
        "content-type": types[name.split(".").at(-1)!] ?? "text/plain",
      });
    } catch {
      return context.json({ error: `nothing at ${context.req.path}` }, 404);
    }
  });
  const server = await serve({ app, port: 0 });
  const dropStreams = (): void => {
    for (const end of streams) end();
    streams.clear();
  };
  return {
    url: server.url,
    close: async () => {
      dropStreams();
      await server.close();
    },
    setMode: (next) => {
      mode = next;
    },
    dropStreams,
  };
};

const detailOf = (world: FakeWorld, number: number, orders: readonly OrderBody[], empty: boolean): PointDetail => {
  const point = world.state.points[number]!;
  const placed = orders
    .filter((order) => order.point === number)
    .map((order) => {
      const step = order.steps[0]!;
      const position = step.sell ? step.energyWh : -step.energyWh;
      return { ...world.pointSlot(number, order.slot), positionWh: position };
    });
  return {
    point: number,
    home: point.home,
    zone: point.zone,
    owner: point.owner,
    balanceNano: "248731904000",
    slots: empty
      ? []
      : [...placed, ...world.slots.toReversed().map((slot) => world.pointSlot(number, slot.slot))].slice(0, 14),
  };
};

const cheat = (kind: CheatKind): CheatResult => {
  const known: Record<CheatKind, Omit<CheatResult, "kind" | "txHash" | "refused">> = {
    "price-off-by-one": {
      sent: "The honest clearing of slot 11:45 with the price of North raised by 0.000001 per kWh.",
      error: { name: "WrongPrice", values: { zone: "0", posted: "182501", expected: "182500" } },
      words: "This book supports only the price 0.182500 per kWh; 0.182501 was posted.",
    },
    "dropped-order": {
      sent: "A clearing of slot 11:45 whose book leaves out the order of Home 7.",
      error: { name: "BookMismatch", values: { slot: "1979087", expected: hashOf("a"), got: hashOf("b") } },
      words: "The orders shown do not hash to the book of the slot: one is missing.",
    },
    "lying-node": {
      sent: "A report with ten times the export of Home 2, signed by node 3 alone.",
      error: { name: "TooFewSignatures", values: { signatures: "1", quorum: "3" } },
      words: "One signature came, three are needed.",
    },
    "doubled-report": {
      sent: "The report of slot 11:15 again, signatures and all.",
      error: { name: "VersionNotHigher", values: { slot: "1979085", version: "1", current: "1" } },
      words: "The slot already has this version of the report.",
    },
    "replayed-order": {
      sent: "The signed order of Home 4 once more.",
      error: { name: "Replayed", values: { point: "4", sequence: "1" } },
      words: "The order was skipped: its sequence number is used up.",
    },
  };
  return { kind, txHash: hashOf(kind), refused: true, ...known[kind] };
};
