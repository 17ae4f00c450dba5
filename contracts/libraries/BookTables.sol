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
        return uint112(_entryOf(table, point) >> 16);
    }

    /// Points from 0 to the highest in the book.
    function pointsOf(BookTable memory table) internal pure returns (uint256 points) {
        points = table.points;
        assembly ("memory-safe") {
            for {
                let entry := add(mload(table), shl(5, points))
            } points {
                points := sub(points, 1)
            } {
                entry := sub(entry, 0x20)
                if mload(entry) {
                    break
                }
            }
        }
    }

    /// The table as dense positions (PackedEnergy) with the number of words of each point, up to the highest in the book.
    function positionsOf(BookTable memory table) internal pure returns (bytes memory positions) {
        uint256 points = pointsOf(table);
        uint256 large;
        assembly ("memory-safe") {
            let entries := mload(table)
            positions := mload(0x40)
            mstore(positions, shl(2, points))
            let target := add(positions, 0x20)
            // Every position is written as the top of a whole memory word, in order; 28 bytes spill over. Four entries a turn.
            mstore(0x40, add(target, and(add(shl(2, points), 91), not(31))))
            let entry
            let sold
            let sign
            for {
                let end := add(entries, shl(5, points))
            } lt(entries, end) {
                entries := add(entries, 0x80)
            } {
                entry := mload(entries)
                sold := signextend(7, shr(128, entry))
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(target, shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                entry := mload(add(entries, 0x20))
                sold := signextend(7, shr(128, entry))
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(add(target, 4), shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                entry := mload(add(entries, 0x40))
                sold := signextend(7, shr(128, entry))
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(add(target, 8), shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                entry := mload(add(entries, 0x60))
                sold := signextend(7, shr(128, entry))
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(add(target, 12), shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                target := add(target, 16)
            }
        }
        if (large > PackedEnergy.MAX_WH) _refuseOverflow(table); // [22]
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
