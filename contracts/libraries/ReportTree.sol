// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PackedReadings} from "./PackedReadings.sol";

/// The tree of a report from all its readings: where many readings of a slot are needed, this costs an eighth of their proofs.
library ReportTree {
    uint256 private constant FIRST_OWN_METER = 1 << 31;

    /// Root over the readings of the points, then of the own meters, in sorted pairs; zero for no reading.
    function rootOf(
        bytes calldata readings,
        bytes calldata ownMeters,
        uint256 slot
    ) internal pure returns (bytes32 root) {
        uint256 points = readings.length / PackedReadings.BYTES;
        uint256 count = points + ownMeters.length / PackedReadings.BYTES;
        if (count == 0) return 0;
        assembly ("memory-safe") {
            // Leaves from the free memory on, the preimage of a leaf behind them; all of it is given back.
            let base := mload(0x40)
            let preimage := add(base, shl(5, count))
            mstore(add(preimage, 32), slot)
            let from := readings.offset
            let meter := 0
            for {
                let i := 0
            } lt(i, count) {
                i := add(i, 1)
            } {
                if eq(i, points) {
                    from := ownMeters.offset
                    meter := FIRST_OWN_METER
                }
                mstore(preimage, meter)
                mstore(add(preimage, 64), shr(192, calldataload(from)))
                mstore(0, keccak256(preimage, 96))
                mstore(add(base, shl(5, i)), keccak256(0, 32))
                from := add(from, 8)
                meter := add(meter, 1)
            }
            for {} gt(count, 1) {} {
                let to := base
                let end := add(base, shl(5, count))
                let leaf := base
                for {} lt(add(leaf, 32), end) {
                    leaf := add(leaf, 64)
                } {
                    let left := mload(leaf)
                    let right := mload(add(leaf, 32))
                    let swap := shl(5, lt(right, left))
                    mstore(swap, left)
                    mstore(sub(32, swap), right)
                    mstore(to, keccak256(0, 64))
                    to := add(to, 32)
                }
                // One without a neighbour moves up as it is.
                if lt(leaf, end) {
                    mstore(to, mload(leaf))
                    to := add(to, 32)
                }
                count := shr(5, sub(to, base))
            }
            root := mload(base)
        }
    }

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
