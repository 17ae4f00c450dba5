// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {MeshIsland, MeshPrices} from "./MeshPrices.sol";
import {MeshNeeded} from "./MeshNeeded.sol";
import {MeshVolume} from "./MeshVolume.sol";
import {MarketTerms, TradeTerms} from "./MarketTypes.sol";
import {Narrow} from "./Narrow.sol";
import {PackedLimits} from "./PackedLimits.sol";
import {ZoneTally} from "./ClearingTypes.sol";
import {ZoneTallies} from "./ZoneTallies.sol";

/// The proof on a meshed network: limits on weighted sums of net exports instead of lines of a tree, with supplied dual
/// prices `mu` of the limits. Everything else is derived: the islands' prices and premiums (MeshPrices), the fills
/// (ClearingBook, from integer zone prices as on radial networks), and the duality gap, exactly.
///
/// Units. Weights 1e-6; mu 1e-6 micro-token per kWh; so weight x mu, and with it every exact price, 1e-12 micro; flow 1e-6
/// Wh; so mu x flow 1e-12 nano-token, as is an exact price x Wh. |weight| < 2^31, |mu| < 2^127, 256 zones, amounts below
/// 2^80 Wh: no sum below reaches 2^255 (a mu other than zero meets a slack below 2^39 only, a trade a gain below 2^40).
library ClearingMesh {
    int256 internal constant UNIT = 1e12;
    int256 internal constant WEIGHT_UNIT = 1e6;

    /// A contract of its own: with it the auction would exceed the size of one (EIP-170).
    /// @param records tallies with fills, bounds and net exports (ZoneTallies.pack)
    /// @param apart green orders trade apart
    /// @param mu dual price per limit
    /// @param tradesWh fills of the bilateral trades, which the net exports contain already
    /// @return gapBoundNano no feasible clearing has more welfare than this one and that
    /// @return lambda the islands' exact prices, at the indices of their roots
    /// @return gamma their exact premiums
    function check(
        MarketTerms memory market,
        bytes memory records,
        bool apart,
        int128[] memory mu,
        uint64[] memory tradesWh
    ) external pure returns (uint128 gapBoundNano, int256[] memory lambda, int256[] memory gamma) {
        MeshIsland[] memory islands;
        (gapBoundNano, islands) = _check(market, ZoneTallies.unpack(records, market.zones.length, apart), mu, tradesWh);
        (lambda, gamma) = MeshPrices.exactOf(islands);
    }

    function _check(
        MarketTerms memory market,
        ZoneTally[] memory zones,
        int128[] memory mu,
        uint64[] memory tradesWh
    ) private pure returns (uint128 gapBoundNano, MeshIsland[] memory islands) {
        unchecked {
            int256[] memory net = _netExports(zones, market.zones.length);
            (int256[] memory shift, uint256 gap, bool free) = _checkLimits(market.limits, net, mu);
            gap += _checkTrades(market.trades, zones, tradesWh, shift, free);
            islands = MeshPrices.derive(zones, shift, market.band.reference_, free);
            gap += MeshPrices.check(market.zones, zones, shift, islands);
            MeshVolume.check(market.zones, zones, islands, free);
            MeshNeeded.check(market, zones, shift, islands, mu, tradesWh);
            gapBoundNano = Narrow.toUint128((gap + uint256(UNIT - 1)) / uint256(UNIT)); // [68]
        }
    }

    /// Net exports of the zones, which balance in every island.
    function _netExports(ZoneTally[] memory zones, uint256 count) private pure returns (int256[] memory net) {
        unchecked {
            net = new int256[](count);
            int256[] memory sums = new int256[](count);
            for (uint256 z = 0; z < count; ++z) {
                net[z] = zones[z].flow;
                sums[zones[z].root] += net[z];
            }
            for (uint256 z = 0; z < count; ++z) {
                if (sums[z] != 0) revert IClearingErrors.IslandNotBalanced(z, sums[z]); // [61]
            }
        }
    }

    /// Every limit holds exactly, and a dual price stands only at a limit that is tight but for what whole Wh leave open.
    /// @return shift per zone: sum of weight x mu
    /// @return gap sum of |mu| x slack
    /// @return free no limit is that tight: within an island any zone can give any other one Wh more
    function _checkLimits(
        bytes memory limits,
        int256[] memory net,
        int128[] memory mu
    ) private pure returns (int256[] memory shift, uint256 gap, bool free) {
        unchecked {
            uint256 size = PackedLimits.bytesPerLimit(net.length);
            if (mu.length * size != limits.length) {
                revert IClearingErrors.WrongDualCount(mu.length, limits.length / size);
            }
            shift = new int256[](net.length);
            free = true;
            uint256 limit;
            assembly ("memory-safe") {
                limit := add(limits, 0x20)
            }
            for (uint256 row = 0; row < mu.length; ++row) {
                int256 dual = mu[row];
                (int256 above, int256 below, int256 width) = _slack(limit, net, row);
                if (above < width || below < width) free = false;
                if (dual != 0) {
                    int256 slack = dual > 0 ? above : below;
                    if (slack >= width) revert IClearingErrors.LimitNotTight(row, dual, slack, width); // [63]
                    gap += uint256((dual > 0 ? dual : -dual) * slack); // [68]
                    _addRow(limit, shift, dual);
                }
                limit += size;
            }
        }
    }

    /// @return above slack to the upper side, 1e-6 Wh
    /// @return below slack to the lower side
    /// @return width sum of |weight|: what one Wh more or less in every zone could change
    function _slack(
        uint256 limit,
        int256[] memory net,
        uint256 row
    ) private pure returns (int256 above, int256 below, int256 width) {
        unchecked {
            int256 flow;
            int256 least;
            int256 most;
            assembly ("memory-safe") {
                least := sar(192, mload(limit))
                most := sar(192, mload(add(limit, 8)))
                let at := add(limit, 16)
                let zone := add(net, 0x20)
                for {
                    let end := add(zone, shl(5, mload(net)))
                } lt(zone, end) {
                    zone := add(zone, 0x20)
                } {
                    let weight := sar(224, mload(at))
                    at := add(at, 4)
                    flow := add(flow, mul(weight, mload(zone)))
                    let sign := sar(255, weight)
                    width := add(width, sub(xor(weight, sign), sign))
                }
            }
            above = most * WEIGHT_UNIT - flow;
            below = flow - least * WEIGHT_UNIT;
            if (above < 0 || below < 0) revert IClearingErrors.LimitViolated(row, flow, int64(least), int64(most)); // [62]
        }
    }

    function _addRow(uint256 limit, int256[] memory shift, int256 dual) private pure {
        assembly ("memory-safe") {
            let at := add(limit, 16)
            let zone := add(shift, 0x20)
            for {
                let end := add(zone, shl(5, mload(shift)))
            } lt(zone, end) {
                zone := add(zone, 0x20)
            } {
                mstore(zone, add(mload(zone), mul(sar(224, mload(at)), dual)))
                at := add(at, 4)
            }
        }
    }

    /// A trade that gains a unit or more is full, one that loses a unit or more is empty.
    /// @return gap what trades gain unfilled or lose filled, 1e-12 nano-token
    function _checkTrades(
        TradeTerms[] memory trades,
        ZoneTally[] memory zones,
        uint64[] memory tradesWh,
        int256[] memory shift,
        bool free
    ) private pure returns (uint256 gap) {
        unchecked {
            for (uint256 i = 0; i < trades.length; ++i) {
                TradeTerms memory trade = trades[i];
                uint256 filledWh = tradesWh[i];
                uint256 leftWh = trade.limitWh - filledWh;
                // The price rises by shift[from] - shift[to] on the way; in other islands a trade is refused elsewhere.
                if (zones[trade.from].root != zones[trade.to].root) continue;
                int256 gain = int256(trade.maxSpread) * UNIT - (shift[trade.from] - shift[trade.to]);
                bool exact = free || trade.from == trade.to;
                if (leftWh != 0 && (gain >= UNIT || (exact && gain >= 0))) {
                    revert IClearingErrors.TradeNotFull(i, filledWh, trade.limitWh); // [66]
                }
                if (filledWh != 0 && gain <= -UNIT) revert IClearingErrors.TradeAgainstSpread(i, filledWh); // [66]
                if (gain > 0) {
                    if (leftWh != 0) gap += uint256(gain) * leftWh; // [68]
                } else if (filledWh != 0) {
                    gap += uint256(-gain) * filledWh; // [68]
                }
            }
        }
    }
}
