import { dataSlice, hexlify, id, ZeroHash, type Provider } from "ethers";
import type { Addresses } from "../../services/protocol/addresses.ts";
import { connectContracts, decodeContractError } from "../../services/protocol/contracts.ts";

/** A function that asks the access manager who may call it. */
export interface Privileged {
  contract: string;
  target: string;
  signature: string;
  selector: string;
  /** Calls it with zeros: every check before the access manager's is one of the ABI, and zeros pass those. */
  data: string;
  role: bigint;
}

/** Somebody without any role. */
const STRANGER = "0x000000000000000000000000000000000000dEaD";
const WORDS = 24;
const SET_AUTHORITY = dataSlice(id("setAuthority(address)"), 0, 4);

/** Whether the access manager refuses this call, and nothing else does. */
export const isRefused = async (provider: Provider, from: string, { target, data }: Privileged): Promise<boolean> => {
  try {
    await provider.call({ from, to: target, data });
    return false;
  } catch (error) {
    return decodeContractError(error)?.name === "AccessManagedUnauthorized";
  }
};

/** Asks every contract of a market, function by function: who refuses a stranger by the access manager's word is privileged. */
export const privilegedFunctions = async (provider: Provider, addresses: Addresses): Promise<Privileged[]> => {
  const contracts = connectContracts(addresses, provider);
  const found: Privileged[] = [];
  for (const [contract, { interface: abi, target: place }] of Object.entries(contracts)) {
    if (contract === "accessManager") continue;
    const target = String(place);
    for (const fragment of abi.fragments) {
      if (fragment.type !== "function") continue;
      const { selector, stateMutability } = fragment as unknown as { selector: string; stateMutability: string };
      if (stateMutability === "view" || stateMutability === "pure") continue;
      // Only the manager itself calls it, for its admin: `updateAuthority`.
      if (selector === SET_AUTHORITY) continue;
      const data = hexlify(selector + ZeroHash.slice(2).repeat(WORDS));
      const signature = (fragment as unknown as { format(how: string): string }).format("sighash");
      const role = await contracts.accessManager.getTargetFunctionRole(target, dataSlice(data, 0, 4));
      const one = { contract, target, signature, selector, data, role };
      if (await isRefused(provider, STRANGER, one)) found.push(one);
    }
  }
  return found;
};
