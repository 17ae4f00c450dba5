import { getBytes, recoverAddress, Signature } from "ethers";
import { wrongInput } from "../platform/errors.ts";
import type { PooledProvider } from "../platform/provider.ts";
import type { PointView } from "./view.ts";

/** What a signature stands under: an order of one slot, or of many. */
interface Signed {
  point: number;
  delegate: string | null;
  signature: string;
}

/**
 * True when the signature was checked here; false when only the chain can tell (EIP-1271).
 * @throws DaegError exit 1 when it is neither the owner's nor a registered delegate's
 */
export type Verify = (order: Signed, digest: string, point: PointView, now: number) => Promise<boolean>;

export const createVerifier = (provider: PooledProvider): Verify => {
  /** Owners that are contracts (EIP-1271): their signatures are left to the chain. */
  const contracts = new Map<string, boolean>();
  const isContract = async (address: string): Promise<boolean> => {
    let known = contracts.get(address);
    if (known === undefined) {
      known = (await provider.getCode(address)) !== "0x";
      contracts.set(address, known);
    }
    return known;
  };

  return async (order, digest, point, now) => {
    let signer = point.owner;
    if (order.delegate !== null) {
      signer = order.delegate;
      const until = [...point.delegates].find(([address]) => sameAddress(address, signer))?.[1] ?? 0;
      if (until < now)
        throw wrongInput(`delegate: ${signer} is not registered for point ${order.point}, or it expired`);
    }
    if (sameAddress(recovered(digest, order.signature), signer)) return true;
    if (await isContract(signer)) return false;
    throw wrongInput(`signature: is not ${signer}'s for this order: sign it for chain and order book again`);
  };
};

const sameAddress = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase();

const recovered = (digest: string, signature: string): string | undefined => {
  const { length } = getBytes(signature);
  if (length !== 64 && length !== 65) return undefined;
  try {
    return recoverAddress(digest, Signature.from(signature));
  } catch {
    return undefined;
  }
};
