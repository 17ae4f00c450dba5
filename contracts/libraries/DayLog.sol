// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PointWord} from "./PointWord.sol";

/// What IOrderBook.DaysAppended tells of the orders that were taken.
library DayLog {
    /// Bytes of the longest outcome; flags of its second byte.
    uint256 private constant MOST = 38;
    uint256 private constant MARGINED = 32;
    uint256 private constant PARTLY = 64;

    /// Empty, with room for so many.
    function outcomesFor(uint256 orders) internal pure returns (bytes memory outcomes) {
        // They are written 32 bytes at a time.
        outcomes = new bytes(MOST * orders + 32);
        assembly ("memory-safe") {
            mstore(outcomes, 0)
        }
    }

    /// Adds what became of an order. `wordless`: its slots that got no words; `through`: up to which slot it extended
    /// the margin, or 0.
    function note(
        bytes memory outcomes,
        PointWord point,
        uint256 taken,
        uint256 wordless,
        uint32 through
    ) internal pure {
        unchecked {
            uint256 outcome = (uint256(point.zone()) << 8) | point.priority();
            uint256 length = 2;
            if (through != 0) {
                outcome = ((outcome | MARGINED) << 32) | through;
                length = 6;
            }
            uint256 end = outcomes.length;
            assembly ("memory-safe") {
                mstore(add(add(outcomes, 32), end), shl(sub(256, shl(3, length)), outcome))
            }
            end += length;
            if (wordless != 0) {
                uint256 masks = (taken << 128) | (taken & ~wordless);
                assembly ("memory-safe") {
                    let flags := add(add(outcomes, 33), sub(end, length))
                    mstore8(flags, or(byte(0, mload(flags)), PARTLY))
                    mstore(add(add(outcomes, 32), end), masks)
                }
                end += 32;
            }
            assembly ("memory-safe") {
                mstore(outcomes, end)
            }
        }
    }

    /// The first `count` contents, one behind the other.
    function contentsOf(uint256[] memory contents, uint256 count) internal pure returns (bytes memory orders) {
        assembly ("memory-safe") {
            orders := mload(0x40)
            let end := add(orders, 32)
            for {
                let from := add(contents, 32)
                let last := add(from, shl(5, count))
            } lt(from, last) {
                from := add(from, 32)
            } {
                let content := mload(from)
                let length := and(content, 0xffffffff)
                calldatacopy(end, shr(32, content), length)
                end := add(end, length)
            }
            mstore(orders, sub(end, add(orders, 32)))
            mstore(0x40, and(add(end, 31), not(31)))
        }
    }
}
