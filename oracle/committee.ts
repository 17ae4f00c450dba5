/** Who may sign, and whether they did. */
import { recoverAddress, type SigningKey, type TypedDataDomain } from "ethers";
import { createObservationDigest, type SignedObservation } from "../services/protocol/committee.ts";

/** Attempts at a slot rise every so many seconds after its end while it is young, */
const YOUNG_STEP_SECONDS = 120;
const YOUNG_SECONDS = 3_600;
/** then once per slot, so that a byte holds them for as long as a slot can be reported. */
const OLD_STEP_SECONDS = 900;
const LAST_TIMED_ATTEMPT = 200;

/** Attempt that is due `seconds` of chain time after a slot's end. */
export const attemptAfter = (seconds: number): number => {
  const young = Math.floor(Math.min(seconds, YOUNG_SECONDS) / YOUNG_STEP_SECONDS);
  const old = Math.floor(Math.max(0, seconds - YOUNG_SECONDS) / OLD_STEP_SECONDS);
  return Math.min(LAST_TIMED_ATTEMPT, young + old);
};

export interface Committee {
  domain: TypedDataDomain;
  observationDigest(observation: Pick<SignedObservation, "slot" | "revision" | "registers">): string;
  /** This node's own index. */
  index: number;
  size: number;
  quorum: number;
  /** The same for all slots that are gathered. */
  leaderOf(slot: number, attempt: number): number;
  /** The last of the slots that are gathered with this one. */
  lastWith(slot: number): number;
  sign(digest: string): string;
  /** Whether a member signed a digest. Remembers what it verified. */
  signedBy(node: number, digest: string, signature: string): boolean;
  /** Whether an observation is the node's own word. */
  isGenuine(observation: SignedObservation): boolean;
}

const REMEMBERED = 2_048;

export const createCommittee = ({
  domain,
  index,
  addresses,
  faults,
  signingKey,
  gatherSlots = 1,
}: {
  domain: TypedDataDomain;
  index: number;
  /** By index. */
  addresses: readonly string[];
  faults: number;
  signingKey: SigningKey;
  /** Slots whose reports land in one transaction. */
  gatherSlots?: number;
}): Committee => {
  const observationDigest = createObservationDigest(domain);
  /** Recovering a key is by far the dearest step: the same signature is verified once. */
  const verified = new Map<string, boolean>();

  const remember = (key: string, good: boolean): void => {
    verified.set(key, good);
    if (verified.size > REMEMBERED) verified.delete(verified.keys().next().value as string);
  };

  const signedBy = (node: number, digest: string, signature: string): boolean => {
    const address = addresses[node];
    if (address === undefined) return false;
    const key = `${node}${digest}${signature}`;
    let good = verified.get(key);
    if (good === undefined) {
      good = recovers(digest, signature) === address;
      remember(key, good);
    }
    return good;
  };

  return {
    domain,
    observationDigest,
    index,
    size: addresses.length,
    quorum: 2 * faults + 1,
    leaderOf: (slot, attempt) => (Math.floor(slot / gatherSlots) + attempt) % addresses.length,
    lastWith: (slot) => slot - (slot % gatherSlots) + gatherSlots - 1,
    sign: (digest) => {
      const signature = signingKey.sign(digest).serialized;
      remember(`${index}${digest}${signature}`, true);
      return signature;
    },
    signedBy,
    isGenuine: (observation) => signedBy(observation.node, observationDigest(observation), observation.signature),
  };
};

const recovers = (digest: string, signature: string): string | undefined => {
  try {
    return recoverAddress(digest, signature);
  } catch {
    return undefined;
  }
};
