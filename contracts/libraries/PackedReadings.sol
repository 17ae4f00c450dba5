// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Dense readings of a slot: 8 bytes per metering point from point 0, bits 63..62 quality, 61..31 import Wh, 30..0 export Wh.
library PackedReadings {
    uint256 internal constant BYTES = 8;
    uint256 internal constant MISSING = 3;
    uint256 internal constant MAX_WH = 0x7fffffff;

    function decode(uint64 raw) internal pure returns (uint8 quality, uint32 importWh, uint32 exportWh) {
        return (uint8(raw >> 62), uint32((raw >> 31) & MAX_WH), uint32(raw & MAX_WH));
    }

    /// keccak256 of the readings, without keeping a copy.
    function hash(bytes calldata readings) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, readings.offset, readings.length)
            result := keccak256(free, readings.length)
        }
    }

    /// Copies the first `points` readings into `buffer`; points without one count as missing.
    function copyTo(bytes calldata readings, bytes memory buffer, uint256 points) internal pure {
        uint256 given = readings.length / BYTES;
        if (given > points) given = points;
        assembly ("memory-safe") {
            let data := add(buffer, 32)
            calldatacopy(data, readings.offset, shl(3, given))
            for {
                let i := given
            } lt(i, points) {
                i := add(i, 1)
            } {
                mstore8(add(data, shl(3, i)), 0xc0)
            }
        }
        // The quality decides alone: whatever the other seven bytes hold does not count.
    }
}
