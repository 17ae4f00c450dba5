// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DaySteps} from "./DaySteps.sol";
import {PackedDays} from "./PackedDays.sol";

/// What most day orders are, four steps at a time: one or two steps a slot and prices of three bytes. Then four steps are 24 bytes of
/// calldata, and all rules are checked on them at once, in eight lanes of 24 bits:
///
///   bits 255..232 energy, 231..208 price (first step of the first slot), 207..184 energy, 183..160 price, 159..136 ..., 87..64 price
///
/// The highest bit of a lane is free in every lane that passes: it takes the borrow of a comparison. What does not pass here breaks
/// no rule for that: DaySteps.fill takes it slot by slot.
library DayLanes {
    /// Highest energy and price that leave a lane's highest bit free.
    uint256 private constant MOST = 0x7fffff;
    /// Lowest bit of each of the four steps.
    uint256 private constant STEPS = 0x000000000001000000000001000000000001000000000001_0000000000000000;
    /// Bit 72 of both order words in 32 bytes.
    uint256 private constant OFFERS = 0x100000000000000000000000000000001000000000000000000;
    /// Of the first of them.
    uint256 private constant OFFER = 0x100000000000000000000000000000000000000000000000000;
    uint256 private constant BELOW = 0xffffffffffffffff;
    uint256 private constant MIN_STEP_WH = 50;

    /// Whether the order has the shape that `fill` takes.
    function fits(PackedDays.Day memory day) internal pure returns (bool) {
        return (day.steps == 2 || day.steps == 1) && day.priceBytes == 3;
    }

    /// Takes two slots (four, with one step each) after the other from the run's next one on, up to the first that do not pass.
    /// `place`: the next slot's steps in calldata; `lowest`, `highest`: a band that lies within those of all slots.
    function fill(DaySteps.Run memory run, uint256 place, int256 lowest, int256 highest) internal pure {
        if (lowest < 0) lowest = 0;
        if (highest > int256(MOST)) highest = int256(MOST);
        if (highest < lowest) return;
        unchecked {
            uint256 offerWh = run.mostOfferWh < MOST ? run.mostOfferWh : MOST;
            uint256 bidWh = run.mostBidWh < MOST ? run.mostBidWh : MOST;
            uint256 low = ((MIN_STEP_WH << 24) | uint256(lowest)) * STEPS;
            uint256 high = ((((0x800000 | offerWh) << 24) | 0x800000 | uint256(highest)) * STEPS) | BELOW;
            if (run.slotBytes == 64) _fill(run, place, low, high, bidWh - offerWh);
            else _fillSingle(run, place, low, high, bidWh - offerWh);
        }
    }

    /// `more`: what bids may have more than offers, modulo 2^256.
    function _fill(DaySteps.Run memory run, uint256 place, uint256 low, uint256 high, uint256 more) private pure {
        assembly ("memory-safe") {
            let entry := mload(run)
            let begin := entry
            let last := sub(mload(add(run, 0x20)), 32)
            let head := mload(add(run, 0x80))
            head := or(or(head, shr(128, head)), OFFERS)
            for {} lt(entry, last) {
                entry := add(entry, 64)
                place := add(place, 24)
            } {
                let v := calldataload(place)
                // A bit for each step that buys, at the lowest of its energy; v becomes positive energies and the prices.
                let bids := shr(23, and(v, 0x8000000000008000000000008000000000008000000000000000000000000000))
                v := add(xor(v, sub(shl(24, bids), bids)), bids)
                {
                    // The second energy of each slot becomes the sum of both.
                    let sums := add(v, and(shr(48, v), 0xffffff000000000000000000ffffff0000000000000000000000))
                    let passes := and(
                        sub(or(v, 0x8000008000008000008000008000008000008000008000000000000000000000), low),
                        sub(add(high, mul(bids, more)), sums)
                    )
                    // Negative prices, or energies of 2^23, have the bit before; a slot with both sides.
                    let halts := and(
                        or(sums, not(passes)),
                        0x8000008000008000008000008000008000008000008000000000000000000000
                    )
                    if or(halts, and(xor(bids, shr(48, bids)), 0x10000000000000000000000010000000000000000000000)) {
                        break
                    }
                }
                let cursor := mload(entry)
                let w := shr(64, v)
                mstore(
                    cursor,
                    or(
                        or(
                            and(w, 0xffffff000000000000000000000000000000000000000000),
                            and(shr(80, v), 0xffffff00000000000000000000000000000000)
                        ),
                        or(
                            or(and(shr(144, v), 0xffffff0000000000), and(shr(160, v), 0xffffff)),
                            // Bit 72 of both words: offers.
                            xor(head, mul(shr(232, bids), OFFERS))
                        )
                    )
                )
                mstore(entry, add(cursor, 32))
                cursor := mload(add(entry, 32))
                mstore(
                    cursor,
                    or(
                        or(
                            and(shl(32, v), 0xffffff000000000000000000000000000000000000000000),
                            and(shl(16, v), 0xffffff00000000000000000000000000000000)
                        ),
                        or(
                            or(and(shr(48, v), 0xffffff0000000000), and(w, 0xffffff)),
                            xor(head, mul(and(shr(136, bids), 1), OFFERS))
                        )
                    )
                )
                mstore(add(entry, 32), add(cursor, 32))
            }
            mstore(run, entry)
            // Two energies of a slot are twice as long as its entry.
            mstore(add(run, 0x40), add(mload(add(run, 0x40)), shl(1, sub(entry, begin))))
        }
    }

    /// As `_fill`, for slots of one step: the steps are of four slots, with a word each.
    function _fillSingle(DaySteps.Run memory run, uint256 place, uint256 low, uint256 high, uint256 more) private pure {
        assembly ("memory-safe") {
            let entry := mload(run)
            mstore(add(run, 0x40), sub(mload(add(run, 0x40)), entry))
            let head := or(mload(add(run, 0x80)), OFFER)
            for {
                let last := sub(mload(add(run, 0x20)), 96)
            } lt(entry, last) {
                entry := add(entry, 128)
                place := add(place, 24)
            } {
                let v := calldataload(place)
                // As in `_fill`.
                let bids := shr(23, and(v, 0x8000000000008000000000008000000000008000000000000000000000000000))
                v := add(xor(v, sub(shl(24, bids), bids)), bids)
                {
                    let passes := and(
                        sub(or(v, 0x8000008000008000008000008000008000008000008000000000000000000000), low),
                        sub(add(high, mul(bids, more)), v)
                    )
                    if and(or(v, not(passes)), 0x8000008000008000008000008000008000008000008000000000000000000000) {
                        break
                    }
                }
                // What stands below a word is overwritten by the next.
                let cursor := mload(entry)
                mstore(entry, add(cursor, 16))
                mstore(
                    cursor,
                    or(
                        or(
                            and(shr(64, v), 0xffffff000000000000000000000000000000000000000000),
                            and(shr(80, v), 0xffffff00000000000000000000000000000000)
                        ),
                        xor(head, and(shr(32, bids), OFFER))
                    )
                )
                cursor := mload(add(entry, 32))
                mstore(add(entry, 32), add(cursor, 16))
                mstore(
                    cursor,
                    or(
                        or(
                            and(shr(16, v), 0xffffff000000000000000000000000000000000000000000),
                            and(shr(32, v), 0xffffff00000000000000000000000000000000)
                        ),
                        xor(head, and(shl(16, bids), OFFER))
                    )
                )
                cursor := mload(add(entry, 64))
                mstore(add(entry, 64), add(cursor, 16))
                mstore(
                    cursor,
                    or(
                        or(
                            and(shl(32, v), 0xffffff000000000000000000000000000000000000000000),
                            and(shl(16, v), 0xffffff00000000000000000000000000000000)
                        ),
                        xor(head, and(shl(64, bids), OFFER))
                    )
                )
                cursor := mload(add(entry, 96))
                mstore(add(entry, 96), add(cursor, 16))
                mstore(
                    cursor,
                    or(
                        or(
                            and(shl(80, v), 0xffffff000000000000000000000000000000000000000000),
                            and(shl(64, v), 0xffffff00000000000000000000000000000000)
                        ),
                        xor(head, and(shl(112, bids), OFFER))
                    )
                )
            }
            mstore(run, entry)
            // The energy of a slot is as long as its entry.
            mstore(add(run, 0x40), add(mload(add(run, 0x40)), entry))
        }
    }
}
