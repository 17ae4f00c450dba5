import { Hono } from "hono";
import { parseJson, parseWith } from "../platform/config.ts";
import { wrongInput } from "../platform/errors.ts";
import { answerErrors, limitBody } from "../platform/http.ts";
import type { Log } from "../platform/log.ts";
import { orderBodySchema } from "../protocol/api.ts";
import { dayOrderBodySchema } from "../protocol/day-schema.ts";
import type { DayOrders } from "./days.ts";
import type { Intake } from "./intake.ts";

const ORDER_BYTES = 64 * 1024;

/** HTTP of the auctioneer: orders in, their fate out. Everything else is told by the chain. */
export const createRoutes = ({
  intake,
  days,
  now,
  status,
  log,
}: {
  intake: Intake;
  days: Pick<DayOrders, "accept" | "stateOf">;
  /** Chain time, unix seconds. */
  now: () => number;
  status: () => Record<string, unknown>;
  log: Log;
}): Hono => {
  const app = new Hono();
  answerErrors(app, log);

  app.post("/orders", limitBody(ORDER_BYTES), async (context) => {
    const order = parseWith(orderBodySchema, parseJson(await context.req.text(), "order"), "order");
    return context.json({ id: await intake.accept(order, now()) }, 202);
  });

  app.get("/orders/:id", (context) => {
    const state = intake.stateOf(context.req.param("id"));
    return state ? context.json(state) : context.json({ error: "no such order" }, 404);
  });

  app.post("/day-orders", limitBody(ORDER_BYTES), async (context) => {
    const order = parseWith(dayOrderBodySchema, parseJson(await context.req.text(), "day order"), "day order");
    return context.json({ id: await days.accept(order, now()) }, 202);
  });

  app.get("/day-orders/:id", (context) => {
    const state = days.stateOf(context.req.param("id"));
    return state ? context.json(state) : context.json({ error: "no such day order" }, 404);
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
