// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What each zone of an event used on each of its days: 48 bits per day, five days in a word, keyed by event and zone.
library ZoneTotals {
    uint256 private constant PER_WORD = 5;
    uint256 private constant BITS = 48;
    uint256 private constant MASK = (1 << BITS) - 1;

    /// A total beyond 48 bits, far above what half a million connections can take, stays there.
    function add(
        mapping(uint256 key => uint256 word) storage totals,
        uint32 id,
        uint256 zone,
        uint256 day,
        uint256 wh
    ) internal {
        uint256 key = _keyOf(id, zone, day);
        uint256 shift = (day % PER_WORD) * BITS;
        uint256 word = totals[key];
        uint256 before = (word >> shift) & MASK;
        totals[key] = word + ((wh < MASK - before ? wh : MASK - before) << shift);
    }

    /// Totals of the first `days_` days.
    function get(
        mapping(uint256 key => uint256 word) storage totals,
        uint32 id,
        uint256 zone,
        uint256 days_
    ) internal view returns (uint256[] memory list) {
        list = new uint256[](days_);
        uint256 word;
        for (uint256 day = 0; day < days_; ++day) {
            if (day % PER_WORD == 0) word = totals[_keyOf(id, zone, day)];
            list[day] = (word >> ((day % PER_WORD) * BITS)) & MASK;
        }
    }

    function _keyOf(uint32 id, uint256 zone, uint256 day) private pure returns (uint256) {
        return (uint256(id) << 16) | (zone << 8) | (day / PER_WORD);
    }
}
