import { Hono } from "hono";
import { shownExportWh, shownImportWh, type MeterState } from "../core/community/meter-model.ts";
import type { Simulation } from "./simulation.ts";
import type { SimulatorStore } from "./simulator-store.ts";

/**
 * Exact registers for conservation reports: `GET /homes` and `GET /heads` (first and last of the run), and
 * `GET /boundaries/:slot` (all meters at that slot's start).
 */
export function createRegistersApp({ community, state }: Simulation, store: SimulatorStore): Hono {
  const app = new Hono();
  const now = (meter: MeterState) => ({ importWh: shownImportWh(meter), exportWh: shownExportWh(meter) });
  app.get("/homes", (c) => {
    const first = store.firstBoundary();
    const homes = community.homes.map(({ id, zone }, i) => ({
      id,
      zone,
      first: first?.homes[i],
      last: now(state.homes[i]!.meter),
    }));
    return c.json({ firstTime: first?.time, time: state.time, homes });
  });
  app.get("/heads", (c) => {
    const first = store.firstBoundary();
    const heads = community.zones.map((zone, i) => ({ zone, first: first?.heads[i], last: now(state.heads[i]!) }));
    return c.json({ firstTime: first?.time, time: state.time, heads });
  });
  app.get("/boundaries/:slot", (c) => {
    const boundary = store.boundary(Number(c.req.param("slot")));
    if (!boundary) return c.json({ error: `slot ${c.req.param("slot")} has not begun yet` }, 404);
    return c.json({
      slot: boundary.slot,
      time: boundary.time,
      homes: community.homes.map(({ id }, i) => ({ id, ...boundary.homes[i] })),
      heads: community.zones.map((zone, i) => ({ zone, ...boundary.heads[i] })),
    });
  });
  return app;
}
