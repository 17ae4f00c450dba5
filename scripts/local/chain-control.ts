import { tryAgain } from "../../services/platform/errors.ts";

/** What only the owner of a local chain can do: set its time, give test coins. */
export interface ChainControl {
  /** Mines a block at chain time `now`; later times in the same block interval follow the wall clock. */
  setTime(now: number): Promise<void>;
  /** Gives an account coins for gas. */
  fund(address: string): Promise<void>;
}

const TIMEOUT_MS = 30_000;

export const createChainControl = (url: string): ChainControl => {
  const call = async (method: string, params: unknown[]): Promise<unknown> => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (body.error) throw tryAgain(`the local chain refuses ${method}: ${body.error.message}`);
    return body.result;
  };
  return {
    setTime: async (now) => {
      await call("evm_setNextBlockTimestamp", [now]);
      await call("evm_mine", []);
    },
    fund: async (address) => {
      await call("hardhat_setBalance", [address, `0x${(10n ** 24n).toString(16)}`]);
    },
  };
};
