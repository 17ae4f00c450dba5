// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// The books of all slots that take orders now, in memory while day orders are added to them: one entry per slot, from the slot
/// after the current one on. Six tables of 32 bytes per slot:
///
///   at the base:            where the slot's next word goes
///   at base + BAND, WIDTH:  lowest price of the band, its width
///   at base + BEGIN:        where the slot's words begin
///   at base + REFUSAL:      why the slot takes no orders (IOrderBook.Skip)
///   at base + BOOK:         its book as BookRing keeps it
library DayTable {
    uint256 internal constant SLOTS = SlotTime.AHEAD_SLOTS;
    uint256 internal constant ENTRY = 32;
    /// Multiples of SLOTS x ENTRY, in digits: assembly takes no other constants.
    uint256 internal constant BAND = 3_840;
    uint256 internal constant WIDTH = 7_680;
    uint256 internal constant BEGIN = 11_520;
    uint256 internal constant REFUSAL = 15_360;
    uint256 internal constant BOOK = 19_200;
    uint256 internal constant BYTES = 23_040;

    function open(uint256 entry, uint256 words, int256 lowest, int256 highest, uint256 book) internal pure {
        assembly ("memory-safe") {
            mstore(entry, words)
            mstore(add(entry, BAND), lowest)
            mstore(add(entry, WIDTH), sub(highest, lowest))
            mstore(add(entry, BEGIN), words)
            mstore(add(entry, REFUSAL), 0)
            mstore(add(entry, BOOK), book)
        }
    }

    /// No word goes to the slot.
    function close(uint256 entry, uint256 refusal) internal pure {
        assembly ("memory-safe") {
            mstore(entry, 0)
            mstore(add(entry, BEGIN), 0)
            mstore(add(entry, REFUSAL), refusal)
        }
    }

    function refusalOf(uint256 entry) internal pure returns (uint256) {
        return _load(entry + REFUSAL);
    }

    function bookOf(uint256 entry) internal pure returns (uint256) {
        return _load(entry + BOOK);
    }

    function band(uint256 entry) internal pure returns (int256 lowest, int256 highest) {
        lowest = int256(_load(entry + BAND));
        highest = lowest + int256(_load(entry + WIDTH));
    }

    /// Where the slot's words begin and end.
    function wordsOf(uint256 entry) internal pure returns (uint256 begin, uint256 end) {
        return (_load(entry + BEGIN), _load(entry));
    }

    /// Adds one word, given in the upper half.
    function push(uint256 entry, uint256 word) internal pure {
        uint256 cursor = _load(entry);
        _store(cursor, word);
        _store(entry, cursor + 16);
    }

    /// keccak256(book ++ words): the hash takes the 32 bytes before the words.
    function fold(uint256 begin, uint256 end, bytes32 book) internal pure returns (bytes32 folded) {
        assembly ("memory-safe") {
            let from := sub(begin, 32)
            mstore(from, book)
            folded := keccak256(from, sub(end, from))
        }
    }

    function _load(uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(place)
        }
    }

    function _store(uint256 place, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(place, value)
        }
    }
}
