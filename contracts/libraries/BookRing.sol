// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {SlotTime} from "./SlotTime.sol";

/// Running hash and number of words of the book of every slot in the ring, one storage word each; entries of older laps read as
/// empty.
///
///   bits 255..48 hash (26 bytes)   bits 47..34 lap of the ring (mod 16,384)
///   bits 33..32  where sequences of the slot stand: SPANNED in spans of day orders (DaySpans), PAGED in pages (ReplayPages)
///   bits 31..12  number of words   bits 11..0  sealed batches of the slot that were not opened yet
library BookRing {
    /// What a book's hash keeps of keccak256, which costs 2^104 to find two books for: the rest of the word is for the numbers.
    bytes32 internal constant HASH = bytes32(~uint256(0xffffffffffff));
    uint256 internal constant SPANNED = 1 << 33;
    uint256 internal constant PAGED = 1 << 32;
    uint256 private constant LAP_SHIFT = 34;
    uint256 private constant LAPS = 0x3fff;
    uint256 private constant COUNT_SHIFT = 12;
    uint256 private constant MAX_WORDS = 0xfffff;
    uint256 private constant MAX_UNOPENED = 0xfff;

    /// keccak256(abi.encode(chainid, this, slot)), shortened: the same order can never stand in two books.
    function start(uint32 slot) internal view returns (bytes32) {
        return startIn(address(this), slot);
    }

    /// The same for the book of another contract.
    function startIn(address orderBook, uint32 slot) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, orderBook, slot)) & HASH;
    }

    /// The book's hash once the orders of `zones` (a bit each) that stand in it are void: 33 bytes follow the hash, and no batch of
    /// words has so many.
    function voided(bytes32 book, uint256 zones) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(book, zones, uint8(0))) & HASH;
    }

    function get(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot
    ) internal view returns (bytes32 book, uint32 wordCount) {
        return bookIn(entryOf(ring, slot), slot);
    }

    /// The same of the slot's entry.
    function bookIn(uint256 entry, uint32 slot) internal view returns (bytes32 book, uint32 wordCount) {
        if (entry == 0) return (start(slot), 0);
        return (bytes32(entry) & HASH, uint32((entry >> COUNT_SHIFT) & MAX_WORDS));
    }

    /// `book`: already shortened; `sequences`: SPANNED and PAGED as far as they are new.
    function put(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot,
        bytes32 book,
        uint32 wordCount,
        uint256 sequences
    ) internal {
        replace(ring, slot, entryOf(ring, slot), book, wordCount, sequences);
    }

    /// The same where the slot's entry is at hand.
    function replace(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot,
        uint256 entry,
        bytes32 book,
        uint32 wordCount,
        uint256 sequences
    ) internal {
        _write(ring, slot, book, wordCount, (entry & (SPANNED | PAGED)) | sequences, entry & MAX_UNOPENED);
    }

    function unopenedOf(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot
    ) internal view returns (uint32) {
        return uint32(entryOf(ring, slot) & MAX_UNOPENED);
    }

    function setUnopened(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot,
        uint32 unopened
    ) internal {
        uint256 entry = entryOf(ring, slot);
        (bytes32 book, uint32 wordCount) = bookIn(entry, slot);
        _write(ring, slot, book, wordCount, entry & (SPANNED | PAGED), unopened);
    }

    /// The slot's entry; zero when it has none in this lap.
    function entryOf(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot
    ) internal view returns (uint256 entry) {
        entry = ring[slot % SlotTime.RING];
        if ((entry >> LAP_SHIFT) & LAPS != _lapOf(slot)) entry = 0;
    }

    function _write(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot,
        bytes32 book,
        uint256 wordCount,
        uint256 sequences,
        uint256 unopened
    ) private {
        if (wordCount > MAX_WORDS || unopened > MAX_UNOPENED) revert IOrderBook.BookFull(slot);
        ring[slot % SlotTime.RING] =
            uint256(book) |
            (_lapOf(slot) << LAP_SHIFT) |
            sequences |
            (wordCount << COUNT_SHIFT) |
            unopened;
    }

    function _lapOf(uint32 slot) private pure returns (uint256) {
        return (slot / SlotTime.RING) & LAPS;
    }
}
