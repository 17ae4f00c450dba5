// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// One sequence byte per (point, slot mod 256), 32 points per word. Bytes run on over the laps of the ring.
library ReplayPages {
    /// Key of the page that holds the point's byte.
    function keyOf(uint256 point, uint256 slot) internal pure returns (uint256) {
        unchecked {
            return ((point >> 5) << 8) | (slot % SlotTime.RING);
        }
    }

    /// Whether `sequence` lies 1..127 ahead (mod 256) of the byte that the page holds.
    function isAhead(uint256 page, uint256 point, uint256 sequence) internal pure returns (bool) {
        unchecked {
            return ((sequence - byteOf(page, point) - 1) & 0xff) < 127;
        }
    }

    function byteOf(uint256 page, uint256 point) internal pure returns (uint256) {
        return (page >> ((point & 31) << 3)) & 0xff;
    }

    /// The page with the point's byte replaced.
    function withByte(uint256 page, uint256 point, uint256 sequence) internal pure returns (uint256) {
        uint256 shift = (point & 31) << 3;
        return (page & ~(0xff << shift)) | (sequence << shift);
    }
}
