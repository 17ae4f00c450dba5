// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// One sequence per (point, slot mod 256), four bits each: a page holds 31 points in two neighbouring slots, from the lowest bits
/// on the points of the even slot, then those of the odd one. The highest byte holds the lap of the ring (mod 256): on a new lap
/// every sequence counts as zero. Within a slot sequences only rise and end at MAX_SEQUENCE, so no order comes round again and one
/// account adds a bounded number of words to a book.
library ReplayPages {
    /// Most orders of one account for one slot; with 8 steps each they are 120 words, which a position counts in 7 bits.
    uint256 internal constant MAX_SEQUENCE = 15;
    uint256 internal constant POINTS = 31;
    /// All sequences of one slot in a page.
    uint256 private constant ROW_BITS = 4 * POINTS;
    uint256 private constant LAP_SHIFT = 248;

    /// Key of the page that holds the point's sequence.
    function keyOf(uint256 point, uint256 slot) internal pure returns (uint256) {
        unchecked {
            return ((point / POINTS) << 7) | ((slot % SlotTime.RING) >> 1);
        }
    }

    /// The stored page as it counts in the slot: empty when it was last written on another lap.
    function inLap(uint256 page, uint256 slot) internal pure returns (uint256) {
        uint256 lap = (slot / SlotTime.RING) & 0xff;
        return page >> LAP_SHIFT == lap ? page : lap << LAP_SHIFT;
    }

    /// Whether `sequence` lies above the one that the page holds at `shift` (shiftOf), and not above the highest.
    function isAhead(uint256 page, uint256 shift, uint256 sequence) internal pure returns (bool) {
        return sequence > (page >> shift) & MAX_SEQUENCE && sequence <= MAX_SEQUENCE;
    }

    function sequenceOf(uint256 page, uint256 point, uint256 slot) internal pure returns (uint256) {
        return (page >> shiftOf(point, slot)) & MAX_SEQUENCE;
    }

    /// The page with the sequence at `shift` (shiftOf) replaced.
    function withSequence(uint256 page, uint256 shift, uint256 sequence) internal pure returns (uint256) {
        return (page & ~(MAX_SEQUENCE << shift)) | (sequence << shift);
    }

    /// Where a point's sequence stands in the page.
    function shiftOf(uint256 point, uint256 slot) internal pure returns (uint256) {
        unchecked {
            return ((point % POINTS) << 2) + (slot & 1) * ROW_BITS;
        }
    }
}
