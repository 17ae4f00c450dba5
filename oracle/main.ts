import { runProcess } from "../services/platform/process.ts";
import { configSchema } from "./config.ts";
import { startNode } from "./node.ts";

await runProcess({ name: "oracle", schema: configSchema, start: startNode });
