// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// The books of all slots that take orders now, in memory while day orders are added to them: one entry per slot, from the slot
/// after the current one on. Three tables of 64 bytes per slot:
///
///   at the base:          where the slot's next word goes, the row of sequences of 31 points (ReplayPages)
///   at base + BAND:       lowest price of the band, its width
///   at base + REST:       where the slot's words begin, why the slot takes no orders (IOrderBook.Skip; 0: it does)
library DayTable {
    uint256 internal constant SLOTS = SlotTime.AHEAD_SLOTS;
    uint256 internal constant ENTRY = 64;
    /// SLOTS x ENTRY, in digits: assembly takes no other constants.
    uint256 internal constant BAND = 7_680;
    uint256 internal constant REST = 15_360;
    uint256 internal constant BYTES = 23_040;
    /// Row of a slot that takes no orders: no sequence is ahead of any of these.
    uint256 internal constant CLOSED_ROW = type(uint256).max;

    function open(uint256 entry, uint256 words, int256 lowest, int256 highest) internal pure {
        assembly ("memory-safe") {
            mstore(entry, words)
            mstore(add(entry, BAND), lowest)
            mstore(add(entry, add(BAND, 32)), sub(highest, lowest))
            mstore(add(entry, REST), words)
            mstore(add(entry, add(REST, 32)), 0)
        }
    }

    function close(uint256 entry, uint256 refusal) internal pure {
        uint256 row = CLOSED_ROW;
        assembly ("memory-safe") {
            mstore(entry, 0)
            mstore(add(entry, 32), row)
            mstore(add(entry, REST), 0)
            mstore(add(entry, add(REST, 32)), refusal)
        }
    }

    function refusalOf(uint256 entry) internal pure returns (uint256) {
        return _load(entry + REST + 32);
    }

    function isOpen(uint256 entry) internal pure returns (bool) {
        return _load(entry + REST) != 0;
    }

    function rowOf(uint256 entry) internal pure returns (uint256) {
        return _load(entry + 32);
    }

    function setRow(uint256 entry, uint256 row) internal pure {
        _store(entry + 32, row);
    }

    function band(uint256 entry) internal pure returns (int256 lowest, int256 highest) {
        lowest = int256(_load(entry + BAND));
        highest = lowest + int256(_load(entry + BAND + 32));
    }

    /// Where the slot's words begin and end.
    function wordsOf(uint256 entry) internal pure returns (uint256 begin, uint256 end) {
        return (_load(entry + REST), _load(entry));
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
