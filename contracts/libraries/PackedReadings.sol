// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Dense readings of a slot: 8 bytes per metering point from point 0, bits 63..62 quality, 61..31 import Wh, 30..0 export Wh.
library PackedReadings {
    uint256 internal constant BYTES = 8;
    uint256 internal constant MISSING = 3;
    uint256 internal constant MAX_WH = 0x7fffffff;
    /// Of five readings of 12 bits in each of four lanes the highest bits, and the last one.
    uint256 private constant SIGNS = 0x0800800800800800080080080080080008008008008008000800800800800800;
    uint256 private constant LOW = 0x00000000000007ff00000000000007ff00000000000007ff00000000000007ff;
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

    /// Room for `points` readings, zeros up to the next 32 points (and beyond, since points are written by the word).
    function room(uint256 points) internal pure returns (bytes memory buffer) {
        buffer = new bytes(((points + 63) & ~uint256(31)) * BYTES);
        assembly ("memory-safe") {
            mstore(buffer, shl(3, points))
        }
    }

    /// Readings packed in calldata at `from` (ISettlement.settlePacked): their keccak256 as 8 bytes each, where they end, and whether
    /// every point has a measured one. As `copyTo`, the first `points` come into `buffer`.
    function unpackTo(
        uint256 from,
        bytes memory buffer,
        uint256 points
    ) internal pure returns (bytes32 result, uint256 end, bool measured) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let head := calldataload(from)
            let count := and(shr(216, head), 0xffffffff)
            let size := shl(3, count)
            switch byte(0, head)
            case 0 {
                from := add(from, 5)
                calldatacopy(free, from, size)
                end := add(from, size)
            }
            default {
                end := and(shr(200, head), 0xffff)
                measured := iszero(or(end, lt(count, points)))
                from := add(from, 7)
                // Twenty readings a turn, five words.
                mstore(0x00, add(free, size))
                for {
                    let to := free
                } lt(to, mload(0x00)) {
                    to := add(to, 160)
                } {
                    let exported := calldataload(from)
                    let imported := and(exported, SIGNS)
                    exported := sub(exported, imported)
                    imported := and(exported, sub(imported, shr(11, imported)))
                    exported := sub(exported, imported)
                    mstore(to, or(and(shr(48, exported), LOW), shl(31, and(shr(48, imported), LOW))))
                    mstore(add(to, 32), or(and(shr(36, exported), LOW), shl(31, and(shr(36, imported), LOW))))
                    mstore(add(to, 64), or(and(shr(24, exported), LOW), shl(31, and(shr(24, imported), LOW))))
                    mstore(add(to, 96), or(and(shr(12, exported), LOW), shl(31, and(shr(12, imported), LOW))))
                    mstore(add(to, 128), or(and(exported, LOW), shl(31, and(imported, LOW))))
                    from := add(from, 32)
                }
                // What does not fit into 12 bits.
                for {
                    end := add(from, mul(end, 12))
                } lt(from, end) {
                    from := add(from, 12)
                } {
                    let point := shr(224, calldataload(from))
                    if lt(point, count) {
                        let at_ := add(free, shl(3, point))
                        let rest := shr(64, shl(64, mload(at_)))
                        mstore(at_, or(shl(192, shr(192, calldataload(add(from, 4)))), rest))
                    }
                }
            }
            result := keccak256(free, size)
            let data := add(buffer, 32)
            let all := shl(3, points)
            if gt(size, all) {
                size := all
            }
            mcopy(data, free, size)
            for {} lt(size, all) {
                size := add(size, 8)
            } {
                mstore8(add(data, size), 0xc0)
            }
        }
    }

    /// Writes what a missing reading counts as, min(position, 0), in its place, so that payments need not tell it from others. Its
    /// quality stays. True when anything was written. `positions` as PackedEnergy has them, `readings` with `room`.
    function replaceMissing(bytes memory readings, bytes memory positions) internal pure returns (bool replaced) {
        assembly ("memory-safe") {
            let first := add(readings, 32)
            let end := add(first, mload(readings))
            let any := 0
            // Four readings a word.
            for {
                let at_ := first
            } lt(at_, end) {
                at_ := add(at_, 32)
            } {
                any := or(any, mload(at_))
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
