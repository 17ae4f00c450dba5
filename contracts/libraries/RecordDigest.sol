// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../interfaces/IAuction.sol";

/// What the chain keeps of a clearing: 28 bytes of its hash, beside the slot's number in one storage word.
library RecordDigest {
    /// bytes28(keccak256(abi.encode(record))); leaves no memory behind. The encoding is put together by hand: nine words, the offsets
    /// among them counted anew, then prices, positions and extras, each with its length and padded with zeros. Words are hashed as they
    /// were given: one that is out of its type's range gives another hash than any record's.
    function ofCalldata(ClearingRecord calldata record) internal pure returns (bytes28 digest) {
        int64[] calldata prices = record.prices;
        bytes calldata positions = record.positions;
        bytes calldata extras = record.extras;
        bytes32 hash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 0x20)
            let head := add(free, 0x20)
            calldatacopy(head, record, 0x120)
            mstore(add(head, 0x40), 0x120)
            let at_ := add(head, 0x120)
            mstore(at_, prices.length)
            at_ := add(at_, 0x20)
            let size := shl(5, prices.length)
            calldatacopy(at_, prices.offset, size)
            at_ := add(at_, size)
            mstore(add(head, 0xe0), sub(at_, head))
            size := and(add(positions.length, 31), not(31))
            mstore(add(at_, size), 0)
            mstore(at_, positions.length)
            at_ := add(at_, 0x20)
            calldatacopy(at_, positions.offset, positions.length)
            at_ := add(at_, size)
            mstore(add(head, 0x100), sub(at_, head))
            size := and(add(extras.length, 31), not(31))
            mstore(add(at_, size), 0)
            mstore(at_, extras.length)
            at_ := add(at_, 0x20)
            calldatacopy(at_, extras.offset, extras.length)
            hash := keccak256(free, sub(add(at_, size), free))
        }
        return bytes28(hash);
    }
}
