// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {PriceBand} from "./MarketTypes.sol";
import {PackedEnergy} from "./PackedEnergy.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// What one replay of a book leaves in memory: one word per point, zero until the tally.
/// Bits 255..128: net sold Wh (signed). Bits 127..16: words of the point in the book. Bit 9: its live words are all read.
/// Bits 8..0: 256 + sequence of its live words.
struct BookTable {
    uint256 memoryOffset;
    /// Points 0 .. points-1 have a table entry; not all of them need be in the book.
    uint256 points;
}

/// Reads a slot's book from calldata: hash, live words, sums at the margin, fills. In assembly, since it runs per order.
///
/// Live words. The book is append-only and a later order of a point replaces its earlier one. The words of one order have
/// one sequence byte and two consecutive orders of a point never have the same, so the live words of a point are the last
/// run of equal sequence among its words. (Comparing sequences alone would revive an old order once the byte wraps.)
/// Read from its end, a book shows each point's live words first.
///
/// Word in the upper half of a calldata word: byte 0..3 point, 4 sequence, 5 zone, 6 flags, 7..10 energy, 11..15 price.
library ClearingBook {
    uint256 internal constant WORD_BYTES = 16;
    /// More points than one transaction could pay the memory for (EIP-7825); a typed refusal instead of running dry.
    uint256 internal constant MAX_POINTS = 1 << 20;

    /// Folds the book into its running hash and makes room for its points.
    /// @param batches number of words of every batch that was appended, 2 bytes each
    /// @param start hash before the first word
    /// @return hash running hash after the last word
    /// @return table room for every point in the book
    function replay(
        bytes calldata book,
        bytes calldata batches,
        bytes32 start
    ) internal pure returns (bytes32 hash, BookTable memory table) {
        if (book.length % WORD_BYTES != 0) revert IClearingErrors.MalformedBook(book.length);
        uint256 end;
        hash = start;
        assembly ("memory-safe") {
            let free := mload(0x40)
            end := book.offset
            for {
                let batch := batches.offset
                let last := add(batch, batches.length)
            } lt(batch, last) {
                batch := add(batch, 2)
            } {
                let size := shl(4, shr(240, calldataload(batch)))
                mstore(free, hash)
                calldatacopy(add(free, 0x20), end, size)
                hash := keccak256(free, add(size, 0x20)) // [1]
                end := add(end, size)
            }
            end := sub(end, book.offset)
        }
        if (end != book.length || batches.length & 1 != 0) {
            revert IClearingErrors.MalformedBatches(end / WORD_BYTES, book.length / WORD_BYTES);
        }
        table.points = _bound(book);
        table.memoryOffset = _room(table.points);
    }

    /// A bound of the points in the book, at most twice as high as need be: all bits of any of them, and one.
    function _bound(bytes calldata book) private pure returns (uint256 points) {
        if (book.length == 0) return 0;
        assembly ("memory-safe") {
            let offset := book.offset
            let end := add(offset, book.length)
            // Eight words a turn; the turns of the remaining ones follow.
            for {
                let last := sub(end, and(book.length, 127))
            } lt(offset, last) {
                offset := add(offset, 128)
            } {
                points := or(
                    or(
                        or(or(points, calldataload(offset)), calldataload(add(offset, 16))),
                        or(calldataload(add(offset, 32)), calldataload(add(offset, 48)))
                    ),
                    or(
                        or(calldataload(add(offset, 64)), calldataload(add(offset, 80))),
                        or(calldataload(add(offset, 96)), calldataload(add(offset, 112)))
                    )
                )
            }
            for {} lt(offset, end) {
                offset := add(offset, 16)
            } {
                points := or(points, calldataload(offset))
            }
            points := add(shr(224, points), 1)
        }
        if (points > MAX_POINTS) _refusePoint(book);
    }

    function _refusePoint(bytes calldata book) private pure {
        for (uint256 offset = 0; offset < book.length; offset += WORD_BYTES) {
            uint256 point = uint32(bytes4(book[offset:]));
            if (point >= MAX_POINTS) revert IClearingErrors.PointOutOfRange(point, MAX_POINTS);
        }
    }

    /// Cleared memory for so many entries, and up to three more, since positions are written four at a time.
    function _room(uint256 points) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := mload(0x40)
            let size := shl(5, and(add(points, 3), not(3)))
            calldatacopy(offset, calldatasize(), size)
            mstore(0x40, add(offset, size))
        }
    }

    /// Sorts every live word by its zone's posted price: better orders are filled into the table, orders at the price are
    /// summed and listed, and all move the zone's known bounds.
    /// @return welfare of the orders filled here, nano-token
    /// @return margin calldata offsets of the words at the price, the last appended first
    function tally(
        bytes calldata book,
        BookTable memory table,
        ZoneTally[] memory zones,
        PriceBand memory band
    ) internal pure returns (int256 welfare, uint256[] memory margin) {
        ZoneTally memory nowhere;
        nowhere.price = type(int256).max;
        nowhere.lo = type(int256).min;
        (welfare, margin) = _read(book, table.memoryOffset, _directory(zones, nowhere));
        // Below the highest price every bid is left and every offer filled.
        if (nowhere.offerWh != 0 || nowhere.lo != type(int256).min) _refuseZone(book, zones.length);
        unchecked {
            // [15]
            // The loop kept the least good order filled in full apart: only if it lies at the band's edge do they all.
            for (uint256 i = 0; i < zones.length; ++i) {
                ZoneTally memory zone = zones[i];
                if (zone.hiFull != type(int256).max && zone.hiFull + zone.fee != band.max) {
                    if (zone.hiFull < zone.hi) zone.hi = zone.hiFull;
                    zone.hiFull = type(int256).max;
                }
                if (zone.loFull != type(int256).min && zone.loFull != band.min) {
                    if (zone.loFull > zone.lo) zone.lo = zone.loFull;
                    zone.loFull = type(int256).min;
                }
            }
        }
    }

    /// Pointers to the records of all 256 zones that a word can name, so that the loop needs no bounds check.
    function _directory(ZoneTally[] memory zones, ZoneTally memory nowhere) private pure returns (uint256 directory) {
        assembly ("memory-safe") {
            directory := mload(0x40)
            mstore(0x40, add(directory, 0x2000))
            mstore(directory, nowhere)
            for {
                let size := 0x20
            } lt(size, 0x2000) {
                size := shl(1, size)
            } {
                mcopy(add(directory, size), directory, size)
            }
            let count := mload(zones)
            if gt(count, 256) {
                count := 256
            }
            mcopy(directory, add(zones, 0x20), shl(5, count))
        }
    }

    function _refuseZone(bytes calldata book, uint256 zones) private pure {
        for (uint256 offset = 0; offset < book.length; offset += WORD_BYTES) {
            uint256 zone = uint8(book[offset + 5]);
            bool cancels = bytes4(book[offset + 7:]) == 0;
            if (zone >= zones && !cancels) revert IClearingErrors.UnknownZone(zone, zones);
        }
    }

    /// The loop of `tally`, from the book's end. Offsets of the fields of a ZoneTally: price 0x00, fee 0x20, bidCap 0x40,
    /// offerFloor 0x60, lo 0x80, hi 0xa0, loFull 0xc0, hiFull 0xe0, bidWh 0x100, offerWh 0x120, bidMarginWh 0x140,
    /// offerMarginWh 0x160.
    /// @param zones a directory of 256 pointers
    /// @return welfare as `tally`; margin as `tally`
    function _read(
        bytes calldata book,
        uint256 entries,
        uint256 zones
    ) private pure returns (int256 welfare, uint256[] memory margin) {
        // Few stack slots: `book.length` is the cursor, the free memory pointer ends the list.
        assembly ("memory-safe") {
            margin := mload(0x40)
            mstore(0x40, add(margin, 0x20))
            // The steps of one order mostly stand together: entry, its value and the zone are kept between them. Entry 0 is
            // scratch space.
            let head := not(0)
            let entry := 0
            let state := 0
            let zone := 0
            for {
                book.length := add(book.offset, book.length)
            } gt(book.length, book.offset) {} {
                book.length := sub(book.length, 16)
                let word := calldataload(book.length)
                if xor(shr(208, word), head) {
                    mstore(entry, state)
                    head := shr(208, word)
                    entry := add(entries, shl(5, shr(224, word)))
                    state := mload(entry)
                    zone := or(0x100, byte(4, word))
                    if xor(and(state, 0x3ff), zone) {
                        if and(state, 0x3ff) {
                            // Replaced: what stands before belongs to no live order. [2]
                            mstore(entry, add(or(state, 0x200), 0x10000))
                            entry := 0
                            head := not(0)
                            continue
                        }
                        state := zone
                    }
                    zone := mload(add(zones, shl(5, byte(5, word))))
                }
                state := add(state, 0x10000)
                let energy := and(shr(168, word), 0xffffffff)
                if iszero(energy) {
                    continue
                }
                let limit := sar(216, shl(88, word))
                if and(byte(6, word), 1) {
                    if slt(limit, mload(add(zone, 0x60))) {
                        // [3]
                        limit := mload(add(zone, 0x60))
                    }
                    if slt(limit, mload(zone)) {
                        if sgt(limit, mload(add(zone, 0xc0))) {
                            mstore(add(zone, 0xc0), limit)
                        }
                        state := add(state, shl(128, energy)) // [5]
                        welfare := sub(welfare, mul(limit, energy))
                        mstore(add(zone, 0x120), add(mload(add(zone, 0x120)), energy))
                        continue
                    }
                    if sgt(limit, mload(zone)) {
                        if slt(limit, mload(add(zone, 0xa0))) {
                            mstore(add(zone, 0xa0), limit)
                        }
                        continue
                    }
                    mstore(add(zone, 0x160), add(mload(add(zone, 0x160)), energy))
                    mstore(mload(0x40), book.length)
                    mstore(0x40, add(mload(0x40), 0x20))
                    continue
                }
                if sgt(limit, mload(add(zone, 0x40))) {
                    // [3]
                    limit := mload(add(zone, 0x40))
                }
                limit := sub(limit, mload(add(zone, 0x20)))
                if sgt(limit, mload(zone)) {
                    if slt(limit, mload(add(zone, 0xe0))) {
                        mstore(add(zone, 0xe0), limit)
                    }
                    state := sub(state, shl(128, energy)) // [5]
                    welfare := add(welfare, mul(limit, energy))
                    mstore(add(zone, 0x100), add(mload(add(zone, 0x100)), energy))
                    continue
                }
                if slt(limit, mload(zone)) {
                    if sgt(limit, mload(add(zone, 0x80))) {
                        mstore(add(zone, 0x80), limit)
                    }
                    continue
                }
                mstore(add(zone, 0x140), add(mload(add(zone, 0x140)), energy))
                mstore(mload(0x40), book.length)
                mstore(0x40, add(mload(0x40), 0x20))
            }
            mstore(entry, state)
            mstore(margin, shr(5, sub(mload(0x40), add(margin, 0x20))))
        }
    }

    /// Hands the posted marginal totals out pro rata: floor(energy x total / available), and the remainder as one Wh each to
    /// the first orders by order of append. Callers have checked total <= available for every zone.
    function fillMargin(BookTable memory table, ZoneTally[] memory zones, uint256[] memory margin) internal pure {
        bool shared;
        uint256 count = zones.length;
        for (uint256 i = 0; i < count; ++i) {
            ZoneTally memory zone = zones[i];
            zone.bidRestWh = zone.bidFilledWh;
            zone.offerRestWh = zone.offerFilledWh;
            shared =
                shared ||
                (zone.bidFilledWh != 0 && zone.bidFilledWh != zone.bidMarginWh) ||
                (zone.offerFilledWh != 0 && zone.offerFilledWh != zone.offerMarginWh);
        }
        // Fields of the two sides lie 0x20 apart: available at 0x140, total at 0x180, rest at 0x1c0.
        if (shared) {
            assembly ("memory-safe") {
                let end := add(add(margin, 0x20), shl(5, mload(margin)))
                for {
                    let item := add(margin, 0x20)
                } lt(item, end) {
                    item := add(item, 0x20)
                } {
                    let word := calldataload(mload(item))
                    let zone := mload(add(add(zones, 0x20), shl(5, byte(5, word))))
                    let side := add(zone, shl(5, and(byte(6, word), 1)))
                    let share := div(
                        mul(and(shr(168, word), 0xffffffff), mload(add(side, 0x180))),
                        mload(add(side, 0x140))
                    )
                    mstore(add(side, 0x1c0), sub(mload(add(side, 0x1c0)), share))
                }
            }
        }
        // The list begins with the last word appended.
        assembly ("memory-safe") {
            let entries := mload(table)
            for {
                let item := add(margin, shl(5, mload(margin)))
            } gt(item, margin) {
                item := sub(item, 0x20)
            } {
                let word := calldataload(mload(item))
                let zone := mload(add(add(zones, 0x20), shl(5, byte(5, word))))
                let offer := and(byte(6, word), 1)
                let side := add(zone, shl(5, offer))
                let share := and(shr(168, word), 0xffffffff)
                let total := mload(add(side, 0x180))
                let available := mload(add(side, 0x140))
                if xor(total, available) {
                    let rest := add(side, 0x1c0)
                    let extra := iszero(iszero(mload(rest)))
                    share := add(div(mul(share, total), available), extra) // [7]
                    mstore(rest, sub(mload(rest), extra))
                }
                let entry := add(entries, shl(5, shr(224, word)))
                switch offer
                case 0 {
                    mstore(entry, sub(mload(entry), shl(128, share)))
                }
                default {
                    mstore(entry, add(mload(entry), shl(128, share)))
                }
            }
        }
    }

    /// Net sold Wh of a point: negative = bought.
    function soldWhOf(BookTable memory table, uint256 point) internal pure returns (int256 soldWh) {
        uint256 offset = table.memoryOffset + point * 32;
        assembly ("memory-safe") {
            soldWh := sar(128, mload(offset))
        }
    }

    /// Points from 0 to the highest in the book.
    function pointsOf(BookTable memory table) internal pure returns (uint256 points) {
        points = table.points;
        assembly ("memory-safe") {
            for {
                let entry := add(mload(table), shl(5, points))
            } points {
                points := sub(points, 1)
            } {
                entry := sub(entry, 0x20)
                if mload(entry) {
                    break
                }
            }
        }
    }

    /// The table as dense positions (PackedEnergy) with the number of words of each point, up to the highest in the book.
    function positionsOf(BookTable memory table) internal pure returns (bytes memory positions) {
        uint256 points = pointsOf(table);
        uint256 large;
        assembly ("memory-safe") {
            let entries := mload(table)
            positions := mload(0x40)
            mstore(positions, shl(2, points))
            let target := add(positions, 0x20)
            // Every position is written as the top of a whole memory word, in order; 28 bytes spill over. Four entries a turn.
            mstore(0x40, add(target, and(add(shl(2, points), 91), not(31))))
            let entry
            let sold
            let sign
            for {
                let end := add(entries, shl(5, points))
            } lt(entries, end) {
                entries := add(entries, 0x80)
            } {
                entry := mload(entries)
                sold := sar(128, entry)
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(target, shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                entry := mload(add(entries, 0x20))
                sold := sar(128, entry)
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(add(target, 4), shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                entry := mload(add(entries, 0x40))
                sold := sar(128, entry)
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(add(target, 8), shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                entry := mload(add(entries, 0x60))
                sold := sar(128, entry)
                sign := sar(255, sold)
                sold := sub(xor(sold, sign), sign)
                entry := and(entry, 0xffffffff0000)
                large := or(large, or(sold, shl(1, entry)))
                mstore(add(target, 12), shl(224, or(or(sold, shl(8, entry)), and(sign, 0x80000000))))
                target := add(target, 16)
            }
        }
        if (large > PackedEnergy.MAX_WH) _refuseOverflow(table); // [22]
    }

    function _refuseOverflow(BookTable memory table) private pure {
        for (uint256 point = 0; point < table.points; ++point) {
            int256 soldWh = soldWhOf(table, point);
            uint256 words;
            uint256 offset = table.memoryOffset + point * 32;
            assembly ("memory-safe") {
                words := and(shr(16, mload(offset)), 0xffffffff)
            }
            uint256 energyWh = uint256(soldWh < 0 ? -soldWh : soldWh);
            if (energyWh > PackedEnergy.MAX_WH || words > PackedEnergy.MAX_WORDS)
                revert IClearingErrors.PositionOverflow(point, soldWh, words);
        }
    }
}
