// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookRing} from "./BookRing.sol";
import {ClearingVoids} from "./ClearingVoids.sol";
import {ClearingSubmission, PriceBand} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// What one replay of a book leaves in memory: one word per point, zero until the tally (read by BookTables).
/// Bits 255..192: net sold Wh of green orders that trade apart; bits 191..128: net sold Wh of all (both signed; they are added as one
/// integer, so a negative lower one has borrowed from the upper). Bits 127..16: words of the point in the book. Bit 9: its live
/// words are all read. Bits 8..0: 256 + sequence of its live words.
struct BookTable {
    uint256 memoryOffset;
    /// Points 0 .. points-1 have a table entry; not all of them need be in the book.
    uint256 points;
    /// Voids among the batches at hand, and zones that are void before all of them (ClearingVoids).
    uint256 voids;
    uint256 voided;
    /// Memory offset of the record in which void orders count.
    uint256 dead;
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
        (hash, table.voids) = fold(book, batches, start);
        table.points = bound(book);
        table.memoryOffset = room(table.points);
    }

    /// Running hash after whole batches, and how many voids are among them. Leaves no memory behind.
    function fold(
        bytes calldata book,
        bytes calldata batches,
        bytes32 start
    ) internal pure returns (bytes32 hash, uint256 voids) {
        if (book.length % WORD_BYTES != 0) revert IClearingErrors.MalformedBook(book.length);
        uint256 end;
        uint256 ragged;
        bytes32 kept = BookRing.HASH;
        hash = start;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let batch := batches.offset
            let last := add(batch, batches.length)
            end := book.offset
            for {} lt(batch, last) {
                batch := add(batch, 2)
            } {
                let size := shl(4, shr(240, calldataload(batch)))
                mstore(free, hash)
                if iszero(size) {
                    // BookRing.voided: no batch is empty.
                    calldatacopy(add(free, 0x20), add(batch, 2), 0x20)
                    mstore8(add(free, 0x40), 0)
                    hash := and(keccak256(free, 0x41), kept) // [93]
                    batch := add(batch, 0x20)
                    voids := add(voids, 1)
                    continue
                }
                calldatacopy(add(free, 0x20), end, size)
                hash := and(keccak256(free, add(size, 0x20)), kept) // [1]
                end := add(end, size)
            }
            end := sub(end, book.offset)
            ragged := xor(batch, last)
        }
        if (end != book.length || ragged != 0) {
            revert IClearingErrors.MalformedBatches(end / WORD_BYTES, book.length / WORD_BYTES);
        }
    }

    /// A bound of the points in the book, at most twice as high as need be: all bits of any of them, and one.
    function bound(bytes calldata book) internal pure returns (uint256 points) {
        if (book.length == 0) return 0;
        // The sequences of orders begin with 1.
        if (book[4] == 0) revert IClearingErrors.NoSequence();
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
    function room(uint256 points) internal pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := mload(0x40)
            let size := shl(5, and(add(points, 3), not(3)))
            calldatacopy(offset, calldatasize(), size)
            mstore(0x40, add(offset, size))
        }
    }

    /// Sorts every live word by the posted price of its zone, or of the zone's twin: better orders are filled into the table,
    /// orders at the price are summed and listed, and all move the known bounds. Parts of a book may be tallied one after the other,
    /// the last first; `close` ends it.
    /// @param zones records of `count` zones, then of their twins if green orders trade apart
    /// @return welfare of the orders filled here, before fees, nano-token
    /// @return margin calldata offsets of the words at the price, the last appended first
    function tally(
        ClearingSubmission calldata submission,
        BookTable memory table,
        ZoneTally[] memory zones,
        uint256 count
    ) internal pure returns (int256 welfare, uint256[] memory margin) {
        ZoneTally memory nowhere;
        ZoneTally memory twin;
        nowhere.price = twin.price = type(int256).max;
        nowhere.lo = twin.lo = type(int256).min;
        uint256 directory = _directory(zones, count, nowhere);
        bool apart = zones.length > count;
        if (table.voids | table.voided == 0)
            (welfare, margin) = read(submission.book, table.memoryOffset, directory, apart);
        else (welfare, margin) = ClearingVoids.read(submission, table, directory, apart);
        // Below the highest price every bid is left and every offer filled.
        if (_isFound(nowhere) || _isFound(twin)) _refuseZone(submission.book, count);
    }

    /// Ends the tally of a whole book.
    /// @return feesNano fees on the bids that are better than the price, still to be taken off the welfare
    function close(ZoneTally[] memory zones, PriceBand memory band) internal pure returns (int256 feesNano) {
        unchecked {
            for (uint256 i = 0; i < zones.length; ++i) feesNano += _close(zones[i], band);
        }
    }

    function _isFound(ZoneTally memory nowhere) private pure returns (bool) {
        return nowhere.offerWh != 0 || nowhere.lo != type(int256).min;
    }

    /// The loop left what bids say gross of the fee, and the least good order filled in full apart: only if it lies at the band's
    /// edge do they all. [15]
    /// @return feeNano fee on the bids filled in the loop
    function _close(ZoneTally memory zone, PriceBand memory band) private pure returns (int256 feeNano) {
        unchecked {
            int256 fee = zone.fee;
            if (zone.lo != type(int256).min) zone.lo -= fee;
            if (zone.hiFull != type(int256).max) {
                int256 highest = zone.hiFull - fee;
                bool inside = zone.hiFull != band.max;
                zone.hiFull = inside ? type(int256).max : highest;
                if (inside && highest < zone.hi) zone.hi = highest;
            }
            if (zone.loFull != type(int256).min && zone.loFull != band.min) {
                if (zone.loFull > zone.lo) zone.lo = zone.loFull;
                zone.loFull = type(int256).min;
            }
            return int256(zone.bidWh) * fee;
        }
    }

    /// Pointers to the records of all 256 zones that a word can name, so that the loop needs no bounds check.
    function _directory(
        ZoneTally[] memory zones,
        uint256 count,
        ZoneTally memory nowhere
    ) private pure returns (uint256 directory) {
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
    /// offerMarginWh 0x160, unit 0x280; its size, which leads from a zone to its twin, is 0x2c0.
    ///
    /// Neighbouring words of one order on one side are read as one run: entry and record are looked up once for it. A run ends
    /// where point, sequence, zone or flags change, at the latest before the book: what stands there is the book's length, whose
    /// highest bytes are zero, and the first word has a sequence (`replay`).
    /// @param zones a directory of 256 pointers
    /// @param apart green offers trade apart; green-only bids always do
    /// @return welfare as `tally`, but for the fees; margin as `tally`
    function read(
        bytes calldata book,
        uint256 entries,
        uint256 zones,
        bool apart
    ) internal pure returns (int256 welfare, uint256[] memory margin) {
        // Few stack slots: `book.length` is the cursor, the free memory pointer ends the list.
        assembly ("memory-safe") {
            margin := mload(0x40)
            mstore(0x40, add(margin, 0x20))
            mstore(0x20, mul(apart, 0x160))
            book.length := sub(add(book.offset, book.length), 16)
            let word := calldataload(book.length)
            for {} iszero(lt(book.length, book.offset)) {} {
                let entry := add(entries, shl(5, shr(224, word)))
                let state := mload(entry)
                {
                    let live := or(0x100, byte(4, word))
                    if xor(and(state, 0x3ff), live) {
                        if and(state, 0x3ff) {
                            // Replaced: what stands before belongs to no live order. [2]
                            mstore(entry, add(or(state, 0x200), 0x10000))
                            book.length := sub(book.length, 16)
                            word := calldataload(book.length)
                            continue
                        }
                        state := live
                    }
                }
                let head := shr(200, word)
                let zone := mload(add(zones, shl(5, byte(5, word))))
                if and(head, 1) {
                    zone := add(zone, mul(and(head, 2), mload(0x20))) // [33]
                    let price := mload(zone)
                    for {} eq(shr(200, word), head) {
                        book.length := sub(book.length, 16)
                        word := calldataload(book.length)
                    } {
                        state := add(state, 0x10000)
                        let energy := and(shr(168, word), 0xffffffff)
                        if iszero(energy) {
                            continue
                        }
                        let limit := sar(216, shl(88, word))
                        if slt(limit, mload(add(zone, 0x60))) {
                            // [3]
                            limit := mload(add(zone, 0x60))
                        }
                        if slt(limit, price) {
                            if sgt(limit, mload(add(zone, 0xc0))) {
                                mstore(add(zone, 0xc0), limit)
                            }
                            state := add(state, mul(energy, mload(add(zone, 0x280)))) // [5]
                            welfare := sub(welfare, mul(limit, energy))
                            mstore(add(zone, 0x120), add(mload(add(zone, 0x120)), energy))
                            continue
                        }
                        if sgt(limit, price) {
                            if slt(limit, mload(add(zone, 0xa0))) {
                                mstore(add(zone, 0xa0), limit)
                            }
                            continue
                        }
                        mstore(add(zone, 0x160), add(mload(add(zone, 0x160)), energy))
                        mstore(mload(0x40), book.length)
                        mstore(0x40, add(mload(0x40), 0x20))
                    }
                    mstore(entry, state)
                    continue
                }
                zone := add(zone, mul(and(head, 2), 0x160)) // [33]
                let price := add(mload(zone), mload(add(zone, 0x20)))
                for {} eq(shr(200, word), head) {
                    book.length := sub(book.length, 16)
                    word := calldataload(book.length)
                } {
                    state := add(state, 0x10000)
                    let energy := and(shr(168, word), 0xffffffff)
                    if iszero(energy) {
                        continue
                    }
                    let limit := sar(216, shl(88, word))
                    if sgt(limit, mload(add(zone, 0x40))) {
                        // [3]
                        limit := mload(add(zone, 0x40))
                    }
                    if sgt(limit, price) {
                        if slt(limit, mload(add(zone, 0xe0))) {
                            mstore(add(zone, 0xe0), limit)
                        }
                        state := sub(state, mul(energy, mload(add(zone, 0x280)))) // [5]
                        welfare := add(welfare, mul(limit, energy))
                        mstore(add(zone, 0x100), add(mload(add(zone, 0x100)), energy))
                        continue
                    }
                    if slt(limit, price) {
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
            }
            mstore(margin, shr(5, sub(mload(0x40), add(margin, 0x20))))
        }
    }
}
