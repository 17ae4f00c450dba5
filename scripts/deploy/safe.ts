import { createRequire } from "node:module";
import {
  concat,
  getCreate2Address,
  Interface,
  keccak256,
  solidityPackedKeccak256,
  ZeroAddress,
  zeroPadValue,
} from "ethers";
import type { Call, Creation, PlanContext } from "./group.ts";
import type { MarketTerms, Places, SafeTerms } from "./options.ts";

interface Artifact {
  abi: string;
  bytecode: string;
}

const require = createRequire(import.meta.url);
const artifact = (path: string): Artifact =>
  require(`@safe-global/safe-contracts/build/artifacts/contracts/${path}.json`) as Artifact;

const isSafe = (admin: MarketTerms["admin"]): admin is SafeTerms => typeof admin !== "string";

/** The contracts of Safe 1.4.1, as its authors built them; none where the admin is an account that stands already. */
export const safeCreations = ({ admin }: MarketTerms): Creation[] =>
  isSafe(admin)
    ? [
        created("safeSingleton", "Safe.sol/Safe"),
        created("safeHandler", "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler"),
        created("safeFactory", "proxies/SafeProxyFactory.sol/SafeProxyFactory"),
      ]
    : [];

const created = (name: keyof Places, path: string): Creation => ({
  name,
  transaction: () => Promise.resolve({ data: artifact(path).bytecode }),
});

/** The initial call that names owners and threshold. */
const setupOf = ({ owners, threshold }: SafeTerms, at: Places): string =>
  new Interface(artifact("Safe.sol/Safe").abi).encodeFunctionData("setup", [
    [...owners],
    threshold,
    ZeroAddress,
    "0x",
    at.safeHandler,
    ZeroAddress,
    0,
    ZeroAddress,
  ]);

/** Makes the admin's account; owners and threshold are set in the same transaction. */
export const safeCalls = ({ at, terms: { admin } }: PlanContext): Call[] =>
  isSafe(admin)
    ? [
        {
          name: `multi-signature admin, ${admin.threshold} of ${admin.owners.length}`,
          to: at.safeFactory as string,
          data: new Interface(artifact("proxies/SafeProxyFactory.sol/SafeProxyFactory").abi).encodeFunctionData(
            "createProxyWithNonce",
            [at.safeSingleton, setupOf(admin, at), 0],
          ),
        },
      ]
    : [];

/** Where the admin stands or will stand. */
export const adminOf = ({ admin }: MarketTerms, at: Places): string => {
  if (!isSafe(admin)) return admin;
  const salt = solidityPackedKeccak256(["bytes32", "uint256"], [keccak256(setupOf(admin, at)), 0]);
  const proxy = concat([
    artifact("proxies/SafeProxy.sol/SafeProxy").bytecode,
    zeroPadValue(at.safeSingleton as string, 32),
  ]);
  return getCreate2Address(at.safeFactory as string, salt, keccak256(proxy));
};
