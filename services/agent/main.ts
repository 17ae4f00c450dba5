import { runProcess } from "../platform/process.ts";
import { startAgent } from "./agent.ts";
import { agentSchema } from "./config.ts";

await runProcess({ name: "agent", schema: agentSchema, start: startAgent });
