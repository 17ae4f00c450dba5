// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {MeshIsland} from "./MeshPrices.sol";
import {MarketTerms, TradeTerms} from "./MarketTypes.sol";
import {PackedLimits} from "./PackedLimits.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// No limit has a higher dual price than the fills need. Where a limit is full by chance many prices would do; whoever clears
/// may not choose one that costs more: as the green premium, each is the least that supports the fills, the others given.
///
/// With less of one |mu| the shifted bounds of zones move by their weights. It is needed if some lower bound that lies at the
/// island's price would then pass some upper one that does (within a unit, the tolerance of prices), or a trade that is at its
/// spread would have to change.
library MeshNeeded {
    int256 internal constant UNIT = 1e12;
    int256 private constant OPEN_LO = type(int256).min;
    int256 private constant OPEN_HI = type(int256).max;

    /// Bits of a zone: one of its lower (upper) bounds is at the island's price.
    uint256 private constant HOLDS_UP = 1;
    uint256 private constant HOLDS_DOWN = 2;

    function check(
        MarketTerms memory market,
        ZoneTally[] memory zones,
        int256[] memory shift,
        MeshIsland[] memory islands,
        int128[] memory mu,
        uint64[] memory tradesWh
    ) internal pure {
        unchecked {
            uint256[] memory sets = _sets(zones, shift, islands);
            for (uint256 row = 0; row < mu.length; ++row) {
                if (mu[row] == 0) continue;
                uint256 weights = _weightsOf(market.limits, row, shift.length);
                int256 sign = mu[row] > 0 ? int256(1) : int256(-1);
                if (_holds(weights, sign, sets)) continue;
                if (_tradeHolds(weights, sign, shift, sets, market.trades, tradesWh)) continue;
                revert IClearingErrors.DualNotNeeded(row, mu[row]); // [69]
            }
        }
    }

    function _weightsOf(bytes memory limits, uint256 row, uint256 zones) private pure returns (uint256 weights) {
        uint256 offset = row * PackedLimits.bytesPerLimit(zones) + PackedLimits.HEAD_BYTES;
        assembly ("memory-safe") {
            weights := add(add(limits, 0x20), offset)
        }
    }

    /// Per zone its bits, and above them the root of its island.
    function _sets(
        ZoneTally[] memory zones,
        int256[] memory shift,
        MeshIsland[] memory islands
    ) private pure returns (uint256[] memory sets) {
        unchecked {
            uint256 count = shift.length;
            sets = new uint256[](count);
            for (uint256 i = 0; i < zones.length; ++i) {
                uint256 z = i < count ? i : i - count;
                if (i < count) sets[z] = zones[z].root << 2;
                MeshIsland memory island = islands[zones[z].root];
                int256 moved = i < count ? shift[z] : shift[z] - island.gamma;
                int256 lo = _max(zones[i].lo, zones[i].loFull);
                int256 hi = _min(zones[i].hi, zones[i].hiFull);
                // Of the island the bounds of all its orders, the lower one perhaps above the upper one by less than a unit.
                int256 high = _min(island.ordinary.hi, island.ordinary.hiFull);
                int256 low = _max(island.ordinary.lo, island.ordinary.loFull);
                if (lo != OPEN_LO && high != OPEN_HI && lo * UNIT + moved > high - UNIT) sets[z] |= HOLDS_UP;
                if (hi != OPEN_HI && low != OPEN_LO && hi * UNIT + moved < low + UNIT) sets[z] |= HOLDS_DOWN;
            }
        }
    }

    /// With less of the dual price some zone that holds an island's price up would rise against one that holds it down.
    function _holds(uint256 weights, int256 sign, uint256[] memory sets) private pure returns (bool) {
        unchecked {
            uint256 count = sets.length;
            int256[] memory least = new int256[](count);
            int256[] memory most = new int256[](count);
            for (uint256 z = 0; z < count; ++z) (least[z], most[z]) = (OPEN_HI, OPEN_LO);
            for (uint256 z = 0; z < count; ++z) {
                if (sets[z] & 3 == 0) continue;
                int256 weight = sign * _weight(weights, z);
                uint256 root = sets[z] >> 2;
                if (sets[z] & HOLDS_UP != 0) least[root] = _min(least[root], weight);
                if (sets[z] & HOLDS_DOWN != 0) most[root] = _max(most[root], weight);
                if (least[root] < most[root]) return true;
            }
            return false;
        }
    }

    /// With less of the dual price a trade that is at its spread would be more, or less, than full or empty.
    function _tradeHolds(
        uint256 weights,
        int256 sign,
        int256[] memory shift,
        uint256[] memory sets,
        TradeTerms[] memory trades,
        uint64[] memory tradesWh
    ) private pure returns (bool) {
        unchecked {
            for (uint256 i = 0; i < trades.length; ++i) {
                TradeTerms memory trade = trades[i];
                if (sets[trade.from] >> 2 != sets[trade.to] >> 2) continue;
                int256 rise = sign * (_weight(weights, trade.from) - _weight(weights, trade.to));
                int256 gain = int256(trade.maxSpread) * UNIT - (shift[trade.from] - shift[trade.to]);
                if (rise > 0 && tradesWh[i] < trade.limitWh && gain > -UNIT) return true;
                if (rise < 0 && tradesWh[i] != 0 && gain < UNIT) return true;
            }
            return false;
        }
    }

    function _weight(uint256 weights, uint256 zone) private pure returns (int256 weight) {
        assembly ("memory-safe") {
            weight := sar(224, mload(add(weights, shl(2, zone))))
        }
    }

    function _min(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _max(int256 a, int256 b) private pure returns (int256) {
        return a > b ? a : b;
    }
}
