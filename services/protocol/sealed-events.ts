import { Interface } from "ethers";
import type { RawLog } from "./events.ts";

/** What SealedBatches says about bonds, decoded from raw logs; `amount` in token base units. */
export type SealedEvent =
  | { name: "Sealed"; slot: number; relayer: string }
  | { name: "Opened"; slot: number; relayer: string }
  | { name: "Forfeited"; slot: number; relayer: string; amount: bigint };

const iface = new Interface([
  "event Sealed(uint32 indexed slot, address indexed relayer, bytes32 commitment)",
  "event Opened(uint32 indexed slot, address indexed relayer, bytes32 commitment, uint256 appended)",
  "event Forfeited(uint32 indexed slot, address indexed relayer, uint256 amount)",
]);

/** Undefined for any other log. */
export const decodeSealed = (log: Pick<RawLog, "topics" | "data">): SealedEvent | undefined => {
  const parsed = iface.parseLog(log);
  if (!parsed) return undefined;
  const [slot, relayer] = [Number(parsed.args["slot"]), String(parsed.args["relayer"])];
  if (parsed.name === "Sealed" || parsed.name === "Opened") return { name: parsed.name, slot, relayer };
  return { name: "Forfeited", slot, relayer, amount: parsed.args["amount"] as bigint };
};
