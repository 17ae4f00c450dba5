// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotPayments, ZoneRow} from "./SlotPayments.sol";

/// What settlement keeps over the slots of one transaction, to pay neighbours of one zone together.
struct LanePlan {
    /// Runs of whole pages of one zone: its row's place in memory (bits 95..64), first page (63..32), pages (31..0).
    uint256[] runs;
    /// Points of pages that zones share: the first one (bits 63..32), and the end (31..0).
    uint256[] others;
    /// Money of the slots so far, nano-token: 64 bits per point, four points per word, the first one highest. Lanes are signed and
    /// added as one integer: a negative one has borrowed from its neighbour, which `flush` undoes.
    bytes lanes;
    /// Sum of the highest prices of those slots; bounds every lane.
    uint256 spent;
}

/// The payments of SlotPayments, for four points at once and without a branch. A word holds four points in lanes of 64 bits: energies
/// have at most 34, and money of several slots fits as long as their prices do not add up too high (SPENT). Points stand in pages
/// of eight, as positions do (4 bytes each), and readings have no missing one left (PackedReadings.replaceMissing).
///
/// With w the position's energy, b the same for who bought and else 0, m metered net export, v = w - 2 b - m what is missing and
/// d = max(0, v), at prices S sold, B bought, T deficit, F surplus:
///
///     w (S - F) + m F - b (B + S - 2 F) - d (T - F)  =  (w - b) S - b B + max(0, -v) F - max(0, v) T
///
/// Products and sums are taken of whole words, modulo 2^256: only the lanes that come out must fit. Nothing here can revert.
library LanePayments {
    /// Points per page.
    uint256 internal constant PAGE = 8;
    /// Pages of one turn of `_addRun`; far below what sums of lanes could overflow with.
    uint256 private constant MOST_PAGES = 1 << 16;

    uint256 private constant ONES = 0x0000000000000001000000000000000100000000000000010000000000000001;
    uint256 private constant POSITION_WH = 0x0000000000ffffff0000000000ffffff0000000000ffffff0000000000ffffff;
    uint256 private constant READING_WH = 0x000000007fffffff000000007fffffff000000007fffffff000000007fffffff;
    /// No v reaches it: added, it keeps every lane positive, and the lane has its bit again when v is not negative.
    uint256 private constant BIAS = 0x0000000200000000000000020000000000000002000000000000000200000000;
    uint256 private constant EVERY_OTHER = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    /// A slot adds at most (2^31 + 2^25) x its highest price to a lane: positions have 24 bits, readings 31. So lanes stay within
    /// +-2^63 while the highest prices add up to this.
    uint256 private constant SPENT = 1 << 31;

    /// Plans the payments of points in `zones` (one byte each), whose rows are in `table`.
    function plan(ZoneRow[] memory table, bytes memory zones) internal pure returns (LanePlan memory planned) {
        unchecked {
            uint256 points = zones.length;
            uint256 pages = (points + PAGE - 1) / PAGE;
            planned.runs = new uint256[](pages);
            planned.others = new uint256[](pages);
            planned.lanes = new bytes(pages << 6);
            uint256 runs;
            uint256 others;
            for (uint256 page = 0; page < pages; ++page) {
                uint256 first = page * PAGE;
                uint256 end = first + PAGE > points ? points : first + PAGE;
                uint256 zone = uint8(zones[first]);
                uint256 same;
                assembly ("memory-safe") {
                    // The zones of the page, and the first one repeated as often.
                    let unused := shl(3, sub(add(first, 8), end))
                    let each := shr(add(192, unused), mload(add(add(zones, 32), first)))
                    same := eq(each, shr(unused, mul(zone, 0x0101010101010101)))
                }
                if (same == 0) {
                    if (others != 0 && uint32(planned.others[others - 1]) == first) --others;
                    else planned.others[others] = first << 32;
                    planned.others[others] = (planned.others[others] & ~uint256(type(uint32).max)) | end;
                    ++others;
                    continue;
                }
                uint256 row;
                ZoneRow memory its = table[zone];
                assembly ("memory-safe") {
                    row := its
                }
                uint256 last = runs == 0 ? 0 : planned.runs[runs - 1];
                if (last >> 64 == row && uint32(last >> 32) + uint32(last) == page) planned.runs[runs - 1] = last + 1;
                else planned.runs[runs++] = (row << 64) | (page << 32) | 1;
            }
            _cut(planned.runs, runs);
            _cut(planned.others, others);
        }
    }

    /// As SlotPayments.addPayments, with no price beyond +-`highest`; money of whole pages waits in the lanes until `flush`. Positions and readings in whole pages.
    function add(
        LanePlan memory planned,
        uint256 highest,
        bytes memory rows,
        bytes memory positions,
        bytes memory readings,
        int128[] memory deltas
    ) internal pure {
        unchecked {
            if (highest > SPENT) {
                SlotPayments.addPayments(rows, positions, readings, deltas, 0, deltas.length);
                return;
            }
            if (planned.spent + highest > SPENT) flush(planned, deltas);
            planned.spent += highest; // [97]
            bytes memory lanes = planned.lanes;
            uint256[] memory runs = planned.runs;
            uint256 length = runs.length;
            for (uint256 i = 0; i < length; ++i) _addRun(runs[i], positions, readings, lanes);
            for (uint256 i = 0; i < planned.others.length; ++i) {
                uint256 each = planned.others[i];
                SlotPayments.addPayments(rows, positions, readings, deltas, each >> 32, uint32(each));
            }
        }
    }

    /// Moves the lanes into `deltas`.
    function flush(LanePlan memory planned, int128[] memory deltas) internal pure {
        bytes memory lanes = planned.lanes;
        planned.spent = 0;
        assembly ("memory-safe") {
            let delta := add(deltas, 32)
            let end := add(delta, shl(5, mload(deltas)))
            for {
                let lane := add(lanes, 32)
            } lt(delta, end) {
                lane := add(lane, 32)
            } {
                let four := mload(lane)
                mstore(lane, 0)
                // The last lane first: what it borrowed goes back to its neighbour.
                for {
                    let at_ := add(delta, 128)
                } gt(at_, delta) {} {
                    at_ := sub(at_, 32)
                    let nano := signextend(7, four)
                    four := sar(64, sub(four, nano))
                    if lt(at_, end) {
                        mstore(at_, add(mload(at_), nano)) // [25]
                    }
                }
                delta := add(delta, 128)
            }
        }
    }

    function _cut(uint256[] memory list, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(list, length)
        }
    }

    /// Pays the pages of one zone. It calls itself so that the optimiser leaves it a function: inlined, its loop would not have the stack
    /// for its variables, and cost five times as much.
    function _addRun(uint256 run, bytes memory positions, bytes memory readings, bytes memory lanes) private pure {
        if (uint32(run) > MOST_PAGES) {
            _addRun(run + (MOST_PAGES << 32) - MOST_PAGES, positions, readings, lanes);
            run = (run & ~uint256(type(uint32).max)) | MOST_PAGES;
        }
        uint256 bought;
        uint256 lacking;
        uint256 deficit;
        // Few stack slots: positions, readings and the distance of the lanes from them are cursors, and what changes not is in memory.
        assembly ("memory-safe") {
            lanes := sub(lanes, readings)
            let surplusPrice := and(shr(32, run), 0xffffffff)
            positions := add(add(positions, 16), shl(5, surplusPrice))
            readings := add(add(readings, 32), shl(6, surplusPrice))
            mstore(0x00, add(readings, shl(6, and(run, 0xffffffff))))
            run := shr(64, run)
            surplusPrice := mload(add(run, 128))
            let sellPrice := sub(mload(add(run, 32)), surplusPrice)
            mstore(0x20, add(sub(mload(add(run, 64)), surplusPrice), sellPrice))
            // The word of zeros, which has them again below.
            mstore(0x60, sub(mload(add(run, 96)), surplusPrice))
            for {} lt(readings, mload(0x00)) {} {
                // A page is two words: unrolled on purpose, a turn per word costs 4 gas more per point.
                {
                    let w := and(mload(positions), 0xffffffffffffffffffffffffffffffff)
                    w := and(or(w, shl(64, w)), EVERY_OTHER)
                    w := or(w, shl(32, w))
                    let b := mul(and(shr(31, w), ONES), 0xffffff)
                    w := and(w, POSITION_WH)
                    b := and(w, b)
                    bought := add(bought, b)
                    let pay := sub(mul(w, sellPrice), mul(b, mload(0x20)))
                    w := sub(w, add(b, b))
                    b := mload(readings)
                    b := sub(and(b, READING_WH), and(shr(31, b), READING_WH))
                    pay := add(pay, mul(b, surplusPrice))
                    w := sub(w, b)
                    lacking := add(lacking, w)
                    w := add(w, BIAS)
                    w := and(w, mul(and(shr(33, w), ONES), 0x1ffffffff))
                    deficit := add(deficit, w)
                    pay := sub(pay, mul(w, mload(0x60)))
                    b := add(readings, lanes)
                    mstore(b, add(mload(b), pay))
                }
                positions := add(positions, 16)
                readings := add(readings, 32)
                {
                    let w := and(mload(positions), 0xffffffffffffffffffffffffffffffff)
                    w := and(or(w, shl(64, w)), EVERY_OTHER)
                    w := or(w, shl(32, w))
                    let b := mul(and(shr(31, w), ONES), 0xffffff)
                    w := and(w, POSITION_WH)
                    b := and(w, b)
                    bought := add(bought, b)
                    let pay := sub(mul(w, sellPrice), mul(b, mload(0x20)))
                    w := sub(w, add(b, b))
                    b := mload(readings)
                    b := sub(and(b, READING_WH), and(shr(31, b), READING_WH))
                    pay := add(pay, mul(b, surplusPrice))
                    w := sub(w, b)
                    lacking := add(lacking, w)
                    w := add(w, BIAS)
                    w := and(w, mul(and(shr(33, w), ONES), 0x1ffffffff))
                    deficit := add(deficit, w)
                    pay := sub(pay, mul(w, mload(0x60)))
                    b := add(readings, lanes)
                    mstore(b, add(mload(b), pay))
                }
                positions := add(positions, 16)
                readings := add(readings, 32)
            }
            mstore(0x60, 0)
            // The sum of all lanes arrives in the highest one. Those of v are signed: a quarter of the range on top of each keeps them
            // positive, and makes a whole turn together. Surplus is deficit less v.
            deficit := shr(192, mul(deficit, ONES))
            bought := add(shr(192, mul(bought, ONES)), shl(160, deficit))
            lacking := shr(192, mul(add(lacking, shl(62, ONES)), ONES))
            let surplus := and(sub(deficit, lacking), 0xffffffffffffffff)
            mstore(run, add(mload(run), add(bought, shl(80, surplus))))
        }
    }
}
