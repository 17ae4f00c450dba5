// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../interfaces/IAuction.sol";
import {PackedPositions} from "./PackedPositions.sol";

/// A clearing's record in memory as `abi.encode` has it: hashed there (RecordDigest), then used where it stands, once its three offsets
/// are places. One room serves slot after slot: the record of one is gone with the next.
library RecordImage {
    struct Room {
        /// What was taken last. Nothing of it counts before it is the accepted one.
        ClearingRecord record;
        /// Of the record; zero without one.
        bytes28 digest;
        uint256 start;
        uint256 size;
        /// Who cleared the last packed record.
        uint256 clearer;
    }

    /// Places in the room, and bytes of a record's head.
    uint256 private constant START = 0x40;
    uint256 private constant CLEARER = 0x80;
    uint256 private constant HEAD = 0x120;

    /// Takes the record as given; words that are out of their type's range give another digest than any record's.
    function copy(Room memory room, ClearingRecord calldata given) internal pure {
        int64[] calldata prices = given.prices;
        bytes calldata positions = given.positions;
        bytes calldata extras = given.extras;
        uint256 start = _reserve(room, prices.length, positions.length, extras.length);
        uint256 at_;
        uint256 from;
        assembly ("memory-safe") {
            let record := add(start, 0x20)
            calldatacopy(record, given, HEAD)
            at_ := add(record, HEAD)
            mstore(at_, prices.length)
            calldatacopy(add(at_, 0x20), prices.offset, shl(5, prices.length))
            at_ := add(add(at_, 0x20), shl(5, prices.length))
            from := positions.offset
        }
        uint256 last = _copyBytes(at_, from, positions.length);
        assembly ("memory-safe") {
            from := extras.offset
        }
        _seal(room, at_, last, _copyBytes(last, from, extras.length));
    }

    /// Takes the record packed at `from` in calldata (ISettlement.settlePacked), from its clearer on; returns where it ends.
    function unpack(Room memory room, uint32 slot, bool sameClearer, uint256 from) internal pure returns (uint256 end) {
        uint256 prices;
        uint256 at_;
        assembly ("memory-safe") {
            if iszero(sameClearer) {
                mstore(add(room, CLEARER), shr(96, calldataload(from)))
                from := add(from, 20)
            }
            prices := and(shr(112, calldataload(add(from, 32))), 0xffff)
            at_ := add(add(from, 50), shl(3, prices))
        }
        uint256 positions = PackedPositions.sizeOf(at_);
        end = PackedPositions.endOf(at_);
        uint256 extras;
        assembly ("memory-safe") {
            extras := shr(224, calldataload(end))
            end := add(end, 4)
        }
        uint256 start = _reserve(room, prices, positions, extras);
        uint256 to;
        assembly ("memory-safe") {
            let record := add(start, 0x20)
            mstore(record, and(slot, 0xffffffff))
            mstore(add(record, 0x20), mload(add(room, CLEARER)))
            let word := calldataload(from)
            mstore(add(record, 0x60), shr(192, word))
            mstore(add(record, 0x80), and(shr(128, word), 0xffffffffffffffff))
            mstore(add(record, 0xa0), signextend(15, word))
            mstore(add(record, 0xc0), signextend(15, shr(128, calldataload(add(from, 32)))))
            to := add(record, HEAD)
            mstore(to, prices)
            // Each price ends its word: 24 bytes earlier the word begins.
            for {
                let price := add(from, 26)
            } lt(price, sub(at_, 24)) {
                price := add(price, 8)
            } {
                to := add(to, 0x20)
                mstore(to, signextend(7, calldataload(price)))
            }
            to := add(to, 0x20)
            mstore(to, positions)
        }
        uint256 last;
        unchecked {
            PackedPositions.unpack(at_, to + 0x20);
            last = to + 0x20 + _padded(positions);
        }
        _seal(room, to, last, _copyBytes(last, end, extras));
        unchecked {
            end += extras;
        }
    }

    /// Room for a record with so many prices and bytes.
    function _reserve(
        Room memory room,
        uint256 prices,
        uint256 positions,
        uint256 extras
    ) private pure returns (uint256 start) {
        unchecked {
            uint256 size = HEAD + 0x80 + (prices << 5) + _padded(positions) + PackedPositions.BEYOND + _padded(extras);
            if (size > room.size) {
                room.size = size;
                assembly ("memory-safe") {
                    let free := mload(0x40)
                    mstore(add(room, START), free)
                    mstore(0x40, add(free, size))
                }
            }
            return room.start;
        }
    }

    /// Writes bytes of calldata with their length and zeros up to a whole word; returns where they end.
    function _copyBytes(uint256 to, uint256 from, uint256 length) private pure returns (uint256 end) {
        uint256 size = _padded(length);
        assembly ("memory-safe") {
            mstore(add(to, size), 0)
            mstore(to, length)
            to := add(to, 0x20)
            calldatacopy(to, from, length)
            end := add(to, size)
        }
    }

    function _padded(uint256 length) private pure returns (uint256) {
        unchecked {
            return (length + 31) & ~uint256(31);
        }
    }

    /// Hashes the record with its offsets, then puts places instead of them.
    function _seal(Room memory room, uint256 positions, uint256 extras, uint256 end) private pure {
        assembly ("memory-safe") {
            let start := mload(add(room, START))
            let record := add(start, 0x20)
            mstore(start, 0x20)
            mstore(add(record, 0x40), HEAD)
            mstore(add(record, 0xe0), sub(positions, record))
            mstore(add(record, 0x100), sub(extras, record))
            mstore(add(room, 0x20), shl(32, shr(32, keccak256(start, sub(end, start)))))
            mstore(add(record, 0x40), add(record, HEAD))
            mstore(add(record, 0xe0), positions)
            mstore(add(record, 0x100), extras)
            mstore(room, record)
        }
    }
}
