// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTable} from "./ClearingBook.sol";
import {PackedEnergy} from "./PackedEnergy.sol";

/// Reads what a proof left in the table of its book.
library BookTables {
    /// What a Wh sold adds to an entry; in a green order that trades apart it counts in both fields.
    uint256 internal constant SOLD = 1 << 128;
    uint256 internal constant SOLD_GREEN = (1 << 128) | (1 << 192);

    /// Four lanes of 64 bits: the lowest bit of each, the highest, and the lower half.
    uint256 private constant ONES = 0x0000000000000001_0000000000000001_0000000000000001_0000000000000001;
    uint256 private constant HIGHEST = 0x8000000000000000_8000000000000000_8000000000000000_8000000000000000;
    uint256 private constant LOWER = 0x00000000ffffffff_00000000ffffffff_00000000ffffffff_00000000ffffffff;
    /// Bits of a raised entry that are set when net sales or words do not fit.
    uint256 private constant TOO_LARGE = (0xffffffff << 160) | ((0xffffffff ^ PackedEnergy.MAX_WORDS) << 96);

    /// Net sold Wh of a point: negative = bought.
    function soldWhOf(BookTable memory table, uint256 point) internal pure returns (int256 soldWh) {
        uint256 entry = _entryOf(table, point);
        assembly ("memory-safe") {
            soldWh := signextend(7, shr(128, entry))
        }
    }

    /// Net sold Wh of a point in green orders, where these trade apart.
    function greenWhOf(BookTable memory table, uint256 point) internal pure returns (int256 soldWh) {
        uint256 entry = _entryOf(table, point);
        assembly ("memory-safe") {
            soldWh := sar(192, sub(entry, shl(128, signextend(7, shr(128, entry)))))
        }
    }

    /// Words of a point in the book: replaced ones and cancellations too.
    function wordsOf(BookTable memory table, uint256 point) internal pure returns (uint256) {
        return uint32(_entryOf(table, point) >> 96);
    }

    /// Points from 0 to the highest in the book.
    function pointsOf(BookTable memory table) internal pure returns (uint256 points) {
        points = table.points;
        assembly ("memory-safe") {
            let entries := mload(table)
            // Four at a time while all are empty: the room is a multiple of four.
            points := and(add(points, 3), not(3))
            for {} points {
                points := sub(points, 4)
            } {
                let entry := add(entries, shl(5, points))
                if or(
                    or(mload(sub(entry, 0x20)), mload(sub(entry, 0x40))),
                    or(mload(sub(entry, 0x60)), mload(sub(entry, 0x80)))
                ) {
                    break
                }
            }
            for {} points {
                points := sub(points, 1)
            } {
                if mload(add(entries, shl(5, sub(points, 1)))) {
                    break
                }
            }
        }
    }

    /// What a record keeps of the fills: positions, and net green sales where green orders trade apart.
    function recordOf(
        BookTable memory table,
        bool apart
    ) internal pure returns (bytes memory positions, bytes memory green) {
        positions = positionsOf(table);
        if (apart) green = greenOf(table);
    }

    /// The table as dense positions (PackedEnergy) with the number of words of each point, up to the highest in the book.
    ///
    /// Four points at once, in lanes of 64 bits: net sold Wh, raised by 2^31, above the number of words.
    function positionsOf(BookTable memory table) internal pure returns (bytes memory positions) {
        uint256 points = pointsOf(table);
        uint256 all;
        uint256 large;
        assembly ("memory-safe") {
            positions := mload(0x40)
            mstore(positions, shl(2, points))
            let target := add(positions, 0x20)
            // Up to 15 bytes are written behind the positions, and 24 beyond those are overwritten.
            mstore(0x40, add(target, and(add(shl(2, points), 71), not(31))))
            let entry := mload(table)
            for {
                let end := add(entry, shl(5, points))
            } lt(entry, end) {
                entry := add(entry, 0x80)
            } {
                // The raised sum neither borrows from the field above nor has more than 32 bits.
                let raised := add(mload(entry), shl(159, 1))
                all := or(all, raised)
                mstore(0x00, shl(96, raised))
                raised := add(mload(add(entry, 0x20)), shl(159, 1))
                all := or(all, raised)
                mstore(0x08, shl(96, raised))
                raised := add(mload(add(entry, 0x40)), shl(159, 1))
                all := or(all, raised)
                mstore(0x10, shl(96, raised))
                raised := add(mload(add(entry, 0x60)), shl(159, 1))
                all := or(all, raised)
                mstore(0x18, shl(96, raised))
                let lanes := mload(0x00)
                // Without the raise: two's complement of 32 bits, in the lower halves; where negative, the size and the highest bit.
                let sold := and(shr(32, xor(lanes, HIGHEST)), LOWER)
                let bought := and(shr(31, sold), ONES)
                sold := add(xor(sold, mul(bought, 0xffffffff)), bought)
                large := or(large, sold)
                lanes := or(or(sold, shl(31, bought)), shl(24, and(lanes, LOWER)))
                lanes := or(lanes, shr(32, lanes))
                mstore(target, shl(64, lanes))
                mstore(add(target, 8), shl(192, lanes))
                target := add(target, 16)
            }
        }
        if (all & TOO_LARGE != 0 || large & (LOWER ^ (PackedEnergy.MAX_WH * ONES)) != 0) _refuseOverflow(table); // [22]
    }

    /// Net sold Wh in green orders that trade apart, dense (PackedEnergy, without words).
    function greenOf(BookTable memory table) internal pure returns (bytes memory green) {
        uint256 points = pointsOf(table);
        green = new bytes(points * PackedEnergy.BYTES);
        for (uint256 point = 0; point < points; ++point) {
            int256 soldWh = greenWhOf(table, point);
            if (soldWh > int256(PackedEnergy.MAX_WH) || -soldWh > int256(PackedEnergy.MAX_WH))
                revert IClearingErrors.PositionOverflow(point, soldWh, 0); // [22]
            uint256 raw = PackedEnergy.encode(soldWh);
            assembly ("memory-safe") {
                let at := add(add(green, 4), shl(2, point))
                mstore(at, or(and(mload(at), not(0xffffffff)), raw))
            }
        }
    }

    function _refuseOverflow(BookTable memory table) private pure {
        for (uint256 point = 0; point < table.points; ++point) {
            int256 soldWh = soldWhOf(table, point);
            uint256 words = wordsOf(table, point);
            uint256 energyWh = uint256(soldWh < 0 ? -soldWh : soldWh);
            if (energyWh > PackedEnergy.MAX_WH || words > PackedEnergy.MAX_WORDS)
                revert IClearingErrors.PositionOverflow(point, soldWh, words);
        }
    }

    function _entryOf(BookTable memory table, uint256 point) private pure returns (uint256 entry) {
        if (point >= table.points) return 0;
        assembly ("memory-safe") {
            entry := mload(add(mload(table), shl(5, point)))
        }
    }
}
