/** What a node tells others over HTTP. Everything it gives is signed or on chain; nothing it takes is trusted. */
import { Hono, type Context } from "hono";
import type { ZodType, ZodTypeDef } from "zod";
import { parseWith } from "../services/platform/config.ts";
import { wrongInput } from "../services/platform/errors.ts";
import { answerErrors, limitBody } from "../services/platform/http.ts";
import type { Log } from "../services/platform/log.ts";
import {
  observeSchema,
  proposalSchema,
  type Proposal,
  type ReportRecord,
  type SignedObservation,
} from "../services/protocol/committee.ts";
import type { Committee } from "./committee.ts";
import { endOf } from "./compute.ts";
import type { Consideration } from "./cosigner.ts";
import type { Progress } from "./progress.ts";
import type { Records } from "./records.ts";

const SMALL_BODY_BYTES = 1_024;
const PROPOSAL_BYTES = 8 * 1_024 * 1_024;

export const createApi = ({
  records,
  progress,
  committee,
  observe,
  consider,
  waiting,
  status,
  live,
  waits,
  log,
}: {
  records: Records;
  progress: Progress;
  committee: Pick<Committee, "lastWith">;
  observe(slot: number): SignedObservation;
  consider(proposal: Proposal): Promise<Consideration>;
  /** Why the next slot is not reported yet. */
  waiting(): string | undefined;
  status(): Record<string, unknown>;
  live(): Record<string, unknown>;
  /** How long a request may wait for this node, ms: for its meters, for its turn. */
  waits: { observeMs: number; turnMs: number };
  log: Log;
}): Hono => {
  const app = new Hono();
  answerErrors(app, log);

  app.post("/observe", limitBody(SMALL_BODY_BYTES), async (context) => {
    const { slot } = await bodyOf(context, observeSchema);
    await progress.until(() => progress.readThrough() >= endOf(slot), waits.observeMs);
    if (progress.readThrough() < endOf(slot))
      return context.json({ error: `slot ${slot} is not over for this node` }, 409);
    // What is reported needs no new word, and what is long over was forgotten: only what was said then counts.
    if (slot >= records.next()) return context.json(observe(slot));
    const said = records.observation(slot);
    return said ? context.json(said) : context.json({ error: `slot ${slot} is reported already` }, 409);
  });

  app.post("/propose", limitBody(PROPOSAL_BYTES), async (context) => {
    const answer = await consider(await bodyOf(context, proposalSchema));
    return "signature" in answer ? context.json(answer) : context.json({ error: answer.refusal }, 409);
  });

  /** Long poll of the other nodes: what became of the slot in this node's turn. */
  app.get("/turns/:slot/:attempt", async (context) => {
    const slot = numberOf(context, "slot");
    const finished = (): boolean => !progress.ticking() && progress.now() >= endOf(committee.lastWith(slot));
    await progress.until(() => records.next() > slot || finished(), waits.turnMs);
    const report = records.report(slot);
    if (report) {
      const { readings: _readings, observations: _observations, ...landed } = report;
      return context.json({ report: landed });
    }
    return context.json({ waiting: (finished() && waiting()) || `slot ${slot} is not over for this node` });
  });

  app.get("/reports/:slot", (context) => {
    const slot = numberOf(context, "slot");
    const report: ReportRecord | undefined = records.report(slot);
    if (!report) return context.json({ error: `slot ${slot} is not reported` }, 404);
    return context.json({ ...report, registers: records.standingsAfter(slot) });
  });

  app.get("/readings/:readingsHash", (context) => {
    const readingsHash = context.req.param("readingsHash").toLowerCase();
    const readings = records.reportedReadings(readingsHash) ?? records.signedReadings(readingsHash);
    if (!readings) return context.json({ error: `no readings with hash ${readingsHash} are known` }, 404);
    return context.json({ readingsHash, readings });
  });

  app.get("/status", (context) => context.json(status()));
  app.get("/live", (context) => context.json(live()));
  return app;
};

const bodyOf = async <T>(context: Context, schema: ZodType<T, ZodTypeDef, unknown>): Promise<T> => {
  let body: unknown;
  try {
    body = await context.req.json();
  } catch {
    throw wrongInput("the body is not valid JSON");
  }
  return parseWith(schema, body, "body");
};

const numberOf = (context: Context, name: string): number => {
  const text = context.req.param(name) ?? "";
  if (!/^\d{1,10}$/.test(text)) throw wrongInput(`${name} must be a whole number, not "${text.slice(0, 20)}"`);
  return Number(text);
};
