// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {ClearingNetwork} from "./ClearingNetwork.sol";
import {ClearingTrades} from "./ClearingTrades.sol";
import {MarketTerms, ZoneTerms} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Volume is maximal and the backup last: among the optimal fills at these prices none has more weight, if a Wh of a marginal order
/// weighs 2, one of the backup 1, one of a bilateral trade 4. What may still change is a circulation: over the market (node 0), the
/// zones, and per island the certificates of green energy; it gains weight only if a cycle does. On a tree every cycle but those of
/// trades passes the market or the certificates, so the best weights from these two to each zone tell.
library ClearingVolume {
    /// Weight of what cannot be reached; sums with it stay below every other weight.
    int256 private constant NONE = -(1 << 128);

    /// Best weights of residual paths. From the market or the certificates (`cert`) to each zone, and of the ways between the two.
    struct Paths {
        int256[] fromMarket;
        int256[] fromCert;
        /// Per root.
        int256[] marketToCert;
        int256[] certToMarket;
    }

    /// Refuses a clearing in which more could be traded at the same prices, or in which the backup trades although an equally
    /// priced order could take its place.
    function check(MarketTerms memory market, ZoneTally[] memory zones, uint64[] calldata tradesWh) internal pure {
        unchecked {
            uint256 count = market.zones.length;
            bool green = zones.length != count;
            Paths memory paths;
            paths.fromMarket = new int256[](count);
            for (uint256 i = 0; i < count; ++i) {
                paths.fromMarket[i] = _max(_marginIn(zones[i]), _backupIn(market.zones[i], zones[i]));
            }
            _carry(market, zones, tradesWh, paths.fromMarket);
            for (uint256 i = 0; i < count; ++i) {
                int256 out = _max(_marginOut(zones[i]), _backupOut(market.zones[i], zones[i]));
                _refuse(i, paths.fromMarket[i] + out); // [20] [21]
            }
            if (green) _checkGreen(market, zones, tradesWh, paths);
            if (market.trades.length != 0) _checkRings(market, zones, tradesWh);
        }
    }

    /// Cycles over the certificates, without the market and with it.
    function _checkGreen(
        MarketTerms memory market,
        ZoneTally[] memory zones,
        uint64[] calldata tradesWh,
        Paths memory paths
    ) private pure {
        unchecked {
            uint256 count = market.zones.length;
            paths.fromCert = new int256[](count);
            paths.marketToCert = new int256[](count);
            paths.certToMarket = new int256[](count);
            int256[] memory slackWh = new int256[](count);
            for (uint256 i = 0; i < count; ++i) {
                ZoneTally memory twin = zones[count + i];
                paths.fromCert[i] = _marginIn(twin);
                slackWh[zones[i].root] +=
                    int256(twin.offerWh + twin.offerFilledWh) - int256(twin.bidWh + twin.bidFilledWh);
            }
            _carry(market, zones, tradesWh, paths.fromCert);
            for (uint256 i = 0; i < count; ++i) {
                if (zones[i].root != i) continue;
                // Without a premium more green energy than needed costs nothing, and less does while there is more.
                paths.marketToCert[i] = zones[count + i].price == zones[i].price ? int256(0) : NONE;
                paths.certToMarket[i] = slackWh[i] != 0 ? int256(0) : NONE;
            }
            for (uint256 i = 0; i < count; ++i) {
                uint256 root = zones[i].root;
                int256 toCert = _marginOut(zones[count + i]);
                int256 toMarket = _max(_marginOut(zones[i]), _backupOut(market.zones[i], zones[i]));
                _refuse(i, paths.fromCert[i] + toCert); // [43]
                paths.marketToCert[root] = _max(paths.marketToCert[root], paths.fromMarket[i] + toCert);
                paths.certToMarket[root] = _max(paths.certToMarket[root], paths.fromCert[i] + toMarket);
            }
            for (uint256 i = 0; i < count; ++i) {
                if (zones[i].root == i) _refuse(i, paths.marketToCert[i] + paths.certToMarket[i]); // [43]
            }
        }
    }

    /// Cycles of trades and lines alone: from everywhere at once, weights must come to rest.
    function _checkRings(MarketTerms memory market, ZoneTally[] memory zones, uint64[] calldata tradesWh) private pure {
        _carry(market, zones, tradesWh, new int256[](market.zones.length));
    }

    /// Carries weights over lines with room between zones of equal price, and over trades at their price difference. On a tree one
    /// sweep up and one down; with trades in rounds, until nothing changes: a path of most weight uses each trade once at most.
    function _carry(
        MarketTerms memory market,
        ZoneTally[] memory zones,
        uint64[] calldata tradesWh,
        int256[] memory weights
    ) private pure {
        unchecked {
            ZoneTerms[] memory terms = market.zones;
            for (uint256 round = 0; ; ++round) {
                for (uint256 i = terms.length; i-- > 0;) {
                    uint256 parent = terms[i].parent;
                    if (zones[parent].price != zones[i].price || !ClearingNetwork.roomUp(terms[i], zones[i])) continue;
                    if (weights[i] > weights[parent]) weights[parent] = weights[i];
                }
                for (uint256 i = 0; i < terms.length; ++i) {
                    uint256 parent = terms[i].parent;
                    if (zones[parent].price != zones[i].price || !ClearingNetwork.roomDown(terms[i], zones[i]))
                        continue;
                    if (weights[parent] > weights[i]) weights[i] = weights[parent];
                }
                if (!ClearingTrades.carryWeights(market.trades, zones, tradesWh, weights, NONE)) return;
                if (round == market.trades.length) revert IClearingErrors.VolumeNotMaximal(market.trades[0].from); // [42]
            }
        }
    }

    /// Best weight of one Wh more into the zone, by its orders at the price: an offer more, or a bid less.
    function _marginIn(ZoneTally memory zone) private pure returns (int256) {
        if (zone.offerFilledWh < zone.offerMarginWh) return 2;
        return zone.bidFilledWh != 0 ? int256(-2) : NONE;
    }

    /// Best weight of one Wh more out of the zone: a bid more, or an offer less.
    function _marginOut(ZoneTally memory zone) private pure returns (int256) {
        if (zone.bidFilledWh < zone.bidMarginWh) return 2;
        return zone.offerFilledWh != 0 ? int256(-2) : NONE;
    }

    function _backupIn(ZoneTerms memory term, ZoneTally memory zone) private pure returns (int256) {
        if (!term.hasBackup) return NONE;
        if (_sells(term, zone) && zone.backupSoldWh < term.backupCapacityWh) return 1;
        return zone.price == term.backupBuy && zone.backupBoughtWh != 0 ? int256(-1) : NONE;
    }

    function _backupOut(ZoneTerms memory term, ZoneTally memory zone) private pure returns (int256) {
        if (!term.hasBackup) return NONE;
        if (zone.price == term.backupBuy && zone.backupBoughtWh < term.backupCapacityWh) return 1;
        return _sells(term, zone) && zone.backupSoldWh != 0 ? int256(-1) : NONE;
    }

    function _sells(ZoneTerms memory term, ZoneTally memory zone) private pure returns (bool) {
        unchecked {
            return zone.price == int256(term.backupSell) - term.fee;
        }
    }

    function _refuse(uint256 zone, int256 weight) private pure {
        if (weight <= 0) return;
        // The backup alone changes by one.
        if (weight == 1) revert IClearingErrors.BackupNotLast(zone);
        revert IClearingErrors.VolumeNotMaximal(zone);
    }

    function _max(int256 a, int256 b) private pure returns (int256) {
        return a > b ? a : b;
    }
}
