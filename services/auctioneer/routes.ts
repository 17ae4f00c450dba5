import { Hono } from "hono";
import { parseJson, parseWith } from "../platform/config.ts";
import { DaegError, messageOf, wrongInput } from "../platform/errors.ts";
import { orderBodySchema } from "../protocol/api.ts";
import type { Intake } from "./intake.ts";

const MAX_BODY_BYTES = 64 * 1024;

/** HTTP of the auctioneer: orders in, their fate out. Everything else is told by the chain. */
export const createRoutes = ({
  intake,
  now,
  status,
}: {
  intake: Intake;
  /** Chain time, unix seconds. */
  now: () => number;
  status: () => Record<string, unknown>;
}): Hono => {
  const app = new Hono();
  app.onError((error, context) => {
    const code = error instanceof DaegError ? (error.exitCode === 75 ? 503 : 400) : 500;
    return context.json({ error: messageOf(error) }, code);
  });
  app.notFound((context) => context.json({ error: `no such address: ${context.req.path}` }, 404));

  app.post("/orders", async (context) => {
    const text = await context.req.text();
    if (text.length > MAX_BODY_BYTES) throw wrongInput(`order: is longer than ${MAX_BODY_BYTES} bytes`);
    const order = parseWith(orderBodySchema, parseJson(text, "order"), "order");
    return context.json({ id: await intake.accept(order, now()) }, 202);
  });

  app.get("/orders/:id", (context) => {
    const state = intake.stateOf(context.req.param("id"));
    return state ? context.json(state) : context.json({ error: "no such order" }, 404);
  });

  app.get("/pending/:point", (context) => {
    const [point, from, count] = [
      context.req.param("point"),
      context.req.query("from"),
      context.req.query("count"),
    ].map(Number) as [number, number, number];
    if (![point, from, count].every(Number.isSafeInteger)) throw wrongInput("pending: give ?from=SLOT&count=N");
    return context.json(intake.pendingOf(point, from, count));
  });

  app.get("/status", (context) => context.json(status()));
  return app;
};
