// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTables} from "./BookTables.sol";
import {BookTable} from "./ClearingBook.sol";

/// A table between two parts: 12 bytes per point (sequence 1, flags 1, words 2, net sold Wh 4, of it green 4; both signed).
library PartTables {
    uint256 internal constant BYTES = 12;

    /// Points from 0 to the highest that was read.
    function pack(BookTable memory table) internal pure returns (bytes memory packed) {
        uint256 points = BookTables.pointsOf(table);
        packed = new bytes(points * BYTES);
        for (uint256 point = 0; point < points; ++point) {
            int256 soldWh = BookTables.soldWhOf(table, point);
            int256 greenWh = BookTables.greenWhOf(table, point);
            uint256 words = BookTables.wordsOf(table, point);
            if (soldWh != int32(soldWh) || greenWh != int32(greenWh) || words > type(uint16).max)
                revert IClearingErrors.PositionOverflow(point, soldWh, words); // [22]
            uint256 offset = table.memoryOffset + point * 32;
            assembly ("memory-safe") {
                let head := and(mload(offset), 0x3ff)
                head := or(shl(88, and(head, 0xff)), shl(80, shr(8, head)))
                head := or(head, or(shl(64, words), or(shl(32, and(soldWh, 0xffffffff)), and(greenWh, 0xffffffff))))
                // The lowest 12 bytes of a word that ends where the point's bytes end.
                let at := add(add(packed, 12), mul(point, 12))
                mstore(at, or(and(mload(at), not(0xffffffffffffffffffffffff)), head))
            }
        }
    }

    /// Fills an empty table that has room for all points of `packed`.
    function unpack(bytes memory packed, BookTable memory table) internal pure {
        uint256 points = packed.length / BYTES;
        assembly ("memory-safe") {
            let entry := mload(table)
            let from := add(packed, 0x20)
            for {
                let end := add(from, mul(points, 12))
            } lt(from, end) {
                from := add(from, 12)
            } {
                let raw := shr(160, mload(from))
                let state := or(and(shr(88, raw), 0xff), shl(8, and(shr(80, raw), 3)))
                state := or(state, shl(96, and(shr(64, raw), 0xffff)))
                state := add(state, shl(128, signextend(3, and(shr(32, raw), 0xffffffff))))
                state := add(state, shl(192, signextend(3, and(raw, 0xffffffff))))
                mstore(entry, state)
                entry := add(entry, 0x20)
            }
        }
    }
}
