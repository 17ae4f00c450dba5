// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The loops of `ClearingBook.tally`: every word of a book against the posted price of its zone. In assembly, since they run per order; the
/// layout of a word stands at ClearingBook, that of a point's entry at BookTable.
library ClearingLoops {
    /// Reads a book from its end. Offsets in the block of a side (ZoneTally): Wh 0x00, cap or floor 0x20, span 0x40, bound
    /// of the orders filled in full 0x60, of those left 0x80, Wh at the price 0xa0, price 0x100, unit 0x120, mask 0x140.
    ///
    /// One comparison tells that an order is better than the price and counts with its own limit. A word without energy may pass it: it
    /// adds nothing.
    ///
    /// Both loops leave the same of every book. `readSingles` takes each word by itself and is cheaper where most orders are one word;
    /// `readRuns` reads neighbouring words of one order on one side as a run.
    /// @param directory pointers, four per zone
    /// @param points bound of the points in the book: twice as many words or more are read as runs
    /// @return margin as `ClearingBook.tally`
    function read(
        bytes calldata book,
        uint256 entries,
        uint256 directory,
        uint256 points
    ) internal pure returns (uint256[] memory margin) {
        bool runs;
        assembly ("memory-safe") {
            // A run ends before the first word: what stands there must not look like it.
            let offset := book.offset
            runs := gt(
                lt(shl(5, points), add(book.length, 1)),
                iszero(shr(200, xor(calldataload(offset), calldataload(sub(offset, 16)))))
            )
        }
        return runs ? readRuns(book, entries, directory) : readSingles(book, entries, directory);
    }

    /// As `read`, word by word.
    function readSingles(
        bytes calldata book,
        uint256 entries,
        uint256 directory
    ) internal pure returns (uint256[] memory margin) {
        assembly ("memory-safe") {
            // The free memory pointer ends the list.
            margin := mload(0x40)
            mstore(0x40, add(margin, 0x20))
            for {
                let cursor := add(book.offset, book.length)
            } gt(cursor, book.offset) {} {
                cursor := sub(cursor, 16)
                let word := calldataload(cursor)
                let entry := add(entries, shl(5, shr(224, word)))
                let state := mload(entry)
                if state {
                    if and(xor(state, byte(4, word)), 0x3ff) {
                        // Replaced: what stands before belongs to no live order. [2]
                        mstore(entry, add(or(state, 0x200), shl(96, 1)))
                        continue
                    }
                }
                state := add(or(state, byte(4, word)), shl(96, 1))
                // Zone, green and side. [33]
                let side := mload(add(add(directory, shl(7, byte(5, word))), and(shr(195, word), 0x60)))
                let energy := and(shr(168, word), 0xffffffff)
                let limit := xor(sar(216, shl(88, word)), mload(add(side, 0x140)))
                if iszero(lt(sub(limit, mload(add(side, 0x20))), mload(add(side, 0x40)))) {
                    if slt(limit, mload(add(side, 0x20))) {
                        // [3]
                        limit := mload(add(side, 0x20))
                    }
                    let price := mload(add(side, 0x100))
                    if iszero(slt(limit, price)) {
                        mstore(entry, state)
                        if iszero(energy) {
                            continue
                        }
                        if xor(limit, price) {
                            if slt(limit, mload(add(side, 0x80))) {
                                mstore(add(side, 0x80), limit)
                            }
                            continue
                        }
                        mstore(add(side, 0xa0), add(mload(add(side, 0xa0)), energy))
                        mstore(mload(0x40), cursor)
                        mstore(0x40, add(mload(0x40), 0x20))
                        continue
                    }
                }
                mstore(entry, add(state, mul(energy, mload(add(side, 0x120))))) // [5]
                mstore(side, add(mload(side), mul(energy, add(limit, shl(128, 1)))))
                if mul(energy, sgt(limit, mload(add(side, 0x60)))) {
                    mstore(add(side, 0x60), limit)
                }
            }
            mstore(margin, shr(5, sub(mload(0x40), add(margin, 0x20))))
        }
    }

    /// As `read`, run by run: entry and record are looked up once for each, and what its words add up to is entered at its end. A run ends
    /// where point, sequence, zone or flags change, at the latest before the book: nothing like its first word may stand there. In a
    /// book of any length that is the lower half of the length, and the first word has a sequence (`ClearingBook.bound`).
    function readRuns(
        bytes calldata book,
        uint256 entries,
        uint256 directory
    ) internal pure returns (uint256[] memory margin) {
        assembly ("memory-safe") {
            // The free memory pointer ends the list.
            margin := mload(0x40)
            mstore(0x40, add(margin, 0x20))
            let cursor := add(book.offset, book.length)
            // No word is of this run: it is of no point, and entered into scratch space.
            let word := not(0)
            let entry := 0
            let side := 0
            let sum := 0
            for {} 1 {} {
                cursor := sub(cursor, 16)
                let before := word
                word := calldataload(cursor)
                if shr(200, xor(word, before)) {
                    mstore(side, add(mload(side), sum))
                    // The Wh of the sum (`ClearingBook._split`), and as many words as the run has 16 bytes. [5]
                    sum := mul(shr(128, add(sum, shl(127, 1))), mload(add(side, 0x120)))
                    mstore(entry, sub(add(mload(entry), sum), shl(92, cursor)))
                    if lt(cursor, book.offset) {
                        break
                    }
                    sum := 0
                    entry := add(entries, shl(5, shr(224, word)))
                    let state := mload(entry)
                    if state {
                        if and(xor(state, byte(4, word)), 0x3ff) {
                            // Replaced: what stands before belongs to no live order. [2]
                            mstore(entry, add(or(state, 0x200), shl(96, 1)))
                            entry := 0
                            word := not(0)
                            continue
                        }
                    }
                    mstore(entry, add(or(state, byte(4, word)), shl(92, cursor)))
                    // Zone, green and side. [33]
                    side := mload(add(add(directory, shl(7, byte(5, word))), and(shr(195, word), 0x60)))
                }
                let energy := and(shr(168, word), 0xffffffff)
                let limit := xor(sar(216, shl(88, word)), mload(add(side, 0x140)))
                if iszero(lt(sub(limit, mload(add(side, 0x20))), mload(add(side, 0x40)))) {
                    if slt(limit, mload(add(side, 0x20))) {
                        // [3]
                        limit := mload(add(side, 0x20))
                    }
                    if sgt(limit, mload(add(side, 0x100))) {
                        if mul(energy, slt(limit, mload(add(side, 0x80)))) {
                            mstore(add(side, 0x80), limit)
                        }
                        continue
                    }
                    if eq(limit, mload(add(side, 0x100))) {
                        if energy {
                            mstore(add(side, 0xa0), add(mload(add(side, 0xa0)), energy))
                            mstore(mload(0x40), cursor)
                            mstore(0x40, add(mload(0x40), 0x20))
                        }
                        continue
                    }
                }
                sum := add(sum, mul(energy, add(limit, shl(128, 1))))
                if mul(energy, sgt(limit, mload(add(side, 0x60)))) {
                    mstore(add(side, 0x60), limit)
                }
            }
            mstore(margin, shr(5, sub(mload(0x40), add(margin, 0x20))))
        }
    }
}
