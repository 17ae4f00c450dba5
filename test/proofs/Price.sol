// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingNetwork} from "../../contracts/libraries/ClearingNetwork.sol";
import {ZoneTally} from "../../contracts/libraries/ClearingTypes.sol";
import {floorHalf} from "./arithmetic/Bits.sol";

/// The price rule of section 4 of docs/clearing-proof.md, on the function that the contract runs.
contract PriceProof {
    int256 private constant LO = type(int256).min;
    int256 private constant HI = type(int256).max;
    int256 private constant BOUND = 2 ** 66;

    /// Closed bounds without tariffs: the price is the floor of their midpoint, so it lies between them.
    function midpoint(ZoneTally memory z, int256 highest, int256 lowest) external pure {
        _isBounded(z);
        require(z.lo != LO && z.hi != HI && z.bidCap == HI);
        int256 lo = z.lo > z.loFull ? z.lo : z.loFull;
        int256 hi = z.hi < z.hiFull ? z.hi : z.hiFull;
        require(lo <= hi);
        int256 price = ClearingNetwork._price(z, highest, lowest);
        assert(price >= lo && price <= hi);
        assert(2 * price <= lo + hi && lo + hi <= 2 * price + 1);
    }

    /// In an island with a backup no price lies outside the tariffs.
    function withinTariffs(ZoneTally memory z, int256 highest, int256 lowest) external pure {
        _isBounded(z);
        require(z.bidCap < BOUND && z.fee >= 0 && z.fee < 2 ** 32 && z.offerFloor > -BOUND);
        require(z.offerFloor <= z.bidCap - z.fee);
        int256 price = ClearingNetwork._price(z, highest, lowest);
        assert(price >= z.offerFloor && price <= z.bidCap - z.fee);
    }

    function _isBounded(ZoneTally memory z) private pure {
        require(z.lo == LO || (z.lo > -BOUND && z.lo < BOUND));
        require(z.hi == HI || (z.hi > -BOUND && z.hi < BOUND));
        require(z.loFull == LO || (z.loFull > -BOUND && z.loFull < BOUND));
        require(z.hiFull == HI || (z.hiFull > -BOUND && z.hiFull < BOUND));
    }
}

/// Lemma 1 of the proof, in its three steps: along room from a to b, where no bound of b is above that of a, the price does not
/// rise. `_hi` and `_lo` are the lines of ClearingNetwork._price.
contract MonotoneProof {
    int256 private constant OPEN_LO = type(int256).min;
    int256 private constant OPEN_HI = type(int256).max;

    struct Zone {
        int256 lo;
        int256 hi;
        int256 loFull;
        int256 hiFull;
    }

    /// The upper end of a zone's price does not rise along room.
    function upper(Zone memory a, Zone memory b, int256 highest) external pure {
        require(b.hi <= a.hi && b.loFull <= a.loFull && b.hiFull <= a.hiFull);
        require(b.hi == OPEN_HI || b.hi <= highest || b.hiFull <= highest);
        assert(_hi(b, highest) <= _hi(a, highest));
    }

    /// Nor does the lower end.
    function lower(Zone memory a, Zone memory b, int256 lowest) external pure {
        require(b.lo <= a.lo && b.loFull <= a.loFull && b.hiFull <= a.hiFull);
        require(a.lo == OPEN_LO || lowest <= a.lo || lowest <= a.loFull);
        assert(_lo(b, lowest) <= _lo(a, lowest));
    }

    /// Nor does the floor of their midpoint.
    function half(int256 loA, int256 hiA, int256 loB, int256 hiB) external pure {
        require(loB <= loA && hiB <= hiA && loB > -(2 ** 66) && hiB > -(2 ** 66) && loA < 2 ** 66 && hiA < 2 ** 66);
        assert(floorHalf(loB + hiB) <= floorHalf(loA + hiA));
    }

    /// @custom:quotes contracts/libraries/ClearingNetwork.sol
    function _hi(Zone memory zone, int256 highest) private pure returns (int256 hi) {
        hi = zone.hi != OPEN_HI ? _min(zone.hi, zone.hiFull) : _max(zone.loFull, _min(highest, zone.hiFull));
    }

    /// @custom:quotes contracts/libraries/ClearingNetwork.sol
    function _lo(Zone memory zone, int256 lowest) private pure returns (int256 lo) {
        lo = zone.lo != OPEN_LO ? _max(zone.lo, zone.loFull) : _min(zone.hiFull, _max(lowest, zone.loFull));
    }

    function _min(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _max(int256 a, int256 b) private pure returns (int256) {
        return a > b ? a : b;
    }
}
