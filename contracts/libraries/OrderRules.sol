// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {PointWord} from "./PointWord.sol";
import {TermsWord} from "./TermsWord.sol";

/// What an order must keep to by itself: number and size of steps, the slot's band, its sides, the point's ratings.
library OrderRules {
    uint256 internal constant MAX_STEPS = 8;

    /// The numbers of the reasons are those of Skip, fields and shifts those of PointWord and TermsWord, the smallest step 50 Wh.
    /// Sums the `count` packed steps at `steps` in memory, and gives the first rule that one breaks.
    function check(
        uint256 steps,
        uint256 count,
        PointWord point,
        TermsWord terms
    ) internal pure returns (IOrderBook.Skip) {
        if (count > MAX_STEPS) return IOrderBook.Skip.TooManySteps;
        uint256 reason;
        uint256 bidWh;
        uint256 offerWh;
        // An order is crossed when its highest bid reaches its lowest offer; both start beyond the band.
        int256 highestBid = type(int64).min;
        int256 lowestOffer = type(int64).max;
        assembly ("memory-safe") {
            for {
                let end := add(steps, mul(count, 10))
            } lt(steps, end) {
                steps := add(steps, 10)
            } {
                let step := shr(176, mload(steps))
                let energyWh := and(shr(40, step), 0xffffffff)
                if lt(energyWh, 50) {
                    reason := 8
                    break
                }
                let price := signextend(4, step)
                if or(slt(price, signextend(4, shr(112, terms))), sgt(price, signextend(4, shr(152, terms)))) {
                    reason := 9
                    break
                }
                switch and(shr(72, step), 1)
                case 0 {
                    bidWh := add(bidWh, energyWh)
                    if sgt(price, highestBid) {
                        highestBid := price
                    }
                }
                default {
                    offerWh := add(offerWh, energyWh)
                    if slt(price, lowestOffer) {
                        lowestOffer := price
                    }
                }
            }
            {
                let limit := and(shr(216, point), 0xffffff)
                let over := or(gt(bidWh, limit), gt(offerWh, limit)) // [28]
                over := or(over, gt(bidWh, and(shr(168, point), 0xffffff)))
                if or(over, gt(offerWh, and(shr(192, point), 0xffffff))) {
                    reason := 11
                }
                if iszero(slt(highestBid, lowestOffer)) {
                    reason := 10
                }
            }
        }
        return IOrderBook.Skip(reason);
    }
}
