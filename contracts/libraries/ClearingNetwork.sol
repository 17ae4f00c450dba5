// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {PriceBand, ZonePosting, ZoneTerms} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Balance, lines, prices and volume over the tree of zones (parents before children). Linear in zones: an upward and a
/// downward sweep reach every path of a tree, since each path goes up, then down.
///
/// A line has room from a to b while its flow in that direction is below its limit there. One more Wh could then move from
/// a to b, so in an optimum the price of b is not above that of a.
library ClearingNetwork {
    int256 internal constant OPEN_LO = type(int256).min;
    int256 internal constant OPEN_HI = type(int256).max;

    /// An unfilled offer at the zone's price, backup included, can reach the zone.
    uint256 internal constant OFFER_REACHES = 1;
    /// An unfilled offer at the zone's price that is not the backup's can reach the zone.
    uint256 internal constant ORDINARY_OFFER_REACHES = 2;
    /// Energy that a backup buys could reach the zone instead.
    uint256 internal constant BACKUP_PURCHASE_REACHES = 4;

    /// Turns net exports into flows to the parent. Refuses an island out of balance and a line over its limit.
    function checkFlows(ZoneTerms[] memory terms, ZoneTally[] memory zones) internal pure {
        unchecked {
            for (uint256 i = zones.length; i-- > 0;) {
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

    /// Carries the bounds over the lines. Afterwards lo..hi (with loFull..hiFull) of a zone are exactly the prices that
    /// support the fills of the whole island, and bounds do not rise along lines with room.
    function sweepBounds(ZoneTerms[] memory terms, ZoneTally[] memory zones) internal pure {
        unchecked {
            for (uint256 i = zones.length; i-- > 0;) {
                ZoneTerms memory term = terms[i];
                if (term.parent == i) continue;
                ZoneTally memory child = zones[i];
                _pass(zones[term.parent], child, _roomUp(term, child), _roomDown(term, child)); // [13]
            }
            for (uint256 i = 0; i < zones.length; ++i) {
                ZoneTerms memory term = terms[i];
                if (term.parent == i) continue;
                ZoneTally memory child = zones[i];
                _pass(child, zones[term.parent], _roomDown(term, child), _roomUp(term, child)); // [13]
            }
        }
    }

    /// Refuses bounds that exclude each other, and any price but the midpoint rule's.
    ///
    /// The rule. `lo..hi` from orders strictly inside the band are a zone's known bounds. M (m) = the highest (lowest) known
    /// bound of the island after the sweeps; only bounds that survive the sweeps count, since those do not depend on how a
    /// marginal quantity is split between zones. An island without a known bound takes the reference price for both.
    ///   hi = known ? min(hi, hiFull) : clamp(M, loFull, hiFull);   lo = known ? max(lo, loFull) : clamp(m, loFull, hiFull)
    /// then, in an island with a backup, both are clamped into the tariffs [offerFloor, bidCap - fee].
    /// price = floor((lo + hi) / 2).
    ///
    /// Along a line with room from a to b every term of hi (and of lo) at b is at most its counterpart at a: known bounds and
    /// full bounds by the sweep, M and m because they are extremes of the island, clamps because they are monotone. So prices
    /// never rise along room, and with fills derived from these very prices that is complementary slackness: the fills are
    /// optimal. lo <= price <= hi keeps every filled order whole; a clamp into the tariffs moves no known bound of an optimal
    /// clearing past another, since all effective limits that trade lie inside the tariffs.
    function checkPrices(
        ZoneTally[] memory zones,
        PriceBand memory band,
        ZonePosting[] calldata postings
    ) internal pure {
        unchecked {
            uint256 count = zones.length;
            int256[] memory highest = new int256[](count);
            int256[] memory lowest = new int256[](count);
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
                    // [16]
                    highest[root] = _max(highest[root], lo);
                    lowest[root] = _min(lowest[root], lo);
                }
                if (zone.hi != OPEN_HI) {
                    highest[root] = _max(highest[root], hi);
                    lowest[root] = _min(lowest[root], hi);
                }
            }
            for (uint256 i = 0; i < count; ++i) {
                ZoneTally memory zone = zones[i];
                bool none = highest[zone.root] == OPEN_LO;
                int256 expected = _price(
                    zone,
                    none ? band.reference_ : highest[zone.root],
                    none ? band.reference_ : lowest[zone.root]
                );
                if (expected != zone.price) revert IClearingErrors.WrongPrice(i, postings[i].price, expected); // [19]
            }
        }
    }

    /// Refuses a clearing in which more could be traded at the same prices, or in which the backup trades although an equally
    /// priced order could take its place. `postings` and `terms` tell what of the backup is left.
    function checkVolume(ZoneTerms[] memory terms, ZoneTally[] memory zones) internal pure {
        unchecked {
            for (uint256 i = 0; i < zones.length; ++i) {
                ZoneTally memory zone = zones[i];
                uint256 flags = 0;
                if (zone.offerFilledWh < zone.offerMarginWh) flags = OFFER_REACHES | ORDINARY_OFFER_REACHES;
                if (_backupSells(terms[i], zone) && zone.backupSoldWh < terms[i].backupCapacityWh)
                    flags |= OFFER_REACHES;
                if (zone.backupBoughtWh > 0) flags |= BACKUP_PURCHASE_REACHES;
                zone.flags = flags;
            }
            for (uint256 i = zones.length; i-- > 0;) {
                ZoneTally memory child = zones[i];
                ZoneTally memory parent = zones[terms[i].parent];
                if (parent.price == child.price && _roomUp(terms[i], child)) parent.flags |= child.flags;
            }
            for (uint256 i = 0; i < zones.length; ++i) {
                ZoneTally memory zone = zones[i];
                ZoneTally memory parent = zones[terms[i].parent];
                if (parent.price == zone.price && _roomDown(terms[i], zone)) zone.flags |= parent.flags;
                bool bidLeft = zone.bidFilledWh < zone.bidMarginWh;
                bool backupBidLeft =
                    terms[i].hasBackup &&
                        zone.price == terms[i].backupBuy &&
                        zone.backupBoughtWh < terms[i].backupCapacityWh;
                if (
                    (bidLeft && zone.flags & OFFER_REACHES != 0) ||
                    (backupBidLeft && zone.flags & ORDINARY_OFFER_REACHES != 0)
                ) revert IClearingErrors.VolumeNotMaximal(i); // [20]
                if (
                    (zone.backupSoldWh > 0 && zone.flags & ORDINARY_OFFER_REACHES != 0) ||
                    (bidLeft && zone.flags & BACKUP_PURCHASE_REACHES != 0)
                ) revert IClearingErrors.BackupNotLast(i); // [21]
            }
        }
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

    // [17]
    function _price(ZoneTally memory zone, int256 highest, int256 lowest) private pure returns (int256) {
        unchecked {
            int256 hi = zone.hi != OPEN_HI ? _min(zone.hi, zone.hiFull) : _max(zone.loFull, _min(highest, zone.hiFull));
            int256 lo = zone.lo != OPEN_LO ? _max(zone.lo, zone.loFull) : _min(zone.hiFull, _max(lowest, zone.loFull));
            if (zone.bidCap != OPEN_HI) {
                int256 ceiling = zone.bidCap - zone.fee; // [18]
                hi = _max(zone.offerFloor, _min(hi, ceiling));
                lo = _max(zone.offerFloor, _min(lo, ceiling));
            }
            // An arithmetic shift is the floor of the half, for negative sums too.
            return (lo + hi) >> 1;
        }
    }

    function _backupSells(ZoneTerms memory term, ZoneTally memory zone) private pure returns (bool) {
        return term.hasBackup && zone.price == zone.bidCap - zone.fee;
    }

    /// A root is its own parent; its flow is zero and its room is without meaning and harmless.
    function _roomUp(ZoneTerms memory term, ZoneTally memory child) private pure returns (bool) {
        return child.flow < int256(uint256(term.toParentWh));
    }

    function _roomDown(ZoneTerms memory term, ZoneTally memory child) private pure returns (bool) {
        return -child.flow < int256(uint256(term.fromParentWh));
    }

    function _min(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _max(int256 a, int256 b) private pure returns (int256) {
        return a > b ? a : b;
    }
}
