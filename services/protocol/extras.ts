import { AbiCoder } from "ethers";
import type { FilledTrade } from "../core/settlement/payments.ts";
import { decodeTradeWords } from "./trade.ts";
import { decodePositions } from "./words.ts";

/** What only some slots have, `ClearingExtras` of contracts/interfaces/IAuction.sol. */
export interface ClearingExtras {
  /** Per zone, micro-token per kWh; empty where green orders trade at the zone price. */
  greenPrices: bigint[];
  /** Net Wh that each point sold in green orders. */
  greenWh: number[];
  /** Bilateral trades with their fills, in order of registration; those that were not filled too. */
  trades: FilledTrade[];
  /** Bound of what the welfare may lack of the optimum, nano-token. */
  gapBoundNano: bigint;
}

const NONE: ClearingExtras = { greenPrices: [], greenWh: [], trades: [], gapBoundNano: 0n };

/** ABI type of `ClearingExtras`. */
export const EXTRAS = "tuple(int64[] greenPrices,bytes green,bytes trades,uint32[] tradesWh,uint128 gapBoundNano)";

/** @param extras `record.extras`: 0x, or the encoded struct */
export const decodeExtras = (extras: string): ClearingExtras => {
  if (extras === "0x") return NONE;
  const [decoded] = AbiCoder.defaultAbiCoder().decode([EXTRAS], extras);
  const tradesWh = decoded["tradesWh"] as bigint[];
  return {
    greenPrices: [...(decoded["greenPrices"] as bigint[])],
    greenWh: decodePositions(decoded["green"] as string),
    trades: decodeTradeWords(decoded["trades"] as string).map(
      ({ seller, buyer, from, to, priceMicroPerKwh, sellerBearsSpread }, at) => ({
        ...{ seller, buyer, from, to, sellerBearsSpread },
        filledWh: tradesWh[at] ?? 0n,
        priceMicroPerKwh: BigInt(priceMicroPerKwh),
      }),
    ),
    gapBoundNano: decoded["gapBoundNano"] as bigint,
  };
};
