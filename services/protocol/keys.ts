import { keccak256, toUtf8Bytes } from "ethers";

/**
 * Private key of a role on a local chain: keccak256("daeg:" + seed + ":" + role). Roles: `deployer`, `admin:<0..2>`, `operator`,
 * `guardian`, `backup`, `auctioneer`, `node:<i>`, `home:<id>`, `agent:<id>`. Anyone who knows the seed knows the key: never
 * for a chain with value.
 */
export const deriveKey = (seed: string | number, role: string): string =>
  keccak256(toUtf8Bytes(`daeg:${seed}:${role}`));
