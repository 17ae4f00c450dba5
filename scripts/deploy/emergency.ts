import { Emergency__factory } from "../../types/contracts/factories/balancing/Emergency__factory.ts";
import type { Group } from "./group.ts";

/** What the market state rises by itself for (contracts/interfaces/IEmergency.sol). It never changes. */
export interface EmergencyOptions {
  /** Micro-token per kWh; the bounds of all bands by default. */
  lowestPrice?: number | bigint;
  highestPrice?: number | bigint;
  /** Slots without a report; 12 by default. */
  silentSlots?: number;
  /** Token base units; a million tokens by default. */
  withdrawnPerDay?: bigint;
  /** Between announcing a lower state and taking it; an hour by default. */
  loweringDelaySeconds?: number;
  /** Nano-token below zero from which on a fixed account is overdrawn; 100 tokens by default. */
  overdrawnNano?: bigint;
}

const SILENT_SLOTS = 12;
const WITHDRAWN_PER_DAY = 10n ** 12n;
const LOWERING_DELAY_SECONDS = 3_600;
const OVERDRAWN_NANO = 100n * 10n ** 9n;

const abi = Emergency__factory.createInterface();

/** The two ladders of emergency levels. */
export const emergency: Group = {
  name: "emergency",
  creations: () => [
    {
      name: "emergency",
      transaction: ({ at, terms: { bounds, genesisSlot, emergency: own = {} } }) =>
        new Emergency__factory().getDeployTransaction(at.accessManager, at, genesisSlot, {
          lowestPrice: own.lowestPrice ?? bounds.lowestPrice,
          highestPrice: own.highestPrice ?? bounds.highestPrice,
          silentSlots: own.silentSlots ?? SILENT_SLOTS,
          withdrawnPerDay: own.withdrawnPerDay ?? WITHDRAWN_PER_DAY,
          loweringDelay: own.loweringDelaySeconds ?? LOWERING_DELAY_SECONDS,
          overdrawnNano: own.overdrawnNano ?? OVERDRAWN_NANO,
        }),
    },
  ],
  restrictions: ({ at }) => [
    { target: at.emergency, role: "OPERATOR", abi, functions: ["setGridState", "announceLowering", "lower"] },
    { target: at.emergency, role: "GUARDIAN", abi, functions: ["raise"] },
  ],
};
