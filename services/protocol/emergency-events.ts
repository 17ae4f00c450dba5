import type { Result } from "ethers";

/** Events of the two ladders, of islanding and of priority classes in the ABI; see events.ts. */
export const EMERGENCY_EVENTS = [
  "event ZonesVoided(uint32 indexed firstSlot,uint32 throughSlot,uint256 zones)",
  "event GridStateSet(uint256 zones,uint8 state)",
  "event MarketRaised(uint8 state,uint8 cause)",
  "event MarketLowered(uint8 state)",
];

/** IEmergency.GridState by number. */
export const gridStates = ["normal", "alert", "emergency", "blackout", "restoration"] as const;
export type GridState = (typeof gridStates)[number];

/** IEmergency.MarketState by number. */
export const marketStates = ["open", "no new orders", "no clearing"] as const;
export type MarketState = (typeof marketStates)[number];

export type EmergencyEvent =
  /** What stands in the books of these slots of orders of `zones` (a bit each) is void. */
  | { name: "ZonesVoided"; firstSlot: number; throughSlot: number; zones: bigint }
  | { name: "GridStateSet"; zones: bigint; state: GridState }
  | { name: "MarketRaised"; state: MarketState }
  | { name: "MarketLowered"; state: MarketState };

/** One of these events as a plain object; undefined for any other. */
export const emergencyBodyOf = (name: string, args: Result): EmergencyEvent | undefined => {
  const num = (key: string): number => Number(args[key] as bigint);
  const zones = (): bigint => args["zones"] as bigint;
  switch (name) {
    case "ZonesVoided":
      return { name, firstSlot: num("firstSlot"), throughSlot: num("throughSlot"), zones: zones() };
    case "GridStateSet":
      return { name, zones: zones(), state: gridStates[num("state")] ?? "normal" };
    case "MarketRaised":
    case "MarketLowered":
      return { name, state: marketStates[num("state")] ?? "no clearing" };
    default:
      return undefined;
  }
};
