// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTables} from "./BookTables.sol";
import {ClearingBook} from "./ClearingBook.sol";
import {ClearingNetwork} from "./ClearingNetwork.sol";
import {MarketTerms} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Green-only bids take at most what green offers give, per island. They trade at the zone price plus the island's premium, the
/// smallest that supports the fills, in twins of the zones.
library ClearingGreen {
    int256 private constant OPEN_LO = type(int256).min;
    int256 private constant OPEN_HI = type(int256).max;

    /// The record behind the zone's in memory: the same terms at another price. [33] Ready for the book's loop, as the zone then.
    function openTwin(ZoneTally memory zone, int256 price) internal pure {
        ZoneTally memory twin = zone;
        // Behind the zone.
        assembly ("memory-safe") {
            twin := add(zone, 0x380)
            mcopy(twin, zone, 0x380)
        }
        setPrice(twin, price, BookTables.SOLD_GREEN);
        ClearingBook.turn(twin);
        ClearingBook.turn(zone);
    }

    /// The price, and what is better than it.
    /// @param unit what a Wh sold adds to a point's table entry
    function setPrice(ZoneTally memory zone, int256 price, uint256 unit) internal pure {
        unchecked {
            zone.unit = unit;
            zone.bidUnit = 0 - unit;
            zone.price = price;
            int256 gross = price + zone.fee;
            zone.gross = gross;
            zone.bidSpan = zone.bidCap > gross ? uint256(zone.bidCap - gross) : 0;
            zone.offerSpan = price > zone.offerFloor ? uint256(price - zone.offerFloor) : 0;
        }
    }

    /// Without green prices no live bid is green only.
    function checkNone(ZoneTally[] memory zones, uint256 count) internal pure {
        for (uint256 i = 0; i < count; ++i) {
            ZoneTally memory twin = zones[i];
            assembly ("memory-safe") {
                twin := add(twin, 0x380)
            }
            // Every live bid is better than the price, or at it, or moves the lower bound, which `close` does not turn here.
            if (twin.bidWh != 0 || twin.bidMarginWh != 0 || twin.lo != ~OPEN_LO)
                revert IClearingErrors.GreenNotPosted(i); // [34]
        }
    }

    /// Refuses green energy that nobody offers, and any premium but the smallest that supports the fills. Then makes the bounds of
    /// green orders bounds of the zone price. Those of ordinary orders are carried already.
    function check(MarketTerms memory market, ZoneTally[] memory zones, uint64[] calldata tradesWh) internal pure {
        unchecked {
            uint256 count = market.zones.length;
            ClearingNetwork.carry(market, zones, count, tradesWh);
            int256[] memory slackWh = new int256[](count);
            int256[] memory premium = new int256[](count);
            for (uint256 i = 0; i < count; ++i) {
                ZoneTally memory zone = zones[i];
                ZoneTally memory twin = zones[count + i];
                slackWh[zone.root] += int256(twin.offerWh + twin.offerFilledWh) - int256(twin.bidWh + twin.bidFilledWh);
                int256 least = twin.lo > twin.loFull ? twin.lo : twin.loFull;
                int256 most = zone.hi < zone.hiFull ? zone.hi : zone.hiFull;
                if (least == OPEN_LO || most == OPEN_HI) continue;
                if (least - most > premium[zone.root]) premium[zone.root] = least - most; // [36]
            }
            for (uint256 i = 0; i < count; ++i) {
                ZoneTally memory zone = zones[i];
                ZoneTally memory twin = zones[count + i];
                int256 expected = premium[zone.root];
                if (zone.root == i && slackWh[i] < 0) revert IClearingErrors.GreenNotCovered(i, slackWh[i]); // [35]
                if (twin.price - zone.price != expected)
                    revert IClearingErrors.WrongPremium(i, twin.price - zone.price, expected); // [36]
                if (zone.root == i && expected != 0 && slackWh[i] != 0)
                    revert IClearingErrors.GreenNotTight(i, slackWh[i]); // [37]
                _combine(zone, twin, expected);
            }
        }
    }

    // [38]
    function _combine(ZoneTally memory zone, ZoneTally memory twin, int256 premium) private pure {
        unchecked {
            if (twin.lo != OPEN_LO && twin.lo - premium > zone.lo) zone.lo = twin.lo - premium;
            if (twin.hi != OPEN_HI && twin.hi - premium < zone.hi) zone.hi = twin.hi - premium;
            if (twin.loFull != OPEN_LO && twin.loFull - premium > zone.loFull) zone.loFull = twin.loFull - premium;
            if (twin.hiFull != OPEN_HI && twin.hiFull - premium < zone.hiFull) zone.hiFull = twin.hiFull - premium;
        }
    }
}
