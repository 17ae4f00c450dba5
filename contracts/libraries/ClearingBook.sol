// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookRing} from "./BookRing.sol";
import {ClearingLoops} from "./ClearingLoops.sol";
import {ClearingVoids} from "./ClearingVoids.sol";
import {ClearingSubmission, PriceBand} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// What one replay of a book leaves in memory: one word per point, zero until the tally (read by BookTables).
/// Bits 255..192: net sold Wh of green orders that trade apart; bits 191..128: net sold Wh of all (both signed; they are added as one
/// integer, so a negative lower one has borrowed from the upper). Bits 127..96: words of the point in the book. Bit 9: its live
/// words are all read. Bits 7..0: sequence of its live words.
struct BookTable {
    uint256 memoryOffset;
    /// Points 0 .. points-1 have a table entry; not all of them need be in the book.
    uint256 points;
    /// The words name zones below this.
    uint256 zones;
    /// Voids among the batches at hand, and zones that are void before all of them (ClearingVoids).
    uint256 voids;
    uint256 voided;
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
        (table.points, table.zones) = bound(book);
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

    /// Bounds of the points in the book and of the zones that its words name, at most twice as high as need be: all bits of any of
    /// them, and one.
    function bound(bytes calldata book) internal pure returns (uint256 points, uint256 zones) {
        if (book.length == 0) return (0, 0);
        // The sequences of orders begin with 1.
        if (book[4] == 0) revert IClearingErrors.NoSequence();
        assembly ("memory-safe") {
            let offset := book.offset
            let end := add(offset, book.length)
            let bits := 0
            // Sixteen words a turn, two at once; the turns of the remaining ones follow.
            for {
                let last := sub(end, and(book.length, 255))
            } lt(offset, last) {
                offset := add(offset, 256)
            } {
                bits := or(
                    or(
                        or(or(bits, calldataload(offset)), calldataload(add(offset, 32))),
                        or(calldataload(add(offset, 64)), calldataload(add(offset, 96)))
                    ),
                    or(
                        or(calldataload(add(offset, 128)), calldataload(add(offset, 160))),
                        or(calldataload(add(offset, 192)), calldataload(add(offset, 224)))
                    )
                )
            }
            bits := or(bits, shl(128, bits))
            for {} lt(offset, end) {
                offset := add(offset, 16)
            } {
                bits := or(bits, calldataload(offset))
            }
            points := add(shr(224, bits), 1)
            zones := add(byte(5, bits), 1)
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
    /// @return margin calldata offsets of the words at the price, the last appended first
    function tally(
        ClearingSubmission calldata submission,
        BookTable memory table,
        ZoneTally[] memory zones,
        uint256 count
    ) internal pure returns (uint256[] memory margin) {
        bool whole = table.voids | table.voided == 0;
        uint256 named = whole ? table.zones : 256;
        ZoneTally memory nowhere;
        if (named > count) nowhere = worst();
        uint256 directory = _directory(zones, count, named, nowhere);
        if (whole) margin = ClearingLoops.read(submission.book, table.memoryOffset, directory, table.points);
        else margin = ClearingVoids.read(submission, table, directory);
        if (named > count && (nowhere.lo & nowhere.hi) != type(int256).max) _refuseZone(submission.book, count);
    }

    /// Ends the tally of a whole book.
    /// @return welfareNano welfare of the orders that are better than the price
    function close(ZoneTally[] memory zones, PriceBand memory band) internal pure returns (int256 welfareNano) {
        unchecked {
            for (uint256 i = 0; i < zones.length; ++i) welfareNano += _close(zones[i], band);
        }
    }

    /// The loop left what bids say gross of the fee, and the least good order filled in full apart: only if it lies at the band's
    /// edge do they all. [15]
    function _close(ZoneTally memory zone, PriceBand memory band) private pure returns (int256 welfareNano) {
        unchecked {
            turn(zone);
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
            int256 asked;
            int256 offered;
            (zone.offerWh, offered) = _split(zone.offerWh);
            (zone.bidWh, asked) = _split(zone.bidWh);
            // The complement of a limit is one less than its negative.
            return -asked - int256(zone.bidWh) * (fee + 1) - offered;
        }
    }

    /// Complements of what is said of bids, for the loop, and back.
    function turn(ZoneTally memory zone) internal pure {
        (zone.bidCap, zone.hiFull, zone.lo, zone.gross) = (~zone.bidCap, ~zone.hiFull, ~zone.lo, ~zone.gross);
    }

    /// Wh and value of 2^128 x Wh + value: at most 2^20 words of less than 2^32 Wh, with limits of at most 64 bits.
    function _split(uint256 sum) private pure returns (uint256 energyWh, int256 valueNano) {
        unchecked {
            valueNano = int128(uint128(sum));
            energyWh = (sum - uint256(valueNano)) >> 128;
        }
    }

    /// A record in which every order is worse than the price.
    function worst() internal pure returns (ZoneTally memory record) {
        // Both spans are zero, and no limit is less than these.
        record.price = record.gross = record.offerFloor = record.bidCap = type(int256).min >> 1;
        record.hi = record.lo = type(int256).max;
        record.bidMask = type(uint256).max;
    }

    /// Where the loop finds the records of all zones that a word of the book names, so that it needs no bounds check: four pointers per
    /// zone, to the blocks of bids, offers, green bids and green offers.
    /// @param nowhere record of unknown zones
    function _directory(
        ZoneTally[] memory zones,
        uint256 count,
        uint256 named,
        ZoneTally memory nowhere
    ) private pure returns (uint256 directory) {
        assembly ("memory-safe") {
            directory := mload(0x40)
            let at_ := directory
            let end := add(directory, shl(7, named))
            mstore(0x40, end)
            let apart := mul(0x380, gt(mload(zones), count))
            for {
                let item := add(zones, 0x20)
                let last := add(item, shl(5, count))
            } lt(at_, end) {
                at_ := add(at_, 0x80)
                item := add(item, 0x20)
            } {
                let zone := nowhere
                let twin := nowhere
                if lt(item, last) {
                    zone := mload(item)
                    twin := add(zone, 0x380)
                }
                mstore(at_, zone)
                mstore(add(at_, 0x20), add(zone, 0x160))
                mstore(add(at_, 0x40), twin)
                mstore(add(at_, 0x60), add(add(zone, 0x160), mul(apart, lt(item, last))))
            }
        }
    }

    function _refuseZone(bytes calldata book, uint256 zones) private pure {
        for (uint256 offset = 0; offset < book.length; offset += WORD_BYTES) {
            uint256 zone = uint8(book[offset + 5]);
            bool cancels = bytes4(book[offset + 7:]) == 0;
            if (zone >= zones && !cancels) revert IClearingErrors.UnknownZone(zone, zones);
        }
    }
}
