// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Which slots' sequences an account's day orders took: two spans of slots per account, three accounts to a word, so that a day costs
/// a third of a word and not a nibble in each of its slots' pages (ReplayPages). In a slot the higher of both counts.
///
///   80 bits per account, 40 per span: 24 first slot, 8 number of slots, 8 sequence; zero: none
library DaySpans {
    uint256 private constant POINTS = 3;
    uint256 private constant POINT_BITS = 80;
    uint256 private constant SPAN_BITS = 40;
    uint256 private constant SPAN = (1 << SPAN_BITS) - 1;

    /// Key of the word that holds the account's spans, and where they stand in it.
    function keyOf(uint256 point) internal pure returns (uint256) {
        return point / POINTS;
    }

    function shiftOf(uint256 point) internal pure returns (uint256) {
        unchecked {
            return (point % POINTS) * POINT_BITS;
        }
    }

    /// The sequence that the account's spans hold in the slot.
    function sequenceIn(uint256 word, uint256 point, uint256 slot) internal pure returns (uint256 sequence) {
        unchecked {
            uint256 shift = shiftOf(point);
            for (uint256 i = 0; i < 2; ++i) {
                (uint256 first, uint256 end, uint256 held) = _spanAt(word, shift);
                if (slot >= first && slot < end && held > sequence) sequence = held;
                shift += SPAN_BITS;
            }
        }
    }

    /// The slots from `base` on, a bit each, where the account's spans hold `sequence` or a higher one.
    function heldFrom(
        uint256 word,
        uint256 point,
        uint256 sequence,
        uint256 base
    ) internal pure returns (uint256 slots) {
        unchecked {
            uint256 shift = shiftOf(point);
            for (uint256 i = 0; i < 2; ++i) {
                (uint256 first, uint256 end, uint256 held) = _spanAt(word, shift);
                shift += SPAN_BITS;
                if (held < sequence || end <= base) continue;
                slots |= (1 << (end - base)) - (first > base ? 1 << (first - base) : 1);
            }
        }
    }

    /// The word with a span more, and whether there was room: a span that lies before slot `open`, or but for slots before it within
    /// the new one, makes room. The new sequence must be above all that the spans hold in its slots.
    function withSpan(
        uint256 word,
        uint256 point,
        uint256 first,
        uint256 end,
        uint256 sequence,
        uint256 open
    ) internal pure returns (uint256, bool done) {
        unchecked {
            uint256 shift = shiftOf(point);
            for (uint256 i = 0; i < 2; ++i) {
                (uint256 from, uint256 to, ) = _spanAt(word, shift);
                if (from < open) from = open;
                if (to <= open || (from >= first && to <= end)) {
                    word &= ~(SPAN << shift);
                    if (!done) word |= ((first << 16) | ((end - first) << 8) | sequence) << shift;
                    done = true;
                }
                shift += SPAN_BITS;
            }
            return (word, done);
        }
    }

    function _spanAt(uint256 word, uint256 shift) private pure returns (uint256 first, uint256 end, uint256 sequence) {
        unchecked {
            uint256 span = (word >> shift) & SPAN;
            first = span >> 16;
            end = first + ((span >> 8) & 0xff);
            sequence = span & 0xff;
        }
    }
}
