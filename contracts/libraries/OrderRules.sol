// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {PackedOrder} from "./PackedOrder.sol";
import {PointWord} from "./PointWord.sol";
import {TermsWord} from "./TermsWord.sol";

/// What an order must keep to by itself: number and size of steps, the slot's band, its sides, the point's ratings.
library OrderRules {
    uint256 internal constant MAX_STEPS = 8;
    uint256 internal constant MIN_STEP_WH = 50;

    /// Sums the `count` packed steps at `steps` in memory, and gives the first rule that one breaks.
    function check(
        uint256 steps,
        uint256 count,
        PointWord point,
        TermsWord terms
    ) internal pure returns (IOrderBook.Skip) {
        if (count > MAX_STEPS) return IOrderBook.Skip.TooManySteps;
        int256 highestBid = type(int256).min;
        int256 lowestOffer = type(int256).max;
        uint256 bidWh;
        uint256 offerWh;
        unchecked {
            uint256 end = steps + count * PackedOrder.STEP_BYTES;
            for (; steps < end; steps += PackedOrder.STEP_BYTES) {
                uint256 step;
                int256 price;
                assembly ("memory-safe") {
                    step := shr(176, mload(steps))
                    price := signextend(4, step)
                }
                uint256 energyWh = (step >> 40) & 0xffffffff;
                if (energyWh < MIN_STEP_WH) return IOrderBook.Skip.StepTooSmall;
                if (price < terms.bandMin() || price > terms.bandMax()) return IOrderBook.Skip.OutsideBand;
                step >>= 72;
                if (step & 1 != 0) {
                    offerWh += energyWh;
                    if (price < lowestOffer) lowestOffer = price;
                } else {
                    if (step & 2 != 0) return IOrderBook.Skip.GreenOnlyNotOpen;
                    bidWh += energyWh;
                    if (price > highestBid) highestBid = price;
                }
            }
        }
        if (highestBid >= lowestOffer) return IOrderBook.Skip.CrossedSides;
        if (bidWh > point.importLimitWh() || offerWh > point.exportLimitWh()) return IOrderBook.Skip.OverRating;
        if ((bidWh > offerWh ? bidWh : offerWh) > point.tradeLimitWh()) return IOrderBook.Skip.OverRating;
        return IOrderBook.Skip.None;
    }
}
