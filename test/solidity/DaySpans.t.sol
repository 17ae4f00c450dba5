// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BookRing} from "../../contracts/libraries/BookRing.sol";
import {DaySpans} from "../../contracts/libraries/DaySpans.sol";

/// Spans of day orders against a plain table of sequences.
contract DaySpansTest {
    using BookRing for mapping(uint256 => uint256);

    uint256 private constant BASE = 1_982_016;
    uint256 private constant SLOTS = 24;
    mapping(uint256 => uint256) private _ring;

    struct Taken {
        uint8 point;
        uint8 first;
        uint8 length;
        uint8 sequence;
        uint8 passes;
    }

    /// What a span was made room for is held; what was not takes nothing away, and points do not touch each other.
    function testFuzz_SpansHoldWhatATableHolds(Taken[12] calldata all) external pure {
        uint256[SLOTS][3] memory table;
        uint256 word;
        uint256 open = BASE;
        for (uint256 i = 0; i < all.length; ++i) {
            Taken calldata t = all[i];
            open += t.passes % 3;
            uint256 point = t.point % 3;
            uint256 from = open - BASE + (t.first % 8);
            uint256 to = from + 1 + (t.length % 8);
            if (to > SLOTS) to = SLOTS;
            if (from >= to) continue;
            uint256 sequence = 1 + (t.sequence % 15);
            uint256 held = DaySpans.heldFrom(word, 31 * 3 + point, sequence, open);
            for (uint256 at = open - BASE; at < SLOTS; ++at)
                require((held >> (at + BASE - open)) & 1 == (table[point][at] >= sequence ? 1 : 0), "held");
            if ((held >> (from + BASE - open)) & ((1 << (to - from)) - 1) != 0) continue;
            (uint256 next, bool done) = DaySpans.withSpan(word, 93 + point, BASE + from, BASE + to, sequence, open);
            if (!done) {
                require(next == word, "refused and changed");
                continue;
            }
            word = next;
            for (uint256 at = from; at < to; ++at) table[point][at] = sequence;
            for (uint256 p = 0; p < 3; ++p)
                for (uint256 at = open - BASE; at < SLOTS; ++at)
                    require(DaySpans.sequenceIn(word, 93 + p, BASE + at) == table[p][at], "table");
        }
    }

    function test_ThirdSpanFindsNoRoom() external pure {
        (uint256 word, bool done) = DaySpans.withSpan(0, 1, 100, 200, 1, 90);
        require(done, "first");
        (word, done) = DaySpans.withSpan(word, 1, 200, 300, 1, 90);
        require(done, "second");
        (, done) = DaySpans.withSpan(word, 1, 150, 250, 2, 90);
        require(!done, "third");
        (, done) = DaySpans.withSpan(word, 1, 150, 250, 2, 150);
        require(done, "what is open of the first lies within");
        (, done) = DaySpans.withSpan(word, 1, 210, 250, 2, 199);
        require(!done, "a slot of the first is open");
        (word, done) = DaySpans.withSpan(word, 1, 210, 250, 2, 200);
        require(done && DaySpans.sequenceIn(word, 1, 200) == 1 && DaySpans.sequenceIn(word, 1, 210) == 2, "passed");
    }

    /// Where sequences stand is kept by whatever else is written, and forgotten in another lap.
    function testFuzz_BookKeepsWhereSequencesStand(uint32 slot, uint32 words, uint8 flags, uint32 unopened) external {
        slot %= 1 << 24;
        words %= 0x100000;
        unopened %= 0x1000;
        uint256 both = BookRing.SPANNED | BookRing.PAGED;
        uint256 first = (flags & 1) * BookRing.SPANNED;
        uint256 second = ((flags >> 1) & 1) * BookRing.PAGED;
        _ring.put(slot, bytes32(uint256(1) << 255), words, first);
        require(_ring.entryOf(slot) & both == first, "first");
        _ring.setUnopened(slot, unopened);
        require(_ring.entryOf(slot) & both == first, "unopened");
        _ring.put(slot, bytes32(uint256(1) << 254), words, second);
        require(_ring.entryOf(slot) & both == first | second, "second");
        (bytes32 book, uint32 count) = _ring.get(slot);
        require(book == bytes32(uint256(1) << 254) && count == words && _ring.unopenedOf(slot) == unopened, "numbers");
        require(_ring.entryOf(slot + 256) == 0, "another lap");
    }
}
