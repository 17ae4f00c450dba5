// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {DayTable} from "./DayTable.sol";
import {PackedDays} from "./PackedDays.sol";
import {PointWord} from "./PointWord.sol";

/// The steps of one day order: unpacked for the EIP-712 hash, then slot by slot checked by the rules of OrderRules and written to
/// the books of the slots (DayTable). `fill` takes almost every slot; `settle` treats the one where it stopped.
library DaySteps {
    /// The price of a step stands so much further on than its energy: most steps of a day order, 32 bytes each, and what the last
    /// round of `unpack` writes too much.
    uint256 internal constant GAP = 30_976;
    uint256 private constant BAND = 3_840;
    uint256 private constant WIDTH = 7_680;
    /// Largest sum that stays below the bit of a lane that OVER looks at, and these bits with all that is counted above the lanes.
    uint256 private constant LANE = 0x7fffffffffffffff;
    uint256 private constant OVER = 0xffffffffffffffffffffffffffffffff80000000000000008000000000000000;
    /// Bit 72 of the first of two order words in 32 bytes.
    uint256 private constant OFFER = 0x100000000000000000000000000000000000000000000000000;
    int256 private constant MIN_STEP_WH = 50;

    /// Where the day order at hand stands, and what all its slots share. Assembly names the fields by their place.
    struct Run {
        /// 0x00: entry of the next slot in the table; 0x20: end of the day order in the table.
        uint256 entry;
        uint256 entryEnd;
        /// 0x40: its first energy; 0x60: bytes of a slot's energies.
        uint256 energies;
        uint256 slotBytes;
        /// 0x80: the order word but side, energy and price, in the upper half.
        uint256 head;
        /// 0xa0: what lifts the sum of a slot's bids (bits 127..64) or offers (63..0) into the mask OVER when the point may not buy or
        /// sell so much; 0xc0, 0xe0: the most that it may sell and buy.
        uint256 lift;
        uint256 mostOfferWh;
        uint256 mostBidWh;
    }

    /// Unpacks all steps, 32 bytes each: energies at `energies`, prices GAP further on. What stands from `free` on is not touched.
    function unpack(PackedDays.Day memory day, uint256 energies) internal pure returns (uint256 free) {
        unchecked {
            uint256 width = PackedDays.ENERGY_BYTES + day.priceBytes;
            uint256 priceShift = 256 - (day.priceBytes << 3);
            uint256 end = energies + ((day.slots * day.steps) << 5);
            uint256 p = day.entries;
            // The last round may write up to seven steps too many.
            free = end + GAP + 224;
            if (day.priceBytes == 3) {
                _unpackUsual(p, energies, end);
                return free;
            }
            assembly ("memory-safe") {
                // Four at a time.
                for {
                    let a := energies
                } lt(a, end) {
                    a := add(a, 128)
                } {
                    let x := calldataload(p)
                    mstore(a, sar(232, x))
                    mstore(add(a, 30976), sar(priceShift, shl(24, x)))
                    p := add(p, width)
                    x := calldataload(p)
                    mstore(add(a, 32), sar(232, x))
                    mstore(add(a, 31008), sar(priceShift, shl(24, x)))
                    p := add(p, width)
                    x := calldataload(p)
                    mstore(add(a, 64), sar(232, x))
                    mstore(add(a, 31040), sar(priceShift, shl(24, x)))
                    p := add(p, width)
                    x := calldataload(p)
                    mstore(add(a, 96), sar(232, x))
                    mstore(add(a, 31072), sar(priceShift, shl(24, x)))
                    p := add(p, width)
                }
            }
        }
    }

    /// As `unpack`, for prices of three bytes, eight at a time.
    function _unpackUsual(uint256 p, uint256 energies, uint256 end) private pure {
        assembly ("memory-safe") {
            for {
                let a := energies
            } lt(a, end) {
                a := add(a, 256)
                p := add(p, 48)
            } {
                let x := calldataload(p)
                mstore(a, sar(232, x))
                mstore(add(a, 30976), sar(232, shl(24, x)))
                mstore(add(a, 32), sar(232, shl(48, x)))
                mstore(add(a, 31008), sar(232, shl(72, x)))
                mstore(add(a, 64), sar(232, shl(96, x)))
                mstore(add(a, 31040), sar(232, shl(120, x)))
                mstore(add(a, 96), sar(232, shl(144, x)))
                mstore(add(a, 31072), sar(232, shl(168, x)))
                x := calldataload(add(p, 24))
                mstore(add(a, 128), sar(232, x))
                mstore(add(a, 31104), sar(232, shl(24, x)))
                mstore(add(a, 160), sar(232, shl(48, x)))
                mstore(add(a, 31136), sar(232, shl(72, x)))
                mstore(add(a, 192), sar(232, shl(96, x)))
                mstore(add(a, 31168), sar(232, shl(120, x)))
                mstore(add(a, 224), sar(232, shl(144, x)))
                mstore(add(a, 31200), sar(232, shl(168, x)))
            }
        }
    }

    /// Prepares the run; entry, entryEnd and energies are the caller's.
    function prepare(Run memory run, PackedDays.Day memory day, PointWord point) internal pure {
        unchecked {
            run.slotBytes = day.steps << 5;
            uint256 head = (day.point << 96) | (day.sequence << 88) | (uint256(point.zone()) << 80);
            head |= uint256(point.priority()) << 74;
            run.head = (head | (day.green ? 1 << 73 : 0)) << 128;
            uint256 limit = point.tradeLimitWh();
            uint256 mostBidWh = limit < point.importLimitWh() ? limit : point.importLimitWh(); // [28]
            uint256 mostOfferWh = limit < point.exportLimitWh() ? limit : point.exportLimitWh();
            run.lift = ((LANE - mostBidWh) << 64) | (LANE - mostOfferWh);
            run.mostOfferWh = mostOfferWh;
            run.mostBidWh = mostBidWh;
        }
    }

    /// Takes slot after slot, to the end (then true) or to one that needs a closer look: no step at all, or a rule broken. That one is
    /// left as it was.
    function fill(Run memory run) internal pure returns (bool finished) {
        assembly ("memory-safe") {
            finished := 1
            let entry := mload(run)
            let a := mload(add(run, 0x40))
            let head := mload(add(run, 0x80))
            for {} lt(entry, mload(add(run, 0x20))) {
                entry := add(entry, 32)
            } {
                let cursor := mload(entry)
                // bits 63..0 Wh offered, 127..64 Wh bid, above: how many prices lie outside the band, and steps are too small.
                let sums := 0
                let end := add(a, mload(add(run, 0x60)))
                for {} 1 {} {
                    let x := mload(a)
                    let price := mload(add(a, GAP))
                    a := add(a, 32)
                    // Words overlap: the lower half of each is overwritten by the next.
                    if sgt(x, 49) {
                        mstore(cursor, or(or(head, shl(128, and(price, 0xffffffffff))), or(OFFER, shl(168, x))))
                        cursor := add(cursor, 16)
                        price := gt(sub(price, mload(add(entry, BAND))), mload(add(entry, WIDTH)))
                        sums := add(sums, or(x, shl(128, price)))
                        if lt(a, end) {
                            continue
                        }
                        break
                    }
                    if x {
                        // An offer below 50 Wh is a bid of less than nothing here.
                        x := sub(0, x)
                        mstore(cursor, or(or(head, shl(128, and(price, 0xffffffffff))), shl(168, x)))
                        cursor := add(cursor, 16)
                        price := gt(sub(price, mload(add(entry, BAND))), mload(add(entry, WIDTH)))
                        sums := add(sums, shl(64, or(and(x, 0xffffffff), shl(64, or(slt(x, 50), price)))))
                    }
                    if iszero(lt(a, end)) {
                        break
                    }
                }
                {
                    // A sum above its limit, or what was counted above bit 128, reaches a bit of the mask.
                    let halts := and(add(sums, mload(add(run, 0xa0))), OVER)
                    if shr(64, sums) {
                        if and(sums, 0xffffffffffffffff) {
                            halts := or(halts, crosses(mload(entry), cursor))
                        }
                    }
                    if or(halts, iszero(sums)) {
                        a := sub(a, mload(add(run, 0x60)))
                        finished := 0
                        break
                    }
                }
                mstore(entry, cursor)
            }
            mstore(run, entry)
            mstore(add(run, 0x40), a)

            // Whether the highest bid among the words reaches the lowest offer; both kinds are there.
            function crosses(from, to) -> crossed {
                let highestBid := not(sub(shl(63, 1), 1))
                let lowestOffer := sub(shl(63, 1), 1)
                for {} lt(from, to) {
                    from := add(from, 16)
                } {
                    let word := shr(128, mload(from))
                    let price := signextend(4, word)
                    switch and(shr(72, word), 1)
                    case 1 {
                        if slt(price, lowestOffer) {
                            lowestOffer := price
                        }
                    }
                    default {
                        if sgt(price, highestBid) {
                            highestBid := price
                        }
                    }
                }
                crossed := iszero(slt(highestBid, lowestOffer))
            }
        }
    }

    /// Looks closely at the slot where `fill` stopped, and goes on to the next; gives why it is not taken. One without steps is, with a
    /// cancelling word if it `cancels`.
    function settle(Run memory run, bool cancels) internal pure returns (IOrderBook.Skip reason) {
        uint256 energies = run.energies;
        uint256 entry = run.entry;
        skip(run);
        reason = _check(run, energies, entry);
        // What has steps and breaks no rule was taken by `fill`; a cancellation is one word without energy and flags.
        if (reason == IOrderBook.Skip.None && cancels) DayTable.push(entry, run.head & ~uint256(0xff << 200));
    }

    /// Goes on to the next slot.
    function skip(Run memory run) internal pure {
        unchecked {
            run.entry += DayTable.ENTRY;
            run.energies += run.slotBytes;
        }
    }

    /// The first rule that the steps of a slot break; none when it has no step.
    function _check(Run memory run, uint256 energies, uint256 entry) private pure returns (IOrderBook.Skip) {
        (int256 lowest, int256 highest) = DayTable.band(entry);
        int256 highestBid = type(int64).min;
        int256 lowestOffer = type(int64).max;
        bool empty = true;
        uint256 end = energies + run.slotBytes;
        for (uint256 place = energies; place < end; place += 32) {
            (int256 energy, int256 price) = _step(place);
            if (energy == 0) continue;
            empty = false;
            if (energy < MIN_STEP_WH && energy > -MIN_STEP_WH) return IOrderBook.Skip.StepTooSmall;
            if (price < lowest || price > highest) return IOrderBook.Skip.OutsideBand;
            if (energy > 0) {
                if (price < lowestOffer) lowestOffer = price;
            } else {
                if (price > highestBid) highestBid = price;
            }
        }
        if (empty) return IOrderBook.Skip.None;
        return highestBid >= lowestOffer ? IOrderBook.Skip.CrossedSides : IOrderBook.Skip.OverRating;
    }

    function _step(uint256 place) private pure returns (int256 energy, int256 price) {
        assembly ("memory-safe") {
            energy := mload(place)
            price := mload(add(place, GAP))
        }
    }
}
