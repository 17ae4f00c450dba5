// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReplayPages} from "../../contracts/libraries/ReplayPages.sol";
import {SlotTime} from "../../contracts/libraries/SlotTime.sol";

/// Any history of orders of one point for one slot; `watched` stands for any sequence. `_byte` is what ReplayPages holds.
contract ReplayProof {
    uint256 private _byte;
    uint256 private immutable _watched;
    uint256 private _accepted;
    uint256 private _orders;

    constructor(uint256 watched) {
        _watched = watched;
    }

    /// A sequence that was accepted once is never accepted again in its slot, and an account adds at most MAX_SEQUENCE orders.
    function take(uint256 sequence) external {
        if (!_isAhead(_byte, sequence)) return;
        if (sequence == _watched) {
            assert(_accepted == 0);
            _accepted = 1;
        }
        _orders += 1;
        assert(_orders <= sequence && _orders <= ReplayPages.MAX_SEQUENCE);
        _byte = sequence;
    }

    function _isAhead(uint256 held, uint256 sequence) private pure returns (bool) {
        return sequence > held && sequence <= ReplayPages.MAX_SEQUENCE;
    }
}

/// Bytes of a page in terms of division, first, middle and last: Arithmetic.t.sol compares it with ReplayPages for all.
contract PageProof {
    /// A new sequence byte replaces the old one and leaves all others as they were (byte 0).
    function lowest(uint256 page, uint256 sequence) external pure {
        require(sequence < 256);
        uint256 written = page - (page % 256) + sequence;
        assert(written % 256 == sequence);
        assert(written / 256 == page / 256);
    }

    /// The same for byte 15.
    function middle(uint256 page, uint256 sequence) external pure {
        require(sequence < 256);
        uint256 written = page - ((page / 256 ** 15) % 256) * 256 ** 15 + sequence * 256 ** 15;
        assert((written / 256 ** 15) % 256 == sequence);
        assert(written / 256 ** 16 == page / 256 ** 16);
        assert(written % 256 ** 15 == page % 256 ** 15);
    }

    /// The same for byte 30, next to the lap.
    function highest(uint256 page, uint256 sequence) external pure {
        require(sequence < 256);
        uint256 written = page - ((page / 256 ** 30) % 256) * 256 ** 30 + sequence * 256 ** 30;
        assert((written / 256 ** 30) % 256 == sequence);
        assert(written / 256 ** 31 == page / 256 ** 31);
        assert(written % 256 ** 30 == page % 256 ** 30);
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

    /// Two slots that share a ring entry never both take orders: the ring is longer than the farthest order.
    function ring(uint32 a, uint32 b, uint32 current) external pure {
        require(current < 2 ** 24 && a < b && a > current && b <= current + SlotTime.AHEAD_SLOTS);
        assert(a % SlotTime.RING != b % SlotTime.RING);
    }
}
