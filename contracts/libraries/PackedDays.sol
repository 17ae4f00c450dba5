// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// A day order as a relayer packs it:
///
///   4 bytes point, 4 bytes first slot, 1 byte number of slots, 1 byte steps per slot (bit 7: signed by a delegate, bit 6: green,
///   bit 5: signed as bytes),
///   1 byte sequence, 1 byte width of a price (1 to 5 bytes), 2 bytes length of the signature, then per slot and step an energy
///   (3 bytes, Wh, positive sells, negative buys, 0 = no step) and a price (micro-token per kWh, that many bytes), both two's
///   complement, 20 bytes delegate (only with bit 7), signature.
library PackedDays {
    uint256 internal constant HEAD_BYTES = 14;
    uint256 internal constant MAX_STEPS = 8;
    uint256 internal constant ENERGY_BYTES = 3;
    uint256 private constant MAX_PRICE_BYTES = 5;

    /// One packed day order; places are offsets in calldata.
    struct Day {
        uint256 point;
        uint256 firstSlot;
        uint256 slots;
        uint256 steps;
        bool green;
        /// Its signer signed these bytes (DayHash.packedHash), not lists of energies and prices.
        bool packed;
        /// address(0): signed by the owner.
        address delegate;
        uint256 sequence;
        uint256 priceBytes;
        uint256 head;
        uint256 entries;
        /// End of the entries.
        uint256 end;
        uint256 signature;
        uint256 signatureLength;
    }

    /// Reads the day order at `head`, and gives where the next one stands.
    function read(Day memory day, uint256 head) internal pure returns (uint256 next) {
        unchecked {
            uint256 word = _load(head);
            uint256 shape = (word >> 176) & 0xff;
            day.head = head;
            day.point = word >> 224;
            day.firstSlot = (word >> 192) & 0xffffffff;
            day.slots = (word >> 184) & 0xff;
            day.steps = shape & 15;
            day.green = shape & 64 != 0;
            day.packed = shape & 32 != 0;
            day.sequence = (word >> 168) & 0xff;
            day.priceBytes = (word >> 160) & 0xff;
            day.signatureLength = (word >> 144) & 0xffff;
            day.entries = head + HEAD_BYTES;
            day.end = day.entries + day.slots * day.steps * (ENERGY_BYTES + day.priceBytes);
            day.signature = day.end;
            day.delegate = address(0);
            if (shape > 127) {
                day.delegate = address(uint160(_load(day.end) >> 96));
                day.signature += 20;
            }
            next = day.signature + day.signatureLength;
        }
    }

    /// Whether number of slots, steps and widths are such as a day order has.
    function isShaped(Day memory day) internal pure returns (bool) {
        unchecked {
            return
                day.slots - 1 < SlotTime.AHEAD_SLOTS &&
                day.steps - 1 < MAX_STEPS &&
                day.priceBytes - 1 < MAX_PRICE_BYTES;
        }
    }

    /// Where everything that was signed stands, head and entries: its place in calldata, its length in the lowest 32 bits.
    function content(Day memory day) internal pure returns (uint256) {
        unchecked {
            return (day.head << 32) | (day.end - day.head);
        }
    }

    /// Where the steps of the order's slot number `i` stand.
    function stepsOf(Day memory day, uint256 i) internal pure returns (uint256 place) {
        unchecked {
            return day.entries + i * day.steps * (ENERGY_BYTES + day.priceBytes);
        }
    }

    /// Slots from the first up to the last one with a step.
    function slotsWithSteps(Day memory day) internal pure returns (uint256) {
        unchecked {
            uint256 width = ENERGY_BYTES + day.priceBytes;
            for (uint256 place = day.end; place > day.entries;) {
                place -= width;
                if (_load(place) >> 232 != 0) return (place - day.entries) / (width * day.steps) + 1;
            }
            return 0;
        }
    }

    function _load(uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(place)
        }
    }
}
