import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { ZodType } from "zod";
import { tryAgain, wrongInput } from "../platform/errors.ts";
import { answerErrors, limitBody } from "../platform/http.ts";
import {
  apiErrorSchema,
  cheatKindSchema,
  cheatResultSchema,
  clearingViewSchema,
  healthSchema,
  liveSchema,
  localWalletSchema,
  nodeStatusSchema,
  orderAcceptedSchema,
  orderBodySchema,
  orderStateSchema,
  pointDetailSchema,
  sequencesSchema,
  slotStorySchema,
  slotSummarySchema,
  stateSchema,
  termsSchema,
  transactionSchema,
  type CheatKind,
  type CheatResult,
  type LocalWallet,
} from "../protocol/api.ts";
import { dayOrderBodySchema, dayOrderStateSchema } from "../protocol/day-schema.ts";
import { firstIssue } from "../platform/config.ts";
import type { EventFeed } from "./events.ts";
import type { LiveSource } from "./live.ts";
import type { Observations } from "./observations.ts";
import type { Forwarded, OrderDesk } from "./orders.ts";
import { clearingView, healthOf, stateOf, termsView } from "./state.ts";
import { pointDetail, slotSummaries } from "./slots.ts";
import { slotStory } from "./story.ts";
import type { ApiContext } from "./context.ts";

/** What the endpoints are made of. */
export interface Parts {
  context: ApiContext;
  desk: OrderDesk;
  live: LiveSource;
  observations: Observations;
  feed: EventFeed;
  /** Addresses of the oracle nodes, as the chain has them. */
  committee: () => readonly string[];
  /** Highest sequence bytes that the chain holds. */
  sequences: (point: number, from: number, count: number) => Promise<number[]>;
  /** Only on a local chain. */
  local?: { wallet: LocalWallet; cheat(kind: CheatKind): Promise<CheatResult> };
}

const MAX_SLOTS = 1_000;
const ORDER_BYTES = 64 * 1024;
const HEARTBEAT_MS = 15_000;
/** Events that may wait for a listener that reads too slowly or not at all; then it has to connect again. */
const MAX_WAITING_EVENTS = 500;

const number = (max: number) => z.coerce.number().int().min(0).max(max);
const slotParam = z.object({ slot: number(2 ** 32 - 1) });
const pointParam = z.object({ point: number(2 ** 32 - 1) });
const rangeQuery = z.object({ from: number(2 ** 32 - 1), count: number(MAX_SLOTS).default(1) });

