// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {ClearingTrades} from "./ClearingTrades.sol";
import {MarketTerms, TradeTerms, ZoneTerms} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Balance, lines and prices over the tree of zones (parents before children). Linear in zones: an upward and a
/// downward sweep reach every path of a tree, since each path goes up, then down.
///
/// A line has room from a to b while its flow in that direction is below its limit there. One more Wh could then move from
/// a to b, so in an optimum the price of b is not above that of a.
library ClearingNetwork {
    int256 internal constant OPEN_LO = type(int256).min;
    int256 internal constant OPEN_HI = type(int256).max;

    /// Turns net exports into flows to the parent. Refuses an island out of balance and a line over its limit.
    function checkFlows(ZoneTerms[] memory terms, ZoneTally[] memory zones) internal pure {
        unchecked {
            for (uint256 i = terms.length; i-- > 0;) {
                int256 flow = zones[i].flow;
                ZoneTerms memory term = terms[i];
                if (term.parent == i) {
                    if (flow != 0) revert IClearingErrors.IslandNotBalanced(i, flow); // [9]
                    continue;
                }
                if (flow > int256(uint256(term.toParentWh))) {
                    // [10]
                    revert IClearingErrors.LineOverloaded(i, flow, term.toParentWh);
                }
                if (-flow > int256(uint256(term.fromParentWh))) {
                    // [10]
                    revert IClearingErrors.LineOverloaded(i, flow, term.fromParentWh);
                }
                zones[term.parent].flow += flow;
            }
        }
    }

    /// Carries the bounds over the lines and the bilateral trades. Afterwards lo..hi (with loFull..hiFull) of a zone are exactly the
    /// prices that support the fills of the whole island, and bounds do not rise along lines with room.
    /// @param first index of the records whose bounds are carried: 0, or the number of zones for their twins
    function carry(
        MarketTerms memory market,
        ZoneTally[] memory zones,
        uint256 first,
        uint64[] calldata tradesWh
    ) internal pure {
        TradeTerms[] memory trades = market.trades;
        for (uint256 round = 0; ; ++round) {
            _sweep(market.zones, zones, first);
            if (!ClearingTrades.carry(trades, zones, first, tradesWh)) return;
            if (round == trades.length) {
                // A shortest path uses each trade once at most: bounds chase each other around a ring. [41]
                uint256 zone = trades[0].from;
                revert IClearingErrors.NotOptimal(zone, zones[first + zone].lo, zones[first + zone].hi);
            }
        }
    }

    function _sweep(ZoneTerms[] memory terms, ZoneTally[] memory zones, uint256 first) private pure {
        unchecked {
            for (uint256 i = terms.length; i-- > 0;) {
                ZoneTerms memory term = terms[i];
                if (term.parent == i) continue;
                (bool up, bool down) = (roomUp(term, zones[i]), roomDown(term, zones[i]));
                _pass(zones[first + term.parent], zones[first + i], up, down); // [13]
            }
            for (uint256 i = 0; i < terms.length; ++i) {
                ZoneTerms memory term = terms[i];
                if (term.parent == i) continue;
                (bool up, bool down) = (roomUp(term, zones[i]), roomDown(term, zones[i]));
                _pass(zones[first + i], zones[first + term.parent], down, up); // [13]
            }
        }
    }

    /// Refuses bounds that exclude each other, and any price but the midpoint rule's.
    ///
    /// The rule. `lo..hi` from orders strictly inside the band are a zone's known bounds. M (m) = the highest (lowest) known
    /// bound of the island after the sweeps; only bounds that survive the sweeps count, since those do not depend on how a
    /// marginal quantity is split between zones. An island without a known bound takes the reference price for both.
    ///   hi = known ? min(hi, hiFull) : clamp(M, loFull, hiFull);   lo = known ? max(lo, loFull) : clamp(m, loFull, hiFull)
    /// then, in an island with a backup, both are clamped into the tariffs [offerFloor - premium, bidCap - fee].
    /// price = floor((lo + hi) / 2).
    ///
    /// Along a line with room from a to b every term of hi (and of lo) at b is at most its counterpart at a: known bounds and
    /// full bounds by the sweep, M and m because they are extremes of the island, clamps because they are monotone. So prices
    /// never rise along room, and with fills derived from these very prices that is complementary slackness: the fills are
    /// optimal. lo <= price <= hi keeps every filled order whole; a clamp into the tariffs moves no known bound of an optimal
    /// clearing past another, since all effective limits that trade lie inside the tariffs.
    ///
    /// Bilateral trades are room with an offset, which clamps and M, m do not know: where there are any, hi and lo are carried
    /// once more over lines and trades, and kept within the known and full bounds.
    function checkPrices(
        MarketTerms memory market,
        ZoneTally[] memory zones,
        uint64[] calldata tradesWh
    ) internal pure {
        unchecked {
            uint256 count = market.zones.length;
            (int256[] memory highest, int256[] memory lowest) = _extremes(market, zones);
            for (uint256 i = 0; i < count; ++i) {
                ZoneTally memory zone = zones[i];
                int256 premium = zones.length == count ? int256(0) : zones[count + i].price - zone.price;
                (int256 lo, int256 hi) = _candidates(zone, highest[zone.root], lowest[zone.root], premium);
                (zone.loFull, zone.lo) = (_max(zone.lo, zone.loFull), lo);
                (zone.hiFull, zone.hi) = (_min(zone.hi, zone.hiFull), hi);
            }
            if (market.trades.length != 0) _keepSpreads(market, zones, tradesWh);
            for (uint256 i = 0; i < count; ++i) {
                ZoneTally memory zone = zones[i];
                // An arithmetic shift is the floor of the half, for negative sums too. [19]
                int256 expected = (zone.lo + zone.hi) >> 1;
                if (expected != zone.price) revert IClearingErrors.WrongPrice(i, zone.price, expected);
            }
        }
    }

    /// M and m per root. [16]
    function _extremes(
        MarketTerms memory market,
        ZoneTally[] memory zones
    ) private pure returns (int256[] memory highest, int256[] memory lowest) {
        unchecked {
            uint256 count = market.zones.length;
            highest = new int256[](count);
            lowest = new int256[](count);
            for (uint256 i = 0; i < count; ++i) {
                highest[i] = OPEN_LO;
                lowest[i] = OPEN_HI;
            }
            for (uint256 i = 0; i < count; ++i) {
                ZoneTally memory zone = zones[i];
                int256 lo = _max(zone.lo, zone.loFull);
                int256 hi = _min(zone.hi, zone.hiFull);
                if (lo > hi) revert IClearingErrors.NotOptimal(i, lo, hi); // [14]
                uint256 root = zone.root;
                if (zone.lo != OPEN_LO) {
                    highest[root] = _max(highest[root], lo);
                    lowest[root] = _min(lowest[root], lo);
                }
                if (zone.hi != OPEN_HI) {
                    highest[root] = _max(highest[root], hi);
                    lowest[root] = _min(lowest[root], hi);
                }
            }
            for (uint256 i = 0; i < count; ++i) {
                if (highest[i] == OPEN_LO) highest[i] = lowest[i] = market.band.reference_;
            }
        }
    }

    /// The two prices of the rule, before their midpoint. [17]
    function _candidates(
        ZoneTally memory zone,
        int256 highest,
        int256 lowest,
        int256 premium
    ) private pure returns (int256 lo, int256 hi) {
        unchecked {
            hi = zone.hi != OPEN_HI ? _min(zone.hi, zone.hiFull) : _max(zone.loFull, _min(highest, zone.hiFull));
            lo = zone.lo != OPEN_LO ? _max(zone.lo, zone.loFull) : _min(zone.hiFull, _max(lowest, zone.loFull));
            if (zone.bidCap != OPEN_HI) {
                int256 ceiling = zone.bidCap - zone.fee; // [18]
                int256 floor = zone.offerFloor - premium;
                hi = _max(floor, _min(hi, ceiling));
                lo = _max(floor, _min(lo, ceiling));
            }
        }
    }

    /// Makes the candidates (in lo, hi) keep every trade's spread, within the supporting prices (in loFull, hiFull). [44]
    function _keepSpreads(
        MarketTerms memory market,
        ZoneTally[] memory zones,
        uint64[] calldata tradesWh
    ) private pure {
        carry(market, zones, 0, tradesWh);
        for (uint256 i = 0; i < market.zones.length; ++i) {
            ZoneTally memory zone = zones[i];
            zone.hi = _min(zone.hiFull, _max(zone.loFull, zone.hi));
            zone.lo = _max(zone.loFull, _min(zone.hiFull, zone.lo));
        }
    }

    /// Room for one more Wh over the line of a zone to its parent.
    function roomUp(ZoneTerms memory term, ZoneTally memory child) internal pure returns (bool) {
        return child.flow < int256(uint256(term.toParentWh));
    }

    /// Room for one more Wh over the line of a zone from its parent.
    function roomDown(ZoneTerms memory term, ZoneTally memory child) internal pure returns (bool) {
        return -child.flow < int256(uint256(term.fromParentWh));
    }

    /// Bounds that `to` takes from `from` in one step: room from -> to lowers hi, room to -> from raises lo.
    function _pass(ZoneTally memory to, ZoneTally memory from, bool roomTo, bool roomBack) private pure {
        if (roomTo) {
            if (from.hi < to.hi) to.hi = from.hi;
            if (from.hiFull < to.hiFull) to.hiFull = from.hiFull;
        }
        if (roomBack) {
            if (from.lo > to.lo) to.lo = from.lo;
            if (from.loFull > to.loFull) to.loFull = from.loFull;
        }
    }

    function _min(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _max(int256 a, int256 b) private pure returns (int256) {
        return a > b ? a : b;
    }
}
