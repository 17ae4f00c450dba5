// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {TradeTerms} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Bilateral trades: t Wh from zone a to zone b, at a price difference of at most w. A trade that is not full has p_b - p_a >= w, one
/// that is not empty p_b - p_a <= w: room between any two zones of an island, with an offset.
library ClearingTrades {
    int256 private constant OPEN_LO = type(int256).min;
    int256 private constant OPEN_HI = type(int256).max;

    /// Takes the posted fills into the net exports.
    /// @param tradesWh one per trade
    /// @return welfareNano sum of w x t
    function take(
        TradeTerms[] memory trades,
        ZoneTally[] memory zones,
        uint64[] calldata tradesWh
    ) internal pure returns (int256 welfareNano) {
        unchecked {
            for (uint256 i = 0; i < trades.length; ++i) {
                TradeTerms memory trade = trades[i];
                ZoneTally memory from = zones[trade.from];
                ZoneTally memory to = zones[trade.to];
                uint256 filledWh = tradesWh[i];
                // Energy does not leave an island.
                uint256 limitWh = from.root == to.root ? trade.limitWh : 0;
                if (filledWh > limitWh) revert IClearingErrors.TradeOverfilled(i, filledWh, limitWh); // [39]
                from.flow += int256(filledWh);
                to.flow -= int256(filledWh);
                welfareNano += int256(filledWh) * trade.maxSpread;
            }
        }
    }

    /// Whether the posted prices say of each trade what its fill says.
    function checkSpreads(
        TradeTerms[] memory trades,
        ZoneTally[] memory zones,
        uint64[] calldata tradesWh
    ) internal pure {
        unchecked {
            for (uint256 i = 0; i < trades.length; ++i) {
                TradeTerms memory trade = trades[i];
                (bool notFull, bool notEmpty) = _leftOf(trade, zones, tradesWh[i]);
                int256 spread = zones[trade.to].price - zones[trade.from].price;
                // [40]
                if (notFull && spread < trade.maxSpread)
                    revert IClearingErrors.TradeNotFull(i, tradesWh[i], trade.limitWh);
                if (notEmpty && spread > trade.maxSpread) revert IClearingErrors.TradeAgainstSpread(i, tradesWh[i]);
            }
        }
    }

    /// Carries bounds over all trades once.
    /// @param first index of the records whose bounds are carried: 0, or the number of zones for their twins
    /// @return changed whether a bound moved
    function carry(
        TradeTerms[] memory trades,
        ZoneTally[] memory zones,
        uint256 first,
        uint64[] calldata tradesWh
    ) internal pure returns (bool changed) {
        for (uint256 i = 0; i < trades.length; ++i) {
            TradeTerms memory trade = trades[i];
            if (trade.from == trade.to) continue;
            (bool notFull, bool notEmpty) = _leftOf(trade, zones, tradesWh[i]);
            ZoneTally memory from = zones[first + trade.from];
            ZoneTally memory to = zones[first + trade.to];
            // [41]
            if (notFull && _pass(to, from, trade.maxSpread)) changed = true;
            if (notEmpty && _pass(from, to, -int256(trade.maxSpread))) changed = true;
        }
    }

    /// As `carry` for the best weight of a residual path to each zone (ClearingVolume). A trade is an offer and a bid: weight 4. More
    /// of it takes energy out of its buyer's zone and gives it to its seller's.
    /// @param none weight of a zone that nothing reaches
    function carryWeights(
        TradeTerms[] memory trades,
        ZoneTally[] memory zones,
        uint64[] calldata tradesWh,
        int256[] memory weights,
        int256 none
    ) internal pure returns (bool changed) {
        unchecked {
            for (uint256 i = 0; i < trades.length; ++i) {
                TradeTerms memory trade = trades[i];
                (uint256 from, uint256 to) = (trade.from, trade.to);
                if (zones[to].price - zones[from].price != trade.maxSpread) continue;
                (bool notFull, bool notEmpty) = _leftOf(trade, zones, tradesWh[i]);
                if (notFull && weights[to] != none && weights[to] + 4 > weights[from]) {
                    weights[from] = weights[to] + 4;
                    changed = true;
                }
                if (notEmpty && weights[from] != none && weights[from] - 4 > weights[to]) {
                    weights[to] = weights[from] - 4;
                    changed = true;
                }
            }
        }
    }

    /// What a trade within its island leaves open.
    function _leftOf(
        TradeTerms memory trade,
        ZoneTally[] memory zones,
        uint256 filledWh
    ) private pure returns (bool notFull, bool notEmpty) {
        if (zones[trade.from].root != zones[trade.to].root) return (false, false);
        return (filledWh < trade.limitWh, filledWh != 0);
    }

    /// The price of `high` is at least that of `low` plus `offset`.
    function _pass(ZoneTally memory high, ZoneTally memory low, int256 offset) private pure returns (bool changed) {
        unchecked {
            if (low.lo != OPEN_LO && low.lo + offset > high.lo) {
                high.lo = low.lo + offset;
                changed = true;
            }
            if (low.loFull != OPEN_LO && low.loFull + offset > high.loFull) {
                high.loFull = low.loFull + offset;
                changed = true;
            }
            if (high.hi != OPEN_HI && high.hi - offset < low.hi) {
                low.hi = high.hi - offset;
                changed = true;
            }
            if (high.hiFull != OPEN_HI && high.hiFull - offset < low.hiFull) {
                low.hiFull = high.hiFull - offset;
                changed = true;
            }
        }
    }
}
