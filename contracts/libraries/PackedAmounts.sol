// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Wh of ten consecutive slots in one storage word, 24 bits each, keyed by a 32-bit number (generator, metering point) and the slot.
library PackedAmounts {
    uint256 internal constant PER_WORD = 10;
    uint256 internal constant BITS = 24;
    uint256 internal constant MAX = 0xffffff;

    function get(
        mapping(uint256 key => uint256 word) storage amounts,
        uint256 number,
        uint256 slot
    ) internal view returns (uint256) {
        return (amounts[keyOf(number, slot)] >> shiftOf(slot)) & MAX;
    }

    /// The caller knows that the amount stays within 24 bits.
    function add(
        mapping(uint256 key => uint256 word) storage amounts,
        uint256 number,
        uint256 slot,
        uint256 amount
    ) internal {
        amounts[keyOf(number, slot)] += amount << shiftOf(slot);
    }

    /// The caller knows that so much is there.
    function sub(
        mapping(uint256 key => uint256 word) storage amounts,
        uint256 number,
        uint256 slot,
        uint256 amount
    ) internal {
        amounts[keyOf(number, slot)] -= amount << shiftOf(slot);
    }

    /// Adds the amounts of consecutive slots with one write per word.
    function addAll(
        mapping(uint256 key => uint256 word) storage amounts,
        uint256 number,
        uint256 firstSlot,
        uint256[] memory list
    ) internal {
        uint256 key = keyOf(number, firstSlot);
        uint256 shift = shiftOf(firstSlot);
        uint256 pending;
        unchecked {
            for (uint256 i = 0; i < list.length; ++i) {
                pending |= list[i] << shift;
                shift += BITS;
                if (shift != PER_WORD * BITS) continue;
                if (pending != 0) amounts[key] += pending;
                pending = 0;
                shift = 0;
                ++key;
            }
            if (pending != 0) amounts[key] += pending;
        }
    }

    function keyOf(uint256 number, uint256 slot) internal pure returns (uint256) {
        return (number << 32) | (slot / PER_WORD);
    }

    function shiftOf(uint256 slot) internal pure returns (uint256) {
        return (slot % PER_WORD) * BITS;
    }
}
