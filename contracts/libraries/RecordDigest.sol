// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../interfaces/IAuction.sol";

/// What the chain keeps of a clearing: 28 bytes of its hash, beside the slot's number in one storage word.
library RecordDigest {
    /// bytes28(keccak256(abi.encode(record))); leaves no memory behind.
    function ofCalldata(ClearingRecord calldata record) internal pure returns (bytes28 digest) {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        digest = bytes28(keccak256(abi.encode(record)));
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    function ofMemory(ClearingRecord memory record) internal pure returns (bytes28) {
        return bytes28(keccak256(abi.encode(record)));
    }
}
