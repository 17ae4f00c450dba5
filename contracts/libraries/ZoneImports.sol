// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PackedReadings} from "./PackedReadings.sol";

/// Imports of a whole zone from the packed readings of all points (WholeSlots proves them), and which points were not measured.
library ZoneImports {
    /// Marks the points whose reading was neither measured nor interpolated: a bit each in `gaps`.
    function markGaps(
        bytes calldata readings,
        uint256 points,
        uint256[] memory gaps
    ) internal pure returns (bool found) {
        uint256 given = readings.length / PackedReadings.BYTES;
        if (points > given) points = given;
        for (uint256 i = 0; i < points; ++i) {
            uint256 quality;
            assembly ("memory-safe") {
                quality := shr(254, calldataload(add(readings.offset, shl(3, i))))
            }
            if (quality < 2) continue;
            gaps[i / 256] |= 1 << (i % 256);
            found = true;
        }
    }

    /// Adds the measured imports of the points to their zones' sums; what was not measured counts as zero.
    /// @param zones zone of every point; readings beyond them do not count
    /// @param sums one per zone
    /// @param gaps a bit per point that does not count; or empty: all count
    function addImports(
        bytes calldata readings,
        bytes memory zones,
        uint256[] memory sums,
        uint256[] memory gaps
    ) internal pure {
        uint256 points = readings.length / PackedReadings.BYTES;
        if (points > zones.length) points = zones.length;
        for (uint256 i = 0; i < points; ++i) {
            uint256 raw;
            uint256 zone;
            assembly ("memory-safe") {
                raw := shr(192, calldataload(add(readings.offset, shl(3, i))))
                zone := byte(0, mload(add(add(zones, 32), i)))
            }
            if (raw >> 63 != 0) continue;
            if (gaps.length != 0 && (gaps[i / 256] >> (i % 256)) & 1 == 1) continue;
            sums[zone] += (raw >> 31) & PackedReadings.MAX_WH;
        }
    }
}
