import { JsonRpcApiProvider, Network, type JsonRpcError, type JsonRpcPayload, type JsonRpcResult } from "ethers";
import { tryAgain } from "./errors.ts";

/**
 * An ethers provider over one or more JSON-RPC endpoints: each call has a time-out; when an endpoint does not answer
 * the next one is asked at once and is preferred from then on. (ethers' FallbackProvider hangs on a mute backend.)
 */
export class PooledProvider extends JsonRpcApiProvider {
  readonly #urls: readonly string[];
  readonly #timeoutMs: number;
  #preferred = 0;

  constructor({ urls, timeoutMs, chainId }: { urls: readonly string[]; timeoutMs: number; chainId: number }) {
    const network = Network.from(chainId);
    super(network, { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1, pollingInterval: 250 });
    this.#urls = urls;
    this.#timeoutMs = timeoutMs;
    this._start();
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<Array<JsonRpcResult | JsonRpcError>> {
    let failure: unknown;
    for (let attempt = 0; attempt < this.#urls.length; attempt += 1) {
      const at = (this.#preferred + attempt) % this.#urls.length;
      try {
        const answer = await postRpc<JsonRpcResult>(this.#urls[at] as string, payload, this.#timeoutMs);
        this.#preferred = at;
        return Array.isArray(answer) ? answer : [answer];
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

/**
 * Connects to a chain.
 * @throws DaegError exit 75 when no endpoint answers
 */
export const createProvider = async ({
  urls,
  timeoutMs = 10_000,
}: {
  urls: readonly string[];
  timeoutMs?: number;
}): Promise<PooledProvider> => {
  let failure: unknown;
  for (const url of urls) {
    try {
      const answer = await postRpc<{ result: string }>(
        url,
        { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] },
        timeoutMs,
      );
      return new PooledProvider({ urls, timeoutMs, chainId: Number(answer.result) });
    } catch (error) {
      failure = error;
    }
  }
  throw failure ?? tryAgain("no RPC URL is given: set rpcUrls");
};

const postRpc = async <T>(url: string, payload: unknown, timeoutMs: number): Promise<T> => {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payload),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) return (await response.json()) as T;
  } catch (error) {
    throw tryAgain(`the chain at ${url} does not answer within ${timeoutMs} ms`, { cause: error });
  }
  throw tryAgain(`the chain at ${url} answered ${response.status}`);
};
