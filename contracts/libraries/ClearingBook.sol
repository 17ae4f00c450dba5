// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {PriceBand} from "./MarketTypes.sol";
import {PackedEnergy} from "./PackedEnergy.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// What one replay of a book leaves in memory: one word per point.
/// Bits 255..128: net sold Wh (signed); bits 127..9: calldata offset where the point's live words begin;
/// bits 8..0: 256 + sequence of those words. 0 = the point has no word.
struct BookTable {
    uint256 memoryOffset;
    /// Points 0 .. points-1 have a table entry.
    uint256 points;
}

/// Reads a slot's book from calldata: hash, live words, sums at the margin, fills. In assembly, since it runs per order.
///
/// Live words. The book is append-only and a later order of a point replaces its earlier one. The words of one order have
/// one sequence byte and two consecutive orders of a point never have the same, so the live words of a point are the last
/// run of equal sequence among its words. (Comparing sequences alone would revive an old order once the byte wraps.)
///
/// Word in the upper half of a calldata word: byte 0..3 point, 4 sequence, 5 zone, 6 flags, 7..10 energy, 11..15 price.
library ClearingBook {
    uint256 internal constant WORD_BYTES = 16;
    /// More points than one transaction could pay the memory for (EIP-7825); a typed refusal instead of running dry.
    uint256 internal constant MAX_POINTS = 1 << 20;

    /// Folds the book into its running hash and finds each point's live words.
    /// @param start hash before the first word
    /// @return hash running hash after the last word
    /// @return table who owns which live words
    function replay(bytes calldata book, bytes32 start) internal pure returns (bytes32 hash, BookTable memory table) {
        if (book.length % WORD_BYTES != 0) revert IClearingErrors.MalformedBook(book.length);
        uint256 beyond;
        uint256 entries;
        uint256 length;
        assembly ("memory-safe") {
            entries := mload(0x40)
            mstore(0x00, start)
            let end := add(book.offset, book.length)
            for {
                let offset := book.offset
            } lt(offset, end) {
                offset := add(offset, 16)
            } {
                let word := calldataload(offset)
                mstore(0x20, word)
                mstore(0x00, keccak256(0x00, 48))
                let point := shr(224, word)
                if iszero(lt(point, length)) {
                    if iszero(lt(point, 1048576)) {
                        beyond := add(point, 1)
                        break
                    }
                    // Grow in steps of 64 entries; the memory may be dirty, so it is cleared.
                    let grown := and(add(point, 64), not(63))
                    calldatacopy(add(entries, shl(5, length)), calldatasize(), shl(5, sub(grown, length)))
                    length := grown
                }
                let entry := add(entries, shl(5, point))
                let tag := or(0x100, byte(4, word))
                if xor(and(mload(entry), 0x1ff), tag) {
                    mstore(entry, or(shl(9, offset), tag))
                }
            }
            hash := mload(0x00)
            mstore(0x40, add(entries, shl(5, length)))
            for {} length {} {
                let last := sub(length, 1)
                if mload(add(entries, shl(5, last))) {
                    break
                }
                length := last
            }
        }
        if (beyond != 0) revert IClearingErrors.PointOutOfRange(beyond - 1, MAX_POINTS);
        table.memoryOffset = entries;
        table.points = length;
    }

    /// Sorts every live word by its zone's posted price: better orders are filled into the table, orders at the price are
    /// summed and listed, and all move the zone's known bounds.
    /// @return welfare of the orders filled here, nano-token
    /// @return margin calldata offsets of the words at the price, in order of append
    function tally(
        bytes calldata book,
        BookTable memory table,
        ZoneTally[] memory zones,
        PriceBand memory band
    ) internal pure returns (int256 welfare, uint256[] memory margin) {
        // Few stack slots: `book.offset` is the cursor, `book.length` becomes its end, the free memory pointer ends the list.
        assembly ("memory-safe") {
            margin := mload(0x40)
            mstore(0x40, add(margin, 0x20))
            for {
                book.length := add(book.offset, book.length)
            } lt(book.offset, book.length) {
                book.offset := add(book.offset, 16)
            } {
                let word := calldataload(book.offset)
                let energy := and(shr(168, word), 0xffffffff)
                let entry := add(mload(table), shl(5, shr(224, word)))
                if or(iszero(energy), lt(book.offset, shr(137, shl(128, mload(entry))))) {
                    continue
                }
                if iszero(lt(byte(5, word), mload(zones))) {
                    break
                }
                let zone := mload(add(add(zones, 0x20), shl(5, byte(5, word))))
                let limit := sar(216, shl(88, word))
                switch and(byte(6, word), 1)
                case 0 {
                    if sgt(limit, mload(add(zone, 0x40))) {
                        limit := mload(add(zone, 0x40))
                    }
                    let net := sub(limit, mload(add(zone, 0x20)))
                    switch sgt(net, mload(zone))
                    case 0 {
                        switch eq(net, mload(zone))
                        case 0 {
                            if sgt(net, mload(add(zone, 0x80))) {
                                mstore(add(zone, 0x80), net)
                            }
                        }
                        default {
                            mstore(add(zone, 0x140), add(mload(add(zone, 0x140)), energy))
                            mstore(mload(0x40), book.offset)
                            mstore(0x40, add(mload(0x40), 0x20))
                        }
                    }
                    default {
                        // hi, or hiFull where the limit is the band's upper edge
                        let bound := add(zone, add(0xa0, shl(6, eq(limit, mload(add(band, 0x20))))))
                        if slt(net, mload(bound)) {
                            mstore(bound, net)
                        }
                        mstore(add(zone, 0x100), add(mload(add(zone, 0x100)), energy))
                        mstore(entry, sub(mload(entry), shl(128, energy)))
                        welfare := add(welfare, mul(net, energy))
                    }
                }
                default {
                    if slt(limit, mload(add(zone, 0x60))) {
                        limit := mload(add(zone, 0x60))
                    }
                    switch slt(limit, mload(zone))
                    case 0 {
                        switch eq(limit, mload(zone))
                        case 0 {
                            if slt(limit, mload(add(zone, 0xa0))) {
                                mstore(add(zone, 0xa0), limit)
                            }
                        }
                        default {
                            mstore(add(zone, 0x160), add(mload(add(zone, 0x160)), energy))
                            mstore(mload(0x40), book.offset)
                            mstore(0x40, add(mload(0x40), 0x20))
                        }
                    }
                    default {
                        // lo, or loFull where the limit is the band's lower edge
                        let bound := add(zone, add(0x80, shl(6, eq(limit, mload(band)))))
                        if sgt(limit, mload(bound)) {
                            mstore(bound, limit)
                        }
                        mstore(add(zone, 0x120), add(mload(add(zone, 0x120)), energy))
                        mstore(entry, add(mload(entry), shl(128, energy)))
                        welfare := sub(welfare, mul(limit, energy))
                    }
                }
            }
            mstore(margin, shr(5, sub(mload(0x40), add(margin, 0x20))))
            if lt(book.offset, book.length) {
                book.length := add(1, byte(5, calldataload(book.offset)))
                book.offset := 0
            }
        }
        // The loop stopped early at a word of an unknown zone.
        if (_offsetOf(book) == 0) revert IClearingErrors.UnknownZone(book.length - 1, zones.length);
    }

    function _offsetOf(bytes calldata data) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := data.offset
        }
    }

    /// Hands the posted marginal totals out pro rata: floor(energy x total / available), and the remainder as one Wh each to
    /// the first orders by order of append. Callers have checked total <= available for every zone.
    function fillMargin(BookTable memory table, ZoneTally[] memory zones, uint256[] memory margin) internal pure {
        bool shared;
        for (uint256 i = 0; i < zones.length; ++i) {
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
        assembly ("memory-safe") {
            let entries := mload(table)
            let end := add(add(margin, 0x20), shl(5, mload(margin)))
            for {
                let item := add(margin, 0x20)
            } lt(item, end) {
                item := add(item, 0x20)
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
                    share := add(div(mul(share, total), available), extra)
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

    /// The table's net sales as dense positions (PackedEnergy).
    function positionsOf(BookTable memory table) internal pure returns (bytes memory positions) {
        uint256 points = table.points;
        uint256 overflow;
        // 28 bytes more than needed: every position is written as the top of a whole memory word.
        positions = new bytes(points * PackedEnergy.BYTES + 28);
        assembly ("memory-safe") {
            let entry := mload(table)
            let target := add(positions, 0x20)
            let end := add(target, shl(2, points))
            for {} lt(target, end) {
                target := add(target, 4)
            } {
                let sold := sar(128, mload(entry))
                switch slt(sold, 0)
                case 0 {
                    if gt(sold, 0x7fffffff) {
                        overflow := add(1, shr(2, sub(target, add(positions, 0x20))))
                    }
                    mstore(target, shl(224, sold))
                }
                default {
                    if gt(sub(0, sold), 0x7fffffff) {
                        overflow := add(1, shr(2, sub(target, add(positions, 0x20))))
                    }
                    mstore(target, shl(224, or(0x80000000, sub(0, sold))))
                }
                entry := add(entry, 0x20)
            }
            mstore(positions, shl(2, points))
        }
        if (overflow != 0) {
            int256 soldWh;
            uint256 offset = table.memoryOffset + (overflow - 1) * 32;
            assembly ("memory-safe") {
                soldWh := sar(128, mload(offset))
            }
            revert IClearingErrors.PositionOverflow(overflow - 1, soldWh);
        }
    }
}
