// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "../../contracts/libraries/SlotTime.sol";

/// Any history of orders of one point for one slot; `watched` stands for any sequence, `_held` for what ReplayPages holds.
contract ReplayProof {
    uint256 private _held;
    uint256 private _watched;
    uint256 private _accepted;

    constructor(uint256 watched) {
        _watched = watched;
    }

    /// A sequence that was accepted once is never accepted again in its slot.
    function take(uint256 sequence) external {
        if (sequence > _held && sequence <= 15) {
            if (sequence == _watched) {
                assert(_accepted == 0);
                _accepted = 1;
            }
            _held = sequence;
        }
    }
}

contract MostOrdersProof {
    /// An account's orders for a slot are at most as many as its last sequence: order by order, 15 in all.
    function take(uint256 held, uint256 orders, uint256 sequence) external pure {
        require(orders <= held && held <= 15);
        require(sequence > held && sequence <= 15);
        assert(orders + 1 <= sequence && orders + 1 <= 15);
    }
}

/// Sequences in a page in terms of division, first, middle and last: Arithmetic.t.sol compares it with ReplayPages for all.
contract LowestSequenceProof {
    /// A new sequence replaces the old one and leaves all others as they were (the first of a page).
    function lowest(uint256 page, uint256 sequence) external pure {
        require(sequence < 16);
        uint256 written = page - (page % 16) + sequence;
        assert(written % 16 == sequence);
        assert(written / 16 == page / 16);
    }
}

contract MiddleSequenceProof {
    /// A new sequence replaces the old one and leaves all others as they were (the first of a page's second slot).
    function middle(uint256 page, uint256 sequence) external pure {
        require(sequence < 16);
        uint256 written = page - ((page / 16 ** 31) % 16) * 16 ** 31 + sequence * 16 ** 31;
        assert((written / 16 ** 31) % 16 == sequence);
        assert(written / 16 ** 32 == page / 16 ** 32);
        assert(written % 16 ** 31 == page % 16 ** 31);
    }
}

contract HighestSequenceProof {
    /// A new sequence replaces the old one and leaves all others and the lap as they were (the last of a page).
    function highest(uint256 page, uint256 sequence) external pure {
        require(sequence < 16);
        uint256 written = page - ((page / 16 ** 61) % 16) * 16 ** 61 + sequence * 16 ** 61;
        assert((written / 16 ** 61) % 16 == sequence);
        assert(written / 16 ** 62 == page / 16 ** 62);
        assert(written % 16 ** 61 == page % 16 ** 61);
    }
}

contract CalendarProof {
    /// A slot's gate closes before it starts, it ends where the next one starts, and its report is due after its end.
    function calendar(uint32 slot) external pure {
        require(slot > 0 && slot < 2 ** 24);
        assert(SlotTime.gateOf(slot) < SlotTime.startOf(slot));
        assert(SlotTime.endOf(slot) == SlotTime.startOf(slot + 1));
        assert(SlotTime.reportDeadlineOf(slot) > SlotTime.endOf(slot));
    }
}

contract RingProof {
    /// Two slots that share a ring entry never both take orders: the ring is longer than the farthest order.
    function ring(uint32 a, uint32 b, uint32 current) external pure {
        require(current < 2 ** 24 && a < b && a > current && b <= current + SlotTime.AHEAD_SLOTS);
        assert(a % SlotTime.RING != b % SlotTime.RING);
    }
}
