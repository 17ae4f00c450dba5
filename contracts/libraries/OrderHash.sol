// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// EIP-712 hash of an order whose steps stand packed in memory (PackedOrder).
library OrderHash {
    bytes32 internal constant STEP_TYPEHASH = keccak256(
        "Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)"
    );
    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "Order(uint32 point,uint32 slot,uint8 sequence,Step[] steps)"
        "Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)"
    );

    /// Struct hash. `steps` points at `count` steps of 10 bytes.
    function structHash(
        uint256 point,
        uint256 slot,
        uint256 sequence,
        uint256 steps,
        uint256 count
    ) internal pure returns (bytes32 hash) {
        bytes32 typeHash = STEP_TYPEHASH;
        assembly ("memory-safe") {
            // Beyond the free memory pointer: hashes of the steps (at most 8 words), then one struct at a time.
            let hashes := mload(0x40)
            let struct_ := add(hashes, 256)
            mstore(struct_, typeHash)
            let length := shl(5, count)
            for {
                let i := 0
            } lt(i, length) {
                i := add(i, 32)
            } {
                let step := shr(176, mload(steps))
                mstore(add(struct_, 32), and(shr(72, step), 1))
                mstore(add(struct_, 64), and(shr(73, step), 1))
                mstore(add(struct_, 96), and(shr(40, step), 0xffffffff))
                mstore(add(struct_, 128), signextend(4, step))
                mstore(add(hashes, i), keccak256(struct_, 160))
                steps := add(steps, 10)
            }
            mstore(add(struct_, 128), keccak256(hashes, length))
            mstore(add(struct_, 32), point)
            mstore(add(struct_, 64), slot)
            mstore(add(struct_, 96), sequence)
        }
        typeHash = ORDER_TYPEHASH;
        assembly ("memory-safe") {
            let struct_ := add(mload(0x40), 256)
            mstore(struct_, typeHash)
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
