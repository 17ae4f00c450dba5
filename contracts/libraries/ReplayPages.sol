// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// One sequence byte per (point, slot mod 256), 31 points per word from the lowest byte on. The highest byte holds the lap of the
/// ring (mod 256): on a new lap every byte counts as zero. Within a slot bytes only rise and end at MAX_SEQUENCE, so no order
/// comes round again and one account adds a bounded number of words to a book.
library ReplayPages {
    /// Most orders of one account for one slot; with 8 steps each they are 120 words, which a position counts in 7 bits.
    uint256 internal constant MAX_SEQUENCE = 15;
    uint256 internal constant POINTS = 31;
    uint256 private constant LAP_SHIFT = 248;

    /// Key of the page that holds the point's byte.
    function keyOf(uint256 point, uint256 slot) internal pure returns (uint256) {
        unchecked {
            return ((point / POINTS) << 8) | (slot % SlotTime.RING);
        }
    }

    /// The stored page as it counts in the slot: empty when it was last written on another lap.
    function inLap(uint256 page, uint256 slot) internal pure returns (uint256) {
        uint256 lap = (slot / SlotTime.RING) & 0xff;
        return page >> LAP_SHIFT == lap ? page : lap << LAP_SHIFT;
    }

    /// Whether `sequence` lies above the byte that the page holds, and not above the highest.
    function isAhead(uint256 page, uint256 point, uint256 sequence) internal pure returns (bool) {
        return sequence > byteOf(page, point) && sequence <= MAX_SEQUENCE;
    }

    function byteOf(uint256 page, uint256 point) internal pure returns (uint256) {
        return (page >> ((point % POINTS) << 3)) & 0xff;
    }

    /// The page with the point's byte replaced.
    function withByte(uint256 page, uint256 point, uint256 sequence) internal pure returns (uint256) {
        uint256 shift = (point % POINTS) << 3;
        return (page & ~(0xff << shift)) | (sequence << shift);
    }
}
