import { z } from "zod";

const port = z.number().int("must be a whole number").min(0, "must be 0 to 65535").max(65_535, "must be 0 to 65535");

/** Config of the simulator process. Ports of 0 take any free one (told in the ready message). */
export const simulatorSchema = z
  .object({
    clock: z.enum(["system", "driven"]),
    logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).optional(),
    /** Address of all servers; loopback unless one really wants others to reach them. */
    host: z.string().default("127.0.0.1"),
    /** Folder with community.json and series.csv; else the built-in neighbourhood. */
    communityDir: z.string().optional(),
    neighbourhood: z
      .object({
        homes: z.number().int().min(1).max(1_000),
        days: z.number().int().min(1).max(400),
        seed: z.number().int(),
        cars: z.number().int().min(0).optional(),
        start: z.string().datetime({ message: "must be ISO-8601 UTC such as 2026-01-01T00:00:00Z" }),
      })
      .strict()
      .optional(),
    /** Where the state is kept. */
    stateDir: z.string().min(1, "must name a folder"),
    homes: z.array(z.object({ id: z.string(), port }).strict()),
    heads: z.array(z.object({ zone: z.string(), port }).strict()),
    /** Of the HTTP server with exact registers. */
    httpPort: port,
    /** Chain time at which a fresh simulation begins: unix seconds, the start of a slot. */
    start: z.number().int().nonnegative().multipleOf(900, "must be the start of a slot (a multiple of 900)"),
  })
  .strict();

export type SimulatorConfig = z.infer<typeof simulatorSchema>;
