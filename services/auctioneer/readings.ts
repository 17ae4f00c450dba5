import { keccak256 } from "ethers";
import { fetchJson } from "../platform/http.ts";
import { tryAgain } from "../platform/errors.ts";

export interface ReadingsSource {
  /**
   * The packed readings behind a report's hash, from whichever node answers first with the right bytes.
   * @throws retryable error when none does
   */
  fetch(readingsHash: string): Promise<string>;
}

const KEEP = 64;

export const createReadings = ({
  nodes,
  timeoutMs,
}: {
  nodes: readonly string[];
  timeoutMs: number;
}): ReadingsSource => {
  const cache = new Map<string, string>();
  return {
    fetch: async (readingsHash) => {
      const cached = cache.get(readingsHash);
      if (cached !== undefined) return cached;
      const stop = new AbortController();
      const ask = async (node: string): Promise<string> => {
        const answer = await fetchJson<{ readings?: unknown }>(`${node}/readings/${readingsHash}`, {
          timeoutMs,
          signal: stop.signal,
        });
        const { readings } = answer;
        if (typeof readings !== "string" || !/^0x([0-9a-f]{2})*$/i.test(readings)) throw new Error("no readings");
        if (keccak256(readings) !== readingsHash) throw new Error("readings of another hash");
        return readings;
      };
      try {
        const readings = await Promise.any(nodes.map(ask));
        cache.set(readingsHash, readings);
        if (cache.size > KEEP) cache.delete(cache.keys().next().value as string);
        return readings;
      } catch (error) {
        throw tryAgain(`no node has the readings of ${readingsHash}`, { cause: error });
      } finally {
        stop.abort();
      }
    },
  };
};