const json = (schema: ZodType, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
const errors = {
  400: json(apiErrorSchema, "wrong input"),
  404: json(apiErrorSchema, "not there"),
  503: json(apiErrorSchema, "try again"),
};
const get = (path: string, schema: ZodType, summary: string, request: object = {}) =>
  createRoute({ method: "get", path, summary, request, responses: { 200: json(schema, summary), ...errors } });

export const createRoutes = (parts: Parts): OpenAPIHono => {
  const { context, desk, live, observations, feed, committee, sequences, local } = parts;
  const app = new OpenAPIHono({
    defaultHook: (result, http) => (result.success ? undefined : http.json({ error: firstIssue(result.error) }, 400)),
  });
  answerErrors(app, context.log);

  app.openapi(get("/health", healthSchema, "Whether the api has the chain's data and finds it right"), (http) =>
    answer(http, healthOf(context)),
  );
  app.openapi(get("/state", stateSchema, "The market as it stands"), (http) =>
    answer(http, stateOf(context, committee())),
  );
  app.openapi(get("/terms", z.array(termsSchema), "Tariffs, fee and band", { query: rangeQuery }), (http) => {
    const { from, count } = http.req.valid("query" as never) as z.infer<typeof rangeQuery>;
    return answer(http, termsView(context, from, count));
  });
  app.openapi(
    get("/points/{point}/sequences", sequencesSchema, "Highest sequence byte in use per slot", {
      params: pointParam,
      query: rangeQuery,
    }),
    async (http) => {
      const { point } = http.req.valid("param" as never) as z.infer<typeof pointParam>;
      const { from, count } = http.req.valid("query" as never) as z.infer<typeof rangeQuery>;
      const [onChain, pending] = await Promise.all([sequences(point, from, count), desk.pending(point, from, count)]);
      for (const { slot, sequence } of pending) if (slot - from < onChain.length) onChain[slot - from] = sequence;
      return answer(http, onChain);
    },
  );
  app.openapi(
    get("/points/{point}", pointDetailSchema, "A metering point, its money and recent slots", { params: pointParam }),
    (http) => {
      const { point } = http.req.valid("param" as never) as z.infer<typeof pointParam>;
      const detail = pointDetail(context, point);
      return detail ? answer(http, detail) : missing(http, `there is no metering point ${point}`);
    },
  );
  app.openapi(
    get("/slots/{slot}/clearing", clearingViewSchema, "Prices and positions", { params: slotParam }),
    (http) => {
      const { slot } = http.req.valid("param" as never) as z.infer<typeof slotParam>;
      return answer(http, clearingView(context, slot));
    },
  );
  app.openapi(get("/slots/{slot}", slotStorySchema, "The story of a slot", { params: slotParam }), async (http) => {
    const { slot } = http.req.valid("param" as never) as z.infer<typeof slotParam>;
    return answer(http, await slotStory(context, slot, observations));
  });
  const lastQuery = z.object({ last: number(MAX_SLOTS).default(96) });
  app.openapi(
    get("/slots", z.array(slotSummarySchema), "The last slots, oldest first", { query: lastQuery }),
    (http) => {
      const { last } = http.req.valid("query" as never) as z.infer<typeof lastQuery>;
      return answer(http, slotSummaries(context, last));
    },
  );
  app.openapi(get("/live", liveSchema, "Present power"), (http) => answer(http, live.view()));
  app.openapi(get("/nodes", z.array(nodeStatusSchema), "The oracle nodes"), async (http) =>
    answer(http, await live.nodes(committee())),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/orders",
      middleware: [limitBody(ORDER_BYTES)],
      summary: "Forwards a signed order; durable when accepted",
      request: { body: { content: { "application/json": { schema: orderBodySchema } }, required: true } },
      responses: { 202: json(orderAcceptedSchema, "accepted"), ...errors },
    }),
    async (http) => forward(http, await desk.post(http.req.valid("json"))),
  );
  app.openapi(
    get("/orders/{id}", orderStateSchema, "What became of an order", { params: z.object({ id: z.string() }) }),
    async (http) => forward(http, await desk.stateOf(http.req.param("id") ?? "")),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/day-orders",
      middleware: [limitBody(ORDER_BYTES)],
      summary: "Forwards a signed day order: up to 120 slots under one signature, public from the start",
      request: { body: { content: { "application/json": { schema: dayOrderBodySchema } }, required: true } },
      responses: { 202: json(orderAcceptedSchema, "accepted"), ...errors },
    }),
    async (http) => forward(http, await desk.postDay(http.req.valid("json"))),
  );
  app.openapi(
    get("/day-orders/{id}", dayOrderStateSchema, "What became of a day order", {
      params: z.object({ id: z.string() }),
    }),
    async (http) => forward(http, await desk.dayStateOf(http.req.param("id") ?? "")),
  );

  app.openapi(
    get("/transactions/{hash}", transactionSchema, "A mined transaction", { params: z.object({ hash: z.string() }) }),
    async (http) => {
      const hash = http.req.param("hash") ?? "";
      if (!/^0x[0-9a-fA-F]{64}$/.test(hash)) return http.json({ error: "hash must be 0x and 64 hex digits" }, 400);
      const receipt = await context.provider.getTransactionReceipt(hash);
      if (!receipt) return missing(http, `no transaction ${hash} is mined on this chain`);
      const status = receipt.status === 0 ? "reverted" : "success";
      return answer(http, { hash, block: receipt.blockNumber, gasUsed: Number(receipt.gasUsed), status });
    },
  );

  app.get("/events", (http) =>
    streamSSE(http, async (stream) => {
      const ended = new Promise<void>((resolve) => stream.onAbort(resolve));
      let waiting = 0;
      const end = feed.subscribe((event) => {
        if (waiting >= MAX_WAITING_EVENTS) return stream.abort();
        waiting += 1;
        void stream.writeSSE({ event: event.type, data: JSON.stringify(event) }).finally(() => {
          waiting -= 1;
        });
      });
      const heartbeat = setInterval(() => void stream.write(": still here\n\n"), HEARTBEAT_MS);
      try {
        await stream.write(": welcome\n\n");
        await ended;
      } finally {
        clearInterval(heartbeat);
        end();
      }
    }),
  );

  app.openapi(get("/local/wallet", localWalletSchema, "A burner wallet of a local chain"), (http) => {
    refuseForeign(http);
    return local ? answer(http, local.wallet) : missing(http, "this is not a local chain: use your own wallet");
  });
  const cheatParam = z.object({ kind: cheatKindSchema });
  app.openapi(
    createRoute({
      method: "post",
      path: "/local/cheats/{kind}",
      summary: "Really tries to cheat the contracts, on a local chain",
      request: { params: cheatParam },
      responses: { 200: json(cheatResultSchema, "what the contract said"), ...errors },
    }),
    async (http) => {
      refuseForeign(http);
      const { kind } = http.req.valid("param");
      return local ? answer(http, await local.cheat(kind)) : missing(http, "cheating is shown on a local chain only");
    },
  );

  app.doc("/openapi.json", { openapi: "3.0.0", info: { title: "DAEG", version: "1" } });
  return app;
};

/** A response that fits every route: the routes' own types know their schemas, but not statuses that are only known at run time. */
type Answer = never;

/** JSON whose shape the schema of the route documents; checked by tests, not on every answer. */
const answer = (http: Context, body: unknown): Answer => http.json(body as object, 200) as Answer;

const missing = (http: Context, error: string): Answer => http.json({ error }, 404) as Answer;

const forward = (http: Context, { status, body }: Forwarded): Answer => {
  if (status >= 500) throw tryAgain("the auctioneer cannot answer now: try again");
  return http.json(body as object, status as 200) as Answer;
};

/** Another website's page must not use a visitor's local system. */
const refuseForeign = (http: Context): void => {
  const origin = http.req.header("origin");
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== http.req.header("host"))) {
    throw wrongInput(`origin ${origin} is not this server`);
  }
};
