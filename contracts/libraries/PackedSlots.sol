// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {RecordImage} from "./RecordImage.sol";
import {FixedMoney} from "./SlotPayments.sol";

/// The layout of ISettlement.settlePacked around its readings (PackedReadings) and positions (PackedPositions), and of the sums that
/// `SlotsSettled` tells.
library PackedSlots {
    using RecordImage for RecordImage.Room;

    /// Bytes of a slot in the sums: 4 slot, 1 version, four sums of money of 16 each.
    uint256 private constant SUMS_BYTES = 69;

    /// Numbers of the slots, and where their readings and records begin.
    function numbersOf(
        bytes calldata slots
    ) internal pure returns (uint32[] memory numbers, uint256 readings, uint256 records) {
        uint256 head;
        assembly ("memory-safe") {
            head := calldataload(slots.offset)
            readings := add(slots.offset, 6)
        }
        numbers = new uint32[](slots.length == 0 ? 0 : head >> 240);
        assembly ("memory-safe") {
            let each := add(numbers, 0x20)
            for {
                let end := add(each, shl(5, mload(numbers)))
            } lt(each, end) {
                each := add(each, 0x20)
            } {
                mstore(each, shr(224, calldataload(readings)))
                readings := add(readings, 4)
            }
        }
        unchecked {
            records = readings + uint32(head >> 208);
        }
    }

    /// Takes a record to hand; returns the root in front of it, and where the record ends.
    function recordAt(
        RecordImage.Room memory room,
        uint32 slot,
        uint256 at_
    ) internal pure returns (bytes32 root, uint256 end) {
        uint256 form;
        assembly ("memory-safe") {
            root := calldataload(at_)
            form := byte(0, calldataload(add(at_, 32)))
        }
        unchecked {
            end = at_ + 33;
        }
        if (form == 0) room.digest = 0;
        else end = room.unpack(slot, form == 2, end);
    }

    /// The slots' readings, or records, end where the next part begins.
    function checkEnd(uint256 end, uint256 expected) internal pure {
        if (end != expected) revert ISettlement.WrongLength(end, expected);
    }

    function roomForSums(uint256 slots) internal pure returns (bytes memory sums) {
        return new bytes(slots * SUMS_BYTES);
    }

    /// Writes slot `i` into the sums.
    function addSums(bytes memory sums, uint256 i, uint32 slot, uint8 version, FixedMoney memory money) internal pure {
        uint256 first = (uint256(slot) << 224) | (uint256(version) << 216);
        assembly ("memory-safe") {
            let at_ := add(add(sums, 32), mul(i, SUMS_BYTES))
            mstore(at_, first)
            mstore(add(at_, 5), or(shl(128, mload(money)), shr(128, shl(128, mload(add(money, 0x20))))))
            mstore(add(at_, 37), or(shl(128, mload(add(money, 0x40))), shr(128, shl(128, mload(add(money, 0x60))))))
        }
    }
}
