// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// Running hash and number of words of the book of every slot in the ring; entries of older laps read as empty.
library BookRing {
    struct Entry {
        bytes32 book;
        uint32 slot;
        uint32 wordCount;
        /// Sealed batches of the slot that were not opened yet.
        uint32 unopened;
    }

    /// keccak256(abi.encode(chainid, this, slot)): the same order can never stand in two books.
    function start(uint32 slot) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), slot));
    }

    function get(
        mapping(uint256 ringIndex => Entry) storage ring,
        uint32 slot
    ) internal view returns (bytes32 book, uint32 wordCount) {
        Entry storage entry = ring[slot % SlotTime.RING];
        if (entry.slot != slot) return (start(slot), 0);
        return (entry.book, entry.wordCount);
    }

    function put(
        mapping(uint256 ringIndex => Entry) storage ring,
        uint32 slot,
        bytes32 book,
        uint32 wordCount
    ) internal {
        Entry storage entry = ring[slot % SlotTime.RING];
        uint32 unopened = entry.slot == slot ? entry.unopened : 0;
        ring[slot % SlotTime.RING] = Entry(book, slot, wordCount, unopened);
    }

    function unopenedOf(mapping(uint256 ringIndex => Entry) storage ring, uint32 slot) internal view returns (uint32) {
        Entry storage entry = ring[slot % SlotTime.RING];
        return entry.slot == slot ? entry.unopened : 0;
    }

    function setUnopened(mapping(uint256 ringIndex => Entry) storage ring, uint32 slot, uint32 unopened) internal {
        (bytes32 book, uint32 wordCount) = get(ring, slot);
        ring[slot % SlotTime.RING] = Entry(book, slot, wordCount, unopened);
    }
}
