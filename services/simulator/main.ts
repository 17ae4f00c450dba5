import { runProcess } from "../platform/process.ts";
import { simulatorSchema } from "./config.ts";
import { startSimulator } from "./simulator.ts";

await runProcess({ name: "simulator", schema: simulatorSchema, start: startSimulator });
