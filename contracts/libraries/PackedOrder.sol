// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SignedOrder, Step} from "../interfaces/IOrderBook.sol";

/// An order as a relayer packs it, about a third of its ABI calldata:
///
///   4 bytes point, 1 byte sequence, 1 byte number of steps (bit 7: signed by a delegate), 2 bytes length of the signature,
///   20 bytes delegate (only with bit 7), 10 bytes per step (the lowest 80 bits of its OrderWord), signature.
library PackedOrder {
    uint256 internal constant STEP_BYTES = 10;
    uint256 internal constant MAX_SIGNATURE = type(uint16).max;
    uint256 private constant HEAD_BYTES = 8;

    /// Where the parts of one packed order stand in memory.
    struct Parts {
        uint256 point;
        uint256 sequence;
        /// address(0): signed by the owner.
        address delegate;
        uint256 steps;
        uint256 stepCount;
        uint256 signature;
        uint256 signatureLength;
    }

    /// Reads the order at `pointer` into `parts` and gives where the next one stands.
    function read(Parts memory parts, uint256 pointer) internal pure returns (uint256 next) {
        assembly ("memory-safe") {
            let head := mload(pointer)
            mstore(parts, shr(224, head))
            mstore(add(parts, 32), byte(4, head))
            let shape := byte(5, head)
            let at := add(pointer, HEAD_BYTES)
            let delegate := 0
            if gt(shape, 127) {
                delegate := shr(96, mload(at))
                at := add(at, 20)
                shape := and(shape, 127)
            }
            mstore(add(parts, 64), delegate)
            mstore(add(parts, 96), at)
            mstore(add(parts, 128), shape)
            at := add(at, mul(shape, STEP_BYTES))
            let length := and(shr(192, head), 0xffff)
            mstore(add(parts, 160), at)
            mstore(add(parts, 192), length)
            next := add(at, length)
        }
    }

    /// Packs an order of at most 127 steps and MAX_SIGNATURE bytes of signature.
    function encode(SignedOrder calldata order) internal pure returns (bytes memory packed) {
        bool delegated = order.delegate != address(0);
        packed = abi.encodePacked(
            order.point,
            order.sequence,
            uint8(order.steps.length) | (delegated ? 128 : 0),
            uint16(order.signature.length)
        );
        if (delegated) packed = bytes.concat(packed, bytes20(order.delegate));
        for (uint256 i = 0; i < order.steps.length; ++i) {
            Step calldata step = order.steps[i];
            uint8 flags = (step.sell ? 1 : 0) | (step.green ? 2 : 0);
            packed = bytes.concat(packed, abi.encodePacked(flags, step.energyWh, step.priceMicroPerKwh));
        }
        packed = bytes.concat(packed, order.signature);
    }
}
