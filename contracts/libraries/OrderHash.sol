// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SignedOrder, Step} from "../interfaces/IOrderBook.sol";

/// EIP-712 struct hash of an order.
library OrderHash {
    bytes32 internal constant STEP_TYPEHASH = keccak256(
        "Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)"
    );
    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "Order(uint32 point,uint32 slot,uint8 sequence,Step[] steps)"
        "Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)"
    );

    /// The fields of the steps must have been read (and so checked for their range) before.
    function structHash(
        uint32 point,
        uint32 slot,
        uint8 sequence,
        Step[] calldata steps
    ) internal pure returns (bytes32 hash) {
        bytes32 stepType = STEP_TYPEHASH;
        bytes32 orderType = ORDER_TYPEHASH;
        assembly ("memory-safe") {
            // Beyond the free memory pointer: hashes of the steps (at most 8 words), then one struct at a time.
            let hashes := mload(0x40)
            let struct_ := add(hashes, 256)
            mstore(struct_, stepType)
            let step := steps.offset
            let length := shl(5, steps.length)
            for {
                let i := 0
            } lt(i, length) {
                i := add(i, 32)
            } {
                calldatacopy(add(struct_, 32), step, 128)
                mstore(add(hashes, i), keccak256(struct_, 160))
                step := add(step, 128)
            }
            mstore(add(struct_, 128), keccak256(hashes, length))
            mstore(struct_, orderType)
            mstore(add(struct_, 32), point)
            mstore(add(struct_, 64), slot)
            mstore(add(struct_, 96), sequence)
            hash := keccak256(struct_, 160)
        }
    }

    /// EIP-712 digest under a domain separator.
    function digest(bytes32 domainSeparator, bytes32 structHash_) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, hex"1901")
            mstore(add(free, 2), domainSeparator)
            mstore(add(free, 34), structHash_)
            result := keccak256(free, 66)
        }
    }
}
