import { appendFileSync } from "node:fs";
import type { NetworkHooks } from "hardhat/types/hooks";

const SELECTOR = /^0x[0-9a-f]{8}/;

/** Data of a revert, wherever the provider's error keeps it. */
const revertData = (error: unknown): string | undefined => {
  for (let at = error; at !== undefined && at !== null; at = (at as { data?: unknown }).data) {
    if (typeof at === "string") return at;
    if (typeof at !== "object") return undefined;
  }
  return undefined;
};

const recorder = async (): Promise<Partial<NetworkHooks>> => {
  const path = process.env["DAEG_REACHED_ERRORS"];
  const known = new Set<string>();
  return {
    async onRequest(context, connection, request, next) {
      try {
        return await next(context, connection, request);
      } catch (error) {
        const selector = SELECTOR.exec(revertData(error) ?? "")?.[0];
        if (path !== undefined && selector !== undefined && !known.has(selector)) {
          known.add(selector);
          appendFileSync(path, `${selector}\n`);
        }
        throw error;
      }
    },
  };
};

export default recorder;
