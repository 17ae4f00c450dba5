// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// One sequence byte per (point, slot mod 256), 32 points per word. Bytes run on over the laps of the ring.
library ReplayPages {
    /// Whether `sequence` lies 1..127 ahead (mod 256) of the byte that the page holds.
    function isAhead(
        mapping(uint256 key => uint256 page) storage pages,
        uint32 point,
        uint32 slot,
        uint8 sequence
    ) internal view returns (bool) {
        unchecked {
            uint8 ahead = sequence - uint8(pages[_key(point, slot)] >> _shift(point));
            return ahead != 0 && ahead < 128;
        }
    }

    function sequenceOf(
        mapping(uint256 key => uint256 page) storage pages,
        uint32 point,
        uint32 slot
    ) internal view returns (uint8) {
        return uint8(pages[_key(point, slot)] >> _shift(point));
    }

    function setSequence(
        mapping(uint256 key => uint256 page) storage pages,
        uint32 point,
        uint32 slot,
        uint8 sequence
    ) internal {
        uint256 key = _key(point, slot);
        uint256 shift = _shift(point);
        pages[key] = (pages[key] & ~(uint256(0xff) << shift)) | (uint256(sequence) << shift);
    }

    function _key(uint32 point, uint32 slot) private pure returns (uint256) {
        return (uint256(point >> 5) << 8) | (slot % SlotTime.RING);
    }

    function _shift(uint32 point) private pure returns (uint256) {
        return uint256(point & 31) << 3;
    }
}
