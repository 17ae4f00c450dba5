// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Dense positions of a slot: 4 bytes per metering point from point 0. Bit 31 = bought, bits 30..24 = words of the point in the
/// slot's book, bits 23..0 = Wh. An array shorter than the points means zero for the rest.
library PackedEnergy {
    uint256 internal constant BYTES = 4;
    uint256 internal constant MAX_WH = 0xffffff;
    uint256 internal constant MAX_WORDS = 127;
    uint256 private constant BOUGHT = 1 << 31;

    /// Net Wh sold by `point` (negative = bought); 0 beyond the end. O(1), reads calldata only.
    function positionOf(bytes calldata packed, uint256 point) internal pure returns (int256 soldWh) {
        unchecked {
            if (point >= packed.length / BYTES) return 0;
            uint256 raw;
            assembly ("memory-safe") {
                raw := shr(224, calldataload(add(packed.offset, shl(2, point))))
            }
            return decode(raw);
        }
    }

    /// As `positionOf`, for an array in memory.
    function positionOfMemory(bytes memory packed, uint256 point) internal pure returns (int256 soldWh) {
        unchecked {
            if (point >= packed.length / BYTES) return 0;
            uint256 raw;
            assembly ("memory-safe") {
                raw := shr(224, mload(add(add(packed, 0x20), shl(2, point))))
            }
            return decode(raw);
        }
    }

    /// Net Wh sold from the 4 bytes of one point.
    function decode(uint256 raw) internal pure returns (int256 soldWh) {
        unchecked {
            soldWh = int256(raw & MAX_WH);
            if (raw & BOUGHT != 0) soldWh = -soldWh;
        }
    }

    /// Words of the point in the slot's book, from its 4 bytes: superseded ones and cancellations too.
    function wordsOf(uint256 raw) internal pure returns (uint256) {
        return (raw >> 24) & MAX_WORDS;
    }

    /// The 4 bytes of one point without words. `soldWh` must fit: |soldWh| <= MAX_WH.
    function encode(int256 soldWh) internal pure returns (uint256 raw) {
        unchecked {
            return soldWh < 0 ? uint256(-soldWh) | BOUGHT : uint256(soldWh);
        }
    }

    /// Copies positions into `buffer`, whose rest is zero; nothing of them unless `wanted`.
    function copyTo(bytes memory positions, bytes memory buffer, bool wanted) internal pure {
        assembly ("memory-safe") {
            let length := mload(buffer)
            let given := mul(wanted, mload(positions))
            if gt(given, length) {
                given := length
            }
            mcopy(add(buffer, 32), add(positions, 32), given)
            // Beyond the end of calldata everything reads as zero.
            calldatacopy(add(add(buffer, 32), given), calldatasize(), sub(length, given))
        }
    }
}
