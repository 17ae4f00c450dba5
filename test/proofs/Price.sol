// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {floorHalf} from "./arithmetic/Bits.sol";

/// The price rule of section 4 of docs/clearing-proof.md: the two results of ClearingNetwork._candidates, line by line.
abstract contract PriceRule {
    int256 internal constant OPEN_LO = type(int256).min;
    int256 internal constant OPEN_HI = type(int256).max;

    struct Zone {
        int256 lo;
        int256 hi;
        int256 loFull;
        int256 hiFull;
    }

    /// @custom:quotes contracts/libraries/ClearingNetwork.sol
    function _hi(Zone memory zone, int256 highest) internal pure returns (int256 hi) {
        hi = zone.hi != OPEN_HI ? _min(zone.hi, zone.hiFull) : _max(zone.loFull, _min(highest, zone.hiFull));
    }

    /// @custom:quotes contracts/libraries/ClearingNetwork.sol
    function _lo(Zone memory zone, int256 lowest) internal pure returns (int256 lo) {
        lo = zone.lo != OPEN_LO ? _max(zone.lo, zone.loFull) : _min(zone.hiFull, _max(lowest, zone.loFull));
    }

    /// @custom:quotes contracts/libraries/ClearingNetwork.sol
    function _cut(int256 floor, int256 ceiling, int256 hi) internal pure returns (int256) {
        hi = _max(floor, _min(hi, ceiling));
        return hi;
    }

    function _min(int256 a, int256 b) internal pure returns (int256) {
        return a < b ? a : b;
    }

    function _max(int256 a, int256 b) internal pure returns (int256) {
        return a > b ? a : b;
    }
}

contract MidpointProof {
    /// The floor of the midpoint of two bounds lies between them.
    function midpoint(int256 lo, int256 hi) external pure {
        require(lo <= hi && lo > -1e30 && hi < 1e30);
        assert(floorHalf(lo + hi) >= lo && floorHalf(lo + hi) <= hi);
        assert(2 * floorHalf(lo + hi) <= lo + hi && lo + hi <= 2 * floorHalf(lo + hi) + 1);
    }
}

contract TariffCutProof is PriceRule {
    /// In an island with a backup neither end of a price lies outside the tariffs, whatever the bounds say.
    function withinTariffs(int256 floor, int256 ceiling, int256 value) external pure {
        require(floor <= ceiling);
        assert(_cut(floor, ceiling, value) >= floor && _cut(floor, ceiling, value) <= ceiling);
    }
}

contract UpperProof is PriceRule {
    /// Lemma 1: along room from a to b, where no bound of b is above that of a, the upper end of the price does not rise.
    function upper(Zone memory a, Zone memory b, int256 highest) external pure {
        require(b.hi <= a.hi && b.loFull <= a.loFull && b.hiFull <= a.hiFull);
        require(b.hi == OPEN_HI || b.hi <= highest || b.hiFull <= highest);
        assert(_hi(b, highest) <= _hi(a, highest));
    }
}

contract LowerProof is PriceRule {
    /// Lemma 1: nor does the lower end.
    function lower(Zone memory a, Zone memory b, int256 lowest) external pure {
        require(b.lo <= a.lo && b.loFull <= a.loFull && b.hiFull <= a.hiFull);
        require(a.lo == OPEN_LO || lowest <= a.lo || lowest <= a.loFull);
        assert(_lo(b, lowest) <= _lo(a, lowest));
    }
}

contract HalfProof {
    /// Lemma 1: nor does the floor of their midpoint.
    function half(int256 loA, int256 hiA, int256 loB, int256 hiB) external pure {
        require(loB <= loA && hiB <= hiA && loB > -1e30 && hiB > -1e30 && loA < 1e30 && hiA < 1e30);
        assert(floorHalf(loB + hiB) <= floorHalf(loA + hiA));
    }
}
