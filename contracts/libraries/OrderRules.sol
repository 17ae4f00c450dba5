// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOrderBook, SignedOrder, Step} from "../interfaces/IOrderBook.sol";
import {OrderWord, OrderWordLibrary} from "./OrderWord.sol";
import {PointWord} from "./PointWord.sol";
import {TermsWord} from "./TermsWord.sol";

/// What an order must keep to by itself: number and size of steps, the slot's band, its sides, the point's ratings.
library OrderRules {
    uint256 internal constant MAX_STEPS = 8;
    uint256 internal constant MIN_STEP_WH = 50;

    struct Sides {
        uint256 bidWh;
        uint256 offerWh;
        int256 highestBid;
        int256 lowestOffer;
    }

    /// Sums the steps and gives the first rule that one breaks.
    function check(Step[] calldata steps, PointWord point, TermsWord terms) internal pure returns (IOrderBook.Skip) {
        if (steps.length > MAX_STEPS) return IOrderBook.Skip.TooManySteps;
        Sides memory sides;
        sides.highestBid = type(int256).min;
        sides.lowestOffer = type(int256).max;
        int256 bandMin = terms.bandMin();
        int256 bandMax = terms.bandMax();
        unchecked {
            for (uint256 i = 0; i < steps.length; ++i) {
                Step calldata step = steps[i];
                uint256 energyWh = step.energyWh;
                int256 price = step.priceMicroPerKwh;
                if (energyWh < MIN_STEP_WH) return IOrderBook.Skip.StepTooSmall;
                if (price < bandMin || price > bandMax) return IOrderBook.Skip.OutsideBand;
                if (step.sell) {
                    sides.offerWh += energyWh;
                    if (price < sides.lowestOffer) sides.lowestOffer = price;
                } else {
                    if (step.green) return IOrderBook.Skip.GreenOnlyNotOpen;
                    sides.bidWh += energyWh;
                    if (price > sides.highestBid) sides.highestBid = price;
                }
            }
        }
        if (sides.highestBid >= sides.lowestOffer) return IOrderBook.Skip.CrossedSides;
        uint256 limit = point.tradeLimitWh();
        if (sides.bidWh > limit || sides.offerWh > limit) return IOrderBook.Skip.OverRating;
        if (sides.bidWh > point.importLimitWh() || sides.offerWh > point.exportLimitWh()) {
            return IOrderBook.Skip.OverRating;
        }
        return IOrderBook.Skip.None;
    }

    /// The order's step `i` as the book keeps it; a cancellation is one word without energy.
    function wordOf(SignedOrder calldata order, uint8 zone, uint256 i) internal pure returns (OrderWord) {
        if (order.steps.length == 0) return OrderWordLibrary.pack(order.point, order.sequence, zone, 0, 0, 0);
        Step calldata step = order.steps[i];
        uint256 flags = (step.sell ? OrderWordLibrary.OFFER : 0) | (step.green ? OrderWordLibrary.GREEN : 0);
        return
            OrderWordLibrary.pack(
                order.point,
                order.sequence,
                zone,
                uint8(flags),
                step.energyWh,
                step.priceMicroPerKwh
            );
    }
}
