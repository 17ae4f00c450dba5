// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Dense readings of a slot: 8 bytes per metering point from point 0, bits 63..62 quality, 61..31 import Wh, 30..0 export Wh.
library PackedReadings {
    uint256 internal constant BYTES = 8;
    uint256 internal constant MISSING = 3;
    uint256 internal constant MAX_WH = 0x7fffffff;
    uint256 private constant HIGHEST_BITS = 0x8000000000000000800000000000000080000000000000008000000000000000;

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

    /// Room for `points` readings, zeros up to the next 32 points (and beyond, since points are written by the word), and `head` bytes
    /// in front of it.
    function room(uint256 points, uint256 head) internal pure returns (bytes memory buffer) {
        buffer = new bytes(head + ((points + 63) & ~uint256(31)) * BYTES);
        assembly ("memory-safe") {
            buffer := add(buffer, head)
            mstore(buffer, shl(3, points))
        }
    }

    /// Writes what a missing reading counts as, min(position, 0), in its place, so that payments need not tell it from others. Its
    /// quality stays. True when anything was written. `positions` as PackedEnergy has them, `readings` with `room`.
    function replaceMissing(bytes memory readings, bytes memory positions) internal pure returns (bool replaced) {
        assembly ("memory-safe") {
            let first := add(readings, 32)
            let end := add(first, mload(readings))
            let any := 0
            // Four readings a word, eight words a turn.
            for {
                let at_ := first
            } lt(at_, end) {
                at_ := add(at_, 256)
            } {
                any := or(
                    any,
                    or(
                        or(or(mload(at_), mload(add(at_, 32))), or(mload(add(at_, 64)), mload(add(at_, 96)))),
                        or(
                            or(mload(add(at_, 128)), mload(add(at_, 160))),
                            or(mload(add(at_, 192)), mload(add(at_, 224)))
                        )
                    )
                )
            }
            // Only qualities 2 and 3 have the highest bit.
            if and(any, HIGHEST_BITS) {
                // The point's bytes are the lowest of each loaded word.
                let position := add(positions, 4)
                for {
                    let at_ := first
                } lt(at_, end) {
                    at_ := add(at_, 8)
                } {
                    if gt(byte(0, mload(at_)), 191) {
                        let raw := mload(position)
                        let boughtWh := mul(and(raw, 0xffffff), and(shr(31, raw), 1))
                        // Imported what was bought, exported nothing; the word's other bytes as they were.
                        raw := or(shl(62, 3), shl(31, boughtWh))
                        mstore(at_, or(shl(192, raw), shr(64, shl(64, mload(at_)))))
                        replaced := 1
                    }
                    position := add(position, 4)
                }
            }
        }
    }
}
