import { isRetryable } from "../platform/errors.ts";
import { gateOf } from "../protocol/clearing.ts";
import { encodeForfeit, encodeSealedView } from "./calls.ts";
import { contractErrorOf, reasonOf, type Context } from "./context.ts";
import { OPENING_SECONDS } from "./sealing.ts";

/** An outage is worked off over several ticks. */
const MAX_PER_TICK = 4;

/**
 * Pays the bonds of batches that others sealed and did not open to the members. Nobody earns by the call, so it is made only where the
 * members gain at least `forfeitFrom` by one transaction of some 80,000 gas.
 */
export const createForfeits = (context: Context): { run(now: number): Promise<void> } => {
  const { config, provider, addresses, failures, send, log, sender } = context;
  let bond: bigint | undefined;

  const forfeit = async (slot: number, relayer: string): Promise<void> => {
    try {
      const receipt = await send({
        key: `forfeit:${slot}:${relayer}`,
        to: addresses.sealedBatches,
        data: encodeForfeit(slot, relayer),
      });
      if (receipt.status !== 1) throw new Error(`transaction ${receipt.hash} reverted`);
      failures.clear("forfeit", slot);
      log.info({ slot, relayer }, "the bonds of unopened batches went to the members");
    } catch (error) {
      if (isRetryable(error)) throw error;
      // Somebody else was first: the next view shows it.
      if (contractErrorOf(error)?.name === "NothingForfeited") return;
      failures.add("forfeit", slot, reasonOf(error));
    }
  };

  return {
    run: async (now) => {
      if (config.forfeitFrom === 0) return;
      let left = MAX_PER_TICK;
      for (const [slot, { unopened }] of context.view().slots) {
        if (now <= gateOf(slot) + OPENING_SECONDS) continue;
        for (const [relayer, batches] of unopened) {
          if (relayer === sender || left === 0) continue;
          bond ??= BigInt(await provider.call({ to: addresses.sealedBatches, data: encodeSealedView("bond") }));
          if (bond === 0n || BigInt(batches) * bond < BigInt(config.forfeitFrom)) continue;
          left -= 1;
          await forfeit(slot, relayer);
        }
      }
    },
  };
};
