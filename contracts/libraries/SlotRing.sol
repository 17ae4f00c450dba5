// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTime} from "./SlotTime.sol";

/// Reads of many slots' words at once, from a ring that is a mapping by slot modulo SlotTime.RING.
library SlotRing {
    /// The words of `slots`, or 0 where a word is of another lap: the bits of `mask`, from bit `shift` of the word on, hold the slot's
    /// number without its lowest `lap` bits.
    function read(
        mapping(uint256 ringIndex => uint256 word) storage ring,
        uint32[] calldata slots,
        uint256 shift,
        uint256 mask,
        uint256 lap
    ) internal view returns (uint256[] memory words) {
        uint256 size = SlotTime.RING;
        assembly ("memory-safe") {
            words := mload(0x40)
            mstore(words, slots.length)
            let at_ := add(words, 32)
            let end := add(at_, shl(5, slots.length))
            mstore(0x40, end)
            mstore(0x20, ring.slot)
            for {
                let given := slots.offset
            } lt(at_, end) {
                given := add(given, 32)
            } {
                let slot := and(calldataload(given), 0xffffffff)
                mstore(0x00, mod(slot, size))
                let word := sload(keccak256(0x00, 0x40))
                mstore(at_, mul(word, eq(and(shr(shift, word), mask), shr(lap, slot))))
                at_ := add(at_, 32)
            }
        }
    }
}
