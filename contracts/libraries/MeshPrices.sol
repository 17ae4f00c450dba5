// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {ZoneTerms} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Bounds of one price of an island, 1e-12 micro-token per kWh; open as those of a ZoneTally.
struct MeshBounds {
    int256 lo;
    int256 hi;
    int256 loFull;
    int256 hiFull;
}

/// What a meshed network's proof knows of one island.
struct MeshIsland {
    uint256 zones;
    /// Of lambda, from ordinary orders, and of lambda + gamma, from green ones.
    MeshBounds ordinary;
    MeshBounds green;
    /// Lowest and highest shift of its zones.
    int256 lowShift;
    int256 highShift;
    /// Wh of filled green offers less filled green-only bids.
    int256 greenSlackWh;
    /// Exact price of the island and its green premium, 1e-12 micro-token per kWh.
    int256 lambda;
    int256 gamma;
    /// What is left at the price in the whole island (MeshVolume).
    uint256 left;
}

/// Prices of the islands of a meshed network. The exact price of zone z is pi_z = lambda - shift_z, with
/// shift_z = sum of weight x mu; so, once shifted, every island is one zone, and one rule sets its lambda: the radial one.
library MeshPrices {
    int256 internal constant UNIT = 1e12;
    int256 internal constant OPEN_LO = type(int256).min;
    int256 internal constant OPEN_HI = type(int256).max;

    /// Premium and price of every island.
    /// @param zones records of the zones, then those of their green twins, if any
    /// @param free no limit is tight: green balance is kept as strictly as on radial networks
    function derive(
        ZoneTally[] memory zones,
        int256[] memory shift,
        int256 reference_,
        bool free
    ) internal pure returns (MeshIsland[] memory islands) {
        unchecked {
            uint256 count = shift.length;
            islands = new MeshIsland[](count);
            for (uint256 z = 0; z < count; ++z) {
                ZoneTally memory zone = zones[z];
                MeshIsland memory island = islands[zone.root];
                if (zone.root == z) _open(island, shift[z]);
                ++island.zones;
                island.lowShift = _min(island.lowShift, shift[z]);
                island.highShift = _max(island.highShift, shift[z]);
                _collect(island.ordinary, zone, shift[z]);
                if (zones.length == count) continue;
                ZoneTally memory twin = zones[count + z];
                _collect(island.green, twin, shift[z]);
                island.greenSlackWh +=
                    int256(twin.offerWh + twin.offerFilledWh) - int256(twin.bidWh + twin.bidFilledWh);
            }
            for (uint256 z = 0; z < count; ++z) {
                if (zones[z].root != z) continue;
                MeshIsland memory island = islands[z];
                _setPremium(island, z, free);
                _setLambda(island, zones[z], z, reference_);
            }
        }
    }

    /// Every posted price is the floor of the exact one.
    /// @return gap what orders at the posted prices gain unfilled or lose filled at the exact ones, and premium x slack of the
    /// green balance; 1e-12 nano-token
    function check(
        ZoneTerms[] memory terms,
        ZoneTally[] memory zones,
        int256[] memory shift,
        MeshIsland[] memory islands
    ) internal pure returns (uint256 gap) {
        unchecked {
            uint256 count = shift.length;
            for (uint256 i = 0; i < zones.length; ++i) {
                ZoneTally memory zone = zones[i];
                uint256 z = i < count ? i : i - count;
                MeshIsland memory island = islands[zones[z].root];
                int256 exact = island.lambda - shift[z];
                if (i >= count) exact += island.gamma;
                int256 over = exact - zone.price * UNIT;
                if (over < 0 || over >= UNIT) {
                    revert IClearingErrors.WrongPrice(i, zone.price, _floor(exact)); // [64]
                }
                if (over == 0) continue;
                // At the price, a bid should be empty and an offer full: so says the exact price above it.
                uint256 astray = zone.bidFilledWh + zone.offerMarginWh - zone.offerFilledWh;
                if (i < count && terms[z].hasBackup) {
                    if (zone.price == terms[z].backupBuy) astray += zone.backupBoughtWh;
                    if (zone.price == int256(terms[z].backupSell) - terms[z].fee) {
                        astray += terms[z].backupCapacityWh - zone.backupSoldWh;
                    }
                }
                gap += uint256(over) * astray; // [68]
            }
            for (uint256 z = 0; z < count; ++z) {
                if (zones[z].root == z) gap += uint256(islands[z].gamma * islands[z].greenSlackWh); // [68]
            }
        }
    }

    /// Exact prices and premiums, at the indices of the roots.
    function exactOf(
        MeshIsland[] memory islands
    ) internal pure returns (int256[] memory lambda, int256[] memory gamma) {
        lambda = new int256[](islands.length);
        gamma = new int256[](islands.length);
        for (uint256 z = 0; z < islands.length; ++z) {
            lambda[z] = islands[z].lambda;
            gamma[z] = islands[z].gamma;
        }
    }

    function _open(MeshIsland memory island, int256 shift) private pure {
        island.lowShift = shift;
        island.highShift = shift;
        island.ordinary = MeshBounds(OPEN_LO, OPEN_HI, OPEN_LO, OPEN_HI);
        island.green = MeshBounds(OPEN_LO, OPEN_HI, OPEN_LO, OPEN_HI);
    }

    /// Own bounds of a zone as bounds of its island.
    function _collect(MeshBounds memory bounds, ZoneTally memory zone, int256 shift) private pure {
        unchecked {
            if (zone.lo != OPEN_LO) bounds.lo = _max(bounds.lo, zone.lo * UNIT + shift);
            if (zone.hi != OPEN_HI) bounds.hi = _min(bounds.hi, zone.hi * UNIT + shift);
            if (zone.loFull != OPEN_LO) bounds.loFull = _max(bounds.loFull, zone.loFull * UNIT + shift);
            if (zone.hiFull != OPEN_HI) bounds.hiFull = _min(bounds.hiFull, zone.hiFull * UNIT + shift);
        }
    }

    /// The least premium that supports the fills; the green orders' bounds join the others.
    function _setPremium(MeshIsland memory island, uint256 root, bool free) private pure {
        unchecked {
            MeshBounds memory bounds = island.ordinary;
            MeshBounds memory green = island.green;
            if (island.greenSlackWh < 0) revert IClearingErrors.GreenNotCovered(root, island.greenSlackWh); // [65]
            int256 low = _max(green.lo, green.loFull);
            int256 most = _max(_max(bounds.lo, bounds.loFull), _min(bounds.hi, bounds.hiFull));
            int256 gamma;
            if (low > most) {
                gamma = low - most; // [65]
                // Below a unit it may come from rounding mu, and demands nothing.
                bool slack = gamma >= UNIT && island.greenSlackWh >= int256(island.zones);
                if (slack || (free && island.greenSlackWh != 0)) {
                    revert IClearingErrors.GreenNotTight(root, island.greenSlackWh); // [65]
                }
                island.gamma = gamma;
            }
            if (green.lo != OPEN_LO) bounds.lo = _max(bounds.lo, green.lo - gamma);
            if (green.hi != OPEN_HI) bounds.hi = _min(bounds.hi, green.hi - gamma);
            if (green.loFull != OPEN_LO) bounds.loFull = _max(bounds.loFull, green.loFull - gamma);
            if (green.hiFull != OPEN_HI) bounds.hiFull = _min(bounds.hiFull, green.hiFull - gamma);
        }
    }

    /// The radial rule [17] [18] for the island as one zone. Last the price is kept among those that support the fills; where
    /// there are none, since mu is rounded and fills are whole, it is the lowest whose floors do.
    function _setLambda(
        MeshIsland memory island,
        ZoneTally memory root,
        uint256 index,
        int256 reference_
    ) private pure {
        unchecked {
            MeshBounds memory bounds = island.ordinary;
            int256 low = _max(bounds.lo, bounds.loFull);
            int256 high = _min(bounds.hi, bounds.hiFull);
            if (low > high && low - high >= UNIT) revert IClearingErrors.DualsContradictFills(index, low, high); // [64]
            bool known = bounds.lo != OPEN_LO;
            bool bounded = bounds.hi != OPEN_HI;
            int256 most =
                bounded
                    ? high
                    : known
                        ? low
                        : reference_ * UNIT;
            int256 least = known ? low : most;
            if (!bounded) most = _max(bounds.loFull, _min(most, bounds.hiFull));
            if (!known) least = _min(bounds.hiFull, _max(least, bounds.loFull));
            if (root.bidCap != OPEN_HI) {
                int256 ceiling = (root.bidCap - root.fee) * UNIT + island.highShift;
                int256 bottom = root.offerFloor * UNIT - island.gamma + island.lowShift;
                most = _max(bottom, _min(most, ceiling));
                least = _max(bottom, _min(least, ceiling));
            }
            island.lambda = _max(low, _min(high, (least + most) >> 1)); // [64]
        }
    }

    function _floor(int256 exact) private pure returns (int256) {
        unchecked {
            return exact / UNIT - (exact % UNIT < 0 ? int256(1) : int256(0));
        }
    }

    function _min(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _max(int256 a, int256 b) private pure returns (int256) {
        return a > b ? a : b;
    }
}
